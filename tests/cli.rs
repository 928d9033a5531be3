//! The command line, run as an operator runs it.

use std::io::Write;
use std::process::{Command, Output, Stdio};

use serde_json::json;

use crate::support::{Database, TestApp};

/// Runs the program on a database, with a text on its standard input.
fn run(database: &Database, arguments: &[&str], input: &str) -> Output {
    let mut process = Command::new(env!("CARGO_BIN_EXE_debrief"))
        .args(arguments)
        .env("DEBRIEF__DATABASE__URL", database.url())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Whoever reads nothing has closed its end already.
    let _ = process.stdin.take().unwrap().write_all(input.as_bytes());
    process.wait_with_output().unwrap()
}

#[actix_web::test]
async fn the_demonstrations_password_is_read_from_standard_input() {
    let database = Database::sqlite();
    let made = run(&database, &["demo-data", "--debriefs", "20", "--password-stdin"], "correct horse\n");
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
    let both =
        run(&database, &["demo-data", "--password", "correct horse", "--password-stdin"], "correct horse");
    assert!(!both.status.success());
    assert!(String::from_utf8(both.stderr).unwrap().contains("cannot be used with"));
}
