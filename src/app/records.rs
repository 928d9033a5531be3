//! What the use cases of every record that a CRM knows too have in common: create, change, create
//! or change by external reference, delete, find and list.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use utoipa::ToSchema;

use super::AppError;
use super::error::checked;
use super::events::Happening;
use super::faults::Faults;
use crate::auth::caller::Caller;
use crate::domain::ids::{AgencyId, DebriefId, Id, Kind};
use crate::domain::record::{ExternalRef, RecordKind};
use crate::domain::search::NamePart;
use crate::domain::text::check_line;
use crate::domain::timestamp::Timestamp;
use crate::store::connection::DbConn;
use crate::store::pool::Tx;
use crate::store::{names, record};

/// The body of a request that writes a record.
pub trait Input: DeserializeOwned + Serialize + ToSchema + Send + 'static {
    /// Notes the faults that the schema cannot see.
    fn check(&self, faults: &mut Faults);
}

/// What every record has.
#[derive(Clone)]
pub struct Common<K> {
    /// The record's id.
    pub id: Id<K>,
    /// Its agency.
    pub agency_id: AgencyId,
    /// Its version.
    pub version: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// When it was deleted.
    pub deleted_at: Option<Timestamp>,
}

/// A kind of record that the generic use cases below can handle.
pub trait Record: Clone + Serialize + ToSchema + Send + 'static {
    /// What its id names.
    type Kind: Kind;
    /// The body that makes or changes it.
    type Input: Input;
    /// The filters of its lists.
    type Query: Query;
    /// Its kind.
    const KIND: RecordKind;
    /// Its noun in the names of events.
    const NOUN: &'static str;

    /// The record that `input` describes. References to other records are looked up here, and
    /// faults noted; `former` is the record as it stood, if there was one.
    fn build(
        tx: &mut Tx<'_>,
        common: Common<Self::Kind>,
        input: Self::Input,
        former: Option<&Self>,
        faults: &mut Faults,
    ) -> Result<Self, AppError>;
    /// The input that would make this record: what a merge patch is applied to.
    fn input(&self) -> Self::Input;
    /// What every record has.
    fn common(&self) -> Common<Self::Kind>;
    /// Changes what every record has.
    fn set_common(&mut self, common: &Common<Self::Kind>);
    /// The name that it is found by, if it has one.
    fn known_as(&self) -> Option<&str>;
    /// Its external references.
    fn external_refs(&self) -> &[ExternalRef];
    /// What stands in the way of deleting it.
    fn in_use(&self, conn: &mut DbConn) -> Result<Option<&'static str>, AppError>;
    /// The debrief whose history tells of it.
    fn debrief(&self) -> Option<DebriefId> {
        None
    }
    /// Does what else follows from its being made, changed or deleted; `former` is the record as it
    /// stood. Called last, with everything written.
    fn follow(&mut self, tx: &mut Tx<'_>, caller: &Caller, former: Option<&Self>) -> Result<(), AppError> {
        let _ = (tx, caller, former);
        Ok(())
    }

    /// Inserts it.
    fn insert(&self, conn: &mut DbConn) -> Result<(), AppError>;
    /// Finds one, a tombstone too.
    fn find(conn: &mut DbConn, agency: AgencyId, id: Id<Self::Kind>) -> Result<Option<Self>, AppError>;
    /// Finds one, a tombstone too, and takes it until the transaction ends.
    fn lock(conn: &mut DbConn, agency: AgencyId, id: Id<Self::Kind>) -> Result<Option<Self>, AppError>;
    /// Writes it over the one of `version`.
    fn update(&self, conn: &mut DbConn, version: i64) -> Result<bool, AppError>;
    /// A page of them.
    fn list(
        conn: &mut DbConn,
        agency: AgencyId,
        query: &Self::Query,
        options: &record::ListOptions<Self::Kind>,
    ) -> Result<Vec<Self>, AppError>;
}

/// What the answer to a request needs to know of a record.
pub trait View: Record {
    /// The record's id.
    fn id(&self) -> Id<Self::Kind> {
        self.common().id
    }
    /// Its version.
    fn version(&self) -> i64 {
        self.common().version
    }
    /// When it was last changed.
    fn updated_at(&self) -> Timestamp {
        self.common().updated_at
    }
}
impl<R: Record> View for R {}

/// The filters of a list of records.
pub trait Query: DeserializeOwned + ToSchema + Send + Sync + 'static {
    /// The filters that every kind has: `q`, `updated_since`, `include_deleted`.
    fn common(&self) -> (Option<&NamePart>, Option<Timestamp>, bool);
}

/// Writes [`Query`] for a struct with the three fields.
macro_rules! common_query {
    ($query:ty) => {
        impl $crate::app::records::Query for $query {
            fn common(
                &self,
            ) -> (
                Option<&$crate::domain::search::NamePart>,
                Option<$crate::domain::timestamp::Timestamp>,
                bool,
            ) {
                (self.q.as_ref(), self.updated_since, self.include_deleted.unwrap_or_default())
            }
        }
    };
}
pub(crate) use common_query;

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
    R::list(conn, agency, query, &record::ListOptions { updated_since, include_deleted, named, after, limit })
}

/// The version that the caller believes a record to be at; none if the caller does not care.
pub type Expected = Option<i64>;

/// Fails unless `current` is the version that the caller expects.
pub fn expect_version(expected: Expected, current: i64) -> Result<(), AppError> {
    if expected.is_none_or(|version| version == current) { Ok(()) } else { Err(AppError::Stale { current }) }
}

/// Makes a record.
pub fn create<R: Record>(
    tx: &mut Tx<'_>,
    caller: &Caller,
    mut input: R::Input,
    adopt: Option<ExternalRef>,
) -> Result<R, AppError>
where
    R::Input: HasRefs,
{
    if let Some(external) = adopt.filter(|external| !input.refs_mut().contains(external)) {
        input.refs_mut().push(external);
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
    happened(tx, caller, &made, "created")?;
    made.follow(tx, caller, None)?;
    Ok(made)
}

/// The record, unless it is deleted.
pub fn get<R: Record>(conn: &mut DbConn, agency: AgencyId, id: Id<R::Kind>) -> Result<R, AppError> {
    standing(R::find(conn, agency, id)?)
}

/// The record, unless it is deleted, taken until the transaction ends: what is then found out about
/// it, such as that nothing depends on it, stays true.
fn take<R: Record>(tx: &mut Tx<'_>, agency: AgencyId, id: Id<R::Kind>) -> Result<R, AppError> {
    standing(R::lock(tx, agency, id)?)
}

fn standing<R: Record>(found: Option<R>) -> Result<R, AppError> {
    found.filter(|record| record.common().deleted_at.is_none()).ok_or(AppError::NotFound)
}

/// Changes a record by a merge patch (RFC 7396). `read` makes an input of the patched document,
/// refusing what the document's schema does not allow.
pub fn patch<R: Record>(
    tx: &mut Tx<'_>,
    caller: &Caller,
    id: Id<R::Kind>,
    expected: Expected,
    patch: &Value,
    read: impl FnOnce(Value) -> Result<R::Input, AppError>,
) -> Result<R, AppError>
where
    R::Input: HasRefs,
{
    let former: R = take(tx, caller.agency, id)?;
    expect_version(expected, former.common().version)?;
    let mut document = serde_json::to_value(former.input()).map_err(|e| AppError::Internal(e.to_string()))?;
    json_patch::merge(&mut document, patch);
    change(tx, caller, former, read(document)?)
}

/// Creates the record that `external` names, or makes it what the input says. True if it is new.
pub fn upsert<R: Record>(
    tx: &mut Tx<'_>,
    caller: &Caller,
    external: ExternalRef,
    expected: Expected,
    mut input: R::Input,
) -> Result<(R, bool), AppError>
where
    R::Input: HasRefs,
{
    check_ref(&external).map_err(|fault| AppError::fault("/external_refs/0", "invalid", fault))?;
    let Some(id) = record::find_by_ref(tx, caller.agency, R::KIND, &external)? else {
        return Ok((create(tx, caller, input, Some(external))?, true));
    };
    let former: R = take(tx, caller.agency, id)?;
    expect_version(expected, former.common().version)?;
    if !input.refs_mut().contains(&external) {
        input.refs_mut().push(external);
    }
    Ok((change(tx, caller, former, input)?, false))
}

/// Deletes a record: it stays as a tombstone, and is no longer found by its name or references.
pub fn delete<R: Record>(
    tx: &mut Tx<'_>,
    caller: &Caller,
    id: Id<R::Kind>,
    expected: Expected,
) -> Result<(), AppError> {
    let former: R = take(tx, caller.agency, id)?;
    let mut gone = former.clone();
    let mut common = former.common();
    expect_version(expected, common.version)?;
    if let Some(what) = former.in_use(tx)? {
        return Err(AppError::conflict(super::error::ConflictCode::InUse, what));
    }
    let version = common.version;
    common.version += 1;
    common.updated_at = tx.now();
    common.deleted_at = Some(tx.now());
    gone.set_common(&common);
    write(tx, &gone, version)?;
    names::remove(tx, id)?;
    record::replace_refs(tx, caller.agency, R::KIND, id, &[])?;
    happened(tx, caller, &gone, "deleted")?;
    gone.follow(tx, caller, Some(&former))
}

fn change<R: Record>(tx: &mut Tx<'_>, caller: &Caller, former: R, input: R::Input) -> Result<R, AppError>
where
    R::Input: HasRefs,
{
    let mut common = former.common();
    let version = common.version;
    common.version += 1;
    common.updated_at = tx.now();
    let mut changed: R = build(tx, common, input, Some(&former))?;
    write(tx, &changed, version)?;
    make_known(tx, &changed, Some(&former))?;
    happened(tx, caller, &changed, "updated")?;
    changed.follow(tx, caller, Some(&former))?;
    Ok(changed)
}

fn build<R: Record>(
    tx: &mut Tx<'_>,
    common: Common<R::Kind>,
    mut input: R::Input,
    former: Option<&R>,
) -> Result<R, AppError>
where
    R::Input: HasRefs,
{
    let mut faults = Faults::default();
    input.check(&mut faults);
    let (agency, id) = (common.agency_id, common.id);
    input.refs_mut().sort_unstable();
    for (i, external) in input.refs_mut().iter().enumerate() {
        if let Err(fault) = check_ref(external) {
            faults.add(format!("/external_refs/{i}"), "invalid", fault);
            continue;
        }
        let other = record::find_by_ref(tx, agency, R::KIND, external)?;
        if other.is_some_and(|other| other != id) {
            let detail = format!("another record is {} in {} already", external.id, external.system);
            faults.add(format!("/external_refs/{i}"), "already_exists", detail);
        }
    }
    if input.refs_mut().windows(2).any(|pair| pair[0] == pair[1]) {
        faults.add("/external_refs", "duplicate", "names the same reference twice");
    }
    let made = R::build(tx, common, input, former, &mut faults)?;
    checked(faults)?;
    Ok(made)
}

/// The longest name of another system, in characters.
const MAX_SYSTEM: usize = 64;
/// The longest id in another system, in characters.
const MAX_EXTERNAL_ID: usize = 255;

/// Checks a reference: one in a path has not met the schema that a body is checked against.
fn check_ref(external: &ExternalRef) -> Result<(), &'static str> {
    let keepable = |text: &str, max_chars: usize| {
        (1..=max_chars).contains(&text.chars().count()) && check_line(text).is_ok()
    };
    if keepable(&external.system, MAX_SYSTEM) && keepable(&external.id, MAX_EXTERNAL_ID) {
        Ok(())
    } else {
        Err("is empty, too long, or has control characters")
    }
}

/// An input with external references.
pub trait HasRefs {
    /// The references, to be read or added to.
    fn refs_mut(&mut self) -> &mut Vec<ExternalRef>;
}

fn write<R: Record>(tx: &mut Tx<'_>, changed: &R, version: i64) -> Result<(), AppError> {
    if changed.update(tx, version)? { Ok(()) } else { Err(AppError::Stale { current: version + 1 }) }
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

fn happened<R: Record>(tx: &mut Tx<'_>, caller: &Caller, record: &R, what: &str) -> Result<(), AppError> {
    let common = record.common();
    let event_type = format!("{}.{what}", R::NOUN);
    let mut happening = Happening::to(&event_type, common.id).with("version", common.version);
    if let Some(debrief) = record.debrief() {
        happening = happening.of(debrief);
    }
    happening.record(tx, caller)
}

/// Writes the parts of [`Record`] that are the same for every kind: the row's common columns and
/// the queries of its module in the store.
macro_rules! record_columns {
    ($store:ident) => {
        record_columns!($store, |conn, agency, id| {});
    };
    // With what is to be held before the record itself.
    ($store:ident, |$conn:ident, $agency:ident, $id:ident| $before:block) => {
        fn common(&self) -> Common<Self::Kind> {
            Common {
                id: self.id,
                agency_id: self.agency_id,
                version: self.version,
                created_at: self.created_at,
                updated_at: self.updated_at,
                deleted_at: self.deleted_at,
            }
        }
        fn set_common(&mut self, common: &Common<Self::Kind>) {
            self.version = common.version;
            self.updated_at = common.updated_at;
            self.deleted_at = common.deleted_at;
        }
        fn external_refs(&self) -> &[ExternalRef] {
            &self.external_refs.0
        }
        fn insert(&self, conn: &mut DbConn) -> Result<(), AppError> {
            Ok($store::insert(conn, self)?)
        }
        fn find(conn: &mut DbConn, agency: AgencyId, id: Id<Self::Kind>) -> Result<Option<Self>, AppError> {
            Ok($store::find(conn, agency, id)?)
        }
        fn lock($conn: &mut DbConn, $agency: AgencyId, $id: Id<Self::Kind>) -> Result<Option<Self>, AppError> {
            $before
            Ok($store::lock($conn, $agency, $id)?)
        }
        fn update(&self, conn: &mut DbConn, version: i64) -> Result<bool, AppError> {
            Ok($store::update(conn, self, version)?)
        }
        fn list(
            conn: &mut DbConn,
            agency: AgencyId,
            query: &Self::Query,
            options: &ListOptions<Self::Kind>,
        ) -> Result<Vec<Self>, AppError> {
            Ok($store::list(conn, agency, &query.filters(), options)?)
        }
    };
}
pub(crate) use record_columns;
