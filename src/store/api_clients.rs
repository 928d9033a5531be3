//! API clients: the machine accounts of integrations.

use diesel::prelude::*;
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use super::connection::{DbConn, Lock, Locked, MultiBackend};
use super::prepared::Prepared;
use super::record::{newest_first, present};
use super::schema::api_clients;
use crate::domain::ids::{AgencyId, ApiClientId};
use crate::domain::people::{Scope, Scopes};
use crate::domain::timestamp::Timestamp;

/// A machine account of an integration.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset, Serialize, ToSchema)]
#[diesel(table_name = api_clients, treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct ApiClient {
    /// The account's id: its `client_id` when it asks for a token.
    pub id: ApiClientId,
    #[expect(missing_docs, reason = "never shown")]
    #[serde(skip)]
    pub agency_id: AgencyId,
    /// What the integration is called.
    pub name: String,
    /// What its tokens may allow.
    #[serde(serialize_with = "as_list")]
    #[schema(value_type = Vec<Scope>)]
    pub scopes: Scopes,
    #[expect(missing_docs, reason = "never shown")]
    #[serde(skip)]
    pub secret_hash: Vec<u8>,
    /// Since when it gets no more tokens.
    pub disabled_at: Option<Timestamp>,
    /// Rises by one with every change.
    pub version: i64,
    /// When the account was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// As it is sent, and not as a token has it.
fn as_list<S: Serializer>(scopes: &Scopes, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(scopes.iter())
}

/// Inserts an account.
pub fn insert(conn: &mut DbConn, client: &ApiClient) -> QueryResult<()> {
    diesel::insert_into(api_clients::table).values(client).execute(conn).map(drop)
}

/// The account.
pub fn find(conn: &mut DbConn, agency: AgencyId, id: ApiClientId) -> QueryResult<Option<ApiClient>> {
    let found = api_clients::table.filter(api_clients::id.eq(id)).filter(api_clients::agency_id.eq(agency));
    found.select(ApiClient::as_select()).first(conn).optional()
}

/// The account, taken until the transaction ends.
pub fn lock(conn: &mut DbConn, agency: AgencyId, id: ApiClientId) -> QueryResult<Option<ApiClient>> {
    let query = api_clients::table
        .filter(api_clients::id.eq(id))
        .filter(api_clients::agency_id.eq(agency))
        .select(ApiClient::as_select());
    Locked(query, Lock::Wait).get_result(conn).optional()
}

/// The account, of whichever agency: for signing in.
pub fn find_any(conn: &mut DbConn, id: ApiClientId) -> QueryResult<Option<ApiClient>> {
    api_clients::table.find(id).select(ApiClient::as_select()).first(conn).optional()
}

/// Writes the account over the one of `version`; false if that is not the present one.
pub fn update(conn: &mut DbConn, client: &ApiClient, version: i64) -> QueryResult<bool> {
    Prepared(diesel::update(present!(api_clients, client, version)).set(client))
        .execute(conn)
        .map(|rows| rows == 1)
}

/// A page of accounts, newest first.
pub fn list(
    conn: &mut DbConn,
    agency: AgencyId,
    after: Option<ApiClientId>,
    limit: i64,
) -> QueryResult<Vec<ApiClient>> {
    let rows = api_clients::table
        .filter(api_clients::agency_id.eq(agency))
        .select(ApiClient::as_select())
        .into_boxed::<MultiBackend>();
    newest_first!(rows, api_clients, after, limit).load(conn)
}
