//! Webhook deliveries: events on their way to endpoints.
//!
//! What is claimed is locked without waiting for anybody; everything else takes the endpoint first.

use diesel::dsl::{exists, sql};
use diesel::prelude::*;
use diesel::sql_types::Bool;
use serde::Serialize;
use utoipa::ToSchema;

use super::connection::{DbConn, Lock, Locked, MultiBackend};
use super::prepared::{Prepared, insert_rows};
use super::record::newest_first;
use super::schema::{webhook_deliveries, webhook_endpoints};
use crate::domain::ids::{AgencyId, EventId, WebhookDeliveryId, WebhookEndpointId};
use crate::domain::timestamp::Timestamp;
use crate::domain::webhook::WebhookDeliveryState;

/// What waits for an attempt, or for the end of one. The words stand in the statement, so that the
/// partial indexes are of use.
const WAITING: &str = "webhook_deliveries.state IN ('pending', 'sending')";

/// One event on its way to one endpoint.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset, Serialize, ToSchema)]
#[diesel(table_name = webhook_deliveries, treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct WebhookDelivery {
    /// The delivery's id.
    pub id: WebhookDeliveryId,
    #[expect(missing_docs, reason = "never shown")]
    #[serde(skip)]
    pub agency_id: AgencyId,
    /// The endpoint.
    pub endpoint_id: WebhookEndpointId,
    /// The event, and the `webhook-id` of every attempt.
    pub event_id: EventId,
    /// What happened.
    #[schema(example = "debrief.released")]
    pub event_type: String,
    #[expect(missing_docs, reason = "never shown")]
    #[serde(skip)]
    pub body: String,
    /// Where it stands.
    pub state: WebhookDeliveryState,
    /// How many attempts have begun.
    pub attempts: i32,
    /// When the next attempt is due. While one is under way, when it is taken for lost.
    pub next_attempt_at: Option<Timestamp>,
    #[expect(missing_docs, reason = "never shown")]
    #[serde(skip)]
    pub lease_token: i64,
    /// When the last attempt began.
    pub last_attempt_at: Option<Timestamp>,
    /// The status that the receiver last answered with.
    pub last_status: Option<i32>,
    /// Why there was no answer at the last attempt, or why there will be none.
    pub last_error: Option<String>,
    /// When the receiver answered with 2xx.
    pub delivered_at: Option<Timestamp>,
    /// When the delivery was queued.
    pub created_at: Timestamp,
    /// When it last moved on.
    pub updated_at: Timestamp,
}

/// Inserts deliveries.
pub fn insert_all(conn: &mut DbConn, rows: &[WebhookDelivery]) -> QueryResult<()> {
    if rows.is_empty() {
        return Ok(());
    }
    insert_rows!(conn, webhook_deliveries::table, rows)
}

/// A page of an endpoint's deliveries, newest first.
pub fn list(
    conn: &mut DbConn,
    endpoint: WebhookEndpointId,
    state: Option<WebhookDeliveryState>,
    after: Option<WebhookDeliveryId>,
    limit: i64,
) -> QueryResult<Vec<WebhookDelivery>> {
    let mut rows = webhook_deliveries::table
        .filter(webhook_deliveries::endpoint_id.eq(endpoint))
        .select(WebhookDelivery::as_select())
        .into_boxed::<MultiBackend>();
    if let Some(state) = state {
        rows = rows.filter(webhook_deliveries::state.eq(state));
    }
    newest_first!(rows, webhook_deliveries, after, limit).load(conn)
}

/// The endpoints of every agency for which something is due, in the order of their ids.
pub fn ready(conn: &mut DbConn, now: Timestamp) -> QueryResult<Vec<WebhookEndpointId>> {
    let due = webhook_deliveries::table
        .filter(webhook_deliveries::endpoint_id.eq(webhook_endpoints::id))
        .filter(sql::<Bool>(WAITING))
        .filter(webhook_deliveries::next_attempt_at.le(now))
        .select(webhook_deliveries::id);
    let ready = webhook_endpoints::table.filter(exists(due)).order(webhook_endpoints::id);
    ready.select(webhook_endpoints::id).load(conn)
}

/// Whether anything more is to be sent to the endpoint, now or later.
pub fn is_waiting(conn: &mut DbConn, endpoint: WebhookEndpointId) -> QueryResult<bool> {
    let waiting = webhook_deliveries::table
        .filter(webhook_deliveries::endpoint_id.eq(endpoint))
        .filter(sql::<Bool>(WAITING));
    diesel::select(exists(waiting)).get_result(conn)
}

/// Deliveries to the endpoint whose time has come, longest due first, locked. Those that somebody
/// else holds are left out.
pub fn lock_due(
    conn: &mut DbConn,
    endpoint: WebhookEndpointId,
    now: Timestamp,
    limit: i64,
) -> QueryResult<Vec<WebhookDelivery>> {
    let rows = webhook_deliveries::table
        .filter(webhook_deliveries::endpoint_id.eq(endpoint))
        .filter(sql::<Bool>(WAITING))
        .filter(webhook_deliveries::next_attempt_at.le(now))
        .order(webhook_deliveries::next_attempt_at)
        .limit(limit)
        .select(WebhookDelivery::as_select());
    Locked(rows, Lock::SkipLocked).get_results(conn)
}

/// When the next delivery of any agency becomes due after `now`.
pub fn next_due(conn: &mut DbConn, now: Timestamp) -> QueryResult<Option<Timestamp>> {
    webhook_deliveries::table
        .filter(sql::<Bool>(WAITING))
        .filter(webhook_deliveries::next_attempt_at.gt(now))
        .order(webhook_deliveries::next_attempt_at)
        .select(webhook_deliveries::next_attempt_at)
        .first(conn)
        .optional()
        .map(Option::flatten)
}

/// The delivery if it is held under this token, taken until the transaction ends.
pub fn lock_claimed(
    conn: &mut DbConn,
    id: WebhookDeliveryId,
    token: i64,
) -> QueryResult<Option<WebhookDelivery>> {
    let held = webhook_deliveries::table
        .filter(webhook_deliveries::id.eq(id))
        .filter(webhook_deliveries::lease_token.eq(token))
        .filter(webhook_deliveries::state.eq(WebhookDeliveryState::Sending))
        .select(WebhookDelivery::as_select());
    Locked(held, Lock::Wait).get_result(conn).optional()
}

/// Writes a delivery that is locked.
pub fn update(conn: &mut DbConn, row: &WebhookDelivery) -> QueryResult<()> {
    Prepared(diesel::update(webhook_deliveries::table.find(row.id)).set(row)).execute(conn).map(drop)
}

/// Cancels everything that waits to be sent to the endpoint. What is under way comes to its end.
pub fn cancel_pending(
    conn: &mut DbConn,
    endpoint: WebhookEndpointId,
    why: &str,
    now: Timestamp,
) -> QueryResult<()> {
    let pending = webhook_deliveries::table
        .filter(webhook_deliveries::endpoint_id.eq(endpoint))
        .filter(webhook_deliveries::state.eq(WebhookDeliveryState::Pending));
    let cancelled = diesel::update(pending).set((
        webhook_deliveries::state.eq(WebhookDeliveryState::Cancelled),
        webhook_deliveries::next_attempt_at.eq(None::<Timestamp>),
        webhook_deliveries::last_error.eq(why),
        webhook_deliveries::updated_at.eq(now),
    ));
    Prepared(cancelled).execute(conn).map(drop)
}

/// Forgets at most `limit` deliveries that were queued before this time. Answers how many.
pub fn forget_before(conn: &mut DbConn, time: Timestamp, limit: i64) -> QueryResult<usize> {
    let old = webhook_deliveries::table
        .filter(webhook_deliveries::created_at.lt(time))
        .order(webhook_deliveries::created_at)
        .limit(limit)
        .select(webhook_deliveries::id);
    let ids: Vec<WebhookDeliveryId> = old.load(conn)?;
    diesel::delete(webhook_deliveries::table.filter(webhook_deliveries::id.eq_any(ids))).execute(conn)
}
