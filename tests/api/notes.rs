//! Thank-you notes: written, changed and decided on. What becomes of an approved one is in `relay`.

use chrono::TimeDelta;
use debrief::domain::people::Role;
use serde_json::json;

use crate::support::{Desk, history, id, on_both};

on_both! {
    async fn a_note_is_written_submitted_and_approved(app: TestApp) {
        let desk = Desk::set(&app).await;
        let scene = &desk.scene;
        let answer = desk.ann.post(&format!("/v1/debriefs/{}/notes", desk.debrief), desk.text(&[&scene.manager, &scene.peer])).await;
        let (etag, location) = (answer.header("etag"), answer.header("location"));
        let note = answer.expect(201);
        assert_eq!((etag.as_str(), location), ("\"1\"", format!("/v1/notes/{}", id(&note))));
        assert_eq!((&note["state"], &note["deliveries"], &note["contact_ids"]), (&json!("draft"), &json!([]), &json!([scene.manager, scene.peer])));
        assert_eq!(note["content_hash"].as_str().unwrap().len(), 64);

        let note = desk.act(&note, "submit", json!({})).await.expect(200);
        assert_eq!((&note["state"], &note["version"]), (&json!("submitted"), &json!(2)));
        let approval = json!({"content_hash": note["content_hash"]});
        let approved = desk.act(&note, "approve", approval).await.expect(200);
        assert_eq!((&approved["state"], &approved["version"], &approved["approved_by"]["kind"]), (&json!("queued"), &json!(3), &json!("user")));
        let deliveries = approved["deliveries"].as_array().unwrap();
        assert_eq!(deliveries.len(), 2);
        let first = &deliveries[0];
        assert_eq!((&first["contact_id"], &first["state"], &first["attempts"], &first["last_reply"]), (&json!(scene.manager), &json!("queued"), &json!(0), &json!(null)));
        assert_eq!(first["next_attempt_at"], "2026-11-20T12:01:00Z", "the undo window");
        assert_eq!(first["message_id"], format!("<{}@{}>", id(first), app.context.mail.from_domain));
        assert_eq!(history(&app, &desk.debrief).split_off(3), ["note.created", "note.submitted", "note.approved"]);
    }

    async fn one_mailbox_gets_a_note_once(app: TestApp) {
        let desk = Desk::set(&app).await;
        let path = format!("/v1/debriefs/{}/notes", desk.debrief);
        let twin = json!({"client_id": desk.scene.client, "name": "I. Okafor", "email": "INES@Nordwind.example", "role": "hr"});
        let twin = id(&desk.ann.made("/v1/contacts", twin).await);
        let both = desk.text(&[&desk.scene.manager, &desk.scene.peer, &twin]);
        assert_eq!(desk.ann.post(&path, both).await.faults(), ["/contact_ids/2 duplicate"]);
        let note = desk.draft(&[&desk.scene.manager]).await;
        let problem = desk.ann.post(&path, desk.text(&[&twin])).await.problem(409, "already_exists");
        assert_eq!(problem["existing_id"], note["id"]);
        let patch = json!({"contact_ids": [desk.scene.manager, twin]});
        assert_eq!(desk.ann.at(&note["version"]).patch(&format!("/v1/notes/{}", id(&note)), patch).await.faults(), ["/contact_ids/1 duplicate"]);

        // They have the same only since the note was written.
        let contact = format!("/v1/contacts/{twin}");
        desk.ann.patch(&contact, json!({"email": "okafor@nordwind.example"})).await.expect(200);
        let patch = json!({"contact_ids": [desk.scene.manager, twin]});
        let note = desk.ann.at(&note["version"]).patch(&format!("/v1/notes/{}", id(&note)), patch).await.expect(200);
        desk.ann.patch(&contact, json!({"email": "ines@nordwind.example"})).await.expect(200);
        let note = desk.note(&note).await;
        desk.act(&note, "submit", json!({})).await.problem(409, "contact_blocked");

        // Each had a note of their own before.
        let other = desk.draft(&[&desk.scene.peer]).await;
        desk.ann.patch(&contact, json!({"email": "okafor@nordwind.example"})).await.expect(200);
        desk.ann.patch(&format!("/v1/contacts/{}", desk.scene.peer), json!({"email": "ines@nordwind.example"})).await.expect(200);
        let other = desk.note(&other).await;
        let problem = desk.act(&other, "submit", json!({})).await.problem(409, "already_exists");
        assert_eq!(problem["existing_id"], note["id"]);
    }

    async fn the_agency_frames_a_note_in_its_language(app: TestApp) {
        let desk = Desk::set(&app).await;
        let frames = json!({"mail": {"frames": {
            "de": {"greeting": "Guten Tag {{contact_name}},\n\n{{candidate_name}} schreibt Ihnen:", "signature": "{{recruiter_name}}\n{{agency_name}}"},
            "pt-BR": {"greeting": "Olá {{contact_name}},"},
        }}});
        app.admin().await.patch("/v1/agency", frames).await.expect(200);
        let path = format!("/v1/debriefs/{}/notes", desk.debrief);
        let mut text = desk.text(&[&desk.scene.peer]);
        text["body"] = json!("Danke, {{contact_name}}! <b>");
        text["language"] = json!("de-AT");
        let note = desk.ann.made(&path, text).await;
        let preview = format!("/v1/notes/{}/preview", id(&note));
        let reader = desk.ann.with("Accept", "application/json");
        let shown = reader.get(&preview).await.expect(200);
        assert_eq!(shown["text"], "Guten Tag Jens Brandt,\n\nTomás Herrera schreibt Ihnen:\n\nDanke, {{contact_name}}! <b>\n\n-- \nTest recruiter\nHanse Personal");
        assert!(shown["html"].as_str().unwrap().contains("Danke, {{contact_name}}! &#60;b&#62;"));
        let note = desk.act(&note, "submit", json!({})).await.expect(200);
        let approved = desk.act(&note, "approve", json!({"content_hash": note["content_hash"]})).await.expect(200);
        app.admin().await.patch("/v1/agency", json!({"mail": {"frames": null}})).await.expect(200);
        assert_eq!(reader.get(&preview).await.expect(200), shown, "what was shown is what was frozen");
        for (language, begins, ends) in [("pt", "Danke", "reaches Test recruiter."), ("en", "Danke", "reaches Test recruiter.")] {
            let back = desk.note(&approved).await;
            desk.ann.at(&back["version"]).patch(&format!("/v1/notes/{}", id(&note)), json!({"language": language})).await.expect(200);
            let shown = reader.get(&preview).await.expect(200);
            let text = shown["text"].as_str().unwrap();
            assert!(text.starts_with(begins) && text.ends_with(ends), "{text}");
        }
    }

    async fn nobody_approves_a_note_in_words_that_changed_since_it_was_read(app: TestApp) {
        let desk = Desk::set(&app).await;
        let note = desk.draft(&[&desk.scene.peer]).await;
        let note = desk.act(&note, "submit", json!({})).await.expect(200);
        let whole = format!("/v1/debriefs/{}", desk.debrief);
        let before = desk.ann.get(&whole).await.expect(200)["version"].as_i64().unwrap();
        let approval = json!({"content_hash": note["content_hash"]});
        for change in [json!({"mail": {"frames": {"en": {"greeting": "Hello {{contact_name}},"}}}}), json!({"name": "Hanse & Co"})] {
            let seen = desk.note(&note).await;
            app.admin().await.patch("/v1/agency", change).await.expect(200);
            desk.act(&seen, "approve", approval.clone()).await.problem(412, "stale_version");
        }
        assert_eq!(desk.ann.get(&whole).await.expect(200)["version"].as_i64().unwrap(), before + 2);
        app.admin().await.patch("/v1/agency", json!({"time_zone": "Europe/Oslo"})).await.expect(200);
        let seen = desk.note(&note).await;
        app.admin().await.patch("/v1/agency", json!({"time_zone": "Europe/Berlin"})).await.expect(200);
        let approved = desk.act(&seen, "approve", approval).await.expect(200);
        app.admin().await.patch("/v1/agency", json!({"name": "Hanse Personal"})).await.expect(200);
        assert_eq!(desk.note(&note).await["version"], approved["version"], "its words are frozen");
    }

    async fn a_rename_and_an_approval_do_not_wait_in_a_circle(app: TestApp) {
        let desk = Desk::set(&app).await;
        let named = [format!("/v1/contacts/{}", desk.scene.manager), format!("/v1/candidates/{}", desk.scene.candidate)];
        let renamer = desk.ann.clone();
        let renames = actix_web::rt::spawn(async move {
            let mut statuses = vec![];
            for (i, path) in named.iter().cycle().take(40).enumerate() {
                statuses.push(renamer.patch(path, json!({"name": format!("Ada {i}")})).await.status.as_u16());
            }
            statuses
        });
        for _ in 0..8 {
            let note = desk.draft(&[&desk.scene.manager]).await;
            let path = format!("/v1/notes/{}", id(&note));
            for (action, body) in [
                ("submit", json!({})),
                ("approve", json!({"content_hash": note["content_hash"]})),
                ("recall", json!({})),
            ] {
                desk.ann.with("If-Match", "*").post(&format!("{path}/{action}"), body).await.expect(200);
            }
        }
        assert_eq!(renames.await.unwrap(), [200; 40]);
    }

    async fn nobody_approves_a_note_as_the_letter_of_somebody_else(app: TestApp) {
        let desk = Desk::set(&app).await;
        let note = desk.draft(&[&desk.scene.peer]).await;
        let note = desk.act(&note, "submit", json!({})).await.expect(200);
        let manager = app.user(Role::Manager).await;
        let manager_id = manager.get("/v1/me").await.expect(200)["id"].clone();
        manager.patch(&format!("/v1/interviews/{}", id(&desk.interview)), json!({"recruiter_id": manager_id})).await.expect(200);
        let approval = json!({"content_hash": note["content_hash"]});
        let stale = manager.at(&note["version"]).post(&format!("/v1/notes/{}/approve", id(&note)), approval.clone()).await;
        stale.problem(412, "stale_version");
        let seen = desk.note(&note).await;
        manager.at(&seen["version"]).post(&format!("/v1/notes/{}/approve", id(&note)), approval).await.expect(200);
    }

    async fn a_note_may_wait_for_its_time(app: TestApp) {
        let desk = Desk::set(&app).await;
        let note = desk.draft(&[&desk.scene.peer]).await;
        let note = desk.act(&note, "submit", json!({})).await.expect(200);
        let approval = json!({"content_hash": note["content_hash"], "send_at": "2026-11-20T17:00:00+01:00"});
        let note = desk.act(&note, "approve", approval).await.expect(200);
        assert_eq!((&note["send_at"], &note["deliveries"][0]["next_attempt_at"]), (&json!("2026-11-20T16:00:00Z"), &json!("2026-11-20T16:00:00Z")));
    }

    async fn every_fault_of_a_note_is_named_at_once(app: TestApp) {
        let desk = Desk::set(&app).await;
        let path = format!("/v1/debriefs/{}/notes", desk.debrief);
        let faults = desk.ann.post(&path, json!({"contact_ids": [], "subject": "", "body": 7, "language": "auf Deutsch", "html": "x"})).await.faults();
        assert_eq!(faults, ["/body wrong_type", "/contact_ids too_few", "/html unknown_field", "/language invalid_language", "/subject blank"]);
        let eve = app.stranger(Role::Admin).await;
        let foreign = id(&eve.made("/v1/clients", json!({"name": "Other"})).await);
        let foreign = id(&eve.made("/v1/contacts", json!({"client_id": foreign, "name": "Eve", "role": "hr"})).await);
        let mut body = desk.text(&[&desk.scene.peer, &foreign, &desk.scene.peer]);
        body["subject"] = json!("Thanks\r\nBcc: eve@other.example");
        body["body"] = json!(" \n ");
        assert_eq!(desk.ann.post(&path, body).await.faults(), ["/body blank", "/subject control_character", "/contact_ids/2 duplicate", "/contact_ids/1 unknown_reference"]);
        eve.post(&path, desk.text(&[&desk.scene.peer])).await.problem(404, "not_found");
    }

    async fn a_contact_has_one_live_note(app: TestApp) {
        let desk = Desk::set(&app).await;
        let path = format!("/v1/debriefs/{}/notes", desk.debrief);
        let first = desk.draft(&[&desk.scene.manager]).await;
        let problem = desk.ann.post(&path, desk.text(&[&desk.scene.peer, &desk.scene.manager])).await.problem(409, "already_exists");
        assert_eq!(problem["existing_id"], first["id"]);
        let other = desk.draft(&[&desk.scene.peer]).await;
        let patch = json!({"contact_ids": [desk.scene.manager]});
        let path_other = format!("/v1/notes/{}", id(&other));
        desk.ann.with("If-Match", "\"1\"").patch(&path_other, patch.clone()).await.problem(409, "already_exists");

        let first = desk.act(&first, "submit", json!({})).await.expect(200);
        let first = desk.act(&first, "reject", json!({"reason": "Not like this."})).await.expect(200);
        assert_eq!((&first["state"], &first["reason"]), (&json!("rejected"), &json!("Not like this.")));
        let taken = desk.ann.with("If-Match", "\"1\"").patch(&path_other, patch).await.expect(200);
        assert_eq!(taken["contact_ids"], json!([desk.scene.manager]));
    }

    async fn who_may_not_be_written_to_is_named(app: TestApp) {
        let desk = Desk::set(&app).await;
        let contact = format!("/v1/contacts/{}", desk.scene.peer);
        let path = format!("/v1/debriefs/{}/notes", desk.debrief);
        for (bad, good) in [
            (json!({"off_limits": true}), json!({"off_limits": false})),
            (json!({"email": null}), json!({"email": "jens@nordwind.example"})),
        ] {
            desk.ann.patch(&contact, bad).await.expect(200);
            let problem = desk.ann.post(&path, desk.text(&[&desk.scene.manager, &desk.scene.peer])).await.problem(409, "contact_blocked");
            assert_eq!(problem["existing_id"], desk.scene.peer);
            desk.ann.patch(&contact, good).await.expect(200);
        }
        let note = desk.draft(&[&desk.scene.peer]).await;
        desk.ann.patch(&contact, json!({"off_limits": true})).await.expect(200);
        desk.act(&note, "submit", json!({})).await.problem(409, "contact_blocked");
        desk.ann.patch(&contact, json!({"off_limits": false})).await.expect(200);
        let note = desk.act(&note, "submit", json!({})).await.expect(200);
        desk.ann.patch(&contact, json!({"off_limits": true})).await.expect(200);
        desk.act(&note, "approve", json!({"content_hash": note["content_hash"]})).await.problem(409, "contact_blocked");
        assert_eq!(desk.note(&note).await["state"], "submitted");
    }

    async fn an_approval_is_for_the_text_that_was_read(app: TestApp) {
        let desk = Desk::set(&app).await;
        let read = desk.draft(&[&desk.scene.peer]).await;
        let read = desk.act(&read, "submit", json!({})).await.expect(200);
        let path = format!("/v1/notes/{}", id(&read));
        let edited = desk.ann.at(&read["version"]).patch(&path, json!({"body": "Thank you, and sorry."})).await.expect(200);
        assert_eq!((&edited["state"], edited["content_hash"] != read["content_hash"]), (&json!("submitted"), true));
        let approval = json!({"content_hash": read["content_hash"]});
        desk.act(&read, "approve", approval.clone()).await.problem(412, "stale_version");
        desk.act(&edited, "approve", approval).await.problem(409, "content_changed");
        desk.act(&edited, "approve", json!({"content_hash": "abc"})).await.faults();
        assert_eq!(desk.note(&read).await["state"], "submitted");
    }

    async fn an_edit_after_the_approval_takes_it_back(app: TestApp) {
        let desk = Desk::set(&app).await;
        let note = desk.approved(&[&desk.scene.manager, &desk.scene.peer]).await;
        let path = format!("/v1/notes/{}", id(&note));
        let same = desk.ann.at(&note["version"]).patch(&path, json!({"subject": note["subject"]})).await.expect(200);
        assert_eq!((&same["state"], &same["version"]), (&json!("queued"), &note["version"]), "nothing was changed");

        let edited = desk.ann.at(&note["version"]).patch(&path, json!({"subject": "Thank you again"})).await.expect(200);
        assert_eq!((&edited["state"], &edited["approved_at"], &edited["deliveries"]), (&json!("submitted"), &json!(null), &json!([])));
        let approval = json!({"content_hash": edited["content_hash"]});
        let again = desk.act(&edited, "approve", approval).await.expect(200);
        assert_eq!(again["deliveries"].as_array().unwrap().len(), 2);
        assert!(again["deliveries"][0]["id"] != note["deliveries"][0]["id"], "another text is another message");
        let withdrawn = desk.ann.get(&format!("/v1/deliveries/{}/attempts", id(&note["deliveries"][0]))).await.expect(200);
        assert_eq!(withdrawn["data"], json!([]));
    }

    async fn a_note_goes_back_to_be_mended(app: TestApp) {
        let desk = Desk::set(&app).await;
        let note = desk.draft(&[&desk.scene.peer]).await;
        let problem = desk.act(&note, "request-changes", json!({"reason": "Shorter."})).await.problem(409, "invalid_transition");
        assert_eq!((&problem["state"], &problem["allowed"]), (&json!("draft"), &json!(["submit", "edit"])));
        let note = desk.act(&note, "submit", json!({})).await.expect(200);
        assert_eq!(desk.act(&note, "request-changes", json!({"reason": " "})).await.faults(), ["/reason blank"]);
        let note = desk.act(&note, "request-changes", json!({"reason": "Shorter."})).await.expect(200);
        assert_eq!((&note["state"], &note["reason"]), (&json!("changes_requested"), &json!("Shorter.")));
        let note = desk.act(&note, "submit", json!({})).await.expect(200);
        assert_eq!((&note["state"], &note["reason"]), (&json!("submitted"), &json!(null)));
    }

    async fn a_change_needs_the_version_that_was_seen(app: TestApp) {
        let desk = Desk::set(&app).await;
        let note = desk.draft(&[&desk.scene.peer]).await;
        let path = format!("/v1/notes/{}", id(&note));
        desk.ann.patch(&path, json!({"subject": "x"})).await.problem(428, "precondition_required");
        desk.ann.post(&format!("{path}/submit"), json!({})).await.problem(428, "precondition_required");
        desk.ann.with("If-Match", "\"9\"").post(&format!("{path}/submit"), json!({})).await.problem(412, "stale_version");
        desk.ann.with("If-Match", "*").post(&format!("{path}/submit"), json!({})).await.expect(200);
        let shown = desk.ann.get(&path).await;
        let etag = shown.header("etag");
        assert_eq!(desk.ann.with("If-None-Match", &etag).get(&path).await.status.as_u16(), 304);
    }

    async fn deciding_is_for_those_who_may(app: TestApp) {
        let desk = Desk::set(&app).await;
        let note = desk.draft(&[&desk.scene.peer]).await;
        let note = desk.act(&note, "submit", json!({})).await.expect(200);
        let path = format!("/v1/notes/{}/approve", id(&note));
        let approval = json!({"content_hash": note["content_hash"]});
        app.user(Role::Auditor).await.with("If-Match", "*").post(&path, approval.clone()).await.problem(403, "forbidden");
        app.recruiter().await.with("If-Match", "*").post(&path, approval.clone()).await.problem(403, "forbidden");
        app.stranger(Role::Admin).await.with("If-Match", "*").post(&path, approval.clone()).await.problem(404, "not_found");
        app.user(Role::Manager).await.with("If-Match", "*").post(&path, approval).await.expect(200);
    }

    async fn nobody_is_thanked_for_what_did_not_take_place(app: TestApp) {
        let desk = Desk::set(&app).await;
        let interview = desk.ann.made("/v1/interviews", desk.scene.to_come(json!({}))).await;
        let path = format!("/v1/debriefs/{}/notes", interview["debrief_id"].as_str().unwrap());
        let note = desk.ann.made(&path, desk.text(&[&desk.scene.peer])).await;
        let note = desk.act(&note, "submit", json!({})).await.expect(200);
        let approval = json!({"content_hash": note["content_hash"]});
        desk.act(&note, "approve", approval.clone()).await.problem(409, "invalid_transition");
        let off = desk.ann.made("/v1/interviews", desk.scene.past(json!({"status": "cancelled"}))).await;
        let path = format!("/v1/debriefs/{}/notes", off["debrief_id"].as_str().unwrap());
        desk.ann.post(&path, desk.text(&[&desk.scene.peer])).await.problem(409, "invalid_transition");
    }

    async fn notes_are_listed_by_what_is_asked(app: TestApp) {
        let desk = Desk::set(&app).await;
        let sent = desk.approved(&[&desk.scene.manager]).await;
        app.clock.advance(TimeDelta::minutes(10));
        let draft = desk.draft(&[&desk.scene.peer]).await;
        assert_eq!(asked(&desk, "").await, [id(&draft), id(&sent)]);
        assert_eq!(asked(&desk, "?state=draft").await, [id(&draft)]);
        assert_eq!(asked(&desk, "?delivery_state=queued").await, [id(&sent)]);
        assert_eq!(asked(&desk, &format!("?contact_id={}", desk.scene.peer)).await, [id(&draft)]);
        assert_eq!(asked(&desk, &format!("?debrief_id={}&client_id={}&candidate_id={}", desk.debrief, desk.scene.client, desk.scene.candidate)).await.len(), 2);
        assert_eq!(asked(&desk, "?updated_since=2026-11-20T12:05:00Z").await, [id(&draft)]);
        assert_eq!(asked(&desk, "?state=recalled").await, Vec::<String>::new());
        let (statements, page) = app.statements(desk.ann.get("/v1/notes?limit=1")).await;
        let page = page.expect(200);
        assert_eq!((statements, page["data"][0]["deliveries"].as_array().unwrap().len()), (2, 0));
        let next = page["next_cursor"].as_str().unwrap();
        assert_eq!(asked(&desk, &format!("?limit=1&cursor={next}")).await, [id(&sent)]);
        let eve = app.stranger(Role::Admin).await;
        assert_eq!(eve.get("/v1/notes").await.expect(200)["data"], json!([]));
        eve.get(&format!("/v1/notes/{}", id(&sent))).await.problem(404, "not_found");
    }

    async fn the_message_is_shown_before_it_goes(app: TestApp) {
        let desk = Desk::set(&app).await;
        let note = desk.draft(&[&desk.scene.manager, &desk.scene.peer]).await;
        let path = format!("/v1/notes/{}/preview?contact_id={}", id(&note), desk.scene.peer);
        let parts = desk.ann.with("Accept", "application/json").get(&path).await.expect(200);
        assert_eq!(parts["subject"], "Danke für das Gespräch");
        assert_eq!(parts["to"], "\"Jens Brandt\" <jens@nordwind.example>");
        assert!(parts["from"].as_str().unwrap().starts_with("\"Test recruiter (Hanse Personal) via Debrief\" <notes@"), "{parts}");
        assert!(parts["reply_to"].as_str().unwrap().starts_with("\"Test recruiter\" <user"), "{parts}");
        assert!(parts["text"].as_str().unwrap().starts_with("Dear all,\n\nthank you"), "{parts}");
        assert!(!parts.to_string().contains("tomas@home.example"), "the candidate's address never shows");

        let message = desk.ann.with("Accept", "*/*").get(&path).await;
        assert_eq!(message.header("content-type"), "message/rfc822");
        let text = String::from_utf8(message.bytes).unwrap();
        assert!(text.contains("\r\nTo: \"Jens Brandt\" <jens@nordwind.example>\r\n") && !text.contains("ines@nordwind.example"), "{text}");
        desk.ann.with("Accept", "text/html").get(&path).await.problem(406, "not_acceptable");
        let other = format!("/v1/notes/{}/preview?contact_id=con_01h2xcejqtf2nbrexx3vqjhp41", id(&note));
        desk.ann.get(&other).await.problem(404, "not_found");
    }

    async fn nobody_approves_a_note_with_other_names_than_were_read(app: TestApp) {
        let (desk, admin) = (Desk::set(&app).await, app.admin().await);
        let note = desk.draft(&[&desk.scene.manager]).await;
        let mut note = desk.act(&note, "submit", json!({})).await.expect(200);
        let recruiter = format!("/v1/users/{}", desk.interview["recruiter_id"].as_str().unwrap());
        let (candidate, contact) = (format!("/v1/candidates/{}", desk.scene.candidate), format!("/v1/contacts/{}", desk.scene.manager));
        for (path, patch) in [
            (&candidate, json!({"name": "T. Herrera"})),
            (&contact, json!({"name": "Dr Okafor"})),
            (&contact, json!({"email": "okafor@nordwind.example"})),
            (&recruiter, json!({"name": "Anna"})),
            (&recruiter, json!({"disabled": true})),
        ] {
            let debrief = admin.get(&format!("/v1/debriefs/{}", desk.debrief)).await.expect(200)["version"].clone();
            admin.patch(path, patch.clone()).await.expect(200);
            let approval = json!({"content_hash": note["content_hash"]});
            let approve = format!("/v1/notes/{}/approve", id(&note));
            admin.at(&note["version"]).post(&approve, approval).await.problem(412, "stale_version");
            note = desk.note(&note).await;
            let now = desk.ann.get(&format!("/v1/debriefs/{}", desk.debrief)).await.expect(200)["version"].clone();
            assert!(now.as_i64() > debrief.as_i64(), "{patch}");
        }
        // What is no part of the letter changes nothing.
        admin.patch(&contact, json!({"phone": "1"})).await.expect(200);
        admin.patch(&candidate, json!({"email": "t@home.example"})).await.expect(200);
        assert_eq!(desk.note(&note).await["version"], note["version"]);
    }
}

/// The ids of the notes that a query finds.
async fn asked(desk: &Desk, query: &str) -> Vec<String> {
    let page = desk.ann.get(&format!("/v1/notes{query}")).await.expect(200);
    page["data"].as_array().unwrap().iter().map(id).collect()
}
