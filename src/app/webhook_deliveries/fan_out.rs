//! From the change feed to the deliveries of each endpoint.

use super::{insert, queued};
use crate::app::AppError;
use crate::domain::ids::{AgencyId, WebhookEndpointId};
use crate::store::connection::DbConn;
use crate::store::pool::Tx;
use crate::store::{events, webhook_endpoints};

/// How many events are looked at in one transaction.
const TAKEN_AT_ONCE: i64 = 250;

/// The endpoints for which something may have happened.
pub fn with_news(conn: &mut DbConn) -> Result<Vec<(AgencyId, WebhookEndpointId)>, AppError> {
    Ok(webhook_endpoints::with_news(conn)?)
}

/// Queues what happened since an endpoint's position, and moves the position on with it, so that no
/// event is left out and none is queued twice. Answers whether there may be more.
pub fn fan_out(tx: &mut Tx<'_>, agency: AgencyId, id: WebhookEndpointId) -> Result<bool, AppError> {
    let Some(endpoint) = webhook_endpoints::lock(tx, agency, id)? else { return Ok(false) };
    if endpoint.disabled_at.is_some() || endpoint.deleted_at.is_some() {
        return Ok(false);
    }
    let position = (endpoint.position_xact, endpoint.position_seq);
    // All of them, wanted or not: the position moves past what is not wanted too.
    let rows = events::feed(tx, agency, Some(position), &[], TAKEN_AT_ONCE)?;
    let Some(last) = rows.last() else { return Ok(false) };
    let types = &endpoint.event_types.0;
    let mut deliveries = Vec::new();
    for row in &rows {
        if types.is_empty() || types.contains(&row.event_type) {
            deliveries.push(queued(tx, &endpoint, row.id, &row.event_type, row.occurred_at, &row.data.0)?);
        }
    }
    insert(tx, &deliveries)?;
    webhook_endpoints::move_on(tx, id, (last.xact, last.seq))?;
    Ok(i64::try_from(rows.len()).is_ok_and(|count| count == TAKEN_AT_ONCE))
}
