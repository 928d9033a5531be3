//! One connection, step by step, so that it is known at which one it ended.

use std::fmt::{self, Display};
use std::io;
use std::time::Duration;

use lettre::Address;
use lettre::transport::smtp::commands::{Data, Mail, Quit, Rcpt, Rset};
use lettre::transport::smtp::extension::{MailBodyParameter, MailParameter, RcptParameter};
use tokio::time::error::Elapsed;
use tokio::time::{Instant, timeout};

use super::answer::{Answer, Meaning};
use super::conversation::Conversation;
use super::opening::{Offers, open};
use super::server::{Prepared, Timeouts};
use crate::domain::delivery::Reply;
use crate::failpoint::{self, Failpoint};
use crate::mail::{Break, Fault, Outcome, Step};

/// How long a server may take to say goodbye.
const FAREWELL: Duration = Duration::from_secs(2);

/// Bad sequence of commands (RFC 5321, section 4.2.3). Ours are in order, so the server is not where we are, and
/// says nothing about the message.
const OUT_OF_STEP: u16 = 503;

/// The server closes the connection, whatever it was asked (RFC 5321, section 3.8).
pub(super) const CLOSING: u16 = 421;

/// Replies that mean "sign in first" or "encrypt first" (RFC 4954, section 6; RFC 3207, section 4).
const SIGN_IN_WANTED: [u16; 2] = [530, 538];

/// A connection that is signed in and ready for a message.
pub(super) struct Connection {
    smtp: Conversation,
    offers: Offers,
    timeouts: Timeouts,
    opened: Instant,
    messages: u32,
    state: State,
    /// Whether RCPT and DATA have gone out already, behind MAIL (RFC 2920).
    is_ahead: bool,
}

/// What the server takes us to be in the middle of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing.
    Ready,
    /// A transaction: RSET comes before the next one.
    InTransaction,
    /// Nobody knows. So it is while a step is under way.
    Broken,
}

impl Connection {
    /// Connects, greets, makes the connection private and signs in.
    pub(super) async fn open(to: &Prepared) -> Result<Self, Outcome> {
        let (smtp, offers) = open(to).await?;
        failpoint::reach(Failpoint::Connected);
        Ok(Self {
            smtp,
            offers,
            timeouts: to.server.timeouts,
            opened: Instant::now(),
            messages: 0,
            state: State::Ready,
            is_ahead: false,
        })
    }

    /// What the server is asked to give notice of, and about whom, where it does (DSN: RFC 3461).
    fn notices(&self, recipient: &Address) -> Vec<RcptParameter> {
        if !self.offers.has("DSN") {
            return Vec::new();
        }
        // lettre makes xtext of the values (RFC 3461, section 4).
        let asked =
            [("NOTIFY", "SUCCESS,FAILURE,DELAY".to_owned()), ("ORCPT", original_recipient(recipient))];
        let other = |(keyword, value): (&str, String)| RcptParameter::Other {
            keyword: keyword.to_owned(),
            value: Some(value),
        };
        asked.map(other).to_vec()
    }

    /// True when both ends agree on where they are.
    pub(super) fn is_intact(&self) -> bool {
        self.state != State::Broken
    }

    /// True while another message may follow on this connection.
    pub(super) fn may_carry_on(&self, max_messages: u32, max_age: Duration) -> bool {
        self.messages < max_messages && self.opened.elapsed() < max_age
    }

    /// True while the server waits for us to speak. One that has said goodbye meanwhile would seem to have
    /// answered whatever comes next.
    pub(super) async fn is_awaited(&mut self) -> bool {
        self.smtp.is_silent().await
    }

    /// Starts a transaction: RSET if the one before was refused, then MAIL. Where the server offers
    /// PIPELINING, RCPT and DATA go out with it, which saves two waits for an answer.
    pub(super) async fn begin(
        &mut self,
        sender: &Address,
        recipient: &Address,
        envelope_id: &str,
        utf8: bool,
    ) -> Result<(), Outcome> {
        if self.state == State::InTransaction {
            let reset = self.step(Step::Reset, Rset, self.timeouts.command, Meaning::Done).await;
            self.state = if reset.is_ok() { State::Ready } else { State::Broken };
            reset?;
        }
        if utf8 && !self.offers.has("SMTPUTF8") {
            return Err(Outcome::Unsendable("the mail server does not offer SMTPUTF8".to_owned()));
        }
        let beyond_ascii =
            [MailParameter::SmtpUtfEight, MailParameter::Body(MailBodyParameter::EightBitMime)];
        let mut parameters = if utf8 { beyond_ascii.to_vec() } else { Vec::new() };
        if self.offers.has("DSN") {
            let asked = [("RET", "HDRS"), ("ENVID", envelope_id)];
            parameters.extend(asked.map(|(keyword, value)| MailParameter::Other {
                keyword: keyword.to_owned(),
                value: Some(value.to_owned()),
            }));
        }
        self.messages += 1;
        let mail = Mail::new(Some(sender.clone()), parameters);
        self.is_ahead = self.offers.has("PIPELINING");
        if !self.is_ahead {
            return self.step(Step::Mail, mail, self.timeouts.command, Meaning::Done).await;
        }
        let all = InOneWrite(mail, Rcpt::new(recipient.clone(), self.notices(recipient)), Data);
        let Timeouts { command, data, .. } = self.timeouts;
        match self.step(Step::Mail, all, command, Meaning::Done).await {
            Err(Outcome::Lost { step, error: Break::TimedOut }) => {
                Err(Outcome::Lost { step, error: Break::NoneAnswered })
            }
            Err(refusal) => Err(self.skip_replies(refusal, &[command, data]).await),
            Ok(()) => Ok(()),
        }
    }

    /// Reads the replies to the commands that went out behind one that was refused. They mean nothing, so
    /// none of them makes a message of it. A server that wants the content all the same (RFC 2920, section
    /// 3.1) gets none, and the connection ends. One that says yes without that is out of step with us:
    /// then the refusal may have been about something else, and counts for nothing either.
    async fn skip_replies(&mut self, refusal: Outcome, limits: &[Duration]) -> Outcome {
        let Outcome::Refused { step, reply: no } = &refusal else { return refusal };
        for limit in limits {
            if !self.is_intact() {
                break;
            }
            let answered = timeout(*limit, self.smtp.answer()).await;
            let meaning = answered.ok().and_then(Result::ok).map(|answer| (answer.meaning(), answer.code()));
            self.state = match meaning {
                Some((Meaning::Refused, code)) if code != CLOSING => State::InTransaction,
                _ => State::Broken,
            };
            if let Some((Meaning::Done, _)) = meaning {
                return lost(
                    *step,
                    format!("the server said no ({}), and then yes to what depends on it", said(no)),
                );
            }
        }
        refusal
    }

    /// Goes on from MAIL to the server's last word. `commit_point` is called once the server is
    /// ready for the content; when it says no, the connection ends without the final dot, and the
    /// server has to throw the transaction away.
    pub(super) async fn finish<F, C>(
        &mut self,
        recipient: &Address,
        content: &str,
        commit_point: C,
    ) -> Outcome
    where
        C: FnOnce() -> F,
        F: Future<Output = bool>,
    {
        if let Err(outcome) = self.approach(recipient).await {
            return outcome;
        }
        self.state = State::Broken;
        failpoint::reach(Failpoint::Ready);
        if !commit_point().await {
            return Outcome::Revoked;
        }
        failpoint::reach(Failpoint::Marked);
        let unknown = |error: String| Outcome::Unknown { error: error.into() };
        let handing_over = failpoint::reach_in(Failpoint::ContentSent, self.smtp.ask(content));
        match timeout(self.timeouts.content, handing_over).await {
            Ok(Ok(answer)) => match answer.meaning() {
                Meaning::Done => {
                    self.state = State::Ready;
                    Outcome::Accepted(answer.reply())
                }
                Meaning::GoOn => unknown(unexpected(&answer)),
                Meaning::Refused => self.refused(Step::Content, answer.reply()),
            },
            Ok(Err(error)) => unknown(error.to_string()),
            Err(_) => Outcome::Unknown { error: Break::TimedOut },
        }
    }

    /// Says goodbye. Nothing depends on it, so nothing comes of a failure.
    pub(super) async fn quit(mut self) {
        let _ = timeout(FAREWELL, self.smtp.ask(Quit)).await;
    }

    async fn approach(&mut self, recipient: &Address) -> Result<(), Outcome> {
        let Timeouts { command, data, .. } = self.timeouts;
        if !self.is_ahead {
            let recipient = Rcpt::new(recipient.clone(), self.notices(recipient));
            self.step(Step::Recipient, recipient, command, Meaning::Done).await?;
            return self.step(Step::Data, Data, data, Meaning::GoOn).await;
        }
        if let Err(refusal) = self.next_reply(Step::Recipient, command, Meaning::Done).await {
            return Err(self.skip_replies(refusal, &[data]).await);
        }
        self.next_reply(Step::Data, data, Meaning::GoOn).await
    }

    async fn step<C: Display>(
        &mut self,
        step: Step,
        command: C,
        limit: Duration,
        expected: Meaning,
    ) -> Result<(), Outcome> {
        self.state = State::Broken;
        let answered = timeout(limit, self.smtp.ask(command)).await;
        self.take(step, answered, expected)
    }

    /// Waits for the reply to a command that has gone out already.
    async fn next_reply(&mut self, step: Step, limit: Duration, expected: Meaning) -> Result<(), Outcome> {
        self.state = State::Broken;
        let answered = timeout(limit, self.smtp.answer()).await;
        self.take(step, answered, expected)
    }

    fn take(
        &mut self,
        step: Step,
        answered: Result<io::Result<Answer>, Elapsed>,
        expected: Meaning,
    ) -> Result<(), Outcome> {
        match answered {
            Ok(Ok(answer)) if answer.meaning() == expected => {
                self.state = State::InTransaction;
                match step {
                    Step::Mail => failpoint::reach(Failpoint::Mail),
                    Step::Recipient => failpoint::reach(Failpoint::Recipient),
                    _ => {}
                }
                Ok(())
            }
            Ok(Ok(answer)) if answer.meaning() == Meaning::Refused => Err(self.refused(step, answer.reply())),
            Ok(Ok(answer)) => Err(lost(step, unexpected(&answer))),
            Ok(Err(error)) => Err(lost(step, error)),
            Err(_) => Err(timed_out(step)),
        }
    }

    fn refused(&mut self, step: Step, reply: Reply) -> Outcome {
        if reply.code == OUT_OF_STEP && step < Step::Content {
            return lost(
                step,
                format!("the server has lost its place in the conversation: {}", said(&reply)),
            );
        }
        // At MAIL that is true of every message; later it may be about this recipient alone.
        if SIGN_IN_WANTED.contains(&reply.code) && step <= Step::Mail {
            return Outcome::Fault(Fault::SignIn(said(&reply)));
        }
        self.state = if reply.code == CLOSING { State::Broken } else { State::InTransaction };
        Outcome::Refused { step, reply }
    }
}

/// Commands that go out together.
struct InOneWrite(Mail, Rcpt, Data);

impl Display for InOneWrite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(mail, recipient, data) = self;
        write!(f, "{mail}{recipient}{data}")
    }
}

/// The recipient as notices shall name them (RFC 3461, section 4.2; beyond ASCII, RFC 6533, section 3).
fn original_recipient(recipient: &Address) -> String {
    let address = recipient.to_string();
    if address.is_ascii() {
        return format!("rfc822;{address}");
    }
    let escaped = address.chars().map(|c| match c {
        '!'..='~' if !matches!(c, '+' | '=' | '\\') => c.to_string(),
        _ => format!("\\x{{{:X}}}", u32::from(c)),
    });
    format!("utf-8;{}", escaped.collect::<String>())
}

pub(super) fn lost(step: Step, error: impl Display) -> Outcome {
    Outcome::Lost { step, error: error.to_string().into() }
}

pub(super) const fn timed_out(step: Step) -> Outcome {
    Outcome::Lost { step, error: Break::TimedOut }
}

pub(super) fn unexpected(answer: &Answer) -> String {
    format!("the server answered with an unexpected {}", answer.code())
}

pub(super) fn said(reply: &Reply) -> String {
    format!("{} {}", codes(reply), reply.text)
}

pub(super) fn codes(reply: &Reply) -> String {
    format!("{} {}", reply.code, reply.enhanced_code.as_deref().unwrap_or("-"))
}
