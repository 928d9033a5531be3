//! The answers that are problems: each stands in the document once, and the operations refer to it.

use actix_web::http::Method;
use utoipa::ToSchema;
use utoipa::openapi::path::Operation;
use utoipa::openapi::{ContentBuilder, OpenApi, Ref, RefOr, Required, Response, ResponseBuilder};

use super::headers::header;
use crate::api::error::Problem;
use crate::api::etag;

/// By status: the name in the document, and what it says.
const PROBLEMS: [(&str, &str, &str); 15] = [
    ("400", "BadRequest", "The input has faults."),
    ("401", "Unauthorized", "There is no good token."),
    ("403", "Forbidden", "The token does not allow this."),
    ("404", "NotFound", "There is no such record."),
    ("406", "NotAcceptable", "The answer cannot be made as the caller accepts it."),
    ("408", "RequestTimeout", "The body took too long to arrive."),
    ("409", "Conflict", "What stands already does not allow this."),
    ("412", "PreconditionFailed", "The record has changed."),
    ("413", "ContentTooLarge", "The body is too large."),
    ("415", "UnsupportedMediaType", "The body is of another type."),
    ("422", "UnprocessableContent", "The Idempotency-Key stands for another request."),
    ("428", "PreconditionRequired", "If-Match is required."),
    ("429", "TooManyRequests", "This was asked too often."),
    ("500", "InternalServerError", "A fault of the service."),
    ("503", "ServiceUnavailable", "The service is not ready."),
];

/// Puts the problems into the document.
pub(super) fn define(document: &mut OpenApi) {
    let responses = &mut document.components.get_or_insert_default().responses;
    for (status, name, description) in PROBLEMS {
        let mut response = problem(description);
        let told = match status {
            "401" => Some(("WWW-Authenticate", "What would be a good token (RFC 6750).")),
            "429" | "503" => Some(("Retry-After", "How many seconds to wait.")),
            _ => None,
        };
        response.headers.extend(told.map(|(name, what)| (name.to_owned(), RefOr::T(header(what)))));
        responses.insert(name.to_owned(), RefOr::T(response));
    }
}

/// Adds to an operation the problems that it can answer with. `names_a_record` is whether its path does.
pub(super) fn add(operation: &mut Operation, method: &Method, names_a_record: bool) {
    let is_open = operation.security.as_ref().is_some_and(|all| all.iter().all(|s| *s == Default::default()));
    let has_body = operation.request_body.is_some();
    let if_match = if_match(operation);
    let responses = &mut operation.responses.responses;
    for (status, name, _) in PROBLEMS {
        let comes = match status {
            "401" | "403" => !is_open,
            "404" => names_a_record,
            "408" | "413" | "415" => has_body || *method != Method::GET,
            "409" => *method == Method::POST || (*method != Method::GET && !is_open),
            "412" => if_match.is_some(),
            "422" => *method == Method::POST,
            "428" => if_match == Some(Required::True),
            _ => true,
        };
        if comes {
            let known = || RefOr::Ref(Ref::from_response_name(name));
            responses.entry(status.to_owned()).or_insert_with(known);
        }
    }
}

/// Whether the operation insists on `If-Match`; none if it does not take it.
pub(super) fn if_match(operation: &Operation) -> Option<Required> {
    operation.parameters.iter().flatten().find_map(|parameter| match parameter {
        RefOr::T(parameter) if parameter.name == etag::IF_MATCH => Some(parameter.required.clone()),
        _ => None,
    })
}

/// An answer that is a problem.
pub(super) fn problem(description: &str) -> Response {
    let schema = Ref::from_schema_name(Problem::name());
    ResponseBuilder::new()
        .description(description)
        .content("application/problem+json", ContentBuilder::new().schema(Some(schema)).build())
        .build()
}
