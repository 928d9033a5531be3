//! `/v1/setup`, `/v1/auth`, `/oauth/token`, `/v1/me` and the public keys.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, get, post, web};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::access::{Access, Anybody};
use super::error::{ApiError, Problem};
use super::idempotency_keys::Once;
use super::input::{Body, Whole};
use super::rate::{Limits, Stranger};
use super::records::Answer;
use super::reply::Reply;
use super::routes::Routes;
use crate::app::sign_in::{self, ClientToken, GrantError, Login, REFRESH_REFUSED, Refresh, Setup, TokenPair};
use crate::app::users::fold_email;
use crate::app::{AppError, Context};
use crate::auth::caller::Actor;
use crate::domain::ids::AgencyId;
use crate::domain::people::{Role, Scopes};
use crate::store::pool::Tx;
use crate::store::{agencies, api_clients, users};

/// Registers the routes.
pub fn routes(routes: &mut impl Routes) {
    routes.service(set_up).service(log_in).service(refresh).service(log_out);
    routes.service(token).service(keys).service(me);
}

/// Makes the first agency and its administrator, with the one-time token that the server prints
/// while there is no agency. Not found ever after.
#[utoipa::path(tag = "sign-in", security(()), request_body = Setup,
    responses((status = 201, body = TokenPair), (status = 404, description = "There is an agency already.")))]
#[post("/v1/setup")]
async fn set_up(
    _: Stranger,
    context: web::Data<Context>,
    once: Once,
    body: Result<Body<Setup>, ApiError>,
) -> Answer {
    let body = match body {
        Ok(body) => body.0,
        Err(error) => {
            // Once there is an agency the route is not found, whatever is sent.
            sign_in::still_to_set_up(&context).await?;
            return Err(error);
        }
    };
    let session = context.session();
    // After the first time there is an agency, which is a failure but for who repeats the request.
    let prepared = once.hold_back(sign_in::prepare(&context, body).await)?;
    let work = move |tx: &mut Tx<'_>| given(StatusCode::CREATED, &sign_in::set_up(tx, &session, prepared?)?);
    once.write(work).await
}

/// Signs a user in.
#[utoipa::path(tag = "sign-in", security(()), request_body = Login,
    responses((status = 200, body = TokenPair), (status = 401, description = "Not right.")))]
#[post("/v1/auth/login")]
async fn log_in(
    _: Stranger,
    request: HttpRequest,
    limits: web::Data<Limits>,
    context: web::Data<Context>,
    once: Once,
    body: Body<Login>,
) -> Answer {
    limits.spend_account(&request, fold_email(&body.0.email))?;
    let session = context.session();
    let verified = sign_in::verify(&context, body.0).await?;
    once.write(move |tx| given(StatusCode::OK, &sign_in::log_in(tx, &session, &verified)?)).await
}

/// Exchanges a refresh token for a new pair. A token used twice ends the whole sign-in.
#[utoipa::path(tag = "sign-in", security(()), request_body = Refresh,
    responses((status = 200, body = TokenPair), (status = 401, description = "Not good.")))]
#[post("/v1/auth/refresh")]
async fn refresh(_: Stranger, context: web::Data<Context>, once: Once, body: Body<Refresh>) -> Answer {
    let session = context.session();
    let work = move |tx: &mut Tx<'_>| {
        let pair = sign_in::refresh(tx, &session, &body.0)?;
        pair.map(|pair| given(StatusCode::OK, &pair)).transpose()
    };
    once.write_if(work).await?.ok_or_else(|| REFRESH_REFUSED.into())
}

/// Ends the sign-in that a refresh token belongs to.
#[utoipa::path(tag = "sign-in", security(()), request_body = Refresh, responses((status = 204)))]
#[post("/v1/auth/logout")]
async fn log_out(once: Once, body: Body<Refresh>) -> Answer {
    let work = move |tx: &mut Tx<'_>| {
        sign_in::log_out(tx, &body.0)?;
        Ok(Reply::empty(StatusCode::NO_CONTENT))
    };
    once.write(work).await
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
    if in_header.is_some() && form.client_secret.is_some() {
        let description = "the client must authenticate in one way: in the header or in the form";
        return Ok(refused(HttpResponse::BadRequest(), "invalid_request", description));
    }
    let credentials = in_header.map_or_else(|| form.client_id.zip(form.client_secret), credentials);
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

/// The public keys that verify access tokens (RFC 7517).
#[utoipa::path(tag = "sign-in", security(()), responses((status = 200, description = "A JWK set.")))]
#[get("/.well-known/jwks.json")]
async fn keys(context: web::Data<Context>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "public, max-age=300"))
        .json(context.tokens.keys().published())
}

/// Who a token is.
#[derive(Debug, Serialize, ToSchema)]
struct Me {
    /// The user or the API client.
    #[serde(flatten)]
    actor: Actor,
    /// The name of either.
    name: String,
    /// The user's address.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    email: Option<String>,
    /// The user's role.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    role: Option<Role>,
    /// What the token allows.
    scope: Scopes,
    /// The agency's id.
    agency_id: AgencyId,
    /// The agency's name.
    agency_name: String,
}

/// Who this token is.
#[utoipa::path(tag = "sign-in", params(Access<Anybody>), responses((status = 200, body = Me)))]
#[get("/v1/me")]
async fn me(context: web::Data<Context>, access: Access<Anybody>) -> Answer {
    let caller = access.caller();
    let me = context
        .read(move |conn| {
            let agency = agencies::find(conn, caller.agency)?.ok_or(AppError::NotFound)?;
            let (name, email) = match caller.actor {
                Actor::User(id) => {
                    users::find(conn, caller.agency, id)?.map(|user| (user.name, Some(user.email)))
                }
                Actor::ApiClient(id) => {
                    api_clients::find(conn, caller.agency, id)?.map(|client| (client.name, None))
                }
                Actor::System => None,
            }
            .ok_or(AppError::NotFound)?;
            Ok(Me {
                actor: caller.actor,
                name,
                email,
                role: caller.role,
                scope: caller.scopes,
                agency_id: agency.id,
                agency_name: agency.name,
            })
        })
        .await?;
    Ok(HttpResponse::Ok().json(me))
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

/// Something secret that is given to the caller.
fn given(status: StatusCode, secret: &impl Serialize) -> Result<Reply, AppError> {
    Ok(Reply::json(status, secret)?.with(&header::CACHE_CONTROL, "no-store"))
}

fn private(mut builder: HttpResponseBuilder) -> HttpResponseBuilder {
    builder.insert_header((header::CACHE_CONTROL, "no-store"));
    builder
}
