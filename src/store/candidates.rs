//! Candidates: the people who are interviewed.

use diesel::prelude::*;
use serde::Serialize;
use utoipa::ToSchema;

use super::connection::DbConn;
use super::record::record_queries;
use super::schema::{candidates, interviews};
use super::types::Json;
use crate::domain::ids::{AgencyId, CandidateId};
use crate::domain::record::{ExternalRef, RecordKind};
use crate::domain::timestamp::Timestamp;

/// A person interviewed.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset, Serialize, ToSchema)]
#[diesel(table_name = candidates, treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct Candidate {
    /// The candidate's id.
    pub id: CandidateId,
    #[expect(missing_docs, reason = "never shown")]
    #[serde(skip)]
    pub agency_id: AgencyId,
    /// What the person is called.
    pub name: String,
    /// The person's own address; never shown to a client.
    pub email: Option<String>,
    /// Where the recruiter calls.
    pub phone: Option<String>,
    /// The person's language, as a tag of BCP 47.
    pub locale: Option<String>,
    /// The time zone of the IANA database in which the person's days begin and end.
    pub time_zone: String,
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

impl Candidate {
    /// What kind of record it is.
    pub const KIND: RecordKind = RecordKind::Candidate;
}

record_queries!(candidates, Candidate, CandidateId, (), |query, _filter| query);

/// Whether interviews of the candidate stand.
pub fn has_interviews(conn: &mut DbConn, candidate: CandidateId) -> QueryResult<bool> {
    let standing = interviews::table
        .filter(interviews::candidate_id.eq(candidate))
        .filter(interviews::deleted_at.is_null());
    diesel::select(diesel::dsl::exists(standing)).get_result(conn)
}
