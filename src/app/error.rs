//! Why a use case did not do what it was asked.

use super::faults::{Fault, Faults};
use crate::auth::password::HashingFailed;
use crate::auth::token::TokenError;
use crate::domain::state::InvalidTransition;
use crate::store::pool::StoreError;

/// Why a use case did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// There is no such record in the caller's agency.
    #[error("there is no such record")]
    NotFound,
    /// The input has faults.
    #[error("the input has faults")]
    Invalid(Vec<Fault>),
    /// The record has changed since the caller read it.
    #[error("the record is at version {current} now")]
    Stale {
        /// The version that it is at.
        current: i64,
    },
    /// There is something, or nothing, where the caller would not have it so.
    #[error("{0}")]
    Unmet(&'static str),
    /// The state does not allow the transition.
    #[error(transparent)]
    Transition(#[from] InvalidTransition),
    /// The request contradicts what stands already.
    #[error("{detail}")]
    Conflict {
        /// A stable code.
        code: ConflictCode,
        /// What stands in the way, for a person.
        detail: String,
        /// The record that stands in the way.
        existing: Option<String>,
    },
    /// The caller's idempotency key stands for another request.
    #[error("the key was sent before with another request")]
    KeyReused,
    /// What is asked for was there once, and is kept no longer.
    #[error("{0}")]
    Expired(&'static str),
    /// The caller may not do this.
    #[error("{0}")]
    Forbidden(&'static str),
    /// The credentials are not good.
    #[error("{0}")]
    Unauthorized(&'static str),
    /// It cannot be done just now, and can be soon.
    #[error("{0}; try again later")]
    TryLater(&'static str),
    /// The store failed.
    #[error(transparent)]
    Store(StoreError),
    /// Something that should not happen; the message is for the log.
    #[error("{0}")]
    Internal(String),
}

/// In what way a request contradicts what stands already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConflictCode {
    /// There is one already.
    AlreadyExists,
    /// Other records depend on it.
    InUse,
    /// The text has changed since it was read.
    ContentChanged,
    /// A contact may not be written to.
    ContactBlocked,
    /// The same request is being answered just now.
    KeyInFlight,
    /// A webhook endpoint gets nothing.
    EndpointDisabled,
    /// Nothing more will come of an import.
    ImportOver,
}

impl ConflictCode {
    /// The code as it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AlreadyExists => "already_exists",
            Self::InUse => "in_use",
            Self::ContentChanged => "content_changed",
            Self::ContactBlocked => "contact_blocked",
            Self::KeyInFlight => "idempotency_in_flight",
            Self::EndpointDisabled => "endpoint_disabled",
            Self::ImportOver => "import_over",
        }
    }
}

impl AppError {
    /// A conflict without a record to point at.
    pub fn conflict(code: ConflictCode, detail: impl Into<String>) -> Self {
        Self::Conflict { code, detail: detail.into(), existing: None }
    }

    /// There is one already: this one.
    pub fn already_exists(detail: impl Into<String>, existing: impl ToString) -> Self {
        Self::Conflict {
            code: ConflictCode::AlreadyExists,
            detail: detail.into(),
            existing: Some(existing.to_string()),
        }
    }

    /// Whether the same may well go right a little later: nothing is wrong with what was asked.
    #[must_use]
    pub const fn is_passing(&self) -> bool {
        matches!(self, Self::TryLater(_) | Self::Store(StoreError::Busy(_) | StoreError::Unavailable(_)))
    }

    /// The state does not allow what a person asked for, for a reason that the record's own machine does not
    /// know; so there are no transitions to offer instead.
    pub fn impossible(
        record: &'static str,
        state: impl Into<&'static str>,
        transition: impl Into<&'static str>,
    ) -> Self {
        let (state, transition) = (state.into(), transition.into());
        Self::Transition(InvalidTransition { record, state, transition, allowed: Vec::new() })
    }

    /// One fault in the input.
    pub fn fault(pointer: &str, code: &'static str, detail: impl Into<String>) -> Self {
        Self::Invalid(vec![Fault { pointer: pointer.to_owned(), code: code.into(), detail: detail.into() }])
    }
}

impl From<Vec<Fault>> for AppError {
    fn from(faults: Vec<Fault>) -> Self {
        Self::Invalid(faults)
    }
}

impl From<StoreError> for AppError {
    fn from(error: StoreError) -> Self {
        match error {
            // The use cases look before they write; this is what a race between two of them meets.
            StoreError::Unique(_) => {
                Self::conflict(ConflictCode::AlreadyExists, "there is one already: somebody was faster")
            }
            other => Self::Store(other),
        }
    }
}

impl From<diesel::result::Error> for AppError {
    fn from(error: diesel::result::Error) -> Self {
        StoreError::from(error).into()
    }
}

impl From<HashingFailed> for AppError {
    fn from(error: HashingFailed) -> Self {
        Self::Internal(error.to_string())
    }
}

impl From<TokenError> for AppError {
    fn from(error: TokenError) -> Self {
        Self::Internal(error.to_string())
    }
}

/// Ends the checks of an input: an error if any of them found something.
pub fn checked(faults: Faults) -> Result<(), AppError> {
    faults.into_result().map_err(AppError::Invalid)
}
