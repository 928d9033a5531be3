//! Clients: the hiring companies.

use diesel::prelude::*;
use serde::Serialize;
use utoipa::ToSchema;

use super::connection::DbConn;
use super::record::record_queries;
use super::schema::clients;
use super::types::Json;
use crate::domain::ids::{AgencyId, ClientId};
use crate::domain::record::{ExternalRef, RecordKind};
use crate::domain::timestamp::Timestamp;

/// A hiring company.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset, Serialize, ToSchema)]
#[diesel(table_name = clients, treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct Client {
    /// The client's id.
    pub id: ClientId,
    #[expect(missing_docs, reason = "never shown")]
    #[serde(skip)]
    pub agency_id: AgencyId,
    /// What the company is called.
    pub name: String,
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

impl Client {
    /// What kind of record it is.
    pub const KIND: RecordKind = RecordKind::Client;
}

record_queries!(clients, Client, ClientId, (), |query, _filter| query);

/// Whether contacts or job orders of the client stand.
pub fn has_dependents(conn: &mut DbConn, client: ClientId) -> QueryResult<bool> {
    use super::schema::{contacts, job_orders};
    let contacts =
        contacts::table.filter(contacts::client_id.eq(client)).filter(contacts::deleted_at.is_null());
    let orders =
        job_orders::table.filter(job_orders::client_id.eq(client)).filter(job_orders::deleted_at.is_null());
    diesel::select(diesel::dsl::exists(contacts).or(diesel::dsl::exists(orders))).get_result(conn)
}
