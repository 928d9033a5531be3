use debrief::domain::people::Role;
use serde_json::{Value, json};

use crate::support::{Caller, on_both};

on_both! {
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

    async fn a_weak_password_does_not_hide_an_address_that_is_taken(app: TestApp) {
        let admin = app.admin().await;
        let ben = |password: &str| json!({"name": "Ben", "email": "ben@hanse.example", "role": "recruiter", "password": password});
        admin.made("/v1/users", ben("correct horse")).await;
        assert_eq!(admin.post("/v1/users", ben("password1")).await.faults(), ["/email already_exists", "/password weak_password"]);
    }
}
