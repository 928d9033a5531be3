//! The OpenAPI 3.1 document: gathered from the routes, with what all of them have in common.

mod headers;

use actix_web::{HttpResponse, get, web};
use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::Schema;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ContentBuilder, OpenApi, Ref, RefOr, Required, Response, ResponseBuilder};
use utoipa::{Modify, OpenApi as _, ToSchema};

use super::error::{FieldError, Problem};
use super::{etag, idempotency_keys};

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
    components(schemas(Problem, FieldError)),
    security(("bearer" = [])),
    modifiers(&Bearer),
)]
struct Frame;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut OpenApi) {
        let components = document.components.get_or_insert_default();
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build();
        components.add_security_scheme("bearer", SecurityScheme::Http(scheme));
        let key = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("opaque").build();
        components.add_security_scheme("inbound_key", SecurityScheme::Http(key));
    }
}

/// The document that the gathered routes are added to.
#[must_use]
pub fn frame() -> OpenApi {
    Frame::openapi()
}

/// Adds to every operation the errors that it can answer with and the headers of its answers, and gives merge patches a schema
/// of their own: that of the whole, of which nothing is required.
pub fn complete(document: &mut OpenApi) {
    add_patches(document);
    let schemas = document.components.get_or_insert_default().schemas.clone();
    for (path, item) in &mut document.paths.paths {
        let has_id = path.contains('{');
        let all = [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete];
        all.into_iter().flatten().for_each(name);
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
}

/// Names an operation after its tag and its handler: handlers of different nouns are called alike.
fn name(operation: &mut Operation) {
    let tag = operation.tags.iter().flatten().next().cloned().unwrap_or_default();
    if let Some(id) = &mut operation.operation_id {
        *id = format!("{tag}_{id}").replace('-', "_");
    }
}

fn add_patches(document: &mut OpenApi) {
    let operations = document.paths.paths.values_mut().filter_map(|item| item.patch.as_mut());
    let bodies = operations.filter_map(|operation| operation.request_body.as_mut());
    let bodies = bodies.filter_map(|body| match body {
        RefOr::T(body) => Some(body),
        RefOr::Ref(_) => None,
    });
    let contents = bodies.flat_map(|body| body.content.values_mut()).filter_map(|content| match content {
        RefOr::T(content) => Some(content),
        RefOr::Ref(_) => None,
    });
    let components = document.components.get_or_insert_default();
    for content in contents {
        let Some(RefOr::Ref(reference)) = &content.schema else { continue };
        let whole = reference.ref_location.rsplit('/').next().unwrap_or_default().to_owned();
        let patch = format!("{}Patch", whole.trim_end_matches("Input"));
        if let Some(RefOr::T(Schema::Object(object))) = components.schemas.get(&whole) {
            let mut object = object.clone();
            object.required.clear();
            components.schemas.insert(patch.clone(), RefOr::T(Schema::Object(object)));
            content.schema = Some(Ref::from_schema_name(patch).into());
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
