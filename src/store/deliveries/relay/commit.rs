//! The commit point: what may stand against it, and its mark.

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt};

use crate::domain::debrief::DebriefState;
use crate::domain::delivery::DeliveryState;
use crate::domain::ids::{ClientId, DeliveryId};
use crate::domain::note::NoteState;
use crate::domain::people::EmailStatus;
use crate::domain::timestamp::Timestamp;
use crate::store::connection::DbConn;
use crate::store::prepared::{Prepared, directly, pad};
use crate::store::schema::{contacts, debriefs, deliveries, notes};
use crate::store::types::{Instant, Uuid};

/// What may stand against a delivery, as it is now.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = deliveries)]
pub struct Standing {
    /// Where its message goes.
    pub envelope_to: String,
    /// Where its note stands.
    #[diesel(select_expression = notes::state)]
    pub note_state: NoteState,
    /// Where its debrief stands.
    #[diesel(select_expression = debriefs::state)]
    pub debrief_state: DebriefState,
    /// The client that its debrief is about.
    #[diesel(select_expression = debriefs::client_id)]
    pub client_id: ClientId,
    /// The client that its contact is at.
    #[diesel(select_expression = contacts::client_id)]
    pub contact_client_id: ClientId,
    /// Where mail to its contact goes.
    #[diesel(select_expression = contacts::email)]
    pub email: Option<String>,
    /// Whether mail to its contact arrives.
    #[diesel(select_expression = contacts::email_status)]
    pub email_status: EmailStatus,
    /// Whether its contact may not be written to.
    #[diesel(select_expression = contacts::off_limits)]
    pub off_limits: bool,
    /// When its contact was deleted.
    #[diesel(select_expression = contacts::deleted_at)]
    pub contact_deleted_at: Option<Timestamp>,
}

/// What may stand against each of these deliveries.
pub fn standings(conn: &mut DbConn, ids: Vec<DeliveryId>) -> QueryResult<Vec<(DeliveryId, Standing)>> {
    let ids = pad(ids);
    directly!(conn => {
        let rows = deliveries::table
            .inner_join(debriefs::table)
            .inner_join(notes::table)
            .inner_join(contacts::table)
            .filter(deliveries::id.eq_any(&ids))
            .select((deliveries::id, Standing::as_select()));
        Prepared(rows).load(conn)
    })
}

/// The commit point: from here on the message may arrive. False, and nothing is changed, unless
/// the worker still holds the delivery under this token.
pub fn mark_transmitting(conn: &mut DbConn, id: DeliveryId, token: i64, now: Timestamp) -> QueryResult<bool> {
    let held = deliveries::table
        .filter(deliveries::id.eq(id))
        .filter(deliveries::lease_token.eq(token))
        .filter(deliveries::state.eq(DeliveryState::Sending))
        .filter(deliveries::transmitting.eq(false))
        .filter(deliveries::lease_until.gt(now));
    let mark = Prepared(diesel::update(held).set(deliveries::transmitting.eq(true)));
    directly!(conn => mark.execute(conn)).map(|rows| rows == 1)
}

/// The commit point of several deliveries at once. Answers those that have passed it, under which token: neither those
/// that are no longer held under their token nor those that somebody else has locked at the moment.
pub fn mark_all_transmitting(
    conn: &mut DbConn,
    held: &[(DeliveryId, i64)],
    now: Timestamp,
) -> QueryResult<Vec<(DeliveryId, i64)>> {
    const MARK: &str = "UPDATE deliveries SET \"transmitting\" = true FROM (\
        SELECT deliveries.id FROM deliveries \
        JOIN unnest($1, $2) AS held (id, token) ON deliveries.id = held.id AND lease_token = held.token \
        WHERE state = 'sending' AND NOT transmitting AND lease_until > $3 \
        FOR UPDATE OF deliveries SKIP LOCKED) AS free WHERE deliveries.id = free.id RETURNING deliveries.id, lease_token AS token";
    match conn {
        DbConn::Postgres(c) => {
            let (ids, tokens): (Vec<_>, Vec<_>) = held.iter().copied().unzip();
            let mark = diesel::sql_query(MARK).bind::<Array<Uuid>, _>(ids).bind::<Array<BigInt>, _>(tokens);
            let marked = Prepared(mark.bind::<Instant, _>(now)).load::<Marked>(c)?;
            Ok(marked.into_iter().map(|row| (row.id, row.token)).collect())
        }
        DbConn::Sqlite(_) => {
            let mut marked = Vec::with_capacity(held.len());
            for (id, token) in held {
                if mark_transmitting(conn, *id, *token, now)? {
                    marked.push((*id, *token));
                }
            }
            Ok(marked)
        }
    }
}

#[derive(QueryableByName)]
struct Marked {
    #[diesel(sql_type = Uuid)]
    id: DeliveryId,
    #[diesel(sql_type = BigInt)]
    token: i64,
}
