//! Notes as they are shown: with how each of their emails fares.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::app::AppError;
use crate::app::deliveries::DeliveryView;
use crate::domain::delivery::{DeliveryState, Lateness};
use crate::domain::ids::{AgencyId, CandidateId, ClientId, ContactId, DebriefId, Id, NoteId, kinds};
use crate::domain::note::NoteState;
use crate::domain::timestamp::Timestamp;
use crate::store::connection::DbConn;
use crate::store::deliveries::{self, Delivery};
use crate::store::notes::{self, Note, NoteFilters};
use crate::store::record::ListOptions;

/// A thank-you note with its deliveries.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct NoteView {
    /// The note.
    #[serde(flatten)]
    pub note: Note,
    /// How late the latest of its emails is that still wait to be sent.
    pub late: Option<Lateness>,
    /// Its emails, one for each contact, once it is approved.
    pub deliveries: Vec<DeliveryView>,
}

impl NoteView {
    /// Whether nobody knows the fate of one of its emails.
    #[must_use]
    pub fn is_unconfirmed(&self) -> bool {
        self.deliveries.iter().any(|delivery| delivery.state == DeliveryState::Unconfirmed)
    }
}

impl NoteView {
    /// The note with these deliveries, which are its own, at `now`.
    #[must_use]
    pub fn new(note: Note, deliveries: Vec<Delivery>, now: Timestamp) -> Self {
        let deliveries = deliveries.into_iter().map(|row| DeliveryView::new(row, now));
        let deliveries: Vec<DeliveryView> = deliveries.collect();
        Self { note, late: deliveries.iter().filter_map(|delivery| delivery.late).max(), deliveries }
    }
}

/// Which notes are wanted.
#[derive(Debug, Clone, Deserialize, ToSchema, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct NoteQuery {
    /// Only those in this state.
    state: Option<NoteState>,
    /// Only those with a delivery in this state, such as `unconfirmed`.
    delivery_state: Option<DeliveryState>,
    /// Only those of this debrief.
    debrief_id: Option<DebriefId>,
    /// Only those to this client.
    client_id: Option<ClientId>,
    /// Only those of this candidate.
    candidate_id: Option<CandidateId>,
    /// Only those to this contact.
    contact_id: Option<ContactId>,
    /// Only those changed at this time or later, oldest change first.
    updated_since: Option<Timestamp>,
}

/// The note as it is at `now`.
pub fn get(conn: &mut DbConn, agency: AgencyId, id: NoteId, now: Timestamp) -> Result<NoteView, AppError> {
    let note = notes::find(conn, agency, id)?.ok_or(AppError::NotFound)?;
    Ok(NoteView::new(note, deliveries::of_note(conn, id)?, now))
}

/// A page of notes as they are at `now`.
pub fn list(
    conn: &mut DbConn,
    agency: AgencyId,
    query: &NoteQuery,
    after: Option<(Timestamp, Id<kinds::Note>)>,
    limit: i64,
    now: Timestamp,
) -> Result<Vec<NoteView>, AppError> {
    let filters = NoteFilters {
        state: query.state,
        delivery_state: query.delivery_state,
        debrief_id: query.debrief_id,
        client_id: query.client_id,
        candidate_id: query.candidate_id,
        contact_id: query.contact_id,
    };
    let options = ListOptions {
        updated_since: query.updated_since,
        include_deleted: false,
        named: None,
        oldest_first: false,
        after,
        limit,
    };
    let rows = notes::list(conn, agency, &filters, &options)?;
    let ids: Vec<NoteId> = rows.iter().map(|note| note.id).collect();
    let deliveries = deliveries::of_notes(conn, agency, &ids)?;
    Ok(with_deliveries(rows, deliveries, now))
}

/// The notes of a debrief as they are at `now`, oldest first.
pub fn of_debrief(conn: &mut DbConn, debrief: DebriefId, now: Timestamp) -> Result<Vec<NoteView>, AppError> {
    let rows = notes::of_debrief(conn, debrief)?;
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let deliveries = deliveries::of_debrief(conn, debrief)?;
    Ok(with_deliveries(rows, deliveries, now))
}

fn with_deliveries(notes: Vec<Note>, mut deliveries: Vec<Delivery>, now: Timestamp) -> Vec<NoteView> {
    let own = |note: Note| {
        let own = deliveries.extract_if(.., |row| row.note_id == note.id).collect();
        NoteView::new(note, own, now)
    };
    notes.into_iter().map(own).collect()
}
