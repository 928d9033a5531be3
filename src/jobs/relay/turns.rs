//! Whose turn it is to speak with the mail server.
//!
//! There are as many places as connections. A destination (the domain of a recipient) gets a few at
//! the most, and never more than it leaves to others: so where answers are slow to come, or do not come
//! at all, the last place is still there for those who hold none.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// The places; clones are the same ones.
#[derive(Clone)]
pub(super) struct Turns(Arc<Mutex<Places>>);

struct Places {
    free: usize,
    each: usize,
    held: HashMap<String, usize>,
    waiting: VecDeque<Waiting>,
}

struct Waiting {
    destination: String,
    called: oneshot::Sender<Turn>,
}

/// A place that was asked for.
pub(super) struct Asked(oneshot::Receiver<Turn>);

impl Asked {
    /// Waits for it. None once nobody gives out any.
    pub async fn turn(self) -> Option<Turn> {
        self.0.await.ok()
    }
}

/// A place, as long as this lives.
pub(super) struct Turn {
    turns: Turns,
    destination: String,
}

impl Turns {
    /// So many places, and so many for each destination.
    pub fn new(places: usize, each: usize) -> Self {
        let (held, waiting) = (HashMap::new(), VecDeque::new());
        Self(Arc::new(Mutex::new(Places { free: places.max(1), each: each.max(1), held, waiting })))
    }

    /// Asks for a place. Who came first is served first, as far as there is a place for their
    /// destination.
    pub fn ask(&self, destination: String) -> Asked {
        let (called, turn) = oneshot::channel();
        self.places().waiting.push_back(Waiting { destination, called });
        self.call();
        Asked(turn)
    }

    /// How many hold a place or wait for one, for each destination of which there are any.
    pub fn load(&self) -> HashMap<String, usize> {
        let places = self.places();
        let mut load = places.held.clone();
        for waiting in places.waiting.iter().filter(|waiting| !waiting.called.is_closed()) {
            *load.entry(waiting.destination.clone()).or_default() += 1;
        }
        load
    }

    /// Gives places to those who wait, as far as there are any.
    fn call(&self) {
        loop {
            // Not in the head of the loop, where the places would stay locked while it turns.
            let next = self.places().next();
            let Some(next) = next else { return };
            let turn = Turn { turns: self.clone(), destination: next.destination };
            // Whoever does not wait any more lets go of it again, here.
            drop(next.called.send(turn));
        }
    }

    fn places(&self) -> MutexGuard<'_, Places> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Places {
    fn next(&mut self) -> Option<Waiting> {
        let first = self.waiting.iter().position(|waiting| self.has_place_for(&waiting.destination))?;
        let next = self.waiting.remove(first)?;
        self.free -= 1;
        *self.held.entry(next.destination.clone()).or_default() += 1;
        Some(next)
    }

    fn has_place_for(&self, destination: &str) -> bool {
        let held = self.held.get(destination).copied().unwrap_or_default();
        held < self.each.min(self.free)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        {
            let mut places = self.turns.places();
            places.free += 1;
            if let Some(held) = places.held.get_mut(&self.destination) {
                *held -= 1;
                if *held == 0 {
                    places.held.remove(&self.destination);
                }
            }
        }
        self.turns.call();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The turn, if it is there at once.
    fn now(turns: &Turns, destination: &str) -> Option<Turn> {
        turns.ask(destination.to_owned()).0.try_recv().ok()
    }

    #[test]
    fn a_destination_gets_a_few_places() {
        let turns = Turns::new(10, 2);
        let held = [now(&turns, "a").unwrap(), now(&turns, "a").unwrap()];
        assert!(now(&turns, "a").is_none());
        let other = now(&turns, "b").unwrap();
        drop(held);
        assert!(now(&turns, "a").is_some());
        drop(other);
    }

    #[test]
    fn the_last_place_is_for_those_who_hold_none() {
        let turns = Turns::new(4, 4);
        let mut held = Vec::new();
        for destination in ["a", "a", "b"] {
            held.push(now(&turns, destination).unwrap());
        }
        assert!(now(&turns, "a").is_none() && now(&turns, "b").is_none());
        held.push(now(&turns, "c").unwrap());
        assert!(now(&turns, "d").is_none(), "there is none left");
    }

    #[test]
    fn one_place_alone_is_everybodys() {
        let turns = Turns::new(1, 4);
        for destination in ["a", "a", "b"] {
            drop(now(&turns, destination).unwrap());
        }
    }

    #[tokio::test]
    async fn who_waits_is_called_and_who_left_is_passed_over() {
        let turns = Turns::new(1, 1);
        let held = now(&turns, "a").unwrap();
        drop(turns.ask("a".into()));
        let asked = turns.ask("a".into());
        assert_eq!(turns.load()["a"], 2, "one who holds a place, and one who waits");
        drop(held);
        let turn = asked.turn().await.unwrap();
        assert!(now(&turns, "b").is_none());
        drop(turn);
        assert!(now(&turns, "b").is_some());
    }
}
