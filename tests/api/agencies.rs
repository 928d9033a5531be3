use serde_json::json;

use crate::support::{happenings, id, on_both};

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
        let happened = happenings(&app);
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
        assert_eq!(happenings(&app), happened);
        assert_eq!(admin.patch("/v1/agency", json!({"mail": {"zzz": null}})).await.faults(), ["/mail/zzz unknown_field"]);
    }
}
