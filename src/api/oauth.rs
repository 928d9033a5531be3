//! `/oauth/token`: the client credentials grant of OAuth 2.0 (RFC 6749, section 4.4).

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, post, web};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::error::{Answer, ApiError, Problem};
use super::idempotency_keys::Once;
use super::input::Whole;
use super::rate::Stranger;
use super::registration::Routes;
use super::sign_in::given;
use crate::app::Context;
use crate::app::sign_in::{self, ClientToken, GrantError};

/// Registers the route.
pub fn routes(routes: &mut impl Routes) {
    routes.service(token);
}

/// A form of the client credentials grant.
#[derive(Debug, Deserialize, ToSchema)]
struct Grant {
    /// Always `client_credentials`.
    #[schema(value_type = String, pattern = "^client_credentials$")]
    grant_type: Option<String>,
    /// The API client's id, unless it stands in the `Authorization` header.
    client_id: Option<String>,
    /// The API client's secret, unless it stands in the `Authorization` header.
    client_secret: Option<String>,
    /// Scopes between spaces; all that the API client may have if it is not said.
    scope: Option<String>,
}

/// An error in the words of RFC 6749, section 5.2.
#[derive(Debug, Serialize, ToSchema)]
struct GrantProblem {
    /// `invalid_request`, `invalid_client`, `unsupported_grant_type` or `invalid_scope`.
    error: &'static str,
    /// The same for a person.
    error_description: &'static str,
}

/// Signs an integration in: the client credentials grant of RFC 6749, with
/// `client_secret_basic` or `client_secret_post`.
#[utoipa::path(tag = "sign-in", security(()),
    request_body(content = Grant, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, body = ClientToken),
        (status = 400, content((GrantProblem = "application/json"), (Problem = "application/problem+json"))),
        (status = 401, body = GrantProblem), (status = 408, body = GrantProblem), (status = 413, body = GrantProblem)))]
#[post("/oauth/token")]
async fn token(
    _: Stranger,
    request: HttpRequest,
    context: web::Data<Context>,
    once: Once,
    form: Result<Whole, ApiError>,
) -> Answer {
    let refused = |builder: HttpResponseBuilder, error, error_description| {
        private(builder).json(GrantProblem { error, error_description })
    };
    let form = match form {
        Ok(Whole(form)) => form,
        Err(error) => {
            let mut builder = HttpResponse::build(error.code().status());
            builder.force_close();
            return Ok(refused(builder, "invalid_request", error.code().title()));
        }
    };
    let Ok(form) = serde_urlencoded::from_bytes::<Grant>(&form) else {
        return Ok(refused(HttpResponse::BadRequest(), "invalid_request", "the form cannot be read"));
    };
    match form.grant_type.as_deref() {
        Some("client_credentials") => {}
        Some(_) => {
            let description = "the only grant here is client_credentials";
            return Ok(refused(HttpResponse::BadRequest(), "unsupported_grant_type", description));
        }
        None => {
            return Ok(refused(HttpResponse::BadRequest(), "invalid_request", "grant_type is required"));
        }
    }
    let in_header = basic(&request);
    let is_header = in_header.is_some();
    if is_header && form.client_secret.is_some() {
        let description = "the client must authenticate in one way: in the header or in the form";
        return Ok(refused(HttpResponse::BadRequest(), "invalid_request", description));
    }
    let named = form.client_id.clone();
    let credentials = in_header.map_or_else(|| form.client_id.zip(form.client_secret), credentials);
    if let (true, Some(named), Some((id, _))) = (is_header, &named, &credentials)
        && named != id
    {
        let description = "the client_id of the form is not that of the header";
        return Ok(refused(HttpResponse::BadRequest(), "invalid_request", description));
    }
    let (id, secret) = credentials.unwrap_or_default();
    match sign_in::grant(&context, &id, &secret, form.scope.as_deref()).await {
        Ok(token) => once.answer(given(StatusCode::OK, &token)?).await,
        Err(GrantError::InvalidClient) => {
            let mut builder = HttpResponse::Unauthorized();
            builder.insert_header((header::WWW_AUTHENTICATE, "Basic realm=\"debrief\""));
            Ok(refused(builder, "invalid_client", "the client_id or the client_secret is not right"))
        }
        Err(GrantError::InvalidScope) => {
            let description = "the scope is unknown, or more than this client may have";
            Ok(refused(HttpResponse::BadRequest(), "invalid_scope", description))
        }
        Err(GrantError::Failed(error)) => Err(error.into()),
    }
}

/// What stands in the header of a client that authenticates with `client_secret_basic`.
fn basic(request: &HttpRequest) -> Option<&str> {
    let value = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("basic").then_some(encoded)
}

/// The credentials of `client_secret_basic` (RFC 6749, section 2.3.1).
fn credentials(encoded: &str) -> Option<(String, String)> {
    let text = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    let decode = |part: &str| {
        let pair = format!("x={part}");
        serde_urlencoded::from_str::<Vec<(String, String)>>(&pair).ok()?.pop().map(|(_, value)| value)
    };
    Some((decode(id)?, decode(secret)?))
}

fn private(mut builder: HttpResponseBuilder) -> HttpResponseBuilder {
    builder.insert_header((header::CACHE_CONTROL, "no-store"));
    builder
}
