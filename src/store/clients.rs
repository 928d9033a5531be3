//! Clients: the hiring companies.

use diesel::prelude::*;
use serde::Serialize;
use utoipa::ToSchema;

use super::connection::{DbConn, MultiBackend};
use super::names::fold;
use super::record::record_queries;
use super::schema::{clients, name_parts};
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

/// What clients other than `besides` are called in whose names one of the words begins, whole;
/// `limit` at the most.
pub fn names_with(
    conn: &mut DbConn,
    agency: AgencyId,
    besides: ClientId,
    words: &[String],
    limit: i64,
) -> QueryResult<Vec<String>> {
    let of_clients = name_parts::agency_id.eq(agency).and(name_parts::kind.eq(RecordKind::Client));
    let mut named = name_parts::table
        .inner_join(clients::table.on(clients::id.eq(name_parts::record_id)))
        // No part is empty: without a word there is nothing that is wanted.
        .filter(of_clients.and(name_parts::part.eq("")))
        .select(clients::name)
        .distinct()
        .into_boxed::<MultiBackend>();
    for word in words {
        let word = fold(word);
        // A space, which may follow the word, comes before an exclamation mark; letters come after.
        let behind = format!("{word}!");
        named = named.or_filter(of_clients.and(name_parts::part.ge(word)).and(name_parts::part.lt(behind)));
    }
    named
        .filter(clients::id.ne(besides))
        .filter(clients::deleted_at.is_null())
        .order(clients::name)
        .limit(limit)
        .load(conn)
}
