//! Mail domains: made by whoever runs the service, signed for when a note is approved.

mod keys;

use super::events::Happening;
use super::records::expect_written;
use super::{AppError, Context};
use crate::auth::caller::Caller;
use crate::auth::seal::Seals;
use crate::domain::ids::{AgencyId, MailDomainId};
use crate::domain::mail_domain::{self, DnsPolicy, Found, Purpose, Wanted};
use crate::domain::timestamp::Timestamp;
use crate::mail::{Resolver, Signer};
use crate::store::agencies;
use crate::store::connection::DbConn;
use crate::store::mail_domains::{self, DkimKey, MailDomain};
use crate::store::pool::Tx;
use crate::store::types::Json;

pub use keys::{NewKeys, generate, reseal};

/// What bounces come to, below the domain, unless it is said.
const BOUNCES: &str = "bounces";

/// The agency of this id or name.
///
/// # Errors
/// A fault if there is none, or more than one of that name.
pub fn agency(conn: &mut DbConn, id_or_name: &str) -> Result<AgencyId, AppError> {
    if let Ok(id) = id_or_name.parse::<AgencyId>()
        && agencies::find(conn, id)?.is_some()
    {
        return Ok(id);
    }
    match agencies::find_by_name(conn, id_or_name)?.as_slice() {
        [one] => Ok(one.id),
        [] => Err(AppError::fault("/agency", "unknown_reference", "there is no such agency")),
        _ => Err(AppError::fault("/agency", "ambiguous", "several agencies have this name: give the id")),
    }
}

/// Adds a domain to an agency, with its first keys.
pub fn add(
    tx: &mut Tx<'_>,
    seals: &Seals,
    agency: AgencyId,
    domain: &str,
    bounce_domain: Option<&str>,
    new: NewKeys,
) -> Result<MailDomain, AppError> {
    let domain = read_domain("/domain", domain)?;
    let bounce_domain = match bounce_domain {
        Some(text) => read_domain("/bounce_domain", text)?,
        None => format!("{BOUNCES}.{domain}"),
    };
    if !mail_domain::is_within(&bounce_domain, &domain) {
        let detail = "must be the domain or lie below it, or receivers do not take one for the other";
        return Err(AppError::fault("/bounce_domain", "not_aligned", detail));
    }
    if let Some(present) = mail_domains::find(tx, &domain)? {
        return Err(AppError::already_exists("the domain belongs to an agency already", present.id));
    }
    let id: MailDomainId = tx.new_id();
    let keys = keys::sealed(seals, id, &[], new, tx.now())?;
    let row = MailDomain {
        id,
        agency_id: agency,
        domain,
        bounce_domain,
        keys: Json(keys),
        verified_at: None,
        checked_at: None,
        version: 1,
        created_at: tx.now(),
        updated_at: tx.now(),
    };
    mail_domains::insert(tx, &row)?;
    happened(tx, "mail_domain.created", &row);
    Ok(row)
}

/// Adds a new pair of keys. The present ones go on signing until the DNS is seen to have the new ones.
pub fn rotate(tx: &mut Tx<'_>, seals: &Seals, domain: &str, new: NewKeys) -> Result<MailDomain, AppError> {
    let mut row = hold(tx, domain)?;
    let keys = keys::sealed(seals, row.id, &row.keys.0, new, tx.now())?;
    row.keys.0.extend(keys);
    save(tx, row)
}

/// Ends the use of a key, and forgets its private half.
///
/// # Errors
/// A fault if there is no such key, or if nothing would be left to sign with.
pub fn retire(tx: &mut Tx<'_>, domain: &str, selector: &str) -> Result<MailDomain, AppError> {
    let mut row = hold(tx, domain)?;
    let now = tx.now();
    let key = row.keys.0.iter_mut().find(|key| key.selector == selector && key.retired_at.is_none());
    let key = key.ok_or_else(|| {
        AppError::fault("/selector", "unknown_reference", "the domain has no key in use under this selector")
    })?;
    key.retired_at = Some(now);
    key.sealed.clear();
    if row.verified_at.is_some() && !keys::cover(&row.keys.0) {
        let detail = "no published key of its kind would be left: rotate first, and check";
        return Err(AppError::fault("/selector", "in_use", detail));
    }
    save(tx, row)
}

/// Takes the domain from its agency. What was approved goes out as it was signed.
pub fn remove(tx: &mut Tx<'_>, domain: &str) -> Result<(), AppError> {
    let row = hold(tx, domain)?;
    mail_domains::delete(tx, row.id)?;
    happened(tx, "mail_domain.removed", &row);
    Ok(())
}

/// The domain of this name.
pub fn get(conn: &mut DbConn, domain: &str) -> Result<MailDomain, AppError> {
    mail_domains::find(conn, &read_domain("/domain", domain)?)?.ok_or_else(unknown)
}

/// Every domain with the name of its agency.
pub fn list(conn: &mut DbConn) -> Result<Vec<(MailDomain, String)>, AppError> {
    Ok(mail_domains::all(conn)?)
}

/// The records that a domain needs.
#[must_use]
pub fn wanted(row: &MailDomain, policy: &DnsPolicy) -> Vec<Wanted> {
    let present: Vec<_> =
        row.keys.0.iter().filter(|key| key.retired_at.is_none()).map(DkimKey::public).collect();
    mail_domain::wanted(&row.domain, &row.bounce_domain, &present, policy)
}

/// What became of a check: every record with what was found, and the domain as it is now.
pub struct Checked {
    /// The domain.
    pub domain: MailDomain,
    /// The records.
    pub findings: Vec<(Wanted, Found)>,
}

/// Asks the DNS what it has, and writes down whether the domain may be sent from: every record that
/// is not a key's, and one published key of each kind. Where the DNS does not answer, what was known
/// stays.
pub async fn check(context: &Context, resolver: &Resolver, domain: &str) -> Result<Checked, AppError> {
    let name = read_domain("/domain", domain)?;
    let seen = name.clone();
    let row = context.read(move |conn| mail_domains::find(conn, &seen)?.ok_or_else(unknown)).await?;
    let mut findings = Vec::new();
    for wanted in wanted(&row, &context.mail.dns) {
        let found = resolver.find(&wanted).await;
        findings.push((wanted, found));
    }
    let (domain, findings) = context
        .write(move |tx| {
            let mut row = hold(tx, &name)?;
            apply(&mut row, &findings, tx.now());
            Ok((save(tx, row)?, findings))
        })
        .await?;
    Ok(Checked { domain, findings })
}

/// What the findings make of the domain.
fn apply(row: &mut MailDomain, findings: &[(Wanted, Found)], now: Timestamp) {
    let known = |found: &Found| !matches!(found, Found::Unknown(_));
    for (wanted, found) in findings.iter().filter(|(_, found)| known(found)) {
        let Purpose::Dkim { public_key, .. } = &wanted.purpose else { continue };
        // By the key, not the selector: the domain may have been made anew meanwhile.
        for key in row.keys.0.iter_mut().filter(|key| key.public_key == *public_key) {
            key.published_at = if *found == Found::Good { key.published_at.or(Some(now)) } else { None };
        }
    }
    let others = || findings.iter().filter(|(wanted, _)| !matches!(wanted.purpose, Purpose::Dkim { .. }));
    row.checked_at = Some(now);
    let lacks = others().any(|(_, found)| known(found) && *found != Found::Good);
    if lacks || !keys::cover(&row.keys.0) {
        row.verified_at = None;
    } else if others().all(|(_, found)| *found == Found::Good) {
        row.verified_at = row.verified_at.or(Some(now));
    }
}

/// How an agency's mail is signed and where it bounces to.
pub struct Sending {
    /// The domain.
    pub domain: String,
    /// The domain of the envelope sender.
    pub bounce_domain: String,
    /// What signs, one for each kind of key.
    pub signers: Vec<Signer>,
}

/// The verified domain that a user's mail comes from: that of the address, or else the agency's oldest;
/// none if the agency has none.
pub fn sending(
    conn: &mut DbConn,
    seals: &Seals,
    agency: AgencyId,
    address: &str,
) -> Result<Option<Sending>, AppError> {
    let mut rows = mail_domains::verified(conn, agency)?;
    if rows.is_empty() {
        return Ok(None);
    }
    let own = address.rsplit_once('@').and_then(|(_, domain)| mail_domain::parse_domain(domain).ok());
    let place = rows.iter().position(|row| Some(&row.domain) == own.as_ref()).unwrap_or_default();
    let row = rows.swap_remove(place);
    let signers = keys::signers(seals, &row)?;
    Ok(Some(Sending { domain: row.domain, bounce_domain: row.bounce_domain, signers }))
}

fn read_domain(pointer: &str, text: &str) -> Result<String, AppError> {
    mail_domain::parse_domain(text)
        .map_err(|error| AppError::fault(pointer, "invalid_domain", error.to_string()))
}

fn unknown() -> AppError {
    AppError::fault("/domain", "unknown_reference", "no agency sends mail from this domain")
}

fn hold(tx: &mut Tx<'_>, domain: &str) -> Result<MailDomain, AppError> {
    let domain = read_domain("/domain", domain)?;
    mail_domains::lock(tx, &domain)?.ok_or_else(unknown)
}

fn save(tx: &mut Tx<'_>, mut row: MailDomain) -> Result<MailDomain, AppError> {
    let former = tx.renew(&mut row.version, &mut row.updated_at);
    expect_written(mail_domains::update(tx, &row, former)?, row.version)?;
    happened(tx, "mail_domain.changed", &row);
    Ok(row)
}

fn happened(tx: &mut Tx<'_>, event: &str, row: &MailDomain) {
    Happening::to(event, row.id)
        .with("version", row.version)
        .with("verified", row.verified_at.is_some())
        .record(tx, &Caller::system(row.agency_id));
}
