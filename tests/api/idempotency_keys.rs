//! A request with a key that is sent again. That every route does it is in `every_post`.

use std::sync::mpsc;
use std::time::Duration;

use actix_web::http::Method;
use chrono::TimeDelta;
use debrief::app::clients::ClientInput;
use debrief::app::idempotency_keys::{self, Outcome, Told};
use debrief::app::{AppError, Context, records};
use debrief::auth::caller::Caller as Principal;
use debrief::auth::keys::Keys;
use debrief::auth::setup_token::SetupToken;
use debrief::domain::actor::Actor;
use debrief::domain::people::Role;
use debrief::jobs::Jobs;
use debrief::mail::Transport;
use debrief::startup;
use debrief::store::clients::Client;
use debrief::store::debriefs;
use debrief::store::idempotency_keys::KeptAnswer;
use debrief::store::pool::StoreError;
use debrief::store::schema::idempotency_keys as table;
use diesel::prelude::*;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{Caller, Desk, TestApp, id, on_both};

const KEY: &str = "8e03978e-40d5-43dd-bc93-6894a57f9324";

/// The caller, sending this key.
fn keyed(caller: &Caller, key: &str) -> Caller {
    caller.with("Idempotency-Key", key)
}

async fn names(caller: &Caller) -> Vec<String> {
    let listed = caller.get("/v1/clients").await.expect(200);
    let name = |client: &Value| client["name"].as_str().unwrap().to_owned();
    listed["data"].as_array().unwrap().iter().map(name).collect()
}

fn kept(context: &Context) -> Vec<KeptAnswer> {
    let rows = |conn: &mut _| Ok::<_, StoreError>(table::table.select(KeptAnswer::as_select()).load(conn)?);
    context.store.read(rows).unwrap()
}

/// Another node on the same database, with a caller for it.
fn another_node(app: &TestApp, caller: &Caller) -> (Context, Caller) {
    let store = app.database().open(app.clock.clone());
    let context = startup::build_context(&app.settings, store, SetupToken::generate().0).unwrap();
    let running = startup::serve(&app.settings, context.clone()).unwrap();
    actix_web::rt::spawn(running.server);
    (context, Caller::new(format!("http://{}", running.address), Some(caller.token())))
}

/// Holds a debrief, and on SQLite the writer with it, until it is dropped.
struct Hold {
    _release: mpsc::Sender<()>,
}

impl Hold {
    fn on(app: &TestApp, debrief: &str) -> Self {
        let (release, released) = mpsc::channel::<()>();
        let (holding, held) = mpsc::channel();
        let (store, agency, debrief) = (app.context.store.clone(), app.agency(), debrief.parse().unwrap());
        std::thread::spawn(move || {
            store.write(|tx| {
                debriefs::lock(tx, agency, debrief)?.unwrap();
                holding.send(()).unwrap();
                // Ends when the other end is dropped.
                assert!(released.recv().is_err());
                Ok::<_, StoreError>(())
            })
        });
        held.recv().unwrap();
        Self { _release: release }
    }
}

/// Sends a request from both at once while the debrief is held: one of them is told to come again, the
/// other gets its answer.
async fn one_of(app: &TestApp, debrief: &str, callers: [Caller; 2]) {
    let hold = Hold::on(app, debrief);
    let path = format!("/v1/debriefs/{debrief}/activities");
    let send = |caller: Caller| {
        let path = path.clone();
        actix_web::rt::spawn(async move {
            caller.post(&path, json!({"kind": "call", "outcome": "Talked."})).await
        })
    };
    let mut sent = Vec::from(callers.map(send));
    let refused = loop {
        if let Some(at) = sent.iter().position(tokio::task::JoinHandle::is_finished) {
            break sent.remove(at).await.unwrap();
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    assert_eq!(refused.header("retry-after"), "1");
    refused.problem(409, "idempotency_in_flight");
    drop(hold);
    let answered = sent.remove(0).await.unwrap();
    assert_eq!(answered.header("idempotency-replayed"), "");
    answered.expect(201);
}

on_both! {
    async fn the_same_request_gets_the_same_answer_and_does_nothing(app: TestApp) {
        let ann = app.recruiter().await;
        let body = json!({"name": "Nordwind"});
        let first = keyed(&ann, KEY).post("/v1/clients", body.clone()).await;
        let changed = format!("/v1/clients/{}", id(&first.body));
        ann.patch(&changed, json!({"name": "Südwind"})).await.expect(200);
        // Bare or quoted, it is the same key.
        for key in [KEY.to_owned(), format!("\"{KEY}\"")] {
            let again = keyed(&ann, &key).post("/v1/clients", body.clone()).await;
            assert_eq!(again.header("idempotency-replayed"), "true");
            assert_eq!((again.status, &again.bytes), (first.status, &first.bytes));
            for header in ["etag", "location", "content-type"] {
                assert!(!first.header(header).is_empty(), "{header}");
                assert_eq!(again.header(header), first.header(header));
            }
        }
        assert_eq!(names(&ann).await, ["Südwind"]);
        // Without a key, and with another one, it is another request.
        ann.made("/v1/clients", body.clone()).await;
        keyed(&ann, "other").made("/v1/clients", body).await;
        assert_eq!(names(&ann).await.len(), 3);
    }

    async fn a_key_stands_for_one_request(app: TestApp) {
        let ann = app.recruiter().await;
        let keyed = keyed(&ann, KEY);
        keyed.made("/v1/clients", json!({"name": "Nordwind"})).await;
        for (path, body) in [("/v1/clients", json!({"name": "Südwind"})), ("/v1/candidates", json!({"name": "Nordwind"}))] {
            keyed.post(path, body).await.problem(422, "idempotency_key_reused");
        }
        assert_eq!(names(&ann).await, ["Nordwind"]);
        let head = format!(
            "POST /v1/clients HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nConnection: close\r\n\
             Idempotency-Key: a\r\nIdempotency-Key: b\r\nContent-Length: 0\r\n\r\n", ann.token());
        let mut connection = app.connect().await.unwrap();
        connection.write_all(head.as_bytes()).await.unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("\"repeated\""), "{answer}");
    }

    async fn other_methods_take_no_key(app: TestApp) {
        let ann = app.recruiter().await;
        let client = format!("/v1/clients/{}", id(&ann.made("/v1/clients", json!({"name": "Nordwind"})).await));
        for key in [KEY, "not a key"] {
            let keyed = keyed(&ann, key);
            keyed.patch(&client, json!({"name": key})).await.expect(200);
            keyed.get(&client).await.expect(200);
        }
        assert_eq!(ann.get(&client).await.expect(200)["version"], 3);
        keyed(&ann, KEY).delete(&client).await.expect(204);
        assert!(kept(&app.context).is_empty());
    }

    async fn a_key_is_its_callers_own(app: TestApp) {
        let body = json!({"name": "Nordwind"});
        let [ann, ben, eve] = [app.recruiter().await, app.recruiter().await, app.stranger(Role::Admin).await];
        let mut made = Vec::new();
        for caller in [&ann, &ben, &eve] {
            made.push(id(&keyed(caller, KEY).made("/v1/clients", body.clone()).await));
        }
        made.sort();
        made.dedup();
        assert_eq!(made.len(), 3);
        // Another token of the same caller makes no difference.
        let principal = app.context.tokens.verify(&ann.token(), app.clock.now()).unwrap();
        let renewed = app.context.tokens.sign(&principal, app.clock.now(), rand::random()).unwrap();
        let again = keyed(&ann.with_token(&renewed), KEY).post("/v1/clients", body).await;
        assert_eq!(again.header("idempotency-replayed"), "true");
    }

    async fn a_request_is_answered_once_at_a_time(app: TestApp) {
        let desk = Desk::set(&app).await;
        let ann = keyed(&desk.ann, KEY);
        one_of(&app, &desk.debrief, [ann.clone(), ann.clone()]).await;
        let path = format!("/v1/debriefs/{}/activities", desk.debrief);
        let again = ann.post(&path, json!({"kind": "call", "outcome": "Talked."})).await;
        assert_eq!(again.header("idempotency-replayed"), "true");
        assert_eq!(desk.ann.get(&path).await.expect(200)["data"].as_array().unwrap().len(), 1);
    }

    async fn two_nodes_answer_a_request_once_at_a_time(app: TestApp) {
        // SQLite has no other nodes: there the second waits for the writer, and replays.
        if !app.database().url().starts_with("postgres") {
            return;
        }
        let desk = Desk::set(&app).await;
        let (_, there) = another_node(&app, &desk.ann);
        one_of(&app, &desk.debrief, [keyed(&desk.ann, KEY), keyed(&there, KEY)]).await;
    }

    async fn a_client_who_goes_away_finds_the_answer_later(app: TestApp) {
        let desk = Desk::set(&app).await;
        let (ann, path) = (keyed(&desk.ann, KEY), format!("/v1/debriefs/{}/activities", desk.debrief));
        let body = json!({"kind": "call", "outcome": "Talked."});
        let hold = Hold::on(&app, &desk.debrief);
        let impatient = {
            let (ann, path, body) = (ann.clone(), path.clone(), body.clone());
            actix_web::rt::spawn(async move { ann.post(&path, body).await })
        };
        // It is under way once a second one is refused.
        loop {
            let other = tokio::time::timeout(Duration::from_millis(500), ann.post(&path, body.clone())).await;
            if other.is_ok_and(|other| other.status.as_u16() == 409) {
                break;
            }
        }
        impatient.abort();
        drop(hold);
        let answer = loop {
            let answer = ann.post(&path, body.clone()).await;
            if answer.status.as_u16() != 409 {
                break answer;
            }
        };
        assert_eq!(answer.header("idempotency-replayed"), "true");
        answer.expect(201);
        assert_eq!(desk.ann.get(&path).await.expect(200)["data"].as_array().unwrap().len(), 1);
    }

    async fn what_failed_may_be_tried_again(app: TestApp) {
        let ann = app.recruiter().await;
        let body = json!({"name": "Nordwind", "external_refs": [{"system": "crm", "id": "1"}]});
        let first = format!("/v1/clients/{}", id(&ann.made("/v1/clients", body.clone()).await));
        let keyed = keyed(&ann, KEY);
        let refused = keyed.post("/v1/clients", body.clone()).await;
        assert!(refused.status.is_client_error(), "{refused:?}");
        assert!(kept(&app.context).is_empty());
        ann.patch(&first, json!({"external_refs": []})).await.expect(200);
        let made = keyed.post("/v1/clients", body).await;
        assert_eq!(made.header("idempotency-replayed"), "");
        made.expect(201);
    }

    async fn work_key_and_answer_are_committed_together(app: TestApp) {
        let ann = app.recruiter().await;
        let caller = app.context.tokens.verify(&ann.token(), app.clock.now()).unwrap();
        let key = KEY.parse().unwrap();
        let write = |cut_off: bool| {
            let told = Told { caller: &[b"ann"], key: &key, content: &[b"a client"] };
            let attempt = app.context.repeatable.begin(told).unwrap();
            app.context.store.write(|tx| {
                let done = attempt.finish(tx, |tx| {
                    let input: ClientInput = serde_json::from_value(json!({"name": "Nordwind"})).unwrap();
                    Ok(Some(records::create::<Client>(tx, &caller, input, None)?.id.to_string()))
                })?;
                if cut_off { Err(AppError::Internal("the power is cut".to_owned())) } else { Ok(done) }
            })
        };
        assert!(write(true).is_err());
        assert!(names(&ann).await.is_empty() && kept(&app.context).is_empty());
        let Some(Outcome::Answered(made)) = write(false).unwrap() else { panic!() };
        let Some(Outcome::Replayed(again)) = write(false).unwrap() else { panic!() };
        assert_eq!(again, made);
        assert_eq!(names(&ann).await, ["Nordwind"]);
    }

    async fn an_answer_outlives_its_server(app: TestApp) {
        let ann = app.recruiter().await;
        let first = keyed(&ann, KEY).post("/v1/clients", json!({"name": "Nordwind"})).await;
        app.stop().await;
        let (_, there) = another_node(&app, &ann);
        let again = keyed(&there, KEY).post("/v1/clients", json!({"name": "Nordwind"})).await;
        assert_eq!((again.header("idempotency-replayed").as_str(), &again.bytes), ("true", &first.bytes));
        assert_eq!(names(&there).await, ["Nordwind"]);
    }

    async fn an_answer_outlives_its_signing_key(app: TestApp) {
        let ann = app.recruiter().await;
        let first = keyed(&ann, KEY).post("/v1/clients", json!({"name": "Nordwind"})).await;
        let mut settings = app.settings.clone();
        settings.auth.previous_key_files = vec![app.settings.signing_key_file()];
        settings.auth.signing_key_file = app.settings.signing_key_file().with_file_name("next-key.pem");
        Keys::load(&settings.auth.signing_key_file, &[]).unwrap();
        let store = app.database().open(app.clock.clone());
        let context = startup::build_context(&settings, store, SetupToken::generate().0).unwrap();
        let running = startup::serve(&settings, context).unwrap();
        actix_web::rt::spawn(running.server);
        let there = keyed(&Caller::new(format!("http://{}", running.address), Some(ann.token())), KEY);
        let again = there.post("/v1/clients", json!({"name": "Nordwind"})).await;
        assert_eq!((again.header("idempotency-replayed").as_str(), &again.bytes), ("true", &first.bytes));
        there.post("/v1/clients", json!({"name": "Südwind"})).await.problem(422, "idempotency_key_reused");
    }

    async fn an_answer_is_kept_for_a_day(app: TestApp) {
        let mut desk = Desk::set(&app).await;
        let body = json!({"name": "Westwind"});
        let first = id(&keyed(&desk.ann, KEY).made("/v1/clients", body.clone()).await);
        desk.later(&app, TimeDelta::days(1) - TimeDelta::seconds(1));
        assert_eq!(id(&keyed(&desk.ann, KEY).made("/v1/clients", body.clone()).await), first);
        desk.later(&app, TimeDelta::seconds(1));
        // Nobody has cleaned up, and yet it is forgotten.
        let second = id(&keyed(&desk.ann, KEY).made("/v1/clients", body.clone()).await);
        assert_ne!(second, first);
        assert_eq!(id(&keyed(&desk.ann, KEY).made("/v1/clients", body).await), second);

        keyed(&desk.ann, "other").made("/v1/clients", json!({"name": "Ostwind"})).await;
        app.clock.advance(TimeDelta::hours(23));
        let forget = |limit| app.context.store.write(|tx| idempotency_keys::forget(tx, limit)).unwrap();
        assert_eq!((forget(100), kept(&app.context).len()), (0, 2));
        app.clock.advance(TimeDelta::hours(1));
        assert_eq!((forget(1), kept(&app.context).len()), (1, 1));
        let client = startup::build_client(&app.settings).unwrap();
        let jobs = Jobs::start(&app.context, Transport::Discard, client, startup::job_settings(&app.settings));
        while !kept(&app.context).is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        jobs.stop().await;
    }

    async fn a_kept_answer_tells_nobody_anything(app: TestApp) {
        let admin = app.admin().await;
        let made = keyed(&admin, KEY).made("/v1/api-clients", json!({"name": "Harbour", "scopes": ["records:read"]})).await;
        let rows = kept(&app.context);
        let [row] = &rows[..] else { panic!("{rows:?}") };
        let everything = [row.digest.as_slice(), &row.fingerprint, &row.answer].concat();
        let secret = made["secret"].as_str().unwrap();
        for text in [secret, "Harbour", "secret", "api-clients", KEY] {
            assert!(!everything.windows(text.len()).any(|part| part == text.as_bytes()), "{text}");
        }
        // Put in the place of another answer, it does not open.
        keyed(&admin, "other").made("/v1/clients", json!({"name": "Nordwind"})).await;
        let swapped = diesel::update(table::table).set(table::answer.eq(row.answer.clone()));
        app.context.store.write(|tx| Ok::<_, StoreError>(swapped.execute(&mut **tx)?)).unwrap();
        keyed(&admin, "other").post("/v1/clients", json!({"name": "Nordwind"})).await.problem(500, "internal");
    }

    async fn before_anybody_is_signed_in_the_body_is_the_credential(app: TestApp) {
        let admin = app.admin().await;
        let mut users = Vec::new();
        for name in ["ann", "ben"] {
            let email = format!("{name}@hanse.example");
            let new = json!({"name": name, "email": email, "role": "recruiter", "password": "correct horse"});
            users.push((admin.made("/v1/users", new).await, json!({"email": email, "password": "correct horse"})));
        }
        let nobody = keyed(&app.nobody(), KEY);
        let mut pairs = Vec::new();
        for (_, credentials) in &users {
            let first = nobody.post("/v1/auth/login", credentials.clone()).await.expect(200);
            assert_eq!(nobody.post("/v1/auth/login", credentials.clone()).await.expect(200), first);
            pairs.push(first);
        }
        assert_ne!(pairs[0], pairs[1]);
        let wrong = json!({"email": "ann@hanse.example", "password": "wrong horse"});
        nobody.post("/v1/auth/login", wrong).await.problem(401, "unauthorized");

        // A lost answer to a refresh is no theft; without the key it is.
        let refresh = json!({"refresh_token": pairs[0]["refresh_token"]});
        let renewed = nobody.post("/v1/auth/refresh", refresh.clone()).await.expect(200);
        assert_eq!(nobody.post("/v1/auth/refresh", refresh.clone()).await.expect(200), renewed);
        keyed(&app.nobody(), "other").post("/v1/auth/refresh", refresh.clone()).await.problem(401, "unauthorized");
        keyed(&app.nobody(), "other").post("/v1/auth/refresh", refresh).await.problem(401, "unauthorized");
        let next = json!({"refresh_token": renewed["refresh_token"]});
        app.nobody().post("/v1/auth/refresh", next).await.problem(401, "unauthorized");

        // A password that is no longer good gets no old answer.
        let path = format!("/v1/users/{}", id(&users[1].0));
        admin.patch(&path, json!({"password": "another horse"})).await.expect(200);
        nobody.post("/v1/auth/login", users[1].1.clone()).await.problem(401, "unauthorized");
    }

    async fn an_integrations_secret_in_the_header_is_its_credential(app: TestApp) {
        use base64::Engine;
        let admin = app.admin().await;
        let mut subjects = Vec::new();
        for name in ["CRM", "Payroll"] {
            let made = admin.made("/v1/api-clients", json!({"name": name, "scopes": ["records:read"]})).await;
            let basic = format!("{}:{}", id(&made), made["secret"].as_str().unwrap());
            let basic = base64::engine::general_purpose::STANDARD.encode(basic);
            let caller = keyed(&app.nobody(), KEY).with("Authorization", format!("Basic {basic}"));
            let form = b"grant_type=client_credentials".to_vec();
            let token = caller.send(Method::POST, "/oauth/token", "application/x-www-form-urlencoded", form).await.expect(200);
            let principal: Principal = app.context.tokens.verify(token["access_token"].as_str().unwrap(), app.clock.now()).unwrap();
            assert_eq!(principal.actor, Actor::ApiClient(id(&made).parse().unwrap()));
            subjects.push(principal.actor);
        }
        assert_ne!(subjects[0], subjects[1]);
    }

    async fn a_key_costs_two_statements(app: TestApp) {
        let ann = app.recruiter().await;
        ann.made("/v1/clients", json!({"name": "Warm up"})).await;
        let (without, _) = app.statements(ann.made("/v1/clients", json!({"name": "Nordwind"}))).await;
        let caller = keyed(&ann, KEY);
        let (with, _) = app.statements(caller.made("/v1/clients", json!({"name": "Südwind"}))).await;
        assert_eq!(with, without + 2);
        let (again, _) = app.statements(caller.made("/v1/clients", json!({"name": "Südwind"}))).await;
        assert_eq!(again, 1);
    }
}
