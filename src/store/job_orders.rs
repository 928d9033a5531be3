//! Job orders: the vacancies that clients want filled.

use diesel::prelude::*;
use serde::Serialize;
use utoipa::ToSchema;

use super::connection::DbConn;
use super::record::record_queries;
use super::schema::{interviews, job_orders};
use super::types::Json;
use crate::domain::ids::{AgencyId, ClientId, JobOrderId};
use crate::domain::people::JobOrderStatus;
use crate::domain::record::{ExternalRef, RecordKind};
use crate::domain::timestamp::Timestamp;

/// A vacancy.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset, Serialize, ToSchema)]
#[diesel(table_name = job_orders, treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct JobOrder {
    /// The job order's id.
    pub id: JobOrderId,
    #[expect(missing_docs, reason = "never shown")]
    #[serde(skip)]
    pub agency_id: AgencyId,
    /// Who has the vacancy.
    pub client_id: ClientId,
    /// What the job is called.
    pub title: String,
    /// Where the vacancy stands.
    pub status: JobOrderStatus,
    /// What the agency should know.
    pub notes: Option<String>,
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

/// Which job orders a list shows.
#[derive(Debug, Clone, Default)]
pub struct JobOrderFilters {
    /// Those of one client.
    pub client_id: Option<ClientId>,
    /// Those that stand so.
    pub status: Option<JobOrderStatus>,
}

impl JobOrder {
    /// What kind of record it is.
    pub const KIND: RecordKind = RecordKind::JobOrder;
}

record_queries!(job_orders, JobOrder, JobOrderId, JobOrderFilters, |query, filters| {
    if let Some(client) = filters.client_id {
        query = query.filter(job_orders::client_id.eq(client));
    }
    if let Some(status) = filters.status {
        query = query.filter(job_orders::status.eq(status));
    }
    query
});

/// Whether interviews about the job order stand.
pub fn has_interviews(conn: &mut DbConn, order: JobOrderId) -> QueryResult<bool> {
    let standing =
        interviews::table.filter(interviews::job_order_id.eq(order)).filter(interviews::deleted_at.is_null());
    diesel::select(diesel::dsl::exists(standing)).get_result(conn)
}

/// Whether there was ever an interview about the job order, a deleted one too.
pub fn had_interviews(conn: &mut DbConn, order: JobOrderId) -> QueryResult<bool> {
    let held = interviews::table.filter(interviews::job_order_id.eq(order));
    diesel::select(diesel::dsl::exists(held)).get_result(conn)
}
