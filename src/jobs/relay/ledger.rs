//! What the relay's workers have to write down before they go on, gathered: whatever is asked for
//! while one transaction is being committed goes into the next one together. So the disk is waited for
//! once for many messages.
//!
//! PostgreSQL commits several transactions at once, so there the marks do not wait behind the outcomes: a
//! worker waits for its mark with a connection in its hand. SQLite has one writer, and both go together.
//!
//! Such a transaction leaves deliveries and debriefs that somebody else holds, and when it fails nothing of
//! it stands. What it left is then written alone, so that no worker waits for another one's delivery, or
//! fails with it. Only the notes that show what became of them are waited for, until their rows are free.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::app::deliveries::relay::{self, Claim, Ended};
use crate::app::{AppError, Context};
use crate::domain::delivery::{DeliveryState, Schedule};
use crate::store::pool::{Location, StoreError};

/// Writes for every worker of a relay; clones are the same one.
#[derive(Clone)]
pub(super) struct Ledger(Arc<Inner>);

struct Inner {
    context: Context,
    schedule: Schedule,
    marks: Arc<Mutex<Queue>>,
    /// The same one on SQLite.
    outcomes: Arc<Mutex<Queue>>,
}

#[derive(Default)]
struct Queue {
    next: Page,
    /// Somebody is at it, and takes the next page when this one is written.
    is_being_written: bool,
}

/// What goes into one transaction.
#[derive(Default)]
struct Page {
    commit_points: Vec<Entry<Claim, bool>>,
    endings: Vec<Entry<Arc<Ended>, Option<DeliveryState>>>,
}

struct Entry<Q, A> {
    what: Q,
    answer: oneshot::Sender<Result<A, AppError>>,
}

impl<Q, A> Entry<Q, A> {
    /// Whoever asked may have gone.
    fn answer(self, answer: Result<A, AppError>) {
        let _ = self.answer.send(answer);
    }
}

impl Ledger {
    pub fn new(context: Context, schedule: Schedule) -> Self {
        let marks = Arc::default();
        let outcomes = match context.store.location() {
            Location::Sqlite(_) => Arc::clone(&marks),
            Location::Postgres(_) => Arc::default(),
        };
        Self(Arc::new(Inner { context, schedule, marks, outcomes }))
    }

    /// Makes durable that from here on the message may arrive. False if it must not be sent.
    pub async fn pass_commit_point(&self, claim: Claim) -> Result<bool, AppError> {
        self.ask(&self.0.marks, claim, |page| &mut page.commit_points).await
    }

    /// Makes durable how an attempt ended. Answers the delivery's state afterwards; none if there was
    /// nothing to write down any more.
    pub async fn finish(&self, ended: Ended) -> Result<Option<DeliveryState>, AppError> {
        self.ask(&self.0.outcomes, Arc::new(ended), |page| &mut page.endings).await
    }

    async fn ask<Q, A>(
        &self,
        queue: &Arc<Mutex<Queue>>,
        what: Q,
        list: impl FnOnce(&mut Page) -> &mut Vec<Entry<Q, A>>,
    ) -> Result<A, AppError> {
        let (answer, answered) = oneshot::channel();
        {
            let mut open = lock(queue);
            list(&mut open.next).push(Entry { what, answer });
            if !std::mem::replace(&mut open.is_being_written, true) {
                // In a task of its own, because whoever asked may not stay for the others.
                tokio::spawn(self.clone().write_pages(Arc::clone(queue)));
            }
        }
        let lost = || AppError::Internal("the relay's ledger was closed half-way".to_owned());
        answered.await.unwrap_or_else(|_| Err(lost()))
    }

    async fn write_pages(self, queue: Arc<Mutex<Queue>>) {
        loop {
            let page = {
                let mut open = lock(&queue);
                let page = std::mem::take(&mut open.next);
                open.is_being_written = !page.is_empty();
                page
            };
            if page.is_empty() {
                return;
            }
            self.write(page).await;
        }
    }

    async fn write(&self, page: Page) {
        let claims: Vec<Claim> = page.commit_points.iter().map(|entry| entry.what).collect();
        let ended: Vec<Arc<Ended>> = page.endings.iter().map(|entry| entry.what.clone()).collect();
        let inner = self.0.clone();
        let together = self.0.context.write_durably(move |tx| {
            let passed = relay::pass_commit_points(tx, &claims)?;
            let ended: Vec<&Ended> = ended.iter().map(AsRef::as_ref).collect();
            Ok((passed, relay::finish_at_hand(tx, &ended, &inner.schedule)?))
        });
        let (passed, states) = match together.await {
            Ok(written) => written,
            Err(AppError::Store(StoreError::Unavailable(why))) => return page.fail(&why),
            Err(error) => {
                tracing::warn!(%error, "what several workers wrote together is written one by one");
                return self.write_alone(page);
            }
        };
        let mut left = Page::default();
        for entry in page.commit_points {
            if passed.contains(&(entry.what.id, entry.what.token)) {
                entry.answer(Ok(true));
            } else {
                left.commit_points.push(entry);
            }
        }
        for (entry, state) in page.endings.into_iter().zip(states) {
            match state {
                Some(state) => entry.answer(Ok(state)),
                None => left.endings.push(entry),
            }
        }
        self.write_alone(left);
    }

    /// Writes each entry in a transaction of its own, and waits for none of them.
    fn write_alone(&self, page: Page) {
        for entry in page.commit_points {
            let ledger = self.clone();
            tokio::spawn(async move {
                let claim = entry.what;
                let mark = ledger.0.context.write_durably(move |tx| relay::pass_commit_point(tx, claim));
                entry.answer(mark.await);
            });
        }
        for entry in page.endings {
            let ledger = self.clone();
            tokio::spawn(async move {
                let (ended, inner) = (entry.what.clone(), ledger.0.clone());
                let write =
                    ledger.0.context.write_durably(move |tx| relay::finish(tx, &ended, &inner.schedule));
                entry.answer(write.await);
            });
        }
    }
}

fn lock(queue: &Mutex<Queue>) -> MutexGuard<'_, Queue> {
    queue.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Page {
    fn is_empty(&self) -> bool {
        self.commit_points.is_empty() && self.endings.is_empty()
    }

    fn fail(self, why: &str) {
        let error = || AppError::Store(StoreError::Unavailable(why.to_owned()));
        self.commit_points.into_iter().for_each(|entry| entry.answer(Err(error())));
        self.endings.into_iter().for_each(|entry| entry.answer(Err(error())));
    }
}
