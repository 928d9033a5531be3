//! Who may call a route: it stands in the type of the handler's first argument.

use std::future::{Ready, ready};
use std::marker::PhantomData;
use std::ops::Deref;

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};

use super::error::{ApiError, Code, unauthorized};
use super::rate::Limits;
use crate::app::Context;
use crate::auth::caller::Caller;
use crate::auth::token::TokenError;
use crate::domain::people::Scope;

/// The caller, whose token allows what `S` names.
pub struct Access<S> {
    caller: Caller,
    scope: PhantomData<S>,
}

/// A scope as a type.
pub trait Needs {
    /// The scope that is needed; none if any good token will do.
    const SCOPE: Option<Scope>;
}

macro_rules! needs {
    ($($(#[$doc:meta])* $name:ident = $scope:expr;)+) => {$(
        $(#[$doc])*
        pub struct $name;
        impl Needs for $name {
            const SCOPE: Option<Scope> = $scope;
        }
    )+};
}

needs! {
    /// Any good token.
    Anybody = None;
    /// Reading records.
    Read = Some(Scope::RecordsRead);
    /// Writing records.
    Write = Some(Scope::RecordsWrite);
    /// Deciding on thank-you notes.
    Approve = Some(Scope::NotesApprove);
    /// The change feed.
    ReadEvents = Some(Scope::EventsRead);
    /// Webhook endpoints.
    ManageWebhooks = Some(Scope::WebhooksManage);
    /// Users, API clients and the agency's settings.
    Administer = Some(Scope::Admin);
}

impl<S> Access<S> {
    /// The caller, to be taken into a transaction.
    #[must_use]
    pub fn caller(&self) -> Caller {
        self.caller
    }
}

impl<S> Deref for Access<S> {
    type Target = Caller;
    fn deref(&self) -> &Caller {
        &self.caller
    }
}

impl<S: Needs> FromRequest for Access<S> {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(authorize(request, S::SCOPE).map(|caller| {
            // Whose idempotency key it is: see `Once`.
            request.extensions_mut().insert(caller);
            Self { caller, scope: PhantomData }
        }))
    }
}

fn authorize(request: &HttpRequest, needed: Option<Scope>) -> Result<Caller, ApiError> {
    let context = request
        .app_data::<web::Data<Context>>()
        .ok_or_else(|| ApiError::new(Code::Internal, "the service is not set up"))?;
    let token = bearer(request).ok_or_else(|| unauthorized("there is no access token", ""))?;
    let caller = context.tokens.verify(token, context.store.clock().now()).map_err(|error| {
        let parameters = match error {
            TokenError::Expired => ", error=\"invalid_token\", error_description=\"expired\"",
            TokenError::Invalid | TokenError::Unsigned => ", error=\"invalid_token\"",
        };
        unauthorized(&error.to_string(), parameters)
    })?;
    if let Some(limits) = request.app_data::<web::Data<Limits>>() {
        limits.spend(request, caller.actor)?;
    }
    match needed {
        Some(scope) if !caller.scopes.contains(scope) => {
            Err(ApiError::new(Code::Forbidden, format!("this needs the scope {scope}")))
        }
        _ => Ok(caller),
    }
}

fn bearer(request: &HttpRequest) -> Option<&str> {
    let value = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
