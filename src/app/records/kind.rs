//! What a kind of record says of itself, so that the use cases can handle every kind alike.

use serde::Serialize;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;

use super::HasRefs;
use crate::app::AppError;
use crate::app::faults::Faults;
use crate::auth::caller::Caller;
use crate::domain::ids::{AgencyId, DebriefId, Id, Kind};
use crate::domain::record::{ExternalRef, RecordKind};
use crate::domain::search::NamePart;
use crate::domain::timestamp::Timestamp;
use crate::store::connection::DbConn;
use crate::store::pool::Tx;
use crate::store::record;

/// The body of a request that writes a record.
pub trait Input: Clone + DeserializeOwned + Serialize + ToSchema + Send + 'static {
    /// Notes the faults that the schema cannot see.
    fn check(&self, _: &mut Faults) {}

    /// Takes from the present record what a whole document leaves as before by not speaking of it.
    fn keep(&mut self, _: Self) {}
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

/// Whether a record has its transaction to itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Company {
    /// It has.
    Alone,
    /// It shares it with the other rows of a file.
    Rows,
}

/// A kind of record that the generic use cases below can handle.
pub trait Record: Clone + Serialize + ToSchema + Send + 'static {
    /// What its id names.
    type Kind: Kind;
    /// The body that makes or changes it.
    type Input: Input + HasRefs;
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
    /// Fails if it is a colleague's, and the caller may not change what is a colleague's.
    fn expect_changeable_by(&self, _: &Caller) -> Result<(), AppError> {
        Ok(())
    }
    /// What stands in the way of deleting it.
    fn in_use(&self, conn: &mut DbConn) -> Result<Option<&'static str>, AppError>;
    /// The debrief whose history tells of it.
    fn debrief(&self) -> Option<DebriefId> {
        None
    }
    /// Does what else follows from its being made, changed or deleted; `former` is the record as it
    /// stood. Called last, with everything written.
    fn follow(&mut self, _: &mut Tx<'_>, _: &Caller, _former: Option<&Self>) -> Result<(), AppError> {
        Ok(())
    }

    /// Inserts it.
    fn insert(&self, conn: &mut DbConn) -> Result<(), AppError>;
    /// Finds one, a tombstone too.
    fn find(conn: &mut DbConn, agency: AgencyId, id: Id<Self::Kind>) -> Result<Option<Self>, AppError>;
    /// Takes what everybody takes before such a record, so that nobody waits in a circle.
    fn lock_before(_: &mut DbConn, _: AgencyId, _: Id<Self::Kind>, _: Company) -> Result<(), AppError> {
        Ok(())
    }
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
pub trait Query: Default + DeserializeOwned + ToSchema + Send + Sync + 'static {
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

/// Writes the parts of [`Record`] that are the same for every kind: the row's common columns and
/// the queries of its module in the store.
macro_rules! row_methods {
    ($store:ident) => {
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
        fn lock(conn: &mut DbConn, agency: AgencyId, id: Id<Self::Kind>) -> Result<Option<Self>, AppError> {
            Ok($store::lock(conn, agency, id)?)
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
pub(crate) use row_methods;
