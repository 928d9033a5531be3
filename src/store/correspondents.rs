//! The people behind a letter: who it is from, for whom, and about whom.

use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text};

use super::agencies::MailIdentity;
use super::connection::DbConn;
use super::record::next_version;
use super::schema::{agencies, candidates, clients, contacts, debriefs, job_orders, users};
use super::types::Json;
use crate::domain::ids::{AgencyId, ClientId, ContactId, DebriefId, UserId};
use crate::domain::mailbox;
use crate::domain::people::EmailStatus;
use crate::domain::timestamp::Timestamp;

/// A contact as somebody who is written to.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = contacts)]
pub struct Recipient {
    /// The contact.
    pub id: ContactId,
    /// The client that the contact is at.
    pub client_id: ClientId,
    /// What the contact is called.
    pub name: String,
    /// Where mail goes.
    pub email: Option<String>,
    /// Whether the contact may not be approached.
    pub off_limits: bool,
    /// Whether mail arrives.
    pub email_status: EmailStatus,
}

impl Recipient {
    /// Whether mail to this address is mail to the contact.
    #[must_use]
    pub fn is_at(&self, address: Option<&str>) -> bool {
        self.email.as_deref().zip(address).is_some_and(|(own, other)| mailbox::is_same(own, other))
    }
}

/// The contact, unless it is deleted.
pub fn recipient(conn: &mut DbConn, agency: AgencyId, id: ContactId) -> QueryResult<Option<Recipient>> {
    contacts::table
        .filter(contacts::id.eq(id))
        .filter(contacts::agency_id.eq(agency))
        .filter(contacts::deleted_at.is_null())
        .select(Recipient::as_select())
        .first(conn)
        .optional()
}

diesel::define_sql_function! {
    /// The text in small letters.
    fn lower(text: Nullable<Text>) -> Nullable<Text>;
}

/// The contacts who have an address, which can be written in these ways, in small letters.
pub fn at_address(conn: &mut DbConn, agency: AgencyId, address: &[String]) -> QueryResult<Vec<ContactId>> {
    contacts::table
        .filter(contacts::agency_id.eq(agency))
        .filter(lower(contacts::email).eq_any(address))
        .filter(contacts::deleted_at.is_null())
        .select(contacts::id)
        .load(conn)
}

/// Mail to the contact came back. Answers the contact's new version; none if that was known.
pub fn mark_bounced(
    conn: &mut DbConn,
    agency: AgencyId,
    id: ContactId,
    now: Timestamp,
) -> QueryResult<Option<i64>> {
    let reachable = contacts::table
        .filter(contacts::id.eq(id))
        .filter(contacts::agency_id.eq(agency))
        .filter(contacts::email_status.eq(EmailStatus::Ok));
    diesel::update(reachable)
        .set((contacts::email_status.eq(EmailStatus::Bounced), next_version!(contacts, now)))
        .returning(contacts::version)
        .get_result(conn)
        .optional()
}

/// A user as somebody who writes.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = users)]
pub struct Sender {
    /// What the user is called.
    pub name: String,
    /// Where replies go.
    pub email: String,
}

/// The user, unless the account is disabled.
pub fn sender(conn: &mut DbConn, agency: AgencyId, id: UserId) -> QueryResult<Option<Sender>> {
    users::table
        .filter(users::id.eq(id))
        .filter(users::agency_id.eq(agency))
        .filter(users::disabled_at.is_null())
        .select(Sender::as_select())
        .first(conn)
        .optional()
}

/// What the agency of a debrief is called in a letter, how its mail presents itself, and what the
/// candidate is called.
pub fn names(
    conn: &mut DbConn,
    agency: AgencyId,
    debrief: DebriefId,
) -> QueryResult<(String, MailIdentity, String)> {
    let (name, mail, candidate): (String, Json<MailIdentity>, String) = debriefs::table
        .inner_join(agencies::table)
        .inner_join(candidates::table)
        .filter(debriefs::id.eq(debrief))
        .filter(debriefs::agency_id.eq(agency))
        .select((agencies::name, agencies::mail, candidates::name))
        .first(conn)?;
    Ok((mail.0.sender_name.clone().unwrap_or(name), mail.0, candidate))
}

/// What a note of a debrief may speak of: the client, and what it, the candidate and the vacancy are
/// called.
pub fn subjects(
    conn: &mut DbConn,
    agency: AgencyId,
    debrief: DebriefId,
) -> QueryResult<(ClientId, [String; 3])> {
    let (id, client, candidate, title): (ClientId, String, String, String) = debriefs::table
        .inner_join(clients::table)
        .inner_join(candidates::table)
        .inner_join(job_orders::table.on(job_orders::id.eq(debriefs::job_order_id)))
        .filter(debriefs::id.eq(debrief))
        .filter(debriefs::agency_id.eq(agency))
        .select((clients::id, clients::name, candidates::name, job_orders::title))
        .first(conn)?;
    Ok((id, [client, candidate, title]))
}

/// What some contacts are called.
pub fn contact_names(
    conn: &mut DbConn,
    agency: AgencyId,
    contacts: &[ContactId],
) -> QueryResult<Vec<String>> {
    if contacts.is_empty() {
        return Ok(Vec::new());
    }
    let named = contacts::table.filter(contacts::id.eq_any(contacts)).filter(contacts::agency_id.eq(agency));
    named.select(contacts::name).load(conn)
}
