//! Webhook endpoints: where other systems want to be told of what happens.

use diesel::dsl::{exists, sql};
use diesel::prelude::*;
use diesel::sql_types::Bool;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::connection::{DbConn, MultiBackend};
use super::events::{Place, SETTLED};
use super::prepared::Prepared;
use super::record::{newest_first, row_queries};
use super::schema::{events, webhook_endpoints};
use super::types::Json;
use crate::domain::ids::{AgencyId, WebhookEndpointId};
use crate::domain::timestamp::Timestamp;
use crate::domain::webhook::DisabledBecause;

/// Where another system wants to be told of what happens.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset, Serialize, ToSchema)]
#[diesel(table_name = webhook_endpoints, treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct WebhookEndpoint {
    /// The endpoint's id.
    pub id: WebhookEndpointId,
    #[expect(missing_docs, reason = "never shown")]
    #[serde(skip)]
    pub agency_id: AgencyId,
    /// Where events are sent.
    pub url: String,
    /// What it is for.
    pub description: Option<String>,
    /// The types of events that are sent; none for all. There may be types here that a client does not know yet.
    #[schema(value_type = Vec<String>)]
    pub event_types: Json<Vec<String>>,
    #[expect(missing_docs, reason = "never shown")]
    #[serde(skip)]
    pub secrets: Json<Vec<SealedSecret>>,
    #[expect(missing_docs, reason = "never shown")]
    #[serde(skip)]
    pub position_xact: i64,
    #[expect(missing_docs, reason = "never shown")]
    #[serde(skip)]
    pub position_seq: i64,
    /// Since when every attempt has failed; none while something arrives.
    pub failing_since: Option<Timestamp>,
    /// Since when it gets nothing.
    pub disabled_at: Option<Timestamp>,
    /// Why it gets nothing.
    pub disabled_because: Option<DisabledBecause>,
    /// Rises by one with every change.
    pub version: i64,
    /// When the endpoint was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    #[expect(missing_docs, reason = "never shown")]
    #[serde(skip)]
    pub deleted_at: Option<Timestamp>,
}

/// A secret of an endpoint as it is kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SealedSecret {
    /// What opens with the service's own key, for this endpoint.
    pub sealed: String,
    /// Until when it signs; the present one has no end.
    pub until: Option<Timestamp>,
}

row_queries!(webhook_endpoints, WebhookEndpoint, WebhookEndpointId);

/// A page of endpoints, newest first.
pub fn list(
    conn: &mut DbConn,
    agency: AgencyId,
    after: Option<WebhookEndpointId>,
    limit: i64,
) -> QueryResult<Vec<WebhookEndpoint>> {
    let rows = webhook_endpoints::table
        .filter(webhook_endpoints::agency_id.eq(agency))
        .filter(webhook_endpoints::deleted_at.is_null())
        .select(WebhookEndpoint::as_select())
        .into_boxed::<MultiBackend>();
    newest_first!(rows, webhook_endpoints, after, limit).load(conn)
}

/// Endpoints of every agency, in the order of their ids.
pub fn all(
    conn: &mut DbConn,
    after: Option<WebhookEndpointId>,
    limit: i64,
) -> QueryResult<Vec<WebhookEndpoint>> {
    let mut query = webhook_endpoints::table
        .filter(webhook_endpoints::deleted_at.is_null())
        .select(WebhookEndpoint::as_select())
        .order(webhook_endpoints::id)
        .limit(limit)
        .into_boxed::<MultiBackend>();
    if let Some(after) = after {
        query = query.filter(webhook_endpoints::id.gt(after));
    }
    query.load(conn)
}

/// The endpoints of these ids, of every agency, tombstones too.
pub fn of_ids(conn: &mut DbConn, ids: &[WebhookEndpointId]) -> QueryResult<Vec<WebhookEndpoint>> {
    let rows = webhook_endpoints::table.filter(webhook_endpoints::id.eq_any(ids));
    rows.select(WebhookEndpoint::as_select()).load(conn)
}

/// The endpoints of every agency whose position is behind the end of the feed.
pub fn with_news(conn: &mut DbConn) -> QueryResult<Vec<(AgencyId, WebhookEndpointId)>> {
    let further = match conn {
        DbConn::Postgres(_) => format!(
            "(events.xact, events.seq) > (webhook_endpoints.position_xact, webhook_endpoints.position_seq) AND {SETTLED}"
        ),
        // All events are of one transaction; so nothing before the position is looked at.
        DbConn::Sqlite(_) => "events.xact = webhook_endpoints.position_xact \
             AND events.seq > webhook_endpoints.position_seq"
            .to_owned(),
    };
    let news = events::table
        .filter(events::agency_id.eq(webhook_endpoints::agency_id))
        .filter(sql::<Bool>(&further))
        .select(events::seq);
    webhook_endpoints::table
        .filter(webhook_endpoints::disabled_at.is_null())
        .filter(webhook_endpoints::deleted_at.is_null())
        .filter(exists(news))
        .select((webhook_endpoints::agency_id, webhook_endpoints::id))
        .load(conn)
}

/// Moves an endpoint on in the feed.
pub fn move_on(conn: &mut DbConn, id: WebhookEndpointId, (xact, seq): Place) -> QueryResult<()> {
    let moved = diesel::update(webhook_endpoints::table.find(id))
        .set((webhook_endpoints::position_xact.eq(xact), webhook_endpoints::position_seq.eq(seq)));
    Prepared(moved).execute(conn).map(drop)
}

/// Writes down since when nothing arrives.
pub fn set_failing(conn: &mut DbConn, id: WebhookEndpointId, since: Option<Timestamp>) -> QueryResult<()> {
    let changed =
        diesel::update(webhook_endpoints::table.find(id)).set(webhook_endpoints::failing_since.eq(since));
    Prepared(changed).execute(conn).map(drop)
}

/// Forgets at most `limit` deleted endpoints of which no delivery is left. Answers how many.
pub fn forget_deleted(conn: &mut DbConn, limit: i64) -> QueryResult<usize> {
    use super::schema::webhook_deliveries;
    let left = webhook_deliveries::table
        .filter(webhook_deliveries::endpoint_id.eq(webhook_endpoints::id))
        .select(webhook_deliveries::id);
    let gone = webhook_endpoints::table
        .filter(webhook_endpoints::deleted_at.is_not_null())
        .filter(diesel::dsl::not(exists(left)))
        .limit(limit)
        .select(webhook_endpoints::id);
    let ids: Vec<WebhookEndpointId> = gone.load(conn)?;
    diesel::delete(webhook_endpoints::table.filter(webhook_endpoints::id.eq_any(ids))).execute(conn)
}
