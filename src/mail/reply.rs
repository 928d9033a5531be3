//! From lettre's replies and errors to ours.

use std::error::Error as _;

use lettre::transport::smtp::Error;
use lettre::transport::smtp::response::Response;

use crate::domain::delivery::Reply;

/// A positive reply.
pub(super) fn positive(response: &Response) -> Reply {
    Reply::new(response.code().into(), &response.message().collect::<Vec<_>>().join(" "))
}

/// The negative reply behind an error, if a reply is what it is.
pub(super) fn negative(error: &Error) -> Option<Reply> {
    let text = error.source().map(ToString::to_string).unwrap_or_default();
    error.status().map(|code| Reply::new(code.into(), &text))
}

/// True when TLS itself failed (a certificate, a protocol), not the connection under it.
pub(super) fn is_tls_failure(error: &Error) -> bool {
    let mut cause = error.source();
    while let Some(error) = cause {
        let io = error.downcast_ref::<std::io::Error>();
        if io.is_some_and(|io| io.kind() == std::io::ErrorKind::InvalidData) {
            return true;
        }
        cause = error.source();
    }
    false
}
