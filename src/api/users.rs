//! `/v1/users`: who can sign in, and as what.

use actix_web::{HttpRequest, get, patch, post, web};

use super::access::{Access, Administer};
use super::error::Answer;
use super::etag::{self, IfMatch};
use super::idempotency_keys::Once;
use super::input::{Given, Listing, Merge, NoFilters};
use super::page::{self, Page, Paging};
use super::registration::Routes;
use crate::app::Context;
use crate::app::users::{self, NewUser, UserInput};
use crate::domain::ids::UserId;
use crate::store::pool::Tx;
use crate::store::users::{self as store, User};

/// Registers the routes.
pub fn routes(routes: &mut impl Routes) {
    routes.service(list).service(create).service(show).service(change);
}

/// Lists the agency's users, newest first.
#[utoipa::path(tag = "users", params(Access<Administer>, Paging), responses((status = 200, body = Page<User>)))]
#[get("/v1/users")]
async fn list(
    request: HttpRequest,
    context: web::Data<Context>,
    access: Access<Administer>,
    listing: Listing<NoFilters, UserId>,
) -> Answer {
    let (agency, after, limit) = (access.agency, listing.after, listing.limit + 1);
    let rows = context.read(move |conn| Ok(store::list(conn, agency, after, limit)?)).await?;
    page::answer(&request, &context, &listing, rows, |user| user.id)
}

/// Makes a user.
#[utoipa::path(tag = "users", params(Access<Administer>), request_body = NewUser,
    responses((status = 201, body = User)))]
#[post("/v1/users")]
async fn create(
    context: web::Data<Context>,
    access: Access<Administer>,
    once: Once,
    body: Given<NewUser>,
) -> Answer {
    let caller = access.caller();
    let mut email = String::new();
    let checked = body.look_further(|new| {
        email.clone_from(&new.email);
        users::checked_new(new)
    });
    let new = match checked {
        Ok(new) => new,
        Err(error) => {
            let all = context.read(move |conn| users::also_taken(conn, &email, error)).await?;
            return Err(all.into());
        }
    };
    let hash = context.hasher.hash(new.password.clone()).await.map_err(crate::app::AppError::from)?;
    let work = move |tx: &mut Tx<'_>| {
        let user = users::create(tx, &caller, &new, hash)?;
        etag::created(user.version, format!("/v1/users/{}", user.id), &user)
    };
    once.write(work).await
}

/// Shows a user.
#[utoipa::path(tag = "users", params(Access<Administer>, ("id" = UserId, Path)),
    responses((status = 200, body = User)))]
#[get("/v1/users/{id}")]
async fn show(
    request: HttpRequest,
    context: web::Data<Context>,
    access: Access<Administer>,
    id: web::Path<UserId>,
) -> Answer {
    let agency = access.agency;
    let user = context.read(move |conn| users::get(conn, agency, *id)).await?;
    Ok(etag::fresh(&request, &etag::of(user.version), &user))
}

/// Changes a user by a merge patch. A new password, or `disabled`, ends every sign-in of the user.
#[utoipa::path(tag = "users", params(Access<Administer>, ("id" = UserId, Path), IfMatch),
    request_body(content((UserInput = "application/merge-patch+json"), (UserInput = "application/json"))),
    responses((status = 200, body = User)))]
#[patch("/v1/users/{id}")]
async fn change(
    context: web::Data<Context>,
    access: Access<Administer>,
    id: web::Path<UserId>,
    expected: IfMatch,
    body: Merge<UserInput>,
) -> Answer {
    let (caller, id) = (access.caller(), id.into_inner());
    // Once before the transaction, for the password: hashing takes long, and the writer is everybody's.
    let present = context.read(move |conn| users::get(conn, caller.agency, id)).await?;
    let input =
        body.clone().look_further(|edit| users::checked_change(edit.apply(&UserInput::from(&present))?))?;
    let hash = match input.password {
        Some(password) => Some(context.hasher.hash(password).await.map_err(crate::app::AppError::from)?),
        None => None,
    };
    let work = move |tx: &mut Tx<'_>| {
        body.look_further(|edit| {
            users::change(tx, &caller, id, expected.0, |present| edit.apply(&present), hash)
        })
    };
    let user = context.write(work).await?;
    Ok(etag::changed(user.version, &user)?.into())
}
