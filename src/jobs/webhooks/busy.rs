//! How many requests are under way to each endpoint, and who is next.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::domain::ids::WebhookEndpointId;

/// How many requests are under way to each endpoint; clones are the same one.
#[derive(Default, Clone)]
pub(super) struct Busy(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    under_way: HashMap<WebhookEndpointId, usize>,
    /// The last endpoint that was given something: the next one is those after it.
    last: Option<WebhookEndpointId>,
}

/// A request to an endpoint is under way as long as this lives.
pub(super) struct Place(Busy, WebhookEndpointId);

impl Busy {
    /// How many deliveries to claim for each endpoint that is ready (in the order of their ids): `free`
    /// in all, shared among as many as can be, and no more under way to one than `per_endpoint`.
    pub fn allot(
        &self,
        ready: &[WebhookEndpointId],
        free: usize,
        per_endpoint: usize,
    ) -> Vec<(WebhookEndpointId, usize)> {
        let mut state = self.state();
        let first = ready.partition_point(|id| state.last.is_some_and(|last| *id <= last));
        let (before, after) = ready.split_at(first);
        let room = |id: &WebhookEndpointId| {
            per_endpoint.saturating_sub(state.under_way.get(id).copied().unwrap_or_default())
        };
        let mut open: Vec<_> = after.iter().chain(before).map(|id| (*id, room(id))).collect();
        open.retain(|(_, room)| *room > 0);
        open.truncate(free);
        let share = free.checked_div(open.len()).unwrap_or_default();
        for (_, room) in &mut open {
            *room = share.min(*room);
        }
        state.last = open.last().map(|(id, _)| *id).or(state.last);
        open
    }

    /// A request to the endpoint begins.
    pub fn enter(&self, endpoint: WebhookEndpointId) -> Place {
        *self.state().under_way.entry(endpoint).or_default() += 1;
        Place(self.clone(), endpoint)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = self.0.state();
        let count = state.under_way.get_mut(&self.1);
        if count.is_some_and(|count| {
            *count -= 1;
            *count == 0
        }) {
            state.under_way.remove(&self.1);
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn ids(numbers: impl IntoIterator<Item = u128>) -> Vec<WebhookEndpointId> {
        numbers.into_iter().map(|n| WebhookEndpointId::from_uuid(Uuid::from_u128(n))).collect()
    }

    #[test]
    fn one_endpoint_gets_its_share_and_no_more() {
        let busy = Busy::default();
        let ready = ids([1]);
        assert_eq!(busy.allot(&ready, 16, 4), [(ready[0], 4)]);
        let places: Vec<_> = (0..4).map(|_| busy.enter(ready[0])).collect();
        assert!(busy.allot(&ready, 12, 4).is_empty());
        let both = ids([1, 2]);
        assert_eq!(busy.allot(&both, 12, 4), [(both[1], 4)]);
        drop(places);
        assert_eq!(busy.allot(&ready, 12, 4), [(ready[0], 4)]);
        assert!(busy.allot(&[], 12, 4).is_empty());
    }

    #[test]
    fn everybody_has_a_turn() {
        let busy = Busy::default();
        let ready = ids(1..=5);
        let turns: Vec<_> = (0..3).flat_map(|_| busy.allot(&ready, 2, 4)).map(|(id, _)| id).collect();
        assert_eq!(turns, ids([1, 2, 3, 4, 5, 1]));
    }
}
