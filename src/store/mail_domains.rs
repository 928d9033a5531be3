//! Mail domains: where agencies send mail from.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use super::connection::{DbConn, Lock, Locked};
use super::prepared::Prepared;
use super::record::present;
use super::schema::{agencies, mail_domains};
use super::types::Json;
use crate::domain::ids::{AgencyId, MailDomainId};
use crate::domain::mail_domain::{DkimAlgorithm, PublicKey};
use crate::domain::timestamp::Timestamp;

/// A domain that an agency sends mail from.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = mail_domains, treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct MailDomain {
    /// The mail domain's id.
    pub id: MailDomainId,
    /// The agency.
    pub agency_id: AgencyId,
    /// Its name, as A-labels.
    pub domain: String,
    /// The domain of the envelope sender.
    pub bounce_domain: String,
    /// Its keys, oldest first.
    pub keys: Json<Vec<DkimKey>>,
    /// Since when everything stands in the DNS that has to; none while it does not.
    pub verified_at: Option<Timestamp>,
    /// When the DNS was last asked.
    pub checked_at: Option<Timestamp>,
    /// Rises by one with every change.
    pub version: i64,
    /// When the domain was added.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// A key that signs mail.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DkimKey {
    /// What its public half is published under.
    pub selector: String,
    /// What it is of.
    pub algorithm: DkimAlgorithm,
    /// The base64 of the public key.
    pub public_key: String,
    /// The private key, which opens with the service's own key for this domain; empty once the key is
    /// retired.
    pub sealed: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Since when the DNS has been known to have it; it signs from then on.
    pub published_at: Option<Timestamp>,
    /// Since when it signs no more.
    pub retired_at: Option<Timestamp>,
}

impl DkimKey {
    /// The key as its record has it.
    #[must_use]
    pub fn public(&self) -> PublicKey<'_> {
        PublicKey { selector: &self.selector, algorithm: self.algorithm, base64: &self.public_key }
    }
}

/// Inserts a mail domain.
pub fn insert(conn: &mut DbConn, row: &MailDomain) -> QueryResult<()> {
    diesel::insert_into(mail_domains::table).values(row).execute(conn).map(drop)
}

/// Writes the mail domain over the one of `version`; false if that is not the present one.
pub fn update(conn: &mut DbConn, row: &MailDomain, version: i64) -> QueryResult<bool> {
    Prepared(diesel::update(present!(mail_domains, row, version)).set(row))
        .execute(conn)
        .map(|rows| rows == 1)
}

/// Removes the mail domain.
pub fn delete(conn: &mut DbConn, id: MailDomainId) -> QueryResult<()> {
    diesel::delete(mail_domains::table.find(id)).execute(conn).map(drop)
}

/// The mail domain of this name, whosoever it is.
pub fn find(conn: &mut DbConn, domain: &str) -> QueryResult<Option<MailDomain>> {
    mail_domains::table
        .filter(mail_domains::domain.eq(domain))
        .select(MailDomain::as_select())
        .first(conn)
        .optional()
}

/// The mail domain of this name, taken until the transaction ends.
pub fn lock(conn: &mut DbConn, domain: &str) -> QueryResult<Option<MailDomain>> {
    let query = mail_domains::table.filter(mail_domains::domain.eq(domain)).select(MailDomain::as_select());
    Locked(query, Lock::Wait).get_result(conn).optional()
}

/// The agency's mail domains that are verified, oldest first.
pub fn verified(conn: &mut DbConn, agency: AgencyId) -> QueryResult<Vec<MailDomain>> {
    mail_domains::table
        .filter(mail_domains::agency_id.eq(agency))
        .filter(mail_domains::verified_at.is_not_null())
        .order(mail_domains::id)
        .select(MailDomain::as_select())
        .load(conn)
}

/// Every mail domain with the name of its agency, in the order of the agencies' names.
pub fn all(conn: &mut DbConn) -> QueryResult<Vec<(MailDomain, String)>> {
    mail_domains::table
        .inner_join(agencies::table)
        .order((agencies::name, mail_domains::domain))
        .select((MailDomain::as_select(), agencies::name))
        .load(conn)
}
