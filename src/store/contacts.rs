//! Contacts: the people at the hiring companies.

use diesel::dsl::exists;
use diesel::prelude::*;
use serde::Serialize;
use utoipa::ToSchema;

use super::connection::{DbConn, Lock, Locked};
use super::prepared::{Prepared, pad};
use super::record::record_queries;
use super::schema::{
    contacts, debriefs, feedback, interview_contacts, interviews, note_contacts, retry_requests,
};
use super::types::Json;
use crate::domain::ids::{AgencyId, ClientId, ContactId};
use crate::domain::people::{ContactRole, EmailStatus};
use crate::domain::record::{ExternalRef, RecordKind};
use crate::domain::timestamp::Timestamp;

/// A person at a client.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset, Serialize, ToSchema)]
#[diesel(table_name = contacts, treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct Contact {
    /// The contact's id.
    pub id: ContactId,
    #[expect(missing_docs, reason = "never shown")]
    #[serde(skip)]
    pub agency_id: AgencyId,
    /// Where the person works.
    pub client_id: ClientId,
    /// What the person is called.
    pub name: String,
    /// Where notes go.
    pub email: Option<String>,
    /// Where the recruiter calls.
    pub phone: Option<String>,
    /// What the person is at the client.
    pub role: ContactRole,
    /// True if the agency must not write to the person.
    pub off_limits: bool,
    /// Whether mail to the address arrives, as far as is known.
    pub email_status: EmailStatus,
    /// What other systems call it.
    #[schema(value_type = Vec<ExternalRef>)]
    pub external_refs: Json<Vec<ExternalRef>>,
    /// Rises by one with every change.
    pub version: i64,
    /// When the record was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// When it was deleted; only tombstones have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub deleted_at: Option<Timestamp>,
}

/// Which contacts a list shows.
#[derive(Debug, Clone, Default)]
pub struct ContactFilters {
    /// Those of one client.
    pub client_id: Option<ClientId>,
}

impl Contact {
    /// What kind of record it is.
    pub const KIND: RecordKind = RecordKind::Contact;
}

record_queries!(contacts, Contact, ContactId, ContactFilters, |query, filters| {
    match filters.client_id {
        Some(client) => query.filter(contacts::client_id.eq(client)),
        None => query,
    }
});

/// Whether the contact takes part in an interview that stands, is heard in a debrief of the client's
/// that does, was asked for another meeting that may come of it, or a note stands for them.
pub fn is_needed(conn: &mut DbConn, client: ClientId, contact: ContactId) -> QueryResult<bool> {
    let panels = interview_contacts::table
        .inner_join(interviews::table)
        .filter(interview_contacts::contact_id.eq(contact))
        .filter(interviews::deleted_at.is_null());
    let accounts = accounts(client, contact).filter(debriefs::deleted_at.is_null());
    let (notes, requests) = (live_notes(contact), open_requests(client, contact));
    diesel::select(exists(panels).or(exists(accounts)).or(exists(notes)).or(exists(requests)))
        .get_result(conn)
}

/// Whether the contact was ever asked to an interview of the client's, or heard about one; deleted
/// ones count too.
pub fn was_needed(conn: &mut DbConn, client: ClientId, contact: ContactId) -> QueryResult<bool> {
    let panels = interview_contacts::table.filter(interview_contacts::contact_id.eq(contact));
    diesel::select(exists(panels).or(exists(accounts(client, contact)))).get_result(conn)
}

/// The notes that stand for a contact.
#[diesel::dsl::auto_type(no_type_alias)]
fn live_notes(contact: ContactId) -> _ {
    note_contacts::table.filter(note_contacts::contact_id.eq(contact)).filter(note_contacts::live)
}

/// The requests for another meeting that were put to a contact, and of which something may come.
#[diesel::dsl::auto_type(no_type_alias)]
fn open_requests(client: ClientId, contact: ContactId) -> _ {
    retry_requests::table
        .filter(retry_requests::client_id.eq(client))
        .filter(retry_requests::is_open)
        .filter(retry_requests::contact_id.eq(contact))
}

/// The accounts of a contact, with their debriefs: they are looked for among the client's, because
/// accounts have an index on the debrief.
#[diesel::dsl::auto_type(no_type_alias)]
fn accounts(client: ClientId, contact: ContactId) -> _ {
    feedback::table
        .inner_join(debriefs::table)
        .filter(debriefs::client_id.eq(client))
        .filter(feedback::contact_id.eq(contact))
}

/// Of these contacts those that stand, each with its client; until the transaction ends nobody can
/// change or delete them.
pub fn pin_several(
    conn: &mut DbConn,
    agency: AgencyId,
    ids: &[ContactId],
) -> QueryResult<Vec<(ContactId, ClientId)>> {
    let rows = contacts::table
        .filter(contacts::agency_id.eq(agency))
        .filter(contacts::id.eq_any(ids))
        .filter(contacts::deleted_at.is_null())
        // One order for everybody, so that nobody waits in a circle.
        .order(contacts::id)
        .select((contacts::id, contacts::client_id));
    Locked(rows, Lock::Pin).get_results(conn)
}

/// Some contacts, tombstones too.
pub fn several(conn: &mut DbConn, agency: AgencyId, ids: Vec<ContactId>) -> QueryResult<Vec<Contact>> {
    let rows = contacts::table
        .filter(contacts::id.eq_any(pad(ids)))
        .filter(contacts::agency_id.eq(agency))
        .order(contacts::id)
        .select(Contact::as_select());
    Prepared(rows).load(conn)
}

/// Whether a contact, not deleted, is one of the client's.
pub fn is_of_client(
    conn: &mut DbConn,
    agency: AgencyId,
    client: ClientId,
    contact: ContactId,
) -> QueryResult<bool> {
    let found: Option<ContactId> = contacts::table
        .filter(contacts::id.eq(contact))
        .filter(contacts::agency_id.eq(agency))
        .filter(contacts::client_id.eq(client))
        .filter(contacts::deleted_at.is_null())
        .select(contacts::id)
        .first(conn)
        .optional()?;
    Ok(found.is_some())
}
