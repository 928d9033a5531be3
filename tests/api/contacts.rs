use debrief::domain::people::{EmailStatus, Role};
use serde_json::{Value, json};

use crate::support::{Desk, Scene, TestApp, id, on_both};

on_both! {
    async fn a_contact_is_made_shown_changed_and_deleted(app: TestApp) {
        let ann = app.recruiter().await;
        let client = id(&ann.made("/v1/clients", json!({"name": "Nordwind"})).await);
        let made = ann.post("/v1/contacts", json!({"client_id": client, "name": "Ines Okafor"})).await;
        let path = made.header("location");
        let contact = made.expect(201);
        assert_eq!((&contact["role"], &contact["off_limits"], &contact["email_status"]), (&json!("other"), &json!(false), &json!("ok")));
        assert_eq!(ann.get(&path).await.expect(200), contact);

        let change = json!({"role": "hr", "off_limits": true, "phone": "+49 30 123"});
        let changed = ann.patch(&path, change).await.expect(200);
        assert_eq!((&changed["role"], &changed["off_limits"], &changed["version"]), (&json!("hr"), &json!(true), &json!(2)));

        ann.delete(&path).await.expect(204);
        ann.get(&path).await.problem(404, "not_found");
    }

    async fn what_a_sync_leaves_out_stays_as_it_was(app: TestApp) {
        let ann = app.recruiter().await;
        let client = id(&ann.made("/v1/clients", json!({"name": "Nordwind"})).await);
        let path = "/v1/contacts/by-external-id/bullhorn/7";
        let full = json!({"client_id": client, "name": "Ines", "role": "hr", "off_limits": true, "phone": "1"});
        ann.put(path, full).await.expect(201);
        // Off-limits and the role are decisions of the agency; a phone number is a mere fact.
        let same = ann.put(path, json!({"client_id": client, "name": "Ines Okafor"})).await.expect(200);
        assert_eq!((&same["off_limits"], &same["role"], &same["phone"]), (&json!(true), &json!("hr"), &json!(null)));
    }

    async fn a_contact_belongs_to_a_client_that_stands(app: TestApp) {
        let (ann, eve) = (app.recruiter().await, app.stranger(Role::Recruiter).await);
        let theirs = id(&eve.made("/v1/clients", json!({"name": "Elsewhere"})).await);
        let gone = id(&ann.made("/v1/clients", json!({"name": "Gone"})).await);
        ann.delete(&format!("/v1/clients/{gone}")).await.expect(204);
        for client in [theirs, gone, "cli_01h2xcejqtf2nbrexx3vqjhp41".to_owned()] {
            let faults = ann.post("/v1/contacts", json!({"client_id": client, "name": "Ines", "email": "no"})).await.faults();
            assert_eq!(faults, ["/email invalid_email", "/client_id unknown_reference"]);
        }
        let faults = ann.post("/v1/contacts", json!({"client_id": "con_01h2xcejqtf2nbrexx3vqjhp41", "email_status": "ok"})).await.faults();
        assert_eq!(faults, ["/client_id invalid_id", "/email_status unknown_field", "/name required"]);
    }

    async fn a_new_address_is_taken_to_be_good(app: TestApp) {
        let ann = app.recruiter().await;
        let scene = Scene::set(&ann).await;
        let path = format!("/v1/contacts/{}", scene.manager);
        bounce(&app, &scene.manager);
        let same = ann.patch(&path, json!({"name": "Ines O."})).await.expect(200);
        assert_eq!(same["email_status"], "bounced");
        let mended = ann.patch(&path, json!({"email": "i.okafor@nordwind.example"})).await.expect(200);
        assert_eq!(mended["email_status"], "ok");
    }

    async fn a_contact_on_a_panel_stays_with_its_client(app: TestApp) {
        let ann = app.recruiter().await;
        let scene = Scene::set(&ann).await;
        let path = format!("/v1/contacts/{}", scene.manager);
        let other = id(&ann.made("/v1/clients", json!({"name": "Südwind"})).await);
        // A client with contacts is in use; a contact without interviews may move.
        ann.delete(&format!("/v1/clients/{}", scene.client)).await.problem(409, "in_use");
        ann.patch(&path, json!({"client_id": other})).await.expect(200);
        ann.patch(&path, json!({"client_id": scene.client})).await.expect(200);

        let interview = ann.made("/v1/interviews", scene.to_come(json!({}))).await;
        assert_eq!(ann.patch(&path, json!({"client_id": other})).await.faults(), ["/client_id immutable"]);
        ann.delete(&path).await.problem(409, "in_use");
        // A deleted interview still names its panel, but keeps nobody.
        ann.delete(&format!("/v1/interviews/{}", id(&interview))).await.expect(204);
        assert_eq!(ann.patch(&path, json!({"client_id": other})).await.faults(), ["/client_id immutable"]);
        ann.delete(&path).await.expect(204);
    }

    async fn a_contact_who_was_heard_stays_with_the_client(app: TestApp) {
        let ann = app.recruiter().await;
        let scene = Scene::set(&ann).await;
        let other = id(&ann.made("/v1/clients", json!({"name": "Südwind"})).await);
        let interview = ann.made("/v1/interviews", scene.past(json!({"contact_ids": [scene.manager]}))).await;
        let feedback = format!("/v1/debriefs/{}/feedback", interview["debrief_id"].as_str().unwrap());
        ann.made(&feedback, json!({"side": "client", "contact_id": scene.peer, "channel": "phone", "narrative": "Seemed fine."})).await;
        let path = format!("/v1/contacts/{}", scene.peer);
        ann.delete(&path).await.problem(409, "in_use");
        assert_eq!(ann.patch(&path, json!({"client_id": other})).await.faults(), ["/client_id immutable"]);
        ann.get(&path).await.expect(200);
    }

    async fn nobody_deletes_a_contact_who_is_just_being_heard(app: TestApp) {
        let ann = app.recruiter().await;
        let scene = Scene::set(&ann).await;
        let interview = ann.made("/v1/interviews", scene.past(json!({}))).await;
        let feedback = format!("/v1/debriefs/{}/feedback", interview["debrief_id"].as_str().unwrap());
        for _ in 0..10 {
            let contact = id(&ann.made("/v1/contacts", json!({"client_id": scene.client, "name": "Mira Vogt"})).await);
            let account = json!({"side": "client", "contact_id": contact, "channel": "phone", "narrative": "Seemed fine."});
            let path = format!("/v1/contacts/{contact}");
            let (heard, gone) = tokio::join!(ann.post(&feedback, account), ann.delete(&path));
            match heard.status.as_u16() {
                201 => drop(gone.problem(409, "in_use")),
                _ => {
                    assert_eq!(heard.faults(), ["/contact_id unknown_reference"]);
                    gone.expect(204);
                }
            }
        }
    }

    async fn contacts_are_listed_by_client_and_name(app: TestApp) {
        let ann = app.recruiter().await;
        let scene = Scene::set(&ann).await;
        app.clock.advance(chrono::TimeDelta::seconds(1));
        let other = id(&ann.made("/v1/clients", json!({"name": "Südwind"})).await);
        let newest = id(&ann.made("/v1/contacts", json!({"client_id": other, "name": "Inés Ruiz"})).await);
        let (statements, page) = app.statements(ann.get(&format!("/v1/contacts?client_id={}&q=ines", scene.client))).await;
        let page = page.expect(200);
        assert_eq!((page["data"].as_array().unwrap().len(), statements), (1, 2));
        assert_eq!(page["data"][0]["id"], scene.manager);
        let first = ann.get("/v1/contacts?limit=1").await.expect(200);
        assert_eq!(first["data"][0]["id"], newest);
        let rest = ann.get(&format!("/v1/contacts?cursor={}", first["next_cursor"].as_str().unwrap())).await.expect(200);
        assert_eq!((rest["data"].as_array().unwrap().len(), &rest["next_cursor"]), (2, &json!(null)));
        assert_eq!(ann.get("/v1/contacts?client=x").await.faults(), ["client unknown_parameter"]);
    }

    async fn another_agency_sees_no_contacts(app: TestApp) {
        let (ann, eve) = (app.recruiter().await, app.stranger(Role::Admin).await);
        let scene = Scene::set(&ann).await;
        let path = format!("/v1/contacts/{}", scene.manager);
        eve.get(&path).await.problem(404, "not_found");
        eve.patch(&path, json!({"name": "Mine"})).await.problem(404, "not_found");
        eve.delete(&path).await.problem(404, "not_found");
        assert_eq!(eve.get(&format!("/v1/contacts?client_id={}", scene.client)).await.expect(200)["data"], json!([]));
    }

    async fn a_mailbox_that_bounced_is_the_same_in_capitals(app: TestApp) {
        let ann = app.recruiter().await;
        let scene = Scene::set(&ann).await;
        bounce(&app, &scene.manager);
        let same = ann.patch(&format!("/v1/contacts/{}", scene.manager), json!({"email": "Ines@NORDWIND.example"})).await.expect(200);
        assert_eq!((&same["email"], &same["email_status"]), (&json!("Ines@NORDWIND.example"), &json!("bounced")));
    }

    async fn who_has_a_note_is_shown_beside_the_panel_and_stays(app: TestApp) {
        let desk = Desk::set(&app).await;
        let other = json!({"client_id": desk.scene.client, "name": "Uta Stein", "email": "uta@nordwind.example"});
        let other = id(&desk.ann.made("/v1/contacts", other).await);
        desk.draft(&[&other]).await;
        let debrief = desk.ann.get(&format!("/v1/debriefs/{}", desk.debrief)).await.expect(200);
        let names: Vec<&Value> = debrief["contacts"].as_array().unwrap().iter().map(|contact| &contact["name"]).collect();
        assert_eq!(names, ["Ines Okafor", "Jens Brandt", "Uta Stein"]);
        desk.ann.delete(&format!("/v1/contacts/{other}")).await.problem(409, "in_use");
    }
}

/// Marks a contact's address as one from which mail came back.
fn bounce(app: &TestApp, contact: &str) {
    use debrief::store::contacts;
    let agency = app.agency();
    let contact = contact.parse().unwrap();
    app.context
        .store
        .write(|tx| {
            let mut row = contacts::find(tx, agency, contact)?.unwrap();
            row.email_status = EmailStatus::Bounced;
            assert!(contacts::update(tx, &row, row.version)?);
            Ok::<_, debrief::app::AppError>(())
        })
        .unwrap();
}
