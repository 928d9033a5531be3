//! The answer to a request that wrote: made inside its transaction, where it can be kept with the
//! work that it tells of.

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, HeaderName};
use actix_web::{HttpResponse, HttpResponseBuilder};
use serde::{Deserialize, Serialize};

use crate::app::AppError;

/// A status, headers and a JSON document, if there is one.
#[derive(Debug, Serialize, Deserialize)]
pub struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

impl Reply {
    /// An answer without a body.
    #[must_use]
    pub fn empty(status: StatusCode) -> Self {
        Self { status: status.as_u16(), headers: Vec::new(), body: String::new() }
    }

    /// An answer that shows a record.
    pub fn json(status: StatusCode, record: &impl Serialize) -> Result<Self, AppError> {
        let body = serde_json::to_string(record).map_err(|e| AppError::Internal(e.to_string()))?;
        Ok(Self::document(status, body))
    }

    /// An answer with a document that was written before.
    #[must_use]
    pub fn document(status: StatusCode, body: String) -> Self {
        Self { body, ..Self::empty(status) }.with(&CONTENT_TYPE, "application/json")
    }

    /// The same answer with one more header.
    #[must_use]
    pub fn with(mut self, name: &HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name.as_str().to_owned(), value.into()));
        self
    }
}

impl From<Reply> for HttpResponse {
    fn from(reply: Reply) -> Self {
        // What was kept is what we wrote.
        let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = HttpResponseBuilder::new(status);
        for (name, value) in reply.headers {
            response.insert_header((name, value));
        }
        if reply.body.is_empty() { response.finish() } else { response.body(reply.body) }
    }
}
