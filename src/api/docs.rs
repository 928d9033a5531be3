//! `/docs`: the API reference, and a page for each code of an error. Everything is in the binary.

use actix_web::guard::Get;
use actix_web::http::header;
use actix_web::{HttpResponse, web};
use utoipa_swagger_ui::{Config, serve};

use super::error::{Answer, ApiError, Code};
use crate::app::faults::codes;

/// Where the pages are.
pub const PATHS: [&str; 3] = ["/docs", "/docs/errors/{code}", "/docs/{_:.*}"];

/// Registers the pages.
pub fn routes(config: &mut web::ServiceConfig) {
    let [door, error, reference] = PATHS;
    let settings = web::Data::new(Config::from("/v1/openapi.json").validator_url("none"));
    config
        .service(web::resource(door).guard(Get()).to(to_reference))
        .service(web::resource(error).guard(Get()).to(error_page))
        .service(web::resource(reference).guard(Get()).app_data(settings).to(reference_file));
}

async fn to_reference() -> HttpResponse {
    HttpResponse::PermanentRedirect().insert_header((header::LOCATION, "/docs/")).finish()
}

/// A file of the API reference.
async fn reference_file(name: web::Path<String>, settings: web::Data<Config<'static>>) -> Answer {
    let file =
        serve(&name, settings.into_inner()).map_err(|e| ApiError::new(Code::Internal, e.to_string()))?;
    let file = file.ok_or_else(ApiError::not_found)?;
    Ok(HttpResponse::Ok().content_type(file.content_type).body(file.bytes.into_owned()))
}

/// What the `type` of a problem points to.
async fn error_page(code: web::Path<String>) -> Answer {
    let code = *Code::ALL.iter().find(|known| known.name() == *code).ok_or_else(ApiError::not_found)?;
    let (name, status, title) = (code.name(), code.status(), code.title());
    let (explanation, occasion, remedy) = (code.explanation(), code.occasion(), code.remedy());
    let faults = if code == Code::ValidationFailed { fault_codes() } else { String::new() };
    // All of it is text of ours without anything to escape.
    let page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>{name}</title>\
         <h1>{title}</h1><p><code>{name}</code>, status {status}</p><p>{explanation}</p>\
         <h2>When it comes</h2><p>{occasion}</p><h2>What to do</h2><p>{remedy}</p>{faults}\
         <p><a href=\"/docs/\">The API reference</a></p></html>"
    );
    Ok(HttpResponse::Ok().content_type("text/html; charset=utf-8").body(page))
}

/// The table of what can be wrong with a field, a parameter or a row of an import.
fn fault_codes() -> String {
    let row = |(name, meaning): &(&str, &str)| {
        format!("<tr id=\"{name}\"><td><code>{name}</code></td><td>{meaning}</td></tr>")
    };
    let rows: String = codes::CODES.iter().map(row).collect();
    format!("<h2>The code of a fault</h2><table>{rows}</table>")
}
