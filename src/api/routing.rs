//! The table of routes, and the answers where no route fits.

use actix_web::dev::ResourceDef;
use actix_web::error::PathError;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, ResponseError, web};
use utoipa::openapi::OpenApi;

use super::error::{ApiError, Code};
use super::routes::Routes;
use super::{docs, health, openapi};

/// Registers every route.
pub fn routes(routes: &mut impl Routes) {
    routes
        .service(health::healthz)
        .service(health::readyz)
        .service(openapi::show)
        .configure(super::auth::routes)
        .configure(super::administration::routes)
        .configure(super::clients::routes)
        .configure(super::contacts::routes)
        .configure(super::candidates::routes)
        .configure(super::job_orders::routes)
        .configure(super::interviews::routes)
        .configure(super::debriefs::routes)
        .configure(super::feedback::routes)
        .configure(super::retry_requests::routes)
        .configure(super::notes::routes)
        .configure(super::deliveries::routes);
}

/// Registers the pages for people, which are not part of the document.
pub fn pages(config: &mut web::ServiceConfig) {
    config.configure(docs::routes);
}

/// Which methods each path knows.
#[derive(Clone)]
pub struct Methods(Vec<(ResourceDef, String)>);

impl Methods {
    /// The methods of every path in the document.
    #[must_use]
    pub fn of(document: &OpenApi) -> Self {
        let rows = document.paths.paths.iter().map(|(path, item)| {
            let known = [
                ("GET", item.get.is_some()),
                ("POST", item.post.is_some()),
                ("PUT", item.put.is_some()),
                ("PATCH", item.patch.is_some()),
                ("DELETE", item.delete.is_some()),
            ];
            let known: Vec<&str> = known.iter().filter(|(_, known)| *known).map(|(name, _)| *name).collect();
            (ResourceDef::new(path.as_str()), known.join(", "))
        });
        Self(rows.collect())
    }

    fn allowed(&self, path: &str) -> Option<String> {
        let fitting = self.0.iter().filter(|(route, _)| route.is_match(path));
        let methods: Vec<&str> = fitting.map(|(_, methods)| methods.as_str()).collect();
        (!methods.is_empty()).then(|| methods.join(", "))
    }
}

/// The answer where no route fits: 405 if only the method is wrong (RFC 9110, section 15.5.6).
pub async fn no_route(request: HttpRequest, methods: web::Data<Methods>) -> HttpResponse {
    let Some(allowed) = methods.allowed(request.path()) else {
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
