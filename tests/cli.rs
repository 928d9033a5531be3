//! The command line, run as an operator runs it.

use serde_json::json;

use crate::support::{Database, TestApp, run};

#[actix_web::test]
async fn the_demonstrations_password_is_read_from_standard_input() {
    let database = Database::sqlite();
    let made = run(&database, &["demo-data", "--debriefs", "20", "--password-stdin"], "correct horse\n", &[]);
    let told = String::from_utf8(made.stdout).unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    assert!(!told.contains("correct horse"), "{told}");
    let names = told.lines().find_map(|line| line.strip_prefix("Sign in as ")).unwrap();
    let email = names.split([',', ' ']).next().unwrap();
    let app = TestApp::start_empty(database).await;
    let credentials = json!({"email": email, "password": "correct horse"});
    app.nobody().post("/v1/auth/login", credentials).await.expect(200);
}

#[actix_web::test]
async fn a_password_is_given_in_one_way_only() {
    let database = Database::sqlite();
    let both = ["demo-data", "--password", "correct horse", "--password-stdin"];
    let both = run(&database, &both, "correct horse", &[]);
    assert!(!both.status.success());
    assert!(String::from_utf8(both.stderr).unwrap().contains("cannot be used with"));
}

#[actix_web::test]
async fn a_signing_key_that_is_named_is_not_made_up() {
    let database = Database::sqlite();
    let arguments =
        ["admin", "create-agency", "--name", "Hanse", "--email", "ann@hanse.example", "--password-stdin"];
    let key = ("DEBRIEF__AUTH__SIGNING_KEY_FILE", "/nowhere/at/all.pem");
    let refused = run(&database, &arguments, "correct horse", &[key]);
    let told = String::from_utf8(refused.stderr).unwrap();
    assert!(
        !refused.status.success() && told.contains("auth.signing_key_file: /nowhere/at/all.pem"),
        "{told}"
    );
}
