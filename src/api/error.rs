//! Every answer that is not a success: one table of codes, problem details (RFC 9457) for all.

mod codes;

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use utoipa::ToSchema;

pub use self::codes::Code;
use super::request;
use crate::app::AppError;
use crate::app::error::ConflictCode;
use crate::app::faults::{self, Fault};
use crate::store::pool::StoreError;

/// What every handler answers.
pub type Answer = Result<HttpResponse, ApiError>;

/// An error on its way out.
#[derive(Debug)]
pub struct ApiError {
    code: Code,
    detail: String,
    errors: Vec<FieldError>,
    existing_id: Option<String>,
    state: Option<Box<Blocked>>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

#[derive(Debug)]
struct Blocked {
    state: &'static str,
    allowed: Vec<&'static str>,
}

/// One thing that is wrong with an input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// Where in the body: a JSON pointer (RFC 6901). The empty pointer is the whole body.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "/points/0/kind")]
    pub pointer: Option<String>,
    /// Which parameter of the query, or which header.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub parameter: Option<String>,
    /// A stable code, one of those at `/docs/errors/validation_failed`.
    #[schema(example = "required")]
    pub code: String,
    /// What is wrong, for a person.
    pub detail: String,
}

/// A problem (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem {
    /// A page about the code.
    #[serde(rename = "type")]
    #[schema(format = "uri-reference", example = "/docs/errors/validation_failed")]
    pub problem_type: String,
    /// What the code means, in words that never change.
    pub title: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// What happened this time.
    pub detail: String,
    /// The path of the request.
    pub instance: String,
    /// A stable code.
    pub code: &'static str,
    /// The request's id, as in the log and in `X-Request-Id`.
    pub request_id: String,
    /// The faults of the input: every one, or the first fifty and that there are more.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// The record that stands already.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub existing_id: Option<String>,
    /// The state that the record is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub state: Option<&'static str>,
    /// The transitions that the state allows.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub allowed: Option<Vec<&'static str>>,
}

impl ApiError {
    /// An error of `code`; `detail` says what happened this time.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        Self { code, detail, errors: Vec::new(), existing_id: None, state: None, headers: Vec::new() }
    }

    /// There is nothing here: the same words for what never was and for what is another agency's.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(Code::NotFound, "there is nothing here")
    }

    /// An input with faults: as many of them as are told.
    #[must_use]
    pub fn invalid(mut errors: Vec<FieldError>) -> Self {
        let more = errors.pop_if(|fault| fault.code == faults::MORE);
        if more.is_some() || errors.len() > faults::MAX_FAULTS {
            errors.truncate(faults::MAX_FAULTS);
            errors.push(faults::more().into());
        }
        debug_assert!(errors.iter().all(|fault| faults::codes::is_known(&fault.code)), "{errors:?}");
        let detail = match errors.len() {
            1 => "one fault".to_owned(),
            count if errors.last().is_some_and(|fault| fault.code == faults::MORE) => {
                format!("more than {} faults", count - 1)
            }
            count => format!("{count} faults"),
        };
        Self { errors, ..Self::new(Code::ValidationFailed, format!("the input has {detail}")) }
    }

    /// The same with other faults of the input before its own; whatever else it is about goes first.
    #[must_use]
    pub fn after(self, mut faults: Vec<FieldError>) -> Self {
        if self.code != Code::ValidationFailed {
            return self;
        }
        faults.extend(self.errors);
        Self::invalid(faults)
    }

    /// The same error with one more header.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The error's code.
    #[must_use]
    pub const fn code(&self) -> Code {
        self.code
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.name(), self.detail)
    }
}

impl std::error::Error for ApiError {}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        self.code.status()
    }

    fn error_response(&self) -> HttpResponse {
        let problem = Problem {
            problem_type: format!("/docs/errors/{}", self.code.name()),
            title: self.code.title(),
            status: self.code.status().as_u16(),
            detail: self.detail.clone(),
            instance: request::path(),
            code: self.code.name(),
            request_id: request::id(),
            errors: self.errors.clone(),
            existing_id: self.existing_id.clone(),
            state: self.state.as_ref().map(|blocked| blocked.state),
            allowed: self.state.as_ref().map(|blocked| blocked.allowed.clone()),
        };
        let mut response = HttpResponse::build(self.code.status());
        for header in &self.headers {
            response.append_header(header.clone());
        }
        response.insert_header((header::CACHE_CONTROL, "no-store"));
        if self.code == Code::RequestTimeout {
            // What is still to come of the request is not waited for (RFC 9110, section 15.5.9).
            response.force_close();
        }
        // `json` keeps a content type that is set already.
        response.content_type("application/problem+json").json(problem)
    }
}

impl From<Fault> for FieldError {
    fn from(fault: Fault) -> Self {
        Self {
            pointer: Some(fault.pointer),
            parameter: None,
            code: fault.code.into_owned(),
            detail: fault.detail,
        }
    }
}

impl From<AppError> for ApiError {
    fn from(error: AppError) -> Self {
        match error {
            AppError::NotFound => Self::not_found(),
            AppError::Invalid(faults) => Self::invalid(faults.into_iter().map(Into::into).collect()),
            AppError::Stale { current } => {
                Self::new(Code::StaleVersion, format!("the record is at version {current} now"))
            }
            AppError::Unmet(why) => Self::new(Code::StaleVersion, why),
            AppError::Transition(invalid) => {
                let detail = invalid.to_string();
                let state = Some(Box::new(Blocked { state: invalid.state, allowed: invalid.allowed }));
                Self { state, ..Self::new(Code::InvalidTransition, detail) }
            }
            AppError::Conflict { code, detail, existing } => {
                let code = match code {
                    ConflictCode::AlreadyExists => Code::AlreadyExists,
                    ConflictCode::InUse => Code::InUse,
                    ConflictCode::ContentChanged => Code::ContentChanged,
                    ConflictCode::ContactBlocked => Code::ContactBlocked,
                    ConflictCode::KeyInFlight => Code::IdempotencyInFlight,
                    ConflictCode::EndpointDisabled => Code::EndpointDisabled,
                    ConflictCode::ImportOver => Code::ImportOver,
                };
                let error = Self { existing_id: existing, ..Self::new(code, detail) };
                match code {
                    Code::IdempotencyInFlight => {
                        error.with_header(header::RETRY_AFTER, HeaderValue::from_static("1"))
                    }
                    _ => error,
                }
            }
            AppError::KeyReused => {
                Self::new(Code::IdempotencyKeyReused, "the key was sent before with another request")
            }
            AppError::Expired(why) => Self::new(Code::EventsExpired, why),
            AppError::Forbidden(why) => Self::new(Code::Forbidden, why),
            AppError::Unauthorized(why) => unauthorized(why, ""),
            AppError::TryLater(why) => Self::new(Code::Unavailable, why)
                .with_header(header::RETRY_AFTER, HeaderValue::from_static("30")),
            AppError::Store(StoreError::Unavailable(cause)) => {
                tracing::error!(request_id = %request::id(), %cause, "the database cannot be used");
                Self::new(Code::Unavailable, "the database cannot be used for now; try again soon")
                    .with_header(header::RETRY_AFTER, HeaderValue::from_static("5"))
            }
            AppError::Store(StoreError::Busy(cause)) => {
                tracing::warn!(request_id = %request::id(), %cause, "a write had to give way");
                Self::new(Code::Unavailable, "others were at work on the same records; try again")
                    .with_header(header::RETRY_AFTER, HeaderValue::from_static("1"))
            }
            AppError::Store(cause) => internal(&cause),
            AppError::Internal(cause) => internal(&cause),
        }
    }
}

/// The answer to a caller without good credentials, with the challenge of RFC 6750.
#[must_use]
pub fn unauthorized(why: &str, parameters: &'static str) -> ApiError {
    let challenge = format!("Bearer realm=\"debrief\"{parameters}");
    let error = ApiError::new(Code::Unauthorized, why);
    match HeaderValue::from_str(&challenge) {
        Ok(challenge) => error.with_header(header::WWW_AUTHENTICATE, challenge),
        Err(_) => error,
    }
}

/// A fault of ours: the cause goes to the log, once, and nothing of it to the caller.
pub(super) fn internal(cause: &dyn fmt::Display) -> ApiError {
    tracing::error!(request_id = %request::id(), %cause, "a request failed");
    ApiError::new(Code::Internal, "the fault is on our side and has been logged under the request's id")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_had_to_give_way_is_told_to_come_again() {
        let busy = AppError::Store(StoreError::Busy("deadlock detected".into()));
        let answer = ApiError::from(busy).error_response();
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(answer.headers().get(header::RETRY_AFTER).unwrap(), "1");
    }
}
