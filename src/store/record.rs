//! What the records that a CRM knows too have in common: external references, versions,
//! tombstones, and the order of their lists.

use std::collections::HashMap;

use super::connection::DbConn;
use super::prepared::{Prepared, insert_rows, pad};
use super::schema::external_refs;
use crate::domain::ids::{AgencyId, AnyRecordId, Id};
use crate::domain::record::{ExternalRef, RecordKind};
use crate::domain::timestamp::Timestamp;
use diesel::prelude::*;

/// Which rows of a list are wanted, after the filters that each kind has of its own.
#[derive(Clone)]
pub struct ListOptions<K> {
    /// Only rows that were changed at this time or later, oldest change first.
    pub updated_since: Option<Timestamp>,
    /// Tombstones too.
    pub include_deleted: bool,
    /// Only rows whose name has this part.
    pub named: Option<(String, String)>,
    /// Without `updated_since` the rows come newest first; with this, oldest first.
    pub oldest_first: bool,
    /// Only rows after this one.
    pub after: Option<(Timestamp, Id<K>)>,
    /// How many rows at the most.
    pub limit: i64,
}

/// What another system calls a record.
#[derive(Debug, Insertable)]
#[diesel(table_name = external_refs, treat_none_as_default_value = false)]
pub struct RefRow {
    agency_id: AgencyId,
    kind: RecordKind,
    system: String,
    external_id: String,
    record_id: AnyRecordId,
}

impl RefRow {
    /// What another system calls this record.
    #[must_use]
    pub fn new<K>(agency_id: AgencyId, kind: RecordKind, record: Id<K>, external: &ExternalRef) -> Self {
        let (system, external_id) = (external.system.clone(), external.id.clone());
        Self { agency_id, kind, system, external_id, record_id: record.cast() }
    }
}

/// Replaces the external references of a record.
pub fn replace_refs<K>(
    conn: &mut DbConn,
    agency: AgencyId,
    kind: RecordKind,
    record: Id<K>,
    refs: &[ExternalRef],
) -> QueryResult<()> {
    let record: AnyRecordId = record.cast();
    diesel::delete(external_refs::table.filter(external_refs::record_id.eq(record))).execute(conn)?;
    if refs.is_empty() {
        return Ok(());
    }
    let rows: Vec<RefRow> = refs.iter().map(|external| RefRow::new(agency, kind, record, external)).collect();
    insert_rows!(conn, external_refs::table, &rows)
}

/// The record that another system calls `external`.
pub fn find_by_ref<K>(
    conn: &mut DbConn,
    agency: AgencyId,
    kind: RecordKind,
    external: &ExternalRef,
) -> QueryResult<Option<Id<K>>> {
    let found: Option<AnyRecordId> = external_refs::table
        .find((agency, kind, &external.system, &external.id))
        .select(external_refs::record_id)
        .first(conn)
        .optional()?;
    Ok(found.map(Id::cast))
}

/// The records that other systems call by any of these references, each with the one that names it.
pub fn find_by_refs<K>(
    conn: &mut DbConn,
    agency: AgencyId,
    kind: RecordKind,
    refs: &[ExternalRef],
) -> QueryResult<HashMap<ExternalRef, Id<K>>> {
    if refs.is_empty() {
        return Ok(HashMap::new());
    }
    let mut systems: Vec<&str> = refs.iter().map(|external| external.system.as_str()).collect();
    systems.sort_unstable();
    systems.dedup();
    let ids: Vec<&str> = refs.iter().map(|external| external.id.as_str()).collect();
    // With several systems it finds a few that nobody asked for, which are not looked at.
    let named = external_refs::table
        .filter(external_refs::agency_id.eq(agency))
        .filter(external_refs::kind.eq(kind))
        .filter(external_refs::system.eq_any(pad(systems)))
        .filter(external_refs::external_id.eq_any(pad(ids)))
        .select((external_refs::system, external_refs::external_id, external_refs::record_id));
    let rows: Vec<(String, String, AnyRecordId)> = Prepared(named).load(conn)?;
    Ok(rows.into_iter().map(|(system, id, record)| (ExternalRef { system, id }, record.cast())).collect())
}

/// What another system calls some records, of whichever kind. Where it has several names for one, the
/// first in their order.
pub fn refs_in(
    conn: &mut DbConn,
    agency: AgencyId,
    system: &str,
    records: &[AnyRecordId],
) -> QueryResult<HashMap<AnyRecordId, String>> {
    let rows: Vec<(AnyRecordId, String)> = external_refs::table
        .filter(external_refs::record_id.eq_any(records))
        .filter(external_refs::agency_id.eq(agency))
        .filter(external_refs::system.eq(system))
        .order(external_refs::external_id.desc())
        .select((external_refs::record_id, external_refs::external_id))
        .load(conn)?;
    Ok(rows.into_iter().collect())
}

/// The row as it was read, if it is at `version` still.
macro_rules! present {
    ($table:ident, $row:expr, $version:expr) => {
        $table::table
            .filter($table::id.eq($row.id))
            .filter($table::agency_id.eq($row.agency_id))
            .filter($table::version.eq($version))
    };
}
pub(crate) use present;

/// The next version, for rows that are changed without being read.
macro_rules! next_version {
    ($table:ident, $now:expr) => {{
        use $crate::store::connection::Later;
        (
            $table::version.eq($table::version + 1),
            $table::updated_at.eq(Later(
                $table::updated_at,
                diesel::IntoSql::into_sql::<$crate::store::types::Instant>($now),
            )),
        )
    }};
}
pub(crate) use next_version;

/// The queries for one row: insert, find, hold, update under its version.
///
/// `$table` is the table's module, `$row` the whole row, `$id` its identifier.
macro_rules! row_queries {
    ($table:ident, $row:ident, $id:ty) => {
        /// Inserts a row.
        pub fn insert(conn: &mut DbConn, row: &$row) -> QueryResult<()> {
            diesel::insert_into($table::table).values(row).execute(conn).map(drop)
        }

        /// The row, a tombstone too.
        pub fn find(conn: &mut DbConn, agency: AgencyId, id: $id) -> QueryResult<Option<$row>> {
            $table::table
                .filter($table::id.eq(id))
                .filter($table::agency_id.eq(agency))
                .select($row::as_select())
                .first(conn)
                .optional()
        }

        /// The row, a tombstone too, taken until the transaction ends: nobody else can change it or
        /// begin to refer to it.
        pub fn lock(conn: &mut DbConn, agency: AgencyId, id: $id) -> QueryResult<Option<$row>> {
            use $crate::store::connection::{Lock, Locked};
            let row = $table::table
                .filter($table::id.eq(id))
                .filter($table::agency_id.eq(agency))
                .select($row::as_select());
            Locked(row, Lock::Wait).get_result(conn).optional()
        }

        /// The row, a tombstone too, for a record that will refer to it: until the transaction ends
        /// nobody can change or delete it.
        pub fn pin(conn: &mut DbConn, agency: AgencyId, id: $id) -> QueryResult<Option<$row>> {
            use $crate::store::connection::{Lock, Locked};
            let row = $table::table
                .filter($table::id.eq(id))
                .filter($table::agency_id.eq(agency))
                .select($row::as_select());
            Locked(row, Lock::Pin).get_result(conn).optional()
        }

        /// Writes the row over the one of `version`; false if that is not the present one.
        pub fn update(conn: &mut DbConn, row: &$row, version: i64) -> QueryResult<bool> {
            let present = $crate::store::record::present!($table, row, version);
            $crate::store::prepared::Prepared(diesel::update(present).set(row))
                .execute(conn)
                .map(|rows| rows == 1)
        }
    };
}
pub(crate) use row_queries;

/// What every list of records does after its own filters: leaves out tombstones, and takes a page.
macro_rules! page_of {
    ($query:expr, $table:ident, $options:expr) => {{
        let mut query = $query;
        if !$options.include_deleted {
            query = query.filter($table::deleted_at.is_null());
        }
        $crate::store::record::in_order!(query, $table, $options)
    }};
}
pub(crate) use page_of;

/// The page of a list: newest first, or oldest first, or with `updated_since` in the order of the
/// changes.
macro_rules! in_order {
    ($query:expr, $table:ident, $options:expr) => {{
        let mut query = $query;
        if let Some(since) = $options.updated_since {
            // One bound for the column: of two SQLite would go by the first, and walk from there.
            let from = $options.after.map_or(since, |(at, _)| at.max(since));
            query = query.filter($table::updated_at.ge(from)).order(($table::updated_at, $table::id));
            if let Some((at, id)) = $options.after {
                let later = $table::updated_at.gt(at);
                let same = $table::updated_at.eq(at).and($table::id.gt(id));
                query = query.filter(later.or(same));
            }
        } else if $options.oldest_first {
            query = query.order($table::id);
            if let Some((_, id)) = $options.after {
                query = query.filter($table::id.gt(id));
            }
        } else {
            let after = $options.after.map(|(_, id)| id);
            query = $crate::store::record::newest_first!(query, $table, after, $options.limit);
        }
        query.limit($options.limit)
    }};
}
pub(crate) use in_order;

/// The page of a list that has one order: newest first, from after a row on.
macro_rules! newest_first {
    ($query:expr, $table:ident, $after:expr, $limit:expr) => {{
        let mut query = $query.order($table::id.desc()).limit($limit);
        if let Some(after) = $after {
            query = query.filter($table::id.lt(after));
        }
        query
    }};
}
pub(crate) use newest_first;

/// The queries of a record whose JSON is its row: those for one row, and a list.
///
/// `$filters` is the type of the kind's own filters, applied by `$apply` to the boxed query.
macro_rules! record_queries {
    ($table:ident, $row:ident, $id:ty, $filters:ty, |$query:ident, $filter:ident| $apply:expr) => {
        $crate::store::record::row_queries!($table, $row, $id);

        /// A page of rows: newest first, or with `updated_since` in the order of their changes.
        pub fn list(
            conn: &mut DbConn,
            agency: AgencyId,
            $filter: &$filters,
            options: &$crate::store::record::ListOptions<<$id as $crate::store::record::IdKind>::Kind>,
        ) -> QueryResult<Vec<$row>> {
            let mut $query = $table::table
                .filter($table::agency_id.eq(agency))
                .select($row::as_select())
                .into_boxed::<$crate::store::connection::MultiBackend>();
            $query = $apply;
            if let Some(range) = &options.named {
                let (from, to) = range;
                $query = if $crate::store::names::are_many(conn, agency, $row::KIND, range)? {
                    $query.filter($crate::store::names::is_named!($table::id, from, to))
                } else {
                    $query.filter($table::id.eq_any($crate::store::names::in_range!(
                        agency,
                        $row::KIND,
                        from,
                        to
                    )))
                };
            }
            $crate::store::record::page_of!($query, $table, options).load(conn)
        }
    };
}
pub(crate) use record_queries;

/// The kind behind an identifier's type.
pub trait IdKind {
    /// What it names.
    type Kind;
}
impl<K> IdKind for Id<K> {
    type Kind = K;
}
