//! `Idempotency-Key`: a `POST` that is sent again does nothing again, and gets its first answer.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::{FromRequest, HttpMessage, HttpRequest, HttpResponse, web};
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{Operation, ParameterBuilder, ParameterIn};
use utoipa::openapi::{ObjectBuilder, RefOr, Required, Type};

use super::error::{Answer, ApiError, internal};
use super::input::{Brought, parameter};
use super::reply::Reply;
use crate::app::idempotency_keys::{Attempt, Outcome, Told};
use crate::app::{AppError, Context};
use crate::auth::caller::Caller;
use crate::domain::idempotency_key::IdempotencyKey;
use crate::store::pool::Tx;

/// The request header.
pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The header of an answer that was given before.
const IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// The one way in which a `POST` writes: once for each key, if the request has one.
pub struct Once {
    request: HttpRequest,
    context: web::Data<Context>,
    key: Option<IdempotencyKey>,
}

impl FromRequest for Once {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::of(request))
    }
}

impl Once {
    fn of(request: &HttpRequest) -> Result<Self, ApiError> {
        let context = request.app_data::<web::Data<Context>>();
        let context = context.ok_or_else(|| internal(&"the service is not set up"))?.clone();
        Ok(Self { key: key(request)?, request: request.clone(), context })
    }

    /// Does the work in one transaction and answers with its reply, which is kept if the request has a
    /// key; or answers as before, if it was answered before. An error undoes the work and is not kept.
    pub async fn write(
        self,
        work: impl FnOnce(&mut Tx<'_>) -> Result<Reply, AppError> + Send + 'static,
    ) -> Answer {
        let written = self.write_if(|tx| work(tx).map(Some)).await?;
        written.ok_or_else(|| internal(&"there is no answer"))
    }

    /// The same with work that may end without a reply. Then what it wrote stands, and nothing is kept.
    pub async fn write_if(
        self,
        work: impl FnOnce(&mut Tx<'_>) -> Result<Option<Reply>, AppError> + Send + 'static,
    ) -> Result<Option<HttpResponse>, ApiError> {
        let Some(attempt) = self.attempt()? else {
            return Ok(self.context.write(work).await?.map(HttpResponse::from));
        };
        // The attempt goes with the transaction, not with the request: the client may go away before
        // the work is done. It comes back with the answer, after the commit.
        let (outcome, _attempt) = self
            .context
            .write(move |tx| {
                let outcome = attempt.finish(tx, work)?;
                Ok((outcome, attempt))
            })
            .await?;
        Ok(outcome.map(|outcome| match outcome {
            Outcome::Answered(reply) => reply.into(),
            Outcome::Replayed(reply) => {
                let mut response = HttpResponse::from(reply);
                response.headers_mut().insert(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));
                response
            }
        }))
    }

    /// Answers with a reply that took no writing.
    pub async fn answer(self, reply: Reply) -> Answer {
        if self.key.is_none() { Ok(reply.into()) } else { self.write(|_| Ok(reply)).await }
    }

    /// What was found out before the transaction. If the request has a key, a failure waits for the
    /// transaction too, which may find that the same request was answered when it still could be.
    pub fn hold_back<T>(&self, found: Result<T, AppError>) -> Result<Result<T, AppError>, AppError> {
        match found {
            Err(error) if self.key.is_none() => Err(error),
            found => Ok(found),
        }
    }

    /// Begins to answer the request as one that has a key, if it has.
    fn attempt(&self) -> Result<Option<Attempt>, ApiError> {
        let Some(key) = &self.key else { return Ok(None) };
        let request = &self.request;
        let brought = request.extensions().get::<Brought>().map(|brought| brought.0.clone());
        let content: &[&[u8]] = &[
            request.method().as_str().as_bytes(),
            request.path().as_bytes(),
            request.query_string().as_bytes(),
            &brought.unwrap_or_default(),
        ];
        // Tokens are renewed, so a caller is who the token stands for. Where nobody is signed in yet,
        // what is sent is the credential: another body is another caller.
        let caller = request.extensions().get::<Caller>().map(|caller| caller.actor);
        let begun = if let Some(actor) = caller {
            let actor = serde_json::to_vec(&actor).map_err(|e| internal(&e))?;
            self.context.repeatable.begin(Told { caller: &[&actor], key, content })
        } else {
            let credential = request.headers().get(header::AUTHORIZATION);
            let credential = credential.map(HeaderValue::as_bytes).unwrap_or_default();
            self.context.repeatable.begin(Told { caller: &[&[credential], content].concat(), key, content })
        };
        Ok(Some(begun?))
    }
}

fn key(request: &HttpRequest) -> Result<Option<IdempotencyKey>, ApiError> {
    let mut values = request.headers().get_all(IDEMPOTENCY_KEY);
    let Some(value) = values.next() else { return Ok(None) };
    let fault = |code, detail| ApiError::invalid(vec![parameter("Idempotency-Key", code, detail)]);
    if values.next().is_some() {
        return Err(fault("repeated", "stands more than once".to_owned()));
    }
    let key = value.to_str().unwrap_or_default().parse();
    key.map(Some).map_err(|e: crate::domain::idempotency_key::InvalidKey| fault("malformed", e.to_string()))
}

/// Adds the headers to an operation of the document.
pub fn describe(operation: &mut Operation) {
    let key = ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(
            "Marks a request that may be sent again: 1 to 255 visible ASCII characters, bare or quoted. For \
             24 hours the same key with the same request does nothing and gets the first answer; with \
             another path, query or body it is refused. An error did nothing and is not kept. Where nobody \
             is signed in yet, the body is the credential, and another body has keys of its own: choose \
             one that nobody can guess.",
        ))
        .schema(Some(ObjectBuilder::new().schema_type(Type::String).pattern(Some(IdempotencyKey::PATTERN))))
        .example(Some("8e03978e-40d5-43dd-bc93-6894a57f9324".into()))
        .build();
    operation.parameters.get_or_insert_default().push(RefOr::T(key));
    for (status, response) in &mut operation.responses.responses {
        if let (true, RefOr::T(response)) = (status.starts_with('2'), response) {
            let replayed = HeaderBuilder::new()
                .schema(Some(ObjectBuilder::new().schema_type(Type::String).enum_values(Some(["true"]))))
                .description(Some("`true` if the request was answered before, like this."))
                .build();
            response.headers.insert("Idempotency-Replayed".to_owned(), RefOr::T(replayed));
        }
    }
}
