//! What the use cases of every record that a CRM knows too have in common: create, change, create
//! or change by external reference, delete, find and list.

mod kind;
mod references;

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::error::checked;
use super::events::Happening;
use super::faults::Faults;
use super::{AppError, schema};
use crate::auth::caller::Caller;
use crate::domain::ids::{AgencyId, Id};
use crate::domain::record::ExternalRef;
use crate::domain::timestamp::Timestamp;
use crate::store::connection::DbConn;
use crate::store::pool::Tx;
use crate::store::{names, record};

pub use kind::{Common, Company, Input, Query, Record, View};
pub(crate) use kind::{common_query, row_methods};
pub use references::HasRefs;
pub use references::{WrongRef, check_one as check_ref};

/// A page of records.
pub fn list<R: Record>(
    conn: &mut DbConn,
    agency: AgencyId,
    query: &R::Query,
    after: Option<(Timestamp, Id<R::Kind>)>,
    limit: i64,
) -> Result<Vec<R>, AppError> {
    let (q, updated_since, include_deleted) = query.common();
    let named = q.map(names::range);
    let options =
        record::ListOptions { updated_since, include_deleted, named, oldest_first: false, after, limit };
    R::list(conn, agency, query, &options)
}

/// The versions that the caller would have a record at, any one of them; none if the caller does not care.
pub type Expected = Option<Vec<i64>>;

/// What the caller would have where they put a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// A record at one of these versions.
    Present(Expected),
    /// None, or none at one of these versions.
    Absent(Expected),
    /// They do not care.
    Either,
}

/// Fails unless `current` is a version that the caller expects.
pub fn expect_version(expected: Expected, current: i64) -> Result<(), AppError> {
    if expected.is_none_or(|versions| versions.contains(&current)) {
        Ok(())
    } else {
        Err(AppError::Stale { current })
    }
}

/// Fails unless a row was written over the version before `current`.
pub fn expect_written(written: bool, current: i64) -> Result<(), AppError> {
    if written { Ok(()) } else { Err(AppError::Stale { current }) }
}

/// Makes a record.
pub fn create<R: Record>(
    tx: &mut Tx<'_>,
    caller: &Caller,
    mut input: R::Input,
    adopt: Option<ExternalRef>,
) -> Result<R, AppError> {
    if let Some(external) = adopt {
        references::add(input.refs_mut().get_or_insert_default(), external);
    }
    let common = Common {
        id: tx.new_id(),
        agency_id: caller.agency,
        version: 1,
        created_at: tx.now(),
        updated_at: tx.now(),
        deleted_at: None,
    };
    let mut made: R = build(tx, common, input, None)?;
    made.insert(tx)?;
    make_known(tx, &made, None)?;
    happening(&made, &format!("{}.created", R::NOUN)).record(tx, caller);
    made.follow(tx, caller, None)?;
    Ok(made)
}

/// The record, unless it is deleted.
pub fn get<R: Record>(conn: &mut DbConn, agency: AgencyId, id: Id<R::Kind>) -> Result<R, AppError> {
    standing(R::find(conn, agency, id)?)
}

/// The record, unless it is deleted, taken until the transaction ends: what is then found out about
/// it, such as that nothing depends on it, stays true.
fn hold<R: Record>(
    tx: &mut Tx<'_>,
    agency: AgencyId,
    id: Id<R::Kind>,
    company: Company,
) -> Result<R, AppError> {
    R::lock_before(tx, agency, id, company)?;
    standing(R::lock(tx, agency, id)?)
}

fn standing<R: Record>(found: Option<R>) -> Result<R, AppError> {
    found.filter(|record| record.common().deleted_at.is_none()).ok_or(AppError::NotFound)
}

/// Changes a record; `edit` makes the new input of the present one. What would change nothing is no change.
pub fn change<R: Record>(
    tx: &mut Tx<'_>,
    caller: &Caller,
    id: Id<R::Kind>,
    expected: Expected,
    edit: impl FnOnce(R::Input) -> Result<R::Input, AppError>,
) -> Result<R, AppError> {
    let former: R = hold(tx, caller.agency, id, Company::Alone)?;
    expect_version(expected, former.common().version)?;
    let input = edit(former.input())?;
    let changed = next(tx, &former, input)?;
    save(tx, caller, &former, changed)
}

/// Creates the record that `external` names, or makes it what the input says. True if it is new.
/// It is called `external` in any case; an input that says nothing of references lets the others stand,
/// since each system that writes here knows its own only. What would change nothing is no change.
pub fn upsert<R: Record>(
    tx: &mut Tx<'_>,
    caller: &Caller,
    external: ExternalRef,
    wanted: Wanted,
    mut input: R::Input,
) -> Result<(R, bool), AppError> {
    let id = match record::find_by_ref(tx, caller.agency, R::KIND, &external)? {
        Some(id) => id,
        None if matches!(wanted, Wanted::Present(_)) => {
            return Err(AppError::Unmet("there is no such record"));
        }
        None => match tx.attempt(|tx| create(tx, caller, input.clone(), Some(external.clone()))) {
            Ok(made) => return Ok((made, true)),
            // Somebody may have been faster: then it is there to be changed.
            Err(error) => record::find_by_ref(tx, caller.agency, R::KIND, &external)?.ok_or(error)?,
        },
    };
    let former: R = hold(tx, caller.agency, id, Company::Alone)?;
    let version = former.common().version;
    match wanted {
        Wanted::Present(expected) => expect_version(expected, version)?,
        Wanted::Absent(known) => {
            if known.is_none_or(|known| known.contains(&version)) {
                return Err(AppError::Unmet("there is such a record already"));
            }
        }
        Wanted::Either => {}
    }
    input.keep(former.input());
    let refs = input.refs_mut().get_or_insert_with(|| former.external_refs().to_vec());
    references::add(refs, external);
    let changed = next(tx, &former, input)?;
    Ok((save(tx, caller, &former, changed)?, false))
}

/// What came of a row of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// A record was made.
    Created,
    /// It was changed.
    Updated,
    /// It was like this already.
    Unchanged,
}

/// Changes a record by a merge patch, or makes the one that the patch describes if there is none yet. It is
/// called `external` besides what it is called already. What would change nothing is no change, and then
/// it does not matter what version was expected.
pub fn put<R: Record>(
    tx: &mut Tx<'_>,
    caller: &Caller,
    id: Option<Id<R::Kind>>,
    external: Option<ExternalRef>,
    expected: Expected,
    patch: Map<String, Value>,
) -> Result<(R, Put), AppError> {
    if let Some(external) = &external {
        references::check_one(external)
            .map_err(|fault| AppError::fault("/external_id", "invalid_reference", fault.to_string()))?;
    }
    let Some(id) = id else {
        let given = schema::given(Value::Object(patch))?;
        return given.look_further(|input| Ok((create(tx, caller, input, external)?, Put::Created)));
    };
    let former: R = hold(tx, caller.agency, id, Company::Rows)?;
    let after = schema::patched(document(&former)?, &Value::Object(patch));
    let changed = schema::given::<R::Input>(after)?.look_further(|mut input| {
        // A file that comes every night, with a column that says nothing, is no decision on an off-limits contact.
        input.keep(former.input());
        if let Some(external) = external {
            references::add(input.refs_mut().get_or_insert_default(), external);
        }
        next(tx, &former, input)
    })?;
    let differences = differences(&former, &changed)?;
    if differences.is_empty() {
        return Ok((former, Put::Unchanged));
    }
    expect_version(expected, former.common().version)?;
    Ok((replace(tx, caller, &former, changed, differences)?, Put::Updated))
}

/// The input that would make a record, as a document.
fn document<R: Record>(record: &R) -> Result<Value, AppError> {
    serde_json::to_value(record.input()).map_err(|e| AppError::Internal(e.to_string()))
}

/// Deletes a record: it stays as a tombstone, and is no longer found by its name or references.
pub fn delete<R: Record>(
    tx: &mut Tx<'_>,
    caller: &Caller,
    id: Id<R::Kind>,
    expected: Expected,
) -> Result<(), AppError> {
    let former: R = hold(tx, caller.agency, id, Company::Alone)?;
    let mut gone = former.clone();
    let mut common = former.common();
    expect_version(expected, common.version)?;
    former.expect_changeable_by(caller)?;
    if let Some(what) = former.in_use(tx)? {
        return Err(AppError::conflict(super::error::ConflictCode::InUse, what));
    }
    let version = common.version;
    common.version += 1;
    tx.touch(&mut common.updated_at);
    common.deleted_at = Some(tx.now());
    gone.set_common(&common);
    write(tx, &gone, version)?;
    names::remove(tx, id)?;
    record::replace_refs(tx, caller.agency, R::KIND, id, &[])?;
    happening(&gone, &format!("{}.deleted", R::NOUN)).record(tx, caller);
    gone.follow(tx, caller, Some(&former))
}

/// The next version of a record, not written yet.
fn next<R: Record>(tx: &mut Tx<'_>, former: &R, input: R::Input) -> Result<R, AppError> {
    let mut common = former.common();
    common.version += 1;
    tx.touch(&mut common.updated_at);
    build(tx, common, input, Some(former))
}

/// The names of what a caller can say of a record and that has changed.
fn differences<R: Record>(former: &R, changed: &R) -> Result<Vec<String>, AppError> {
    let (former, changed) = (document(former)?, document(changed)?);
    let names =
        |document: &Value| document.as_object().map(|fields| fields.keys().cloned().collect::<Vec<_>>());
    let all: BTreeSet<String> = [&former, &changed].into_iter().filter_map(names).flatten().collect();
    Ok(all.into_iter().filter(|name| former.get(name) != changed.get(name)).collect())
}

/// Writes the next version of a record over the former one, unless it says the same.
fn save<R: Record>(tx: &mut Tx<'_>, caller: &Caller, former: &R, changed: R) -> Result<R, AppError> {
    let differences = differences(former, &changed)?;
    if differences.is_empty() {
        // Who may not change it is not told that nothing would have changed.
        former.expect_changeable_by(caller)?;
        return Ok(former.clone());
    }
    replace(tx, caller, former, changed, differences)
}

/// Writes the next version of a record over the former one, of which this is different.
fn replace<R: Record>(
    tx: &mut Tx<'_>,
    caller: &Caller,
    former: &R,
    mut changed: R,
    differences: Vec<String>,
) -> Result<R, AppError> {
    write(tx, &changed, former.common().version)?;
    make_known(tx, &changed, Some(former))?;
    happening(&changed, &format!("{}.updated", R::NOUN)).with("changed", differences).record(tx, caller);
    changed.follow(tx, caller, Some(former))?;
    Ok(changed)
}

fn build<R: Record>(
    tx: &mut Tx<'_>,
    common: Common<R::Kind>,
    mut input: R::Input,
    former: Option<&R>,
) -> Result<R, AppError> {
    let mut faults = Faults::default();
    input.check(&mut faults);
    if let Some(refs) = input.refs_mut() {
        references::check::<R>(tx, &common, refs, &mut faults)?;
    }
    let made = R::build(tx, common, input, former, &mut faults)?;
    checked(faults)?;
    Ok(made)
}

fn write<R: Record>(tx: &mut Tx<'_>, changed: &R, version: i64) -> Result<(), AppError> {
    expect_written(changed.update(tx, version)?, version + 1)
}

fn make_known<R: Record>(tx: &mut Tx<'_>, record: &R, former: Option<&R>) -> Result<(), AppError> {
    let common = record.common();
    if former.map(R::external_refs) != Some(record.external_refs()) {
        record::replace_refs(tx, common.agency_id, R::KIND, common.id, record.external_refs())?;
    }
    if let Some(name) = record.known_as().filter(|name| former.and_then(R::known_as) != Some(name)) {
        names::replace(tx, common.agency_id, R::KIND, common.id, name)?;
    }
    Ok(())
}

/// What happened to a record.
fn happening<'a, R: Record>(record: &R, event_type: &'a str) -> Happening<'a> {
    let common = record.common();
    let happening = Happening::to(event_type, common.id).with("version", common.version);
    match record.debrief() {
        Some(debrief) => happening.of(debrief),
        None => happening,
    }
}
