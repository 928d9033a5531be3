//! A service that is told to stop ends what it has begun.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::on_both;

on_both! {
    async fn a_request_under_way_gets_its_full_answer(app: TestApp) {
        let token = app.recruiter().await.token();
        let body = json!({"name": "Nordwind"}).to_string();
        let (begun, rest) = body.split_at(5);
        let head = format!(
            "POST /v1/clients HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nExpect: 100-continue\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n", body.len());
        let mut connection = app.connect().await.unwrap();
        connection.write_all(head.as_bytes()).await.unwrap();
        // Whoever is told to go on is being listened to.
        let mut go_on = [0; 25];
        connection.read_exact(&mut go_on).await.unwrap();
        assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
        connection.write_all(begun.as_bytes()).await.unwrap();

        let stopped = actix_web::rt::spawn(app.stop());
        while app.connect().await.is_ok() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert!(!stopped.is_finished());
        connection.write_all(rest.as_bytes()).await.unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).await.unwrap();
        let (head, record) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 201 "), "{head}");
        let record: Value = serde_json::from_str(record).unwrap();
        assert_eq!(record["name"], "Nordwind");
        stopped.await.unwrap();
    }
}
