//! `/v1/setup`, `/v1/auth`, `/v1/me` and the public keys.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, get, post, web};
use serde::Serialize;
use utoipa::ToSchema;

use super::access::{Access, Anybody};
use super::error::{Answer, ApiError};
use super::idempotency_keys::Once;
use super::input::Body;
use super::rate::{Limits, Stranger};
use super::registration::Routes;
use super::reply::Reply;
use crate::app::sign_in::{self, Login, REFRESH_REFUSED, Refresh, Setup, TokenPair};
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
    routes.service(keys).service(me);
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

/// Something secret that is given to the caller.
pub(super) fn given(status: StatusCode, secret: &impl Serialize) -> Result<Reply, AppError> {
    Ok(Reply::json(status, secret)?.with(&header::CACHE_CONTROL, "no-store"))
}
