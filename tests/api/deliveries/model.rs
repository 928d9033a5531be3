//! The relay against a model of the world around it: workers that die or freeze at every step, a mail server
//! that takes a message or not, and whose answer is heard or not, and a recruiter who recalls and decides, and says
//! whether the contact may be written to.
//!
//! Whatever happens in whatever order: a message arrives once, unless a person asked for it again; a recall
//! that was answered with yes is kept; what is `sent` has arrived, and nothing is left behind.

use std::cell::RefCell;

use actix_web::rt::System;
use chrono::TimeDelta;
use debrief::app::deliveries::relay::{self as relaying, Claim, Ended};
use debrief::domain::delivery::{Reply, Schedule};
use debrief::mail::{Outcome, Step};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseResult, TestRunner};
use serde_json::{Value, json};

use super::{LEASE, UNDO_WINDOW, claim, ended, finish, write};
use crate::support::smtp_peer::SmtpPeer;
use crate::support::{Database, Desk, TestApp, id, relay};

const WORKERS: usize = 3;

/// What happens next. A worker that is not ready for it stays as it is.
#[derive(Debug, Clone, Copy)]
enum Happening {
    /// A worker looks for something to do.
    Claim(usize),
    /// It gets no further, and knows why.
    GiveUp(usize, Refusal),
    /// It asks for the commit point.
    Mark(usize),
    /// The same, and the yes does not reach it.
    MarkUnheard(usize),
    /// It hands the message over.
    HandOver(usize, Answer),
    /// It writes down what came of its attempt.
    WriteDown(usize),
    /// Whoever asks for the commit point, or has something to write down, does so on one page of the relay's ledger.
    Page,
    /// It gives a sign of life.
    Renew(usize),
    /// It is gone, with all that it knows.
    Die(usize),
    /// All of them die, and the service starts again.
    Restart,
    /// Time passes, and it is looked for what dead workers have left.
    Sweep(u8),
    Recall,
    Resolve(&'static str),
    /// The contact goes off-limits, or is so no longer.
    Bar(bool),
}

/// Why it does not come to the content.
#[derive(Debug, Clone, Copy)]
enum Refusal {
    Lost,
    Later,
    Never,
}

/// What the server does with the content, and says.
#[derive(Debug, Clone, Copy)]
enum Answer {
    Yes,
    Later,
    Never,
    /// It has taken it, and the answer is lost.
    TakenInSilence,
    /// It has not.
    LostInSilence,
}

/// How far a worker has come.
#[derive(Debug)]
enum Worker {
    Idle,
    Approaching(Claim),
    Marked(Claim),
    Knowing(Claim, Outcome),
}

fn happenings() -> impl Strategy<Value = Vec<Happening>> {
    use Happening as H;
    let worker = || 0..WORKERS;
    let refusal = prop::sample::select(&[Refusal::Lost, Refusal::Later, Refusal::Never][..]);
    let answer = prop::sample::select(
        &[Answer::Yes, Answer::Later, Answer::Never, Answer::TakenInSilence, Answer::LostInSilence][..],
    );
    let one = prop_oneof![
        6 => worker().prop_map(H::Claim),
        1 => (worker(), refusal).prop_map(|(worker, why)| H::GiveUp(worker, why)),
        5 => worker().prop_map(H::Mark),
        1 => worker().prop_map(H::MarkUnheard),
        5 => (worker(), answer).prop_map(|(worker, answer)| H::HandOver(worker, answer)),
        4 => worker().prop_map(H::WriteDown),
        4 => Just(H::Page),
        1 => worker().prop_map(H::Renew),
        2 => worker().prop_map(H::Die),
        1 => Just(H::Restart),
        4 => (1_u8..90).prop_map(H::Sweep),
        1 => Just(H::Recall),
        2 => prop::sample::select(&["sent", "resend", "abandon"][..]).prop_map(H::Resolve),
        1 => any::<bool>().prop_map(H::Bar),
    ];
    prop::collection::vec(one, 1..25)
}

/// One note to one contact, the workers, and what the mail server has.
struct World<'a> {
    app: &'a TestApp,
    desk: &'a mut Desk,
    note: Value,
    workers: [Worker; WORKERS],
    copies: usize,
    /// How often a person asked for another copy, or said that it had arrived, without knowing.
    decisions: usize,
    recalled: bool,
    barred: bool,
}

impl<'a> World<'a> {
    async fn new(app: &'a TestApp, desk: &'a mut Desk) -> Self {
        let interview = desk.ann.made("/v1/interviews", desk.scene.past(json!({}))).await;
        desk.debrief = interview["debrief_id"].as_str().unwrap().to_owned();
        let contact = format!("/v1/contacts/{}", desk.scene.peer);
        desk.ann.patch(&contact, json!({"off_limits": false})).await.expect(200);
        let note = desk.approved(&[&desk.scene.peer]).await;
        app.clock.advance(UNDO_WINDOW);
        let workers = [const { Worker::Idle }; WORKERS];
        Self { app, desk, note, workers, copies: 0, decisions: 0, recalled: false, barred: false }
    }

    async fn happens(&mut self, happening: Happening) {
        use Happening as H;
        let app = self.app;
        match happening {
            H::Claim(worker) => self.claim(worker),
            H::GiveUp(worker, refusal) => {
                self.step(worker, |_, worker| match worker {
                    Worker::Approaching(claim) => Worker::Knowing(claim, refusal.outcome()),
                    worker => worker,
                });
            }
            H::Mark(worker) => self.mark(worker, true),
            H::MarkUnheard(worker) => self.mark(worker, false),
            H::HandOver(worker, answer) => {
                self.step(worker, |world, worker| match worker {
                    Worker::Marked(claim) => {
                        world.copies += usize::from(matches!(answer, Answer::Yes | Answer::TakenInSilence));
                        Worker::Knowing(claim, answer.outcome())
                    }
                    worker => worker,
                });
            }
            H::WriteDown(worker) => self.write_down(worker),
            H::Page => self.write_page(),
            H::Renew(worker) => {
                if let Worker::Approaching(claim) | Worker::Marked(claim) = self.workers[worker] {
                    write(app, |tx| relaying::renew(tx, claim, LEASE));
                }
            }
            H::Die(worker) => self.workers[worker] = Worker::Idle,
            H::Restart => {
                self.workers = [const { Worker::Idle }; WORKERS];
                let nobody = SmtpPeer::start([]).await;
                relay(app, &nobody).recover().await.unwrap();
            }
            H::Sweep(seconds) => {
                self.desk.later(app, TimeDelta::seconds(seconds.into()));
                let nobody = SmtpPeer::start([]).await;
                relay(app, &nobody).sweep().await.unwrap();
            }
            H::Recall => {
                let answer = self.desk.act(&self.note, "recall", json!({})).await;
                self.recalled |= answer.status.is_success() && self.state().await == "recalled";
            }
            H::Resolve(resolution) => {
                let path = format!("/v1/deliveries/{}/resolve", id(&self.note["deliveries"][0]));
                let answer = self.desk.ann.post(&path, json!({"resolution": resolution})).await;
                self.decisions += usize::from(answer.status.is_success());
            }
            H::Bar(barred) => self.bar(barred).await,
        }
    }

    async fn bar(&mut self, barred: bool) {
        let contact = format!("/v1/contacts/{}", self.desk.scene.peer);
        self.desk.ann.patch(&contact, json!({"off_limits": barred})).await.expect(200);
        self.barred = barred;
    }

    fn step(&mut self, number: usize, go: impl FnOnce(&mut Self, Worker) -> Worker) {
        let worker = std::mem::replace(&mut self.workers[number], Worker::Idle);
        self.workers[number] = go(self, worker);
    }

    fn claim(&mut self, number: usize) {
        self.step(number, |world, worker| match worker {
            Worker::Idle => claim(world.app, &world.note).pop().map_or(Worker::Idle, Worker::Approaching),
            worker => worker,
        });
    }

    fn mark(&mut self, number: usize, heard: bool) {
        self.step(number, |world, worker| match worker {
            Worker::Approaching(claim) => {
                let passed = write(world.app, |tx| relaying::pass_commit_point(tx, claim));
                assert!(!passed || !world.barred, "the contact may not be written to");
                if passed && heard { Worker::Marked(claim) } else { Worker::Knowing(claim, Outcome::Revoked) }
            }
            worker => worker,
        });
    }

    fn write_down(&mut self, number: usize) {
        self.step(number, |world, worker| match worker {
            Worker::Knowing(claim, outcome) => {
                finish(world.app, claim, outcome);
                Worker::Idle
            }
            worker => worker,
        });
    }

    /// As the ledger writes: what everybody has together, and alone what had to be left for that.
    fn write_page(&mut self) {
        let (mut claims, mut ends) = (Vec::new(), Vec::new());
        for (number, worker) in self.workers.iter().enumerate() {
            match worker {
                Worker::Approaching(claim) => claims.push((number, *claim)),
                Worker::Knowing(claim, outcome) => ends.push((number, ended(*claim, outcome.clone()))),
                Worker::Idle | Worker::Marked(_) => {}
            }
        }
        let asked: Vec<Claim> = claims.iter().map(|(_, claim)| *claim).collect();
        let told: Vec<&Ended> = ends.iter().map(|(_, ended)| ended).collect();
        let (passed, states) = write(self.app, |tx| {
            let passed = relaying::pass_commit_points(tx, &asked)?;
            Ok((passed, relaying::finish_at_hand(tx, &told, &Schedule::default())?))
        });
        for (number, claim) in claims {
            if passed.contains(&(claim.id, claim.token)) {
                assert!(!self.barred, "the contact may not be written to");
                self.workers[number] = Worker::Marked(claim);
            } else {
                self.mark(number, true);
            }
        }
        for ((number, _), state) in ends.iter().zip(states) {
            match state {
                Some(_) => self.workers[*number] = Worker::Idle,
                None => self.write_down(*number),
            }
        }
    }

    /// The workers die, and others bring what is left to its end.
    async fn comes_to_rest(&mut self) {
        self.happens(Happening::Restart).await;
        self.happens(Happening::Sweep(90)).await;
        self.app.clock.advance(TimeDelta::hours(5));
        self.claim(0);
        self.mark(0, true);
        self.happens(Happening::HandOver(0, Answer::Yes)).await;
        self.write_down(0);
        self.desk.later(self.app, TimeDelta::zero());
    }

    async fn state(&self) -> String {
        self.desk.fates(&self.note).await.remove(0)
    }

    async fn is_as_promised(&self) -> TestCaseResult {
        prop_assert!(
            self.copies <= 1 + self.decisions,
            "{} copies, {} decisions",
            self.copies,
            self.decisions
        );
        let state = self.state().await;
        if self.decisions == 0 {
            prop_assert!(!self.recalled || self.copies == 0, "it was recalled, and sent");
            prop_assert!(!self.recalled || state == "recalled", "it was recalled, and is {state}");
            prop_assert!(state != "sent" || self.copies == 1, "it is sent, and did not arrive");
            prop_assert!(
                !["queued", "deferred", "failed"].contains(&state.as_str()) || self.copies == 0,
                "{state}"
            );
        }
        Ok(())
    }
}

impl Refusal {
    fn outcome(self) -> Outcome {
        let refused = |code| Outcome::Refused { step: Step::Recipient, reply: Reply::new(code, "no") };
        match self {
            Self::Lost => Outcome::Lost { step: Step::Mail, error: "reset".into() },
            Self::Later => refused(450),
            Self::Never => refused(550),
        }
    }
}

impl Answer {
    fn outcome(self) -> Outcome {
        let refused = |code| Outcome::Refused { step: Step::Content, reply: Reply::new(code, "no") };
        match self {
            Self::Yes => Outcome::Accepted(Reply::new(250, "2.0.0 taken")),
            Self::Later => refused(450),
            Self::Never => refused(550),
            Self::TakenInSilence | Self::LostInSilence => Outcome::Unknown { error: "reset".into() },
        }
    }
}

/// Lets all this happen to a new note.
async fn holds(app: &TestApp, desk: &mut Desk, happenings: Vec<Happening>) -> TestCaseResult {
    let mut world = World::new(app, desk).await;
    for happening in happenings {
        world.happens(happening).await;
        world.is_as_promised().await?;
    }
    world.comes_to_rest().await;
    world.is_as_promised().await?;
    let state = world.state().await;
    prop_assert!(!["queued", "deferred", "sending"].contains(&state.as_str()), "it is left {state}");
    Ok(())
}

fn check(database: Database, cases: u32) {
    let system = System::new();
    let app = system.block_on(TestApp::start(database));
    let desk = RefCell::new(system.block_on(Desk::set(&app)));
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let result = TestRunner::new(config).run(&happenings(), |happenings| {
        let mut desk = desk.borrow_mut();
        system.block_on(holds(&app, &mut desk, happenings))
    });
    // Stops the server before its database goes.
    system.block_on(app.stop());
    if let Err(error) = result {
        panic!("{error}");
    }
}

#[test]
fn whatever_happens_sqlite() {
    check(Database::sqlite(), 24);
}

#[test]
fn whatever_happens_postgres() {
    if let Some(database) = Database::postgres() {
        check(database, 8);
    }
}
