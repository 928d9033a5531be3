//! What whoever runs the service should know of the queue.

use crate::app::AppError;
use crate::domain::timestamp::Timestamp;
use crate::store::connection::DbConn;
use crate::store::deliveries::relay as store;

/// How the queue stands, over all agencies.
#[derive(Debug, Clone, Copy)]
pub struct Backlog {
    /// How many emails wait for their time, or for another attempt.
    pub waiting: i64,
    /// How many emails nobody knows the fate of.
    pub unconfirmed: i64,
    /// When the next attempt was due of the one that is behind the most, or will be.
    pub next_due: Option<Timestamp>,
}

/// How the queue stands.
pub fn backlog(conn: &mut DbConn) -> Result<Backlog, AppError> {
    Ok(Backlog {
        waiting: store::waiting(conn)?,
        unconfirmed: store::unconfirmed(conn)?,
        next_due: store::next_due(conn)?,
    })
}
