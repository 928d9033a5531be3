//! Thank-you notes, and which contacts each one stands for.

use diesel::prelude::*;
use serde::Serialize;
use utoipa::ToSchema;

use super::connection::{DbConn, Later, Lock, Locked, MultiBackend, NotFoundBy};
use super::prepared::{Prepared, insert_rows, pad};
use super::record::{ListOptions, in_order, next_version, present};
use super::schema::{contacts, debriefs, deliveries, note_contacts, notes};
use super::types::{Instant, Json};
use crate::domain::actor::Actor;
use crate::domain::delivery::DeliveryState;
use crate::domain::ids::{AgencyId, CandidateId, ClientId, ContactId, DebriefId, NoteId, UserId, kinds};
use crate::domain::note::NoteState;
use crate::domain::timestamp::Timestamp;

/// What the candidate wants said to the client.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset, Serialize, ToSchema)]
#[diesel(table_name = notes, treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct Note {
    /// The note's id.
    pub id: NoteId,
    #[expect(missing_docs, reason = "never shown")]
    #[serde(skip)]
    pub agency_id: AgencyId,
    /// The debrief that it belongs to.
    pub debrief_id: DebriefId,
    /// Whom it is for.
    #[schema(value_type = Vec<ContactId>)]
    pub contact_ids: Json<Vec<ContactId>>,
    /// Where it stands. How each of its emails fares is told by the deliveries.
    pub state: NoteState,
    /// What stands in the subject line.
    pub subject: String,
    /// What it says: plain text, a blank line between paragraphs.
    pub body: String,
    /// The language that it is written in, a BCP 47 tag.
    pub language: Option<String>,
    /// SHA-256 in hexadecimal over everything that an approval binds to.
    pub content_hash: String,
    /// Why it was sent back or refused.
    pub reason: Option<String>,
    #[expect(missing_docs, reason = "never shown")]
    #[serde(skip)]
    pub approved_hash: Option<String>,
    /// Who found exactly this text fit to send.
    #[schema(value_type = Option<Actor>)]
    pub approved_by: Option<Json<Actor>>,
    /// When.
    pub approved_at: Option<Timestamp>,
    /// The earliest time at which it may leave; none for as soon as it can be.
    pub send_at: Option<Timestamp>,
    /// Rises by one with every change of the note itself; not as its emails fare.
    pub version: i64,
    /// When the record was made.
    pub created_at: Timestamp,
    /// When it, or one of its deliveries, was last changed.
    pub updated_at: Timestamp,
}

/// Which notes a list shows.
#[derive(Debug, Clone, Default)]
pub struct NoteFilters {
    /// Only those in this state.
    pub state: Option<NoteState>,
    /// Only those with a delivery in this state.
    pub delivery_state: Option<DeliveryState>,
    /// Only those of this debrief.
    pub debrief_id: Option<DebriefId>,
    /// Only those to this client.
    pub client_id: Option<ClientId>,
    /// Only those of this candidate.
    pub candidate_id: Option<CandidateId>,
    /// Only those to this contact.
    pub contact_id: Option<ContactId>,
}

impl NoteFilters {
    /// Whether all that is left belongs to a few debriefs, by which it is found.
    const fn leave_few_debriefs(&self) -> bool {
        self.debrief_id.is_some() || self.client_id.is_some() || self.candidate_id.is_some()
    }
}

/// Inserts a row.
pub fn insert(conn: &mut DbConn, row: &Note) -> QueryResult<()> {
    diesel::insert_into(notes::table).values(row).execute(conn).map(drop)
}

/// The debrief that the note belongs to.
pub fn debrief_of(conn: &mut DbConn, agency: AgencyId, id: NoteId) -> QueryResult<Option<DebriefId>> {
    let row = notes::table.filter(notes::id.eq(id)).filter(notes::agency_id.eq(agency));
    row.select(notes::debrief_id).first(conn).optional()
}

/// The row.
pub fn find(conn: &mut DbConn, agency: AgencyId, id: NoteId) -> QueryResult<Option<Note>> {
    let row = notes::table.filter(notes::id.eq(id)).filter(notes::agency_id.eq(agency));
    row.select(Note::as_select()).first(conn).optional()
}

/// Writes the row over the one of `version`; false if that is not the present one.
pub fn update(conn: &mut DbConn, row: &Note, version: i64) -> QueryResult<bool> {
    Prepared(diesel::update(present!(notes, row, version)).set(row)).execute(conn).map(|rows| rows == 1)
}

/// The notes of a debrief, oldest first.
pub fn of_debrief(conn: &mut DbConn, debrief: DebriefId) -> QueryResult<Vec<Note>> {
    let rows = notes::table.filter(notes::debrief_id.eq(debrief)).order(notes::id);
    rows.select(Note::as_select()).load(conn)
}

/// The states of a debrief's notes, newest first.
pub fn states_of_debrief(conn: &mut DbConn, debrief: DebriefId) -> QueryResult<Vec<NoteState>> {
    let rows = notes::table.filter(notes::debrief_id.eq(debrief)).order(notes::id.desc());
    rows.select(notes::state).load(conn)
}

/// A page of notes: newest first, or with `updated_since` in the order of their changes.
pub fn list(
    conn: &mut DbConn,
    agency: AgencyId,
    filters: &NoteFilters,
    options: &ListOptions<kinds::Note>,
) -> QueryResult<Vec<Note>> {
    let mut query = notes::table.select(Note::as_select()).into_boxed::<MultiBackend>();
    query = if filters.leave_few_debriefs() {
        query.filter(NotFoundBy(notes::agency_id).eq(agency))
    } else {
        query.filter(notes::agency_id.eq(agency))
    };
    if let Some(state) = filters.state {
        query = query.filter(notes::state.eq(state));
    }
    if let Some(state) = filters.delivery_state {
        let with = deliveries::table
            .filter(deliveries::agency_id.eq(agency))
            .filter(deliveries::state.eq(state))
            .filter(deliveries::withdrawn.eq(false));
        query = query.filter(notes::id.eq_any(with.select(deliveries::note_id)));
    }
    if let Some(debrief) = filters.debrief_id {
        query = query.filter(notes::debrief_id.eq(debrief));
    }
    if let Some(client) = filters.client_id {
        let of = debriefs::table.filter(debriefs::client_id.eq(client)).select(debriefs::id);
        query = query.filter(notes::debrief_id.eq_any(of));
    }
    if let Some(candidate) = filters.candidate_id {
        let of = debriefs::table.filter(debriefs::candidate_id.eq(candidate)).select(debriefs::id);
        query = query.filter(notes::debrief_id.eq_any(of));
    }
    if let Some(contact) = filters.contact_id {
        let to = note_contacts::table.filter(note_contacts::contact_id.eq(contact));
        query = query.filter(notes::id.eq_any(to.select(note_contacts::note_id)));
    }
    in_order!(query, notes, options).load(conn)
}

/// The states of a note that has not been approved, and may be yet.
const UNAPPROVED: [NoteState; 3] = [NoteState::Draft, NoteState::Submitted, NoteState::ChangesRequested];

/// Gives those of an agency's notes that are not approved yet another version, and their debriefs too.
pub fn renew_unapproved(conn: &mut DbConn, agency: AgencyId, now: Timestamp) -> QueryResult<()> {
    let unapproved =
        || notes::table.filter(notes::agency_id.eq(agency)).filter(notes::state.eq_any(UNAPPROVED));
    let of_them = || debriefs::table.filter(debriefs::id.eq_any(unapproved().select(notes::debrief_id)));
    // One order for everybody, so that nobody waits in a circle.
    let held = of_them().order(debriefs::id).select(debriefs::id);
    Locked(held, Lock::Wait).get_results::<DebriefId>(conn)?;
    diesel::update(of_them()).set(next_version!(debriefs, now)).execute(conn)?;
    diesel::update(unapproved()).set(next_version!(notes, now)).execute(conn).map(drop)
}

/// Gives those of a debrief's notes that are not approved yet another version; the debrief's is for whoever holds it.
pub fn renew_unapproved_in(conn: &mut DbConn, debrief: DebriefId, now: Timestamp) -> QueryResult<()> {
    let unapproved =
        notes::table.filter(notes::debrief_id.eq(debrief)).filter(notes::state.eq_any(UNAPPROVED));
    diesel::update(unapproved).set(next_version!(notes, now)).execute(conn).map(drop)
}

/// Somebody who is named in letters.
#[derive(Debug, Clone, Copy)]
pub enum Named {
    /// Whose debriefs they are about.
    Recruiter(UserId),
    /// Who was interviewed.
    Candidate(CandidateId),
    /// Whom they are for.
    Contact(ContactId),
}

/// An agency's notes in which somebody is named and that are not approved yet, with their debriefs.
fn unapproved_naming(
    conn: &mut DbConn,
    agency: AgencyId,
    named: Named,
) -> QueryResult<Vec<(NoteId, DebriefId)>> {
    let query = notes::table
        .filter(notes::agency_id.eq(agency))
        .filter(notes::state.eq_any(UNAPPROVED))
        .select((notes::id, notes::debrief_id))
        .into_boxed::<MultiBackend>();
    let query = match named {
        Named::Recruiter(user) => {
            let theirs = debriefs::table.filter(debriefs::recruiter_id.eq(user)).select(debriefs::id);
            query.filter(notes::debrief_id.eq_any(theirs))
        }
        Named::Candidate(candidate) => {
            let theirs = debriefs::table.filter(debriefs::candidate_id.eq(candidate)).select(debriefs::id);
            query.filter(notes::debrief_id.eq_any(theirs))
        }
        Named::Contact(contact) => {
            let theirs = note_contacts::table.filter(note_contacts::contact_id.eq(contact));
            query.filter(notes::id.eq_any(theirs.select(note_contacts::note_id)))
        }
    };
    query.load(conn)
}

/// Holds the debriefs of the notes that [`renew_unapproved_naming`] would give another version, until the
/// transaction ends: whoever changes one person by themselves takes them before the person.
pub fn lock_debriefs_naming(conn: &mut DbConn, agency: AgencyId, named: Named) -> QueryResult<()> {
    let theirs = unapproved_naming(conn, agency, named)?.into_iter().map(|(_, debrief)| debrief);
    lock_debriefs(conn, theirs.collect())
}

/// Gives the notes in which somebody is named and that are not approved yet another version, and their debriefs too.
pub fn renew_unapproved_naming(
    conn: &mut DbConn,
    agency: AgencyId,
    named: Named,
    now: Timestamp,
) -> QueryResult<()> {
    // Asked anew: until the person's row was held, a note could still be written, or approved.
    let (ids, theirs): (Vec<_>, Vec<_>) = unapproved_naming(conn, agency, named)?.into_iter().unzip();
    if ids.is_empty() {
        return Ok(());
    }
    lock_debriefs(conn, theirs.clone())?;
    diesel::update(debriefs::table.filter(debriefs::id.eq_any(theirs)))
        .set(next_version!(debriefs, now))
        .execute(conn)?;
    diesel::update(notes::table.filter(notes::id.eq_any(ids)))
        .set(next_version!(notes, now))
        .execute(conn)
        .map(drop)
}

/// In one order for everybody, so that nobody waits in a circle; an update takes them as it comes upon them.
fn lock_debriefs(conn: &mut DbConn, ids: Vec<DebriefId>) -> QueryResult<()> {
    if ids.is_empty() {
        return Ok(());
    }
    let rows = debriefs::table.filter(debriefs::id.eq_any(ids)).order(debriefs::id).select(debriefs::id);
    Locked(rows, Lock::Wait).get_results::<DebriefId>(conn).map(drop)
}

/// Marks notes as changed, without a new version: some of their deliveries have moved on.
pub fn touch(conn: &mut DbConn, ids: Vec<NoteId>, now: Timestamp) -> QueryResult<()> {
    let rows = notes::table.filter(notes::id.eq_any(pad(ids)));
    let changed = notes::updated_at.eq(Later(notes::updated_at, now.into_sql::<Instant>()));
    Prepared(diesel::update(rows).set(changed)).execute(conn).map(drop)
}

/// What tells that a note of the debrief at hand stands for somebody.
#[diesel::dsl::auto_type(no_type_alias)]
pub(super) fn standing() -> _ {
    note_contacts::table.filter(note_contacts::debrief_id.eq(debriefs::id)).filter(note_contacts::live)
}

/// The live note of the debrief for a contact, if there is one.
pub fn live_for(conn: &mut DbConn, debrief: DebriefId, contact: ContactId) -> QueryResult<Option<NoteId>> {
    note_contacts::table
        .filter(note_contacts::debrief_id.eq(debrief))
        .filter(note_contacts::contact_id.eq(contact))
        .filter(note_contacts::live)
        .select(note_contacts::note_id)
        .first(conn)
        .optional()
}

/// For whom the notes of a debrief stand, each with the address that mail to them goes to.
pub fn stands_for(
    conn: &mut DbConn,
    debrief: DebriefId,
) -> QueryResult<Vec<(NoteId, ContactId, Option<String>)>> {
    note_contacts::table
        .inner_join(contacts::table.on(contacts::id.eq(note_contacts::contact_id)))
        .filter(note_contacts::debrief_id.eq(debrief))
        .filter(note_contacts::live)
        .order((note_contacts::note_id, note_contacts::contact_id))
        .select((note_contacts::note_id, note_contacts::contact_id, contacts::email))
        .load(conn)
}

/// Somebody for whom a note stands.
#[derive(Debug, Insertable)]
#[diesel(table_name = note_contacts, treat_none_as_default_value = false)]
pub struct NoteContactRow {
    /// The note.
    pub note_id: NoteId,
    /// The contact.
    pub contact_id: ContactId,
    /// The note's debrief.
    pub debrief_id: DebriefId,
    /// False once it came to nothing for this contact.
    pub live: bool,
}

/// Makes the note stand for these contacts, and for no others.
pub fn replace_contacts(conn: &mut DbConn, note: &Note) -> QueryResult<()> {
    diesel::delete(note_contacts::table.filter(note_contacts::note_id.eq(note.id))).execute(conn)?;
    let row = |contact: &ContactId| NoteContactRow {
        note_id: note.id,
        contact_id: *contact,
        debrief_id: note.debrief_id,
        live: true,
    };
    let rows: Vec<NoteContactRow> = note.contact_ids.0.iter().map(row).collect();
    insert_rows!(conn, note_contacts::table, &rows)
}

/// The note came to nothing for a contact: another one may take its place.
pub fn release_contact(conn: &mut DbConn, note: NoteId, contact: ContactId) -> QueryResult<()> {
    set_live(conn, note, contact, false)
}

/// The note came to something for a contact after all: no other one may take its place.
pub fn hold_contact(conn: &mut DbConn, note: NoteId, contact: ContactId) -> QueryResult<()> {
    set_live(conn, note, contact, true)
}

fn set_live(conn: &mut DbConn, note: NoteId, contact: ContactId, live: bool) -> QueryResult<()> {
    let row = note_contacts::table.find((note, contact));
    diesel::update(row).set(note_contacts::live.eq(live)).execute(conn).map(drop)
}
