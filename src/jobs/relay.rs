//! The relay: claims deliveries whose time has come and hands them to the mail server, several at
//! once.

mod carry;
mod door;
mod intake;
mod ledger;
mod pause;
mod presence;
mod rate;
mod slow;
mod turns;

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use chrono::TimeDelta;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep_until};

use self::door::Door;
use self::intake::Intake;
use self::ledger::Ledger;
use self::pause::Leave;
use self::presence::Presence;
use super::in_batches;
use super::stop::Stop;
use crate::app::deliveries::relay::{self, Claim, Ended, Ending};
use crate::app::{AppError, Context};
use crate::domain::delivery::{DeliveryState, Room, Schedule};
use crate::mail::Transport;
use crate::store::connection::DbConn;
use crate::store::pool::{Location, StoreError, Tx};

/// How many lost deliveries are looked for at once.
const SWEPT_AT_ONCE: i64 = 100;

/// So many of the newest deliveries tell at the start which destinations take messages.
const REMEMBERED: i64 = 1_000;

/// The shortest wait before the queue is looked at again.
const SHORTEST_WAIT: Duration = Duration::from_millis(50);

/// The longest wait while something is due for which there was no room.
const LONGEST_SHUT: Duration = Duration::from_secs(1);

/// Less than this part of the workers is not worth a look at the queue, unless it stays so few for a
/// moment.
const FEW: usize = 4;
const MOMENT: Duration = Duration::from_millis(10);

/// How the relay works.
#[derive(Debug, Clone)]
pub struct RelaySettings {
    /// Messages taken up at once, at least 1: those that are handed over, those that wait for it, and
    /// those whose fate is being written down.
    pub workers: usize,
    /// Messages handed over at once.
    pub conversations: usize,
    /// Messages taken up for one destination, the domain of the recipient, before they are handed over.
    pub per_destination: usize,
    /// Messages of one agency that are taken up in a minute; 0 for no limit.
    pub per_minute: u32,
    /// The first pause for a destination that wants less of us, and the longest.
    pub slowed_for: (Duration, Duration),
    /// How often the queue is looked at when nobody has rung.
    pub poll_every: Duration,
    /// How long a worker owns a delivery without a sign of life.
    pub lease: Duration,
    /// How often it gives one.
    pub renew_every: Duration,
    /// How often lost deliveries are looked for.
    pub sweep_every: Duration,
    /// When a deferred delivery is tried again.
    pub schedule: Schedule,
    /// The first pause when the mail server does not let us in; each one after is twice as long.
    pub first_pause: Duration,
    /// The longest such pause.
    pub longest_pause: Duration,
}

/// The relay of one process; clones are the same one.
#[derive(Clone)]
pub struct Relay(Arc<Inner>);

struct Inner {
    context: Context,
    transport: Transport,
    settings: RelaySettings,
    ledger: Ledger,
    intake: Intake,
    door: Mutex<Door>,
    presence: OnceLock<Presence>,
}

impl Relay {
    /// A relay that has not begun.
    #[must_use]
    pub fn new(context: Context, transport: Transport, settings: RelaySettings) -> Self {
        let is_paused = Arc::clone(&context.relay_paused);
        Self(Arc::new(Inner {
            ledger: Ledger::new(context.clone(), settings.schedule.clone()),
            intake: Intake::new(&settings),
            door: Mutex::new(Door::new(settings.first_pause, settings.longest_pause, is_paused)),
            presence: OnceLock::new(),
            context,
            transport,
            settings,
        }))
    }

    /// Sends everything that is due now, and waits until all of it has come to an end. Answers how
    /// many were claimed. For tools and tests; a service has [`Jobs`](super::Jobs).
    pub async fn run_once(&self) -> Result<usize, AppError> {
        let mut count = 0;
        loop {
            let limit = match self.door().leave() {
                Leave::All => self.0.settings.workers.max(1),
                Leave::One => 1,
                Leave::NotBefore(_) => return Ok(count),
            };
            let mut working = JoinSet::new();
            self.claim(limit, &mut working, None).await?;
            if working.is_empty() {
                return Ok(count);
            }
            count += working.len();
            while let Some(ended) = working.join_next().await {
                report(ended);
            }
        }
    }

    /// Works until it is told to stop.
    pub(super) async fn run(self, mut stop: Stop) {
        if let Err(error) = self.recover().await {
            tracing::error!(%error, "what the last run left behind could not be picked up; the sweep will");
        }
        self.remember().await;
        let mut working: JoinSet<()> = JoinSet::new();
        let mut gathering_until = None;
        loop {
            while let Some(ended) = working.try_join_next() {
                report(ended);
            }
            let now = Instant::now();
            let until = *gathering_until.get_or_insert(now + MOMENT);
            let wait = if self.free(&working) < self.0.settings.workers / FEW && now < until {
                Wait { until, hears_the_bell: false }
            } else {
                gathering_until = None;
                self.fill(&mut working, &stop).await
            };
            tokio::select! {
                () = stop.wait() => break,
                () = self.0.context.relay_bell.notified(), if wait.hears_the_bell => {}
                Some(ended) = working.join_next(), if !working.is_empty() => report(ended),
                () = sleep_until(wait.until) => {}
            }
        }
        while let Some(ended) = working.join_next().await {
            report(ended);
        }
        self.0.transport.close().await;
    }

    /// Whom the last run knew to take messages: where nobody is known, a few destinations that hang keep
    /// back all others.
    async fn remember(&self) {
        match self.0.context.read(|conn| relay::lately_taken(conn, REMEMBERED)).await {
            Ok(taken) => taken.iter().for_each(|destination| self.0.intake.trust(destination)),
            Err(error) => tracing::warn!(%error, "which destinations take messages has to be learnt anew"),
        }
    }

    /// Claims as many as there are workers for, and says how long to wait before the next look.
    async fn fill(&self, working: &mut JoinSet<()>, stop: &Stop) -> Wait {
        let poll_every = self.0.settings.poll_every;
        let now = Instant::now();
        let limit = match self.door().leave() {
            Leave::All => self.free(working),
            Leave::One => usize::from(working.is_empty()),
            Leave::NotBefore(until) => return Wait { until, hears_the_bell: false },
        };
        if limit == 0 {
            // Goes on when a worker has finished.
            return Wait { until: now + poll_every, hears_the_bell: false };
        }
        match self.claim(limit, working, Some(stop)).await {
            Ok(room) if room.left == 0 => Wait { until: now, hears_the_bell: true },
            Ok(room) => Wait { until: self.next_look(&room).await, hears_the_bell: true },
            Err(error) => {
                tracing::error!(%error, "nothing could be claimed for now");
                Wait { until: now + poll_every, hears_the_bell: false }
            }
        }
    }

    /// How many more messages may be taken up.
    fn free(&self, working: &JoinSet<()>) -> usize {
        self.0.settings.workers.max(1).saturating_sub(working.len())
    }

    /// When the next delivery is due, as far as is known; when the queue is polled, if that is
    /// earlier.
    async fn next_look(&self, room: &Room) -> Instant {
        let poll_every = self.0.settings.poll_every;
        if room.is_shut_to_some() {
            // What waits for a share of its own has been due for long.
            return Instant::now() + poll_every.min(LONGEST_SHUT);
        }
        let due = self.0.context.read(relay::next_due).await.ok().flatten();
        let now = self.0.context.store.clock().now();
        // What came due since the claim, or was held by somebody, is due at once.
        let wait = due.map_or(poll_every, |due| (*due - now).to_std().unwrap_or_default());
        Instant::now() + wait.clamp(SHORTEST_WAIT.min(poll_every), poll_every)
    }

    /// Claims at most `limit` deliveries and has them carried. Answers what room is left.
    async fn claim(
        &self,
        limit: usize,
        working: &mut JoinSet<()>,
        stop: Option<&Stop>,
    ) -> Result<Room, AppError> {
        let host = self.0.transport.name();
        let lease = self.lease();
        let now = self.0.context.store.clock().now();
        let mut room = self.0.intake.room(limit, now);
        let claim = move |tx: &mut Tx<'_>| Ok((relay::claim(tx, &host, lease, &mut room)?, room));
        let (jobs, room) = self.0.context.write(claim).await?;
        for job in jobs {
            let turn = self.0.intake.admit(&job, now);
            working.spawn(self.clone().carry(job, turn, stop.cloned()));
        }
        Ok(room)
    }

    /// Before anything is claimed on SQLite: where no other relay is at work, nobody can still be
    /// sending, and whatever is left is picked up at once. Otherwise, and on PostgreSQL, where
    /// others may be anywhere, the leases tell.
    pub async fn recover(&self) -> Result<usize, AppError> {
        let Location::Sqlite(database) = self.0.context.store.location() else { return Ok(0) };
        if self.0.presence.get().is_some() {
            return Ok(0);
        }
        let database = database.clone();
        let presence = blocking(move || Presence::enter(&database)).await?;
        let picked_up = if presence.is_alone() {
            self.pick_up(true).await
        } else {
            tracing::info!("another relay is at work here: what was left is picked up when its leases end");
            Ok(0)
        };
        let presence = blocking(|| presence.admit()).await?;
        self.0.presence.get_or_init(|| presence);
        picked_up
    }

    /// Picks up deliveries whose worker gave no sign of life in time. Answers how many. Once the mail
    /// server has let nobody in for too long, gives up those that have waited as long.
    pub async fn sweep(&self) -> Result<usize, AppError> {
        let after = self.0.settings.schedule.give_up_after;
        let shut_since = self.door().shut_since();
        if shut_since.is_some_and(|since| self.0.context.store.clock().now() - since >= after) {
            let give_up = move |tx: &mut Tx<'_>, limit| relay::give_up(tx, after, limit);
            in_batches(self.0.context.clone(), give_up).await?;
        }
        self.pick_up(false).await
    }

    async fn pick_up(&self, everything: bool) -> Result<usize, AppError> {
        let (mut count, mut stuck) = (0, 0);
        loop {
            let context = &self.0.context;
            let now = context.store.clock().now().into();
            let orphans =
                move |conn: &mut DbConn| relay::orphans(conn, now, everything, stuck, SWEPT_AT_ONCE);
            let lost = context.read(orphans).await?;
            let last = i64::try_from(lost.len()).unwrap_or(i64::MAX) < SWEPT_AT_ONCE;
            for claim in lost {
                let ending = if everything { Ending::WorkerDied } else { Ending::LeaseRanOut };
                match self.finish(claim, ending).await {
                    Ok(state) => {
                        tracing::warn!(delivery = %claim.id, state = ?state, "picked up a delivery that its worker left");
                        count += 1;
                    }
                    // Without a database the others fare no better.
                    Err(error @ AppError::Store(StoreError::Unavailable(_))) => return Err(error),
                    Err(error) => {
                        tracing::error!(delivery = %claim.id, %error, "a delivery that its worker left could not be picked up");
                        stuck += 1;
                    }
                }
            }
            if last {
                return Ok(count);
            }
        }
    }

    async fn finish(&self, claim: Claim, ending: Ending) -> Result<Option<DeliveryState>, AppError> {
        let schedule = self.0.settings.schedule.clone();
        let ended = Ended { claim, ending, random: rand::random() };
        self.0.context.write(move |tx| relay::finish(tx, &ended, &schedule)).await
    }

    fn lease(&self) -> TimeDelta {
        TimeDelta::from_std(self.0.settings.lease).unwrap_or(TimeDelta::MAX)
    }

    fn door(&self) -> MutexGuard<'_, Door> {
        self.0.door.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn blocking<T, W>(work: W) -> Result<T, AppError>
where
    T: Send + 'static,
    W: FnOnce() -> io::Result<T> + Send + 'static,
{
    let done = tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(io::Error::other(error)));
    done.map_err(|error| AppError::Internal(format!("the relay's lock file cannot be used: {error}")))
}

/// Until when the relay waits, and whether news can end it early.
struct Wait {
    until: Instant,
    hears_the_bell: bool,
}

fn report(ended: Result<(), JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a relay worker broke; its delivery is picked up when its lease ends");
    }
}
