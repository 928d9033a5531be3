//! The OpenAPI 3.1 document: gathered from the routes, with what all of them have in common.

mod bodies;
mod headers;
mod links;
mod security;

use actix_web::{HttpResponse, get, web};
use utoipa::openapi::path::Operation;
use utoipa::openapi::{ContentBuilder, OpenApi, Ref, RefOr, Required, Response, ResponseBuilder};
use utoipa::{OpenApi as _, ToSchema};

use self::security::Schemes;
use super::error::{FieldError, Problem};
use super::{etag, idempotency_keys};
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
    let schemas = document.components.get_or_insert_default().schemas.clone();
    for (path, item) in &mut document.paths.paths {
        let has_id = path.contains('{');
        let all = [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete];
        for operation in all.into_iter().flatten() {
            name(operation);
            describe(operation);
            security::require(operation);
        }
        item.post.iter_mut().for_each(|operation| {
            idempotency_keys::describe(operation);
            add_problem(operation, "409", "What stands already does not allow this.");
            add_problem(operation, "422", "The Idempotency-Key stands for another request.");
        });
        let reads = [&mut item.get];
        let writes = [&mut item.post, &mut item.put, &mut item.patch, &mut item.delete];
        for operation in reads.into_iter().flatten() {
            headers::add(operation, true, &schemas);
            add_errors(operation, has_id, false);
        }
        for operation in writes.into_iter().flatten() {
            headers::add(operation, false, &schemas);
            add_errors(operation, has_id, true);
        }
    }
    links::add(document);
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
            response.content = problem("").content;
        }
    }
}

fn add_errors(operation: &mut Operation, has_id: bool, writes: bool) {
    let is_open = operation.security.as_ref().is_some_and(|all| all.iter().all(|s| *s == Default::default()));
    let mut errors = vec![("500", "A fault of the service."), ("503", "The service is not ready.")];
    errors.push(("400", "The input has faults."));
    errors.push(("429", "This was asked too often; Retry-After says how long to wait."));
    if !is_open {
        errors.push(("401", "There is no good token."));
        errors.push(("403", "The token does not allow this."));
    }
    if has_id {
        errors.push(("404", "There is no such record."));
    }
    if operation.request_body.is_some() {
        errors.push(("408", "The body took too long to arrive."));
        errors.push(("413", "The body is too large."));
        errors.push(("415", "The body is of another type."));
    }
    if writes && !is_open {
        errors.push(("409", "What stands already does not allow this."));
    }
    if let Some(required) = if_match(operation) {
        errors.push(("412", "The record has changed."));
        if required == Required::True {
            errors.push(("428", "If-Match is required."));
        }
    }
    for (status, description) in errors {
        add_problem(operation, status, description);
    }
}

fn add_problem(operation: &mut Operation, status: &str, description: &str) {
    let responses = &mut operation.responses.responses;
    responses.entry(status.to_owned()).or_insert_with(|| RefOr::T(problem(description)));
}

/// Whether the operation insists on `If-Match`; none if it does not take it.
fn if_match(operation: &Operation) -> Option<Required> {
    operation.parameters.iter().flatten().find_map(|parameter| match parameter {
        RefOr::T(parameter) if parameter.name == etag::IF_MATCH => Some(parameter.required.clone()),
        _ => None,
    })
}

fn problem(description: &str) -> Response {
    let schema = Ref::from_schema_name(Problem::name());
    ResponseBuilder::new()
        .description(description)
        .content("application/problem+json", ContentBuilder::new().schema(Some(schema)).build())
        .build()
}

/// The document.
#[utoipa::path(tag = "operations", security(()), responses((status = 200, description = "The OpenAPI 3.1 document.")))]
#[get("/v1/openapi.json")]
pub async fn show(document: web::Data<Document>) -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(document.0.clone())
}
