use debrief::api::error::Code;
use debrief::app::faults::codes::CODES;

use crate::support::on_both;

on_both! {
    async fn every_code_has_a_page(app: TestApp) {
        for code in Code::ALL {
            let page = app.nobody().get(&format!("/docs/errors/{}", code.name())).await;
            assert_eq!(page.status.as_u16(), 200, "{}", code.name());
            let page = String::from_utf8(page.bytes).unwrap();
            for part in [code.title(), code.explanation(), code.occasion(), code.remedy()] {
                assert!(!part.is_empty() && page.contains(&format!(">{part}<")), "{} {part}", code.name());
            }
        }
        app.nobody().get("/docs/errors/nonsense").await.problem(404, "not_found");
    }

    async fn the_page_of_faulty_input_has_the_codes_of_its_faults(app: TestApp) {
        let page = app.nobody().get("/docs/errors/validation_failed").await;
        let page = String::from_utf8(page.bytes).unwrap();
        for (code, meaning) in CODES {
            assert!(page.contains(&format!("<td><code>{code}</code></td><td>{meaning}</td>")), "{code}");
        }
        let other = app.nobody().get("/docs/errors/not_found").await;
        assert!(!String::from_utf8(other.bytes).unwrap().contains("<table>"));
    }

    async fn the_reference_needs_nothing_from_elsewhere(app: TestApp) {
        let page = String::from_utf8(app.nobody().get("/docs/").await.bytes).unwrap();
        assert!(page.contains("swagger-ui") && !page.contains("src=\"http") && !page.contains("href=\"http"), "{page}");
        let script = app.nobody().get("/docs/swagger-initializer.js").await;
        assert!(String::from_utf8(script.bytes).unwrap().contains("/v1/openapi.json"));
        assert_eq!(app.nobody().get("/docs").await.header("location"), "/docs/");
        app.nobody().get("/docs/nonsense.js").await.problem(404, "not_found");
    }

    async fn the_pages_take_no_parameter_and_no_other_method(app: TestApp) {
        for page in ["/docs", "/docs/", "/docs/errors/not_found", "/docs/swagger-initializer.js"] {
            assert_eq!(app.nobody().get(&format!("{page}?page=2")).await.faults(), ["page unknown_parameter"], "{page}");
            let answer = app.nobody().delete(page).await;
            assert_eq!(answer.header("allow"), "GET, HEAD", "{page}");
            answer.problem(405, "method_not_allowed");
        }
        assert_eq!(app.nobody().get("/metrics?collect=all").await.status.as_u16(), 200);
    }
}
