//! How much waits, over all agencies, and how much is in doubt.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::WAITING;
use crate::store::connection::DbConn;
use crate::store::schema::deliveries;

/// How many deliveries wait for their next attempt. SQLite takes the index of those alone once its first
/// column is asked for.
pub fn waiting(conn: &mut DbConn) -> QueryResult<i64> {
    let waiting = deliveries::table.filter(sql::<Bool>(WAITING));
    waiting.filter(deliveries::next_attempt_at.is_not_null()).count().get_result(conn)
}

/// How many deliveries nobody knows the fate of. The word stands in the statement, so that the partial
/// index is of use.
pub fn unconfirmed(conn: &mut DbConn) -> QueryResult<i64> {
    deliveries::table.filter(sql::<Bool>("deliveries.state = 'unconfirmed'")).count().get_result(conn)
}
