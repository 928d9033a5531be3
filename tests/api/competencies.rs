use serde_json::{Value, json};

use crate::support::on_both;

on_both! {
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
}
