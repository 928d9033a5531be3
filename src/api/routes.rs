//! The list of routes, and the answers where no route fits.

use actix_web::error::PathError;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, ResponseError, web};

use super::contract::Contract;
use super::error::{ApiError, Code};
use super::registration::Routes;
use super::{docs, health, openapi};

/// Registers every route. They are tried in this order, so the busiest come first.
pub fn all(routes: &mut impl Routes) {
    routes
        .service(health::healthz)
        .service(health::readyz)
        .service(openapi::show)
        .configure(super::debriefs::routes)
        .configure(super::feedback::routes)
        .configure(super::sign_in::routes)
        .configure(super::oauth::routes)
        .configure(super::agencies::routes)
        .configure(super::competencies::routes)
        .configure(super::users::routes)
        .configure(super::api_clients::routes)
        .configure(super::clients::routes)
        .configure(super::contacts::routes)
        .configure(super::contacts::transitions)
        .configure(super::candidates::routes)
        .configure(super::job_orders::routes)
        .configure(super::interviews::routes)
        .configure(super::retry_requests::routes)
        .configure(super::notes::routes)
        .configure(super::reviews::routes)
        .configure(super::deliveries::routes)
        .configure(super::inbound::routes)
        .configure(super::events::routes)
        .configure(super::exports::routes)
        .configure(super::imports::routes)
        .configure(super::webhook_deliveries::routes)
        .configure(super::webhook_endpoints::routes);
}

/// Registers the pages for people, which are not part of the document.
pub fn pages(config: &mut web::ServiceConfig) {
    config.configure(docs::routes);
}

/// The answer where no route fits: 405 if only the method is wrong (RFC 9110, section 15.5.6).
pub async fn no_route(request: HttpRequest, contract: web::Data<Contract>) -> HttpResponse {
    let Some(allowed) = request.match_pattern().and_then(|pattern| contract.allowed(&pattern)) else {
        return ApiError::not_found().error_response();
    };
    let error = ApiError::new(Code::MethodNotAllowed, format!("this path knows {allowed}"));
    match HeaderValue::from_str(&allowed) {
        Ok(value) => error.with_header(header::ALLOW, value),
        Err(_) => error,
    }
    .error_response()
}

/// What cannot be an id names nothing: it is answered like an id that never was.
pub fn bad_path(_: PathError, _: &HttpRequest) -> actix_web::Error {
    ApiError::not_found().into()
}
