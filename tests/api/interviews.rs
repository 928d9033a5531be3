use chrono::TimeDelta;
use debrief::domain::people::Role;
use serde_json::{Value, json};

use crate::support::{Caller, Scene, id, on_both};

on_both! {
    async fn an_interview_is_made_shown_changed_and_deleted(app: TestApp) {
        let ann = app.recruiter().await;
        let scene = Scene::set(&ann).await;
        let body = scene.to_come(json!({"round": 2, "preparation": [{"item": "Mock interview"}]}));
        let made = ann.post("/v1/interviews", body).await;
        let (path, etag) = (made.header("location"), made.header("etag"));
        let interview = made.expect(201);
        assert_eq!(interview["contact_ids"], json!([scene.manager, scene.peer]));
        assert_eq!((&interview["client_id"], &interview["status"]), (&json!(scene.client), &json!("scheduled")));
        assert_eq!((&interview["time_zone"], &interview["round"]), (&json!("Europe/Berlin"), &json!(2)));
        assert_eq!(interview["preparation"], json!([{"item": "Mock interview", "done": false}]));
        assert!(interview["debrief_id"].as_str().unwrap().starts_with("dbf_"));
        assert!(interview["recruiter_id"].as_str().unwrap().starts_with("usr_"));
        let (statements, shown) = app.statements(ann.get(&path)).await;
        assert_eq!((shown.expect(200), statements), (interview.clone(), 2));

        let change = json!({"format": "onsite", "preparation": [{"item": "Mock interview", "done": true}]});
        let changed = ann.with("If-Match", &etag).patch(&path, change).await.expect(200);
        assert_eq!((&changed["format"], &changed["version"], &changed["round"]), (&json!("onsite"), &json!(2), &json!(2)));
        assert_eq!(changed["debrief_id"], interview["debrief_id"]);
        assert_eq!(ann.get(&path).await.expect(200), changed);
        ann.with("If-Match", &etag).patch(&path, json!({"round": 3})).await.problem(412, "stale_version");
        assert_eq!(ann.patch(&path, json!({"debrief_id": null})).await.faults(), ["/debrief_id unknown_field"]);

        ann.delete(&path).await.expect(204);
        ann.get(&path).await.problem(404, "not_found");
        ann.patch(&path, json!({"round": 3})).await.problem(404, "not_found");
    }

    async fn every_fault_of_an_interview_is_named_at_once(app: TestApp) {
        let ann = app.recruiter().await;
        let scene = Scene::set(&ann).await;
        let bare = ann.post("/v1/interviews", json!({"contact_ids": [], "round": 0})).await.faults();
        assert_eq!(bare, [
            "/candidate_id required", "/contact_ids too_few", "/ends_at required", "/format required",
            "/job_order_id required", "/round too_small", "/starts_at required",
        ]);

        let other = id(&ann.made("/v1/clients", json!({"name": "Südwind"})).await);
        let elsewhere = id(&ann.made("/v1/contacts", json!({"client_id": other, "name": "Ola"})).await);
        let nobody = "con_01h2xcejqtf2nbrexx3vqjhp41";
        let body = scene.to_come(json!({
            "contact_ids": [scene.manager, elsewhere, nobody, scene.manager],
            "ends_at": "2026-11-21T09:00:00Z", "time_zone": "Berlin", "preparation": [{"item": " "}],
            "retry_of_interview_id": "int_01h2xcejqtf2nbrexx3vqjhp41",
            "recruiter_id": "usr_01h2xcejqtf2nbrexx3vqjhp41",
        }));
        assert_eq!(ann.post("/v1/interviews", body).await.faults(), [
            "/preparation/0/item blank", "/time_zone invalid_time_zone", "/ends_at not_after_start", "/contact_ids/3 duplicate", "/contact_ids/1 wrong_client", "/contact_ids/2 unknown_reference", "/retry_of_interview_id unknown_reference", "/recruiter_id unknown_reference",
        ]);
        let body = scene.to_come(json!({
            "candidate_id": "cnd_01h2xcejqtf2nbrexx3vqjhp41", "job_order_id": "job_01h2xcejqtf2nbrexx3vqjhp41",
            "ends_at": "2026-11-22T09:00:00.000001Z",
        }));
        assert_eq!(ann.post("/v1/interviews", body).await.faults(), [
            "/ends_at too_long", "/candidate_id unknown_reference", "/job_order_id unknown_reference",
        ]);
        assert_eq!(ann.get("/v1/interviews").await.expect(200)["data"], json!([]));
    }

    async fn an_interview_keeps_its_candidate_and_job_order(app: TestApp) {
        let ann = app.recruiter().await;
        let scene = Scene::set(&ann).await;
        let path = made(&ann, scene.to_come(json!({}))).await;
        let candidate = id(&ann.made("/v1/candidates", json!({"name": "Bo"})).await);
        let order = id(&ann.made("/v1/job-orders", json!({"client_id": scene.client, "title": "Driver"})).await);
        let faults = ann.patch(&path, json!({"candidate_id": candidate, "job_order_id": order})).await.faults();
        assert_eq!(faults, ["/candidate_id immutable", "/job_order_id immutable"]);
    }

    async fn only_a_manager_gives_an_interview_to_somebody_else(app: TestApp) {
        let (ann, bob) = (app.recruiter().await, app.recruiter().await);
        let manager = app.user(Role::Manager).await;
        let auditor = app.user(Role::Auditor).await;
        let scene = Scene::set(&ann).await;
        let me = |caller: &Caller| {
            let caller = caller.clone();
            let body = scene.to_come(json!({}));
            async move { caller.made("/v1/interviews", body).await["recruiter_id"].as_str().unwrap().to_owned() }
        };
        let (anns, bobs) = (me(&ann).await, me(&bob).await);
        assert_ne!(anns, bobs);

        let path = made(&ann, scene.to_come(json!({}))).await;
        ann.post("/v1/interviews", scene.to_come(json!({"recruiter_id": bobs}))).await.problem(403, "forbidden");
        ann.patch(&path, json!({"recruiter_id": bobs})).await.problem(403, "forbidden");
        bob.patch(&path, json!({"round": 2})).await.problem(403, "forbidden");
        bob.patch(&path, json!({"recruiter_id": bobs})).await.problem(403, "forbidden");
        bob.delete(&path).await.problem(403, "forbidden");
        assert_eq!(bob.get(&path).await.expect(200)["version"], 1);

        let given = manager.patch(&path, json!({"recruiter_id": bobs})).await.expect(200);
        assert_eq!(given["recruiter_id"], json!(bobs));
        assert_eq!(bob.patch(&path, json!({"round": 2})).await.expect(200)["version"], 3);
        ann.patch(&path, json!({"round": 3})).await.problem(403, "forbidden");
        assert_eq!(bob.patch(&path, json!({"recruiter_id": null})).await.expect(200)["recruiter_id"], Value::Null);
        auditor.patch(&path, json!({"round": 3})).await.problem(403, "forbidden");
    }

    async fn the_status_of_an_interview_moves_one_way(app: TestApp) {
        let ann = app.recruiter().await;
        let scene = Scene::set(&ann).await;
        let path = made(&ann, scene.past(json!({}))).await;
        assert_eq!(ann.patch(&path, json!({"status": "held"})).await.expect(200)["status"], "held");
        assert_eq!(ann.patch(&path, json!({"status": "held"})).await.expect(200)["version"], 2, "it is held already");
        let problem = ann.patch(&path, json!({"status": "scheduled"})).await.problem(409, "invalid_transition");
        assert_eq!((&problem["state"], &problem["allowed"]), (&json!("held"), &json!(["cancel", "mark_no_show"])));
        ann.patch(&path, json!({"status": "no_show"})).await.expect(200);
        ann.patch(&path, json!({"status": "held"})).await.problem(409, "invalid_transition");
    }

    async fn what_has_not_begun_was_not_held(app: TestApp) {
        let ann = app.recruiter().await;
        let scene = Scene::set(&ann).await;
        ann.post("/v1/interviews", scene.to_come(json!({"status": "held"}))).await.problem(409, "invalid_transition");
        let path = made(&ann, scene.to_come(json!({}))).await;
        let problem = ann.patch(&path, json!({"status": "held"})).await.problem(409, "invalid_transition");
        assert_eq!((&problem["state"], &problem["allowed"]), (&json!("scheduled"), &json!(["cancel", "mark_no_show"])));
        // It may have been brought forward.
        let earlier = json!({"status": "held", "starts_at": "2026-11-20T12:00:00Z", "ends_at": "2026-11-20T13:00:00Z"});
        assert_eq!(ann.patch(&path, earlier).await.expect(200)["status"], "held");
    }

    async fn a_second_chance_is_the_same_candidates_about_the_same_job(app: TestApp) {
        let ann = app.recruiter().await;
        let scene = Scene::set(&ann).await;
        let first = made(&ann, scene.past(json!({}))).await;
        let first_id = first.rsplit('/').next().unwrap().to_owned();
        let retry = |fields: Value| {
            let mut body = scene.to_come(json!({"retry_of_interview_id": first_id}));
            json_patch::merge(&mut body, &fields);
            body
        };
        let candidate = id(&ann.made("/v1/candidates", json!({"name": "Bo"})).await);
        let wrong = ann.post("/v1/interviews", retry(json!({"candidate_id": candidate}))).await.faults();
        assert_eq!(wrong, ["/retry_of_interview_id wrong_interview"]);
        let itself = ann.patch(&first, json!({"retry_of_interview_id": first_id})).await.faults();
        assert_eq!(itself, ["/retry_of_interview_id wrong_interview"]);

        let earlier = json!({"starts_at": "2020-11-20T12:00:00Z", "ends_at": "2020-11-20T13:00:00Z"});
        assert_eq!(ann.post("/v1/interviews", retry(earlier)).await.faults(), ["/starts_at before_the_first"]);

        let second = made(&ann, retry(json!({}))).await;
        assert_eq!(ann.get(&second).await.expect(200)["retry_of_interview_id"], json!(first_id));
        ann.delete(&first).await.problem(409, "in_use");
        ann.delete(&second).await.expect(204);
        let third = made(&ann, retry(json!({}))).await;
        assert_eq!(ann.patch(&third, json!({"retry_of_interview_id": null})).await.expect(200)["retry_of_interview_id"], Value::Null);
        ann.delete(&first).await.expect(204);
    }

    async fn a_patch_clears_what_a_put_leaves_as_it_was(app: TestApp) {
        let (ann, admin) = (app.recruiter().await, app.admin().await);
        let scene = Scene::set(&ann).await;
        let path = "/v1/interviews/by-external-id/ats/1";
        let preparation = json!([{"item": "Mock interview", "done": true}]);
        let whole = scene.to_come(json!({"round": 3, "time_zone": "America/Lima", "preparation": preparation}));
        let made = ann.put(path, whole).await.expect(201);
        let kept = ann.put(path, scene.to_come(json!({}))).await.expect(200);
        let told = |interview: &Value| (interview["round"].clone(), interview["time_zone"].clone(), interview["recruiter_id"].clone());
        assert_eq!(told(&kept), (json!(3), json!("America/Lima"), made["recruiter_id"].clone()));
        assert!(kept["recruiter_id"].is_string());
        assert_eq!(kept["preparation"], preparation);
        let path = format!("/v1/interviews/{}", id(&made));
        let cleared = admin.patch(&path, json!({"round": null, "time_zone": null, "recruiter_id": null, "status": null, "preparation": null})).await.expect(200);
        assert_eq!(told(&cleared), (json!(1), json!("Europe/Berlin"), Value::Null), "the zone is the candidate's");
        assert_eq!((&cleared["status"], &cleared["preparation"]), (&json!("scheduled"), &json!([])));

        let contact = format!("/v1/contacts/{}", scene.manager);
        admin.patch(&contact, json!({"role": "hr", "off_limits": true})).await.expect(200);
        let cleared = admin.patch(&contact, json!({"role": null, "off_limits": null})).await.expect(200);
        assert_eq!((&cleared["role"], &cleared["off_limits"]), (&json!("other"), &json!(false)));
        let candidate = format!("/v1/candidates/{}", scene.candidate);
        admin.patch(&candidate, json!({"time_zone": "America/Lima"})).await.expect(200);
        assert_eq!(admin.patch(&candidate, json!({"time_zone": null})).await.expect(200)["time_zone"], "Etc/UTC");
    }

    async fn an_interview_is_found_by_the_id_of_another_system(app: TestApp) {
        let ann = app.recruiter().await;
        let scene = Scene::set(&ann).await;
        let path = "/v1/interviews/by-external-id/greenhouse/55";
        let made = ann.put(path, scene.past(json!({"status": "held", "round": 2}))).await.expect(201);
        assert_eq!(made["external_refs"], json!([{"system": "greenhouse", "id": "55"}]));
        let same = ann.put(path, scene.past(json!({"format": "phone"}))).await.expect(200);
        assert_eq!((&same["id"], &same["debrief_id"], &same["version"]), (&made["id"], &made["debrief_id"], &json!(2)));
        assert_eq!((&same["status"], &same["round"], &same["format"]), (&json!("held"), &json!(2), &json!("phone")));
        ann.delete(&format!("/v1/interviews/{}", id(&same))).await.expect(204);
        // The reference is free again.
        assert_ne!(ann.put(path, scene.past(json!({}))).await.expect(201)["id"], made["id"]);
    }

    async fn interviews_are_listed_by_what_they_belong_to(app: TestApp) {
        let ann = app.recruiter().await;
        let scene = Scene::set(&ann).await;
        let other = Scene::set(&ann).await;
        let mut paths = vec![];
        for body in [scene.past(json!({"contact_ids": [scene.peer]})), scene.to_come(json!({})), other.to_come(json!({"status": "cancelled"}))] {
            app.clock.advance(TimeDelta::seconds(1));
            paths.push(made(&ann, body).await);
        }
        let ids = async |query: String| {
            let page = ann.get(&format!("/v1/interviews?{query}")).await.expect(200);
            page["data"].as_array().unwrap().iter().map(|i| format!("/v1/interviews/{}", id(i))).collect::<Vec<_>>()
        };
        let [first, second, third] = [&paths[0], &paths[1], &paths[2]].map(String::as_str);
        assert_eq!(ids(format!("candidate_id={}", scene.candidate)).await, [second, first]);
        assert_eq!(ids(format!("job_order_id={}", other.order)).await, [third]);
        assert_eq!(ids(format!("client_id={}", scene.client)).await, [second, first]);
        assert_eq!(ids(format!("contact_id={}", scene.manager)).await, [second]);
        assert_eq!(ids("status=cancelled".to_owned()).await, [third]);
        assert_eq!(ids("updated_since=2026-11-20T12:00:02Z".to_owned()).await, [second, third]);
        assert_eq!(ann.get("/v1/interviews?q=x").await.faults(), ["q unknown_parameter"]);

        let (statements, first_page) = app.statements(ann.get("/v1/interviews?limit=2")).await;
        let first_page = first_page.expect(200);
        assert_eq!(statements, 2);
        assert_eq!(first_page["data"][1]["contact_ids"], json!([scene.manager, scene.peer]));
        let cursor = first_page["next_cursor"].as_str().unwrap();
        assert_eq!(ids(format!("limit=2&cursor={cursor}")).await, [first]);

        ann.delete(second).await.expect(204);
        let synced = ann.get("/v1/interviews?updated_since=2026-11-20T12:00:02Z&include_deleted=true").await.expect(200);
        assert_eq!(synced["data"].as_array().unwrap().iter().filter(|i| i["deleted_at"].is_string()).count(), 1);
    }

    async fn of_a_deletion_and_an_invitation_at_once_only_one_succeeds(app: TestApp) {
        let ann = app.recruiter().await;
        let scene = Scene::set(&ann).await;
        for _ in 0..8 {
            let contact = json!({"client_id": scene.client, "name": "Late", "email": "late@nordwind.example"});
            let contact = id(&ann.made("/v1/contacts", contact).await);
            let path = format!("/v1/contacts/{contact}");
            let invitation = scene.past(json!({"contact_ids": [contact]}));
            let (made, deleted) = tokio::join!(ann.post("/v1/interviews", invitation), ann.delete(&path));
            match deleted.status.as_u16() {
                204 => assert_eq!(made.faults(), ["/contact_ids/0 unknown_reference"]),
                _ => {
                    deleted.problem(409, "in_use");
                    made.expect(201);
                }
            }
        }
    }

    async fn another_agency_sees_no_interviews(app: TestApp) {
        let (ann, eve) = (app.recruiter().await, app.stranger(Role::Admin).await);
        let scene = Scene::set(&ann).await;
        let path = made(&ann, scene.past(json!({}))).await;
        eve.get(&path).await.problem(404, "not_found");
        eve.patch(&path, json!({"round": 2})).await.problem(404, "not_found");
        eve.delete(&path).await.problem(404, "not_found");
        assert_eq!(eve.get("/v1/interviews").await.expect(200)["data"], json!([]));
        let theirs = Scene::set(&eve).await;
        let mixed = eve.post("/v1/interviews", theirs.past(json!({"contact_ids": [scene.manager], "candidate_id": scene.candidate}))).await;
        assert_eq!(mixed.faults(), ["/candidate_id unknown_reference"]);
        let panel = eve.post("/v1/interviews", theirs.past(json!({"contact_ids": [scene.manager]}))).await;
        assert_eq!(panel.faults(), ["/contact_ids/0 unknown_reference"]);
    }

    async fn a_second_chance_comes_after_the_first_however_they_are_moved(app: TestApp) {
        let ann = app.recruiter().await;
        let scene = Scene::set(&ann).await;
        let first = made(&ann, scene.past(json!({}))).await;
        let [first_id] = [&first].map(|path| path.rsplit('/').next().unwrap().to_owned());
        let second = made(&ann, scene.to_come(json!({"retry_of_interview_id": first_id}))).await;
        let second_id = second.rsplit('/').next().unwrap().to_owned();
        let later = json!({"starts_at": "2026-11-25T12:00:00Z", "ends_at": "2026-11-25T13:00:00Z"});
        assert_eq!(ann.patch(&first, later).await.faults(), ["/starts_at before_the_first"]);
        let earlier = json!({"starts_at": "2026-11-20T10:00:00Z", "ends_at": "2026-11-20T11:00:00Z"});
        assert_eq!(ann.patch(&second, earlier).await.faults(), ["/starts_at before_the_first"]);
        // So neither can become the other's.
        assert_eq!(ann.patch(&first, json!({"retry_of_interview_id": second_id})).await.faults(), ["/starts_at before_the_first"]);
        ann.patch(&second, json!({"starts_at": "2026-11-21T09:30:00Z"})).await.expect(200);
    }
}

/// Makes an interview; its path.
async fn made(caller: &Caller, body: Value) -> String {
    format!("/v1/interviews/{}", id(&caller.made("/v1/interviews", body).await))
}
