//! How attempts ended, written down for many deliveries at a time: in one statement on PostgreSQL,
//! where each is a message there and back; row by row on SQLite, where each is a call.

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, Text};

use crate::domain::delivery::DeliveryState;
use crate::domain::ids::DeliveryId;
use crate::domain::timestamp::Timestamp;
use crate::store::connection::{DbConn, Lock, Locked};
use crate::store::deliveries::Delivery;
use crate::store::prepared::{Prepared, column, directly, pad};
use crate::store::schema::{debriefs, deliveries, delivery_attempts};
use crate::store::types::{Instant, Uuid};

/// Those of the deliveries, locked together with their debriefs, that nobody else holds.
pub fn lock_at_hand(conn: &mut DbConn, ids: Vec<DeliveryId>) -> QueryResult<Vec<Delivery>> {
    let ids = pad(ids);
    directly!(conn => {
        let found = deliveries::table.inner_join(debriefs::table).filter(deliveries::id.eq_any(&ids));
        Prepared(Locked(found.select(Delivery::as_select()), Lock::SkipLocked)).load(conn)
    })
}

/// Writes down where locked deliveries, none of which is being sent any more, stand under the claims
/// that they had. Answers how many rows that were.
pub fn save_all(conn: &mut DbConn, rows: &[Delivery]) -> QueryResult<usize> {
    match conn {
        DbConn::Postgres(c) => {
            const SAVE: &str = "UPDATE deliveries SET state = ended.state, transmitting = ended.transmitting, \
                attempts = ended.attempts, next_attempt_at = ended.next_attempt_at, lease_until = NULL, \
                last_code = ended.code, last_enhanced_code = ended.enhanced_code, last_text = ended.text, \
                sent_at = ended.sent_at, updated_at = ended.updated_at \
                FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) AS ended (id, lease_token, state, \
                transmitting, attempts, next_attempt_at, code, enhanced_code, text, sent_at, updated_at) \
                WHERE deliveries.id = ended.id AND deliveries.lease_token = ended.lease_token";
            let save = diesel::sql_query(SAVE)
                .bind::<Array<Uuid>, _>(column(rows, |row| row.id))
                .bind::<Array<BigInt>, _>(column(rows, |row| row.lease_token))
                .bind::<Array<Text>, _>(column(rows, |row| row.state))
                .bind::<Array<Bool>, _>(column(rows, |row| row.transmitting))
                .bind::<Array<Integer>, _>(column(rows, |row| row.attempts))
                .bind::<Array<Nullable<Instant>>, _>(column(rows, |row| row.next_attempt_at))
                .bind::<Array<Nullable<Integer>>, _>(column(rows, |row| row.last_code))
                .bind::<Array<Nullable<Text>>, _>(column(rows, |row| row.last_enhanced_code.as_deref()))
                .bind::<Array<Nullable<Text>>, _>(column(rows, |row| row.last_text.as_deref()))
                .bind::<Array<Nullable<Instant>>, _>(column(rows, |row| row.sent_at))
                .bind::<Array<Instant>, _>(column(rows, |row| row.updated_at));
            Prepared(save).execute(c)
        }
        DbConn::Sqlite(c) => {
            let save = |row: &Delivery| {
                let held = deliveries::table.find(row.id).filter(deliveries::lease_token.eq(row.lease_token));
                let saved = diesel::update(held).set((
                    deliveries::state.eq(row.state),
                    deliveries::transmitting.eq(row.transmitting),
                    deliveries::attempts.eq(row.attempts),
                    deliveries::next_attempt_at.eq(row.next_attempt_at),
                    deliveries::lease_until.eq(None::<Timestamp>),
                    deliveries::last_code.eq(row.last_code),
                    deliveries::last_enhanced_code.eq(row.last_enhanced_code.as_deref()),
                    deliveries::last_text.eq(row.last_text.as_deref()),
                    deliveries::sent_at.eq(row.sent_at),
                    deliveries::updated_at.eq(row.updated_at),
                ));
                Prepared(saved).execute(c)
            };
            rows.iter().map(save).sum()
        }
    }
}

/// How an attempt ended.
#[derive(Debug, AsChangeset)]
#[diesel(table_name = delivery_attempts, treat_none_as_null = true)]
pub struct AttemptEnd {
    /// When.
    pub finished_at: Option<Timestamp>,
    /// The delivery's state afterwards.
    pub outcome: Option<DeliveryState>,
    /// The step that was reached.
    pub step: Option<String>,
    /// The code of the reply.
    pub code: Option<i32>,
    /// Its enhanced code.
    pub enhanced_code: Option<String>,
    /// Its text, or what went wrong.
    pub text: Option<String>,
}

/// An attempt: the delivery and its number.
pub type AttemptKey = (DeliveryId, i32);

/// Writes down how an attempt ended.
pub fn end_attempt(conn: &mut DbConn, ended: &AttemptEnd, id: DeliveryId, number: i32) -> QueryResult<()> {
    let attempt = delivery_attempts::table.find((id, number));
    directly!(conn => Prepared(diesel::update(attempt).set(ended)).execute(conn)).map(drop)
}

/// Writes down how several attempts ended.
pub fn end_attempts(conn: &mut DbConn, ended: &[(AttemptKey, AttemptEnd)]) -> QueryResult<()> {
    let DbConn::Postgres(c) = conn else {
        return ended.iter().try_for_each(|((id, number), end)| end_attempt(conn, end, *id, *number));
    };
    const END: &str = "UPDATE delivery_attempts SET finished_at = ended.finished_at, outcome = ended.outcome, \
        step = ended.step, code = ended.code, enhanced_code = ended.enhanced_code, text = ended.text \
        FROM unnest($1, $2, $3, $4, $5, $6, $7, $8) AS ended (delivery_id, number, finished_at, outcome, step, \
        code, enhanced_code, text) WHERE delivery_attempts.delivery_id = ended.delivery_id \
        AND delivery_attempts.number = ended.number";
    let end = diesel::sql_query(END)
        .bind::<Array<Uuid>, _>(column(ended, |((id, _), _)| *id))
        .bind::<Array<Integer>, _>(column(ended, |((_, number), _)| *number))
        .bind::<Array<Nullable<Instant>>, _>(column(ended, |(_, end)| end.finished_at))
        .bind::<Array<Nullable<Text>>, _>(column(ended, |(_, end)| end.outcome))
        .bind::<Array<Nullable<Text>>, _>(column(ended, |(_, end)| end.step.as_deref()))
        .bind::<Array<Nullable<Integer>>, _>(column(ended, |(_, end)| end.code))
        .bind::<Array<Nullable<Text>>, _>(column(ended, |(_, end)| end.enhanced_code.as_deref()))
        .bind::<Array<Nullable<Text>>, _>(column(ended, |(_, end)| end.text.as_deref()));
    Prepared(end).execute(c).map(drop)
}
