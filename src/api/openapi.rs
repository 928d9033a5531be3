//! The OpenAPI 3.1 document: gathered from the routes, with what all of them have in common.

mod bodies;
mod headers;
mod links;
mod problems;
mod security;

use actix_web::http::Method;
use actix_web::{HttpResponse, get, web};
use utoipa::OpenApi as _;
use utoipa::openapi::path::Operation;
use utoipa::openapi::{OpenApi, RefOr};

use self::security::Schemes;
use super::error::{FieldError, Problem};
use super::idempotency_keys;
use crate::domain::search::NamePart;

/// The document, rendered once.
#[derive(Clone)]
pub struct Document(pub web::Bytes);

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Debrief",
        description = "Candidate self-feedback and client feedback side by side, the retry meeting, \
                       and the thank-you note relayed by email.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    components(schemas(Problem, FieldError, NamePart)),
    security(("bearer" = [])),
    modifiers(&Schemes),
)]
struct Frame;

/// The document that the gathered routes are added to.
#[must_use]
pub fn frame() -> OpenApi {
    Frame::openapi()
}

/// Adds to every operation the errors that it can answer with and the headers of its answers, and gives merge patches a schema
/// of their own: that of the whole, of which nothing is required.
pub fn complete(document: &mut OpenApi) {
    bodies::allow_nulls(document);
    bodies::add_patches(document);
    // They are large: taken out for as long as the paths are gone through, and not copied.
    let schemas = std::mem::take(&mut document.components.get_or_insert_default().schemas);
    for (path, item) in &mut document.paths.paths {
        let names_a_record = path.contains('{');
        let all = [
            (Method::GET, &mut item.get),
            (Method::POST, &mut item.post),
            (Method::PUT, &mut item.put),
            (Method::PATCH, &mut item.patch),
            (Method::DELETE, &mut item.delete),
        ];
        for (method, operation) in all {
            let Some(operation) = operation else { continue };
            name(operation);
            describe(operation);
            security::require(operation);
            if method == Method::POST {
                idempotency_keys::describe(operation);
            }
            headers::add(operation, method == Method::GET, &schemas);
            problems::add(operation, &method, names_a_record);
        }
    }
    links::add(document, &schemas);
    document.components.get_or_insert_default().schemas = schemas;
    problems::define(document);
}

/// Names an operation after its tag and its handler: handlers of different nouns are called alike.
fn name(operation: &mut Operation) {
    let tag = operation.tags.iter().flatten().next().cloned().unwrap_or_default();
    if let Some(id) = &mut operation.operation_id {
        *id = format!("{tag}_{id}").replace('-', "_");
    }
}

/// Says something of every answer, as OpenAPI asks: the rest is told by what the operation does.
fn describe(operation: &mut Operation) {
    for (status, response) in &mut operation.responses.responses {
        let RefOr::T(response) = response else { continue };
        if response.description.is_empty() {
            response.description = match status.as_str() {
                "200" => "As it is now.",
                "201" => "It was made.",
                "202" => "It will be done.",
                "204" => "It was done, and there is nothing to show.",
                _ => "It was refused.",
            }
            .to_owned();
        }
        if response.content.is_empty() && status.starts_with(['4', '5']) {
            response.content = problems::problem("").content;
        }
    }
}

/// The document.
#[utoipa::path(tag = "operations", security(()), responses((status = 200, description = "The OpenAPI 3.1 document.")))]
#[get("/v1/openapi.json")]
pub async fn show(document: web::Data<Document>) -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(document.0.clone())
}
