//! Deliveries: one frozen message per note and contact, and every attempt to hand it over.

pub mod relay;

use diesel::prelude::*;

use super::connection::{DbConn, Lock, Locked};
use super::prepared::{Prepared, insert_rows};
use super::schema::{deliveries, delivery_attempts};
use crate::domain::delivery::{DeliveryState, Progress};
use crate::domain::ids::{AgencyId, ContactId, DebriefId, DeliveryId, NoteId};
use crate::domain::timestamp::Timestamp;

/// One note on its way to one contact, without the message itself.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = deliveries, treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct Delivery {
    /// The delivery's id.
    pub id: DeliveryId,
    /// The agency.
    pub agency_id: AgencyId,
    /// The debrief.
    pub debrief_id: DebriefId,
    /// The note.
    pub note_id: NoteId,
    /// The contact.
    pub contact_id: ContactId,
    /// Its place among the note's deliveries, from 0.
    pub position: i32,
    /// Where it stands.
    pub state: DeliveryState,
    /// Past the commit point: it may have arrived, whatever happens now.
    pub transmitting: bool,
    /// Taken back because the text changed. A later approval has deliveries of its own.
    pub withdrawn: bool,
    /// How often it was tried.
    pub attempts: i32,
    /// When it was to leave at first, or again since somebody wanted that.
    pub due_at: Timestamp,
    /// When it is tried next, while it waits.
    pub next_attempt_at: Option<Timestamp>,
    /// Rises with every claim.
    pub lease_token: i64,
    /// Until when the worker owns it, while it is being sent.
    pub lease_until: Option<Timestamp>,
    /// The one recipient.
    pub envelope_to: String,
    /// The Message-ID, without its angle brackets.
    pub message_id: String,
    /// The code of the last reply; none if what went wrong was no reply.
    pub last_code: Option<i32>,
    /// Its enhanced code.
    pub last_enhanced_code: Option<String>,
    /// Its text, or what went wrong.
    pub last_text: Option<String>,
    /// When the server took it.
    pub sent_at: Option<Timestamp>,
    /// When the note was approved.
    pub created_at: Timestamp,
    /// When it last moved on.
    pub updated_at: Timestamp,
}

impl Delivery {
    /// The state as the state machine has it.
    #[must_use]
    pub const fn progress(&self) -> Progress {
        Progress { state: self.state, transmitting: self.transmitting }
    }

    /// Moves it to where the state machine says.
    pub const fn set_progress(&mut self, progress: Progress) {
        self.state = progress.state;
        self.transmitting = progress.transmitting;
    }
}

/// A frozen message, and where it bounces to.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = deliveries)]
pub struct Message {
    /// Where bounces go.
    pub envelope_from: String,
    /// The message as it is sent (RFC 5322).
    pub message: Vec<u8>,
}

/// One attempt to hand a message over.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = delivery_attempts, treat_none_as_default_value = false)]
pub struct Attempt {
    /// The delivery.
    pub delivery_id: DeliveryId,
    /// Which attempt it is, from 1.
    pub number: i32,
    /// The agency.
    pub agency_id: AgencyId,
    /// The server that was spoken to.
    pub host: String,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// The delivery's state afterwards.
    pub outcome: Option<DeliveryState>,
    /// The step of the conversation that was reached.
    pub step: Option<String>,
    /// The code of the reply.
    pub code: Option<i32>,
    /// Its enhanced code.
    pub enhanced_code: Option<String>,
    /// Its text, or what went wrong.
    pub text: Option<String>,
}

/// Inserts deliveries with their messages.
pub fn insert_all(conn: &mut DbConn, rows: &[(Delivery, Message)]) -> QueryResult<()> {
    let rows: Vec<_> = rows.iter().map(|(delivery, message)| (delivery.clone(), message.clone())).collect();
    insert_rows!(conn, deliveries::table, &rows)
}

/// The delivery.
pub fn find(conn: &mut DbConn, agency: AgencyId, id: DeliveryId) -> QueryResult<Option<Delivery>> {
    let row = deliveries::table.filter(deliveries::id.eq(id)).filter(deliveries::agency_id.eq(agency));
    row.select(Delivery::as_select()).first(conn).optional()
}

/// The delivery, locked until the transaction ends.
pub fn lock(conn: &mut DbConn, agency: AgencyId, id: DeliveryId) -> QueryResult<Option<Delivery>> {
    let row = deliveries::table.filter(deliveries::id.eq(id)).filter(deliveries::agency_id.eq(agency));
    Locked(row.select(Delivery::as_select()), Lock::Wait).get_result(conn).optional()
}

/// The deliveries of a note as it stands now, in its order.
pub fn of_note(conn: &mut DbConn, note: NoteId) -> QueryResult<Vec<Delivery>> {
    let rows = deliveries::table
        .filter(deliveries::note_id.eq(note))
        .filter(deliveries::withdrawn.eq(false))
        .order(deliveries::position);
    rows.select(Delivery::as_select()).load(conn)
}

/// The same, locked until the transaction ends.
pub fn lock_of_note(conn: &mut DbConn, note: NoteId) -> QueryResult<Vec<Delivery>> {
    let rows = deliveries::table
        .filter(deliveries::note_id.eq(note))
        .filter(deliveries::withdrawn.eq(false))
        .order(deliveries::position);
    Locked(rows.select(Delivery::as_select()), Lock::Wait).get_results(conn)
}

/// The deliveries of several notes, in the order of each.
pub fn of_notes(conn: &mut DbConn, agency: AgencyId, notes: &[NoteId]) -> QueryResult<Vec<Delivery>> {
    if notes.is_empty() {
        return Ok(Vec::new());
    }
    let rows = deliveries::table
        .filter(deliveries::agency_id.eq(agency))
        .filter(deliveries::note_id.eq_any(notes))
        .filter(deliveries::withdrawn.eq(false))
        .order((deliveries::note_id, deliveries::position));
    rows.select(Delivery::as_select()).load(conn)
}

/// The deliveries of a debrief's notes, in the order of each.
pub fn of_debrief(conn: &mut DbConn, debrief: DebriefId) -> QueryResult<Vec<Delivery>> {
    let rows = deliveries::table
        .filter(deliveries::debrief_id.eq(debrief))
        .filter(deliveries::withdrawn.eq(false))
        .order((deliveries::note_id, deliveries::position));
    rows.select(Delivery::as_select()).load(conn)
}

/// The frozen message.
pub fn message(conn: &mut DbConn, agency: AgencyId, id: DeliveryId) -> QueryResult<Option<Message>> {
    let row = deliveries::table.filter(deliveries::id.eq(id)).filter(deliveries::agency_id.eq(agency));
    row.select(Message::as_select()).first(conn).optional()
}

/// Writes a locked delivery over what it was; false if it is no longer that.
pub fn update(conn: &mut DbConn, row: &Delivery, former: &Delivery) -> QueryResult<bool> {
    let present = deliveries::table
        .filter(deliveries::id.eq(former.id))
        .filter(deliveries::state.eq(former.state))
        .filter(deliveries::lease_token.eq(former.lease_token));
    Prepared(diesel::update(present).set(row)).execute(conn).map(|rows| rows == 1)
}

/// The attempts of a delivery, oldest first.
pub fn attempts(
    conn: &mut DbConn,
    agency: AgencyId,
    delivery: DeliveryId,
    after: i32,
    limit: i64,
) -> QueryResult<Vec<Attempt>> {
    delivery_attempts::table
        .filter(delivery_attempts::delivery_id.eq(delivery))
        .filter(delivery_attempts::agency_id.eq(agency))
        .filter(delivery_attempts::number.gt(after))
        .order(delivery_attempts::number)
        .limit(limit)
        .select(Attempt::as_select())
        .load(conn)
}
