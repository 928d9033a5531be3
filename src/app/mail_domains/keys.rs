//! The keys of a domain: sealed in the database, open only while something is signed.

use strum::VariantArray;

use crate::app::AppError;
use crate::auth::seal::Seals;
use crate::domain::ids::MailDomainId;
use crate::domain::mail_domain::DkimAlgorithm;
use crate::domain::timestamp::Timestamp;
use crate::mail::{self, NewKey, Signer};
use crate::store::mail_domains::{self, DkimKey, MailDomain};
use crate::store::pool::Tx;

/// A new key of each kind. An RSA key takes a while to make, so that is done before the transaction.
pub struct NewKeys(Vec<(DkimAlgorithm, NewKey)>);

/// Makes a key of each kind.
pub fn generate() -> Result<NewKeys, AppError> {
    let make = |algorithm: &DkimAlgorithm| Ok((*algorithm, mail::generate(*algorithm).map_err(broken)?));
    DkimAlgorithm::VARIANTS.iter().map(make).collect::<Result<_, AppError>>().map(NewKeys)
}

fn broken(error: mail::DkimError) -> AppError {
    AppError::Internal(error.to_string())
}

/// New keys as they are kept, under selectors that no key before has had.
pub(super) fn sealed(
    seals: &Seals,
    domain: MailDomainId,
    former: &[DkimKey],
    new: NewKeys,
    now: Timestamp,
) -> Result<Vec<DkimKey>, AppError> {
    let generation = former.len() / DkimAlgorithm::VARIANTS.len() + 1;
    let sealed = new.0.into_iter().map(|(algorithm, key)| {
        let selector = format!("debrief{generation}-{algorithm}");
        let sealed = seals.seal(&place(domain, &selector), &key.private);
        Ok(DkimKey {
            sealed: sealed.ok_or_else(|| AppError::Internal("a DKIM key could not be sealed".to_owned()))?,
            selector,
            algorithm,
            public_key: key.public,
            created_at: now,
            published_at: None,
            retired_at: None,
        })
    });
    sealed.collect()
}

/// Where a key is kept: it opens nowhere else.
fn place(domain: MailDomainId, selector: &str) -> Vec<u8> {
    [domain.uuid().as_bytes(), selector.as_bytes()].concat()
}

/// The key of each kind that signs: the newest that the DNS has.
fn in_use(keys: &[DkimKey]) -> impl Iterator<Item = &DkimKey> {
    DkimAlgorithm::VARIANTS.iter().filter_map(|algorithm| {
        let mut newest_first = keys.iter().rev().filter(|key| key.algorithm == *algorithm);
        newest_first.find(|key| key.published_at.is_some() && key.retired_at.is_none())
    })
}

/// Whether there is a key of each kind to sign with.
pub(super) fn cover(keys: &[DkimKey]) -> bool {
    in_use(keys).count() == DkimAlgorithm::VARIANTS.len()
}

/// What signs for the domain.
pub(super) fn signers(seals: &Seals, row: &MailDomain) -> Result<Vec<Signer>, AppError> {
    let signer = |key: &DkimKey| {
        let opened = seals.open(&place(row.id, &key.selector), &key.sealed).ok_or_else(|| {
            let detail = "was sealed with a signing key that is not among the present and former ones";
            AppError::Internal(format!("the key {} of {} {detail}: rotate it", key.selector, row.id))
        })?;
        Signer::new(key.algorithm, &row.domain, &key.selector, &opened.bytes).map_err(broken)
    };
    in_use(&row.keys.0).map(signer).collect()
}

/// Seals with the service's present key what was sealed with a former one.
pub fn reseal(tx: &mut Tx<'_>, seals: &Seals) -> Result<(), AppError> {
    for (seen, _) in mail_domains::all(tx)? {
        let is_former = |key: &DkimKey| {
            let opened = seals.open(&place(seen.id, &key.selector), &key.sealed);
            opened.is_some_and(|opened| !opened.is_present)
        };
        if !seen.keys.0.iter().any(is_former) {
            continue;
        }
        let Some(mut row) = mail_domains::lock(tx, &seen.domain)? else { continue };
        for key in &mut row.keys.0 {
            let place = place(row.id, &key.selector);
            if let Some(opened) = seals.open(&place, &key.sealed)
                && let Some(sealed) = seals.seal(&place, &opened.bytes)
            {
                key.sealed = sealed;
            }
        }
        mail_domains::update(tx, &row, row.version)?;
    }
    Ok(())
}
