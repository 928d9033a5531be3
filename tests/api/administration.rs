use debrief::domain::people::Role;
use serde_json::{Value, json};

use crate::support::{Caller, id, on_both};

on_both! {
    async fn an_agency_keeps_its_settings(app: TestApp) {
        let admin = app.admin().await;
        let agency = admin.get("/v1/agency").await.expect(200);
        assert_eq!((&agency["name"], &agency["time_zone"]), (&json!("Hanse Personal"), &json!("Etc/UTC")));
        let changed = admin.at(&agency["version"]).patch("/v1/agency", json!({"time_zone": "Europe/Berlin", "mail": {"sender_name": "Hanse"}})).await.expect(200);
        assert_eq!((&changed["time_zone"], &changed["mail"]["sender_name"]), (&json!("Europe/Berlin"), &json!("Hanse")));
        admin.at(&agency["version"]).patch("/v1/agency", json!({"name": "x"})).await.problem(412, "stale_version");
        let faults = admin.patch("/v1/agency", json!({"time_zone": "Mars/Olympus", "mail": {"sender_name": "a\nb"}})).await.faults();
        assert_eq!(faults, ["/mail/sender_name control_character", "/time_zone invalid_time_zone"]);
        let frames = json!({"mail": {"frames": {"en": {"greeting": "Dear {{name}},"}, "not a language": {"signature": "{{"}, "de": {"footer": "x"}}}});
        assert_eq!(admin.patch("/v1/agency", frames).await.faults(), [
            "/mail/frames/de/footer unknown_field", "/mail/frames/en/greeting unknown_placeholder",
            "/mail/frames/not a language/signature open_placeholder", "/mail/frames/not a language invalid_language",
        ]);
    }

    async fn competencies_are_an_ordered_list(app: TestApp) {
        let admin = app.admin().await;
        let keys = |page: Value| page["data"].as_array().unwrap().iter().map(|c| c["key"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
        let first = keys(admin.get("/v1/competencies").await.expect(200));
        assert_eq!(first, ["communication", "preparation", "technical_depth", "problem_solving", "motivation", "culture", "leadership"]);
        let made = admin.made("/v1/competencies", json!({"key": "negotiation", "name": "Negotiation", "position": 1})).await;
        assert_eq!((&made["position"], &made["archived"]), (&json!(1), &json!(false)));
        admin.post("/v1/competencies", json!({"key": "negotiation", "name": "Again"})).await.problem(409, "already_exists");
        let moved = admin.patch("/v1/competencies/negotiation", json!({"position": 7, "archived": true})).await.expect(200);
        assert_eq!((&moved["position"], &moved["archived"], &moved["name"]), (&json!(7), &json!(true), &json!("Negotiation")));
        assert_eq!(keys(admin.get("/v1/competencies").await.expect(200)).last().unwrap(), "negotiation");
        let page = admin.get("/v1/competencies?limit=6").await;
        assert!(page.header("link").contains("rel=\"next\""));
        let page = page.expect(200);
        let rest = admin.get(&format!("/v1/competencies?limit=6&cursor={}", page["next_cursor"].as_str().unwrap())).await.expect(200);
        assert_eq!((rest["data"][0]["position"].as_i64(), &rest["next_cursor"]), (Some(6), &json!(null)));
        assert_eq!([keys(page), keys(rest)].concat(), keys(admin.get("/v1/competencies").await.expect(200)));
        admin.patch("/v1/competencies/nothing", json!({"name": "x"})).await.problem(404, "not_found");
        assert_eq!(admin.post("/v1/competencies", json!({"key": "Not a key", "name": ""})).await.faults(), ["/key invalid", "/name blank"]);
    }

    async fn who_asks_for_no_version_is_never_told_of_a_stale_one(app: TestApp) {
        let admin = app.admin().await;
        let account = admin.made("/v1/api-clients", json!({"name": "CRM", "scopes": ["records:read"]})).await;
        let account = format!("/v1/api-clients/{}", account["id"].as_str().unwrap());
        let ben = json!({"name": "Ben", "email": "ben@hanse.example", "role": "recruiter", "password": "correct horse"});
        let ben = format!("/v1/users/{}", id(&admin.made("/v1/users", ben).await));
        let tries = (0..12).map(|i| {
            let (admin, account, ben) = (admin.clone(), account.clone(), ben.clone());
            actix_web::rt::spawn(async move {
                let new = json!({"key": format!("key_{i}"), "name": "New"});
                let made = admin.post("/v1/competencies", new).await.status;
                let changed = admin.patch("/v1/agency", json!({"name": format!("Name {i}")})).await.status;
                let renamed = admin.patch(&account, json!({"name": format!("CRM {i}")})).await.status;
                let rotated = admin.post(&format!("{account}/rotate-secret"), json!({})).await.status;
                let user = admin.patch(&ben, json!({"name": format!("Ben {i}")})).await.status;
                [made, changed, renamed, rotated, user].map(|status| status.as_u16())
            })
        });
        for one in tries.collect::<Vec<_>>() {
            assert_eq!(one.await.unwrap(), [201, 200, 200, 200, 200]);
        }
    }

    async fn what_would_change_nothing_is_no_change(app: TestApp) {
        let admin = app.admin().await;
        let user = json!({"name": "Ben", "email": "ben@hanse.example", "role": "recruiter", "password": "correct horse"});
        let user = format!("/v1/users/{}", id(&admin.made("/v1/users", user).await));
        let account = admin.made("/v1/api-clients", json!({"name": "CRM", "scopes": ["records:read"]})).await;
        let account = format!("/v1/api-clients/{}", id(&account));
        let endpoint = admin.made("/v1/webhook-endpoints", json!({"url": "https://crm.example/debrief"})).await;
        let endpoint = format!("/v1/webhook-endpoints/{}", id(&endpoint));
        let events = admin.get("/v1/events?limit=200").await.expect(200)["data"].clone();
        for (path, same) in [("/v1/agency", "time_zone"), (&user, "role"), (&account, "scopes"), (&endpoint, "url")] {
            let present = admin.get(path).await.expect(200);
            let mut patch = json!({});
            patch[same] = present[same].clone();
            for patch in [json!({}), patch] {
                assert_eq!(admin.patch(path, patch).await.expect(200)["version"], present["version"], "{path}");
            }
        }
        let competency = "/v1/competencies/communication";
        let present = admin.patch(competency, json!({})).await.expect(200);
        assert_eq!(admin.patch(competency, json!({"name": present["name"]})).await.expect(200), present);
        assert_eq!(admin.get("/v1/events?limit=200").await.expect(200)["data"], events);
        assert_eq!(admin.patch("/v1/agency", json!({"mail": {"zzz": null}})).await.faults(), ["/mail/zzz unknown_field"]);
    }

    async fn an_address_that_is_taken_tells_nothing_of_who_has_it(app: TestApp) {
        let (admin, eve) = (app.admin().await, app.stranger(Role::Admin).await);
        let ben = json!({"name": "Ben", "email": "ben@hanse.example", "role": "recruiter", "password": "correct horse"});
        admin.made("/v1/users", ben.clone()).await;
        let refused = async |caller: &Caller| {
            let mut problem = caller.post("/v1/users", ben.clone()).await.problem(400, "validation_failed");
            problem["request_id"].take();
            problem
        };
        let at_home = refused(&admin).await;
        assert_eq!(at_home["errors"][0], json!({"pointer": "/email", "code": "already_exists", "detail": "somebody signs in with this address already"}));
        assert!(at_home.get("existing_id").is_none());
        assert_eq!(refused(&eve).await, at_home);
    }

    async fn of_many_users_with_one_address_one_is_made_and_no_other_is_named(app: TestApp) {
        let mut callers = Vec::new();
        for _ in 0..6 {
            callers.push(app.stranger(Role::Admin).await);
        }
        let tries = callers.into_iter().map(|caller| {
            let ben = json!({"name": "Ben", "email": "ben@hanse.example", "role": "recruiter", "password": "correct horse"});
            actix_web::rt::spawn(async move { caller.post("/v1/users", ben).await })
        });
        let mut made = 0;
        for one in tries.collect::<Vec<_>>() {
            let answer = one.await.unwrap();
            match answer.status.as_u16() {
                201 => made += 1,
                409 => assert!(answer.problem(409, "already_exists").get("existing_id").is_none()),
                _ => assert_eq!(answer.faults(), ["/email already_exists"]),
            }
        }
        assert_eq!(made, 1);
    }

    async fn users_are_made_and_changed_but_never_the_last_administrator(app: TestApp) {
        let admin = app.admin().await;
        let new = json!({"name": "Ben", "email": "Ben@Hanse.example", "role": "recruiter", "password": "correct horse"});
        let ben = admin.made("/v1/users", new.clone()).await;
        assert_eq!(ben["email"], "ben@hanse.example");
        assert!(ben.get("password_hash").is_none() && ben.get("agency_id").is_none());
        assert_eq!(admin.post("/v1/users", new).await.faults(), ["/email already_exists"]);
        let bad = json!({"name": " ", "email": "ben", "role": "king", "password": "short"});
        assert_eq!(admin.post("/v1/users", bad).await.faults(), ["/email invalid_email", "/name blank", "/password too_short", "/role unknown_word"]);
        let bad = json!({"name": " ", "email": "ben", "role": "admin", "password": "password1"});
        assert_eq!(admin.post("/v1/users", bad).await.faults(), ["/email invalid_email", "/name blank", "/password weak_password"]);

        let path = format!("/v1/users/{}", ben["id"].as_str().unwrap());
        let changed = admin.at(&ben["version"]).patch(&path, json!({"role": "manager", "password": "another horse"})).await.expect(200);
        assert_eq!(changed["role"], "manager");
        app.nobody().post("/v1/auth/login", json!({"email": "ben@hanse.example", "password": "another horse"})).await.expect(200);

        let users = admin.get("/v1/users").await.expect(200);
        let admins: Vec<&Value> = users["data"].as_array().unwrap().iter().filter(|user| user["role"] == "admin").collect();
        let [second, first] = admins[..] else { panic!("{users:#}") };
        admin.patch(&format!("/v1/users/{}", first["id"].as_str().unwrap()), json!({"disabled": true})).await.expect(200);
        let last = format!("/v1/users/{}", second["id"].as_str().unwrap());
        admin.patch(&last, json!({"role": "recruiter"})).await.problem(409, "in_use");
        assert_eq!(admin.get(&last).await.expect(200)["role"], "admin");
    }
}
