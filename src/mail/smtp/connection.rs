//! One connection, step by step, so that it is known at which one it ended.

use std::fmt::{self, Display};
use std::net::SocketAddr;
use std::time::Duration;

use lettre::Address;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::Mechanism;
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Data, Ehlo, Mail, Quit, Rcpt, Rset};
use lettre::transport::smtp::extension::{Extension, MailBodyParameter, MailParameter, RcptParameter};
use lettre::transport::smtp::response::{Response, Severity};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::error::Elapsed;
use tokio::time::{Instant, timeout};

use super::server::{Prepared, Timeouts, Tls};
use super::stream::LineStream;
use crate::domain::delivery::Reply;
use crate::failpoint::{self, Failpoint};
use crate::mail::reply::{is_tls_failure, negative, positive};
use crate::mail::{Break, Fault, Outcome, Step};

/// How long a server may take to say goodbye.
const FAREWELL: Duration = Duration::from_secs(2);

/// Bad sequence of commands (RFC 5321, section 4.2.3). Ours are in order, so the server is not where we are, and
/// says nothing about the message.
const OUT_OF_STEP: u16 = 503;

/// The server closes the connection, whatever it was asked (RFC 5321, section 3.8).
const CLOSING: u16 = 421;

/// Replies that mean "sign in first" or "encrypt first" (RFC 4954, section 6; RFC 3207, section 4).
const SIGN_IN_WANTED: [u16; 2] = [530, 538];

/// A connection that is signed in and ready for a message.
pub(super) struct Connection {
    smtp: AsyncSmtpConnection,
    /// The keywords of what the server offers. lettre keeps only those that it makes use of itself, so
    /// the server is asked once more, when the connection is as private as it gets.
    extensions: Vec<String>,
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
        let timeouts = to.server.timeouts;
        let mut smtp = match (to.server.tls, &to.tls) {
            (Tls::Implicit, Some(_)) => connect_privately(to).await?,
            _ => connect_plainly(to).await?,
        };
        if let (Tls::StartTls, Some(tls)) = (to.server.tls, &to.tls) {
            if !smtp.can_starttls() {
                return Err(Outcome::Fault(Fault::Tls("the server does not offer STARTTLS".to_owned())));
            }
            let starting = smtp.starttls(tls.clone(), &to.hello);
            within(timeouts.connect + timeouts.greeting, Step::StartTls, starting).await?;
        }
        if let Some(credentials) = &to.credentials {
            let signing_in = smtp.auth(&[Mechanism::Plain, Mechanism::Login], credentials);
            within(timeouts.command, Step::SignIn, signing_in).await?;
        }
        let extensions = within(timeouts.greeting, Step::Greeting, smtp.command(Ehlo::new(to.hello.clone())));
        let extensions = extensions.await?;
        let extensions = extensions.message().filter_map(|line| line.split_whitespace().next());
        let extensions = extensions.map(str::to_ascii_uppercase).collect();
        failpoint::reach(Failpoint::Connected);
        Ok(Self {
            smtp,
            extensions,
            timeouts,
            opened: Instant::now(),
            messages: 0,
            state: State::Ready,
            is_ahead: false,
        })
    }

    /// What the server is asked to give notice of, and about whom, where it does (DSN: RFC 3461).
    fn notices(&self, recipient: &Address) -> Vec<RcptParameter> {
        if !self.offers("DSN") {
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

    /// Whether the server offers an extension, by its keyword in capitals.
    fn offers(&self, keyword: &str) -> bool {
        self.extensions.iter().any(|offered| offered == keyword)
    }

    /// True when both ends agree on where they are.
    pub(super) fn is_intact(&self) -> bool {
        self.state != State::Broken
    }

    /// True while another message may follow on this connection.
    pub(super) fn may_carry_on(&self, max_messages: u32, max_age: Duration) -> bool {
        self.messages < max_messages && self.opened.elapsed() < max_age
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
            let reset =
                self.step(Step::Reset, Rset, self.timeouts.command, Severity::PositiveCompletion).await;
            self.state = if reset.is_ok() { State::Ready } else { State::Broken };
            reset?;
        }
        if utf8 && !self.smtp.server_info().supports_feature(Extension::SmtpUtfEight) {
            return Err(Outcome::Unsendable("the mail server does not offer SMTPUTF8".to_owned()));
        }
        let beyond_ascii =
            [MailParameter::SmtpUtfEight, MailParameter::Body(MailBodyParameter::EightBitMime)];
        let mut parameters = if utf8 { beyond_ascii.to_vec() } else { Vec::new() };
        if self.offers("DSN") {
            let asked = [("RET", "HDRS"), ("ENVID", envelope_id)];
            parameters.extend(asked.map(|(keyword, value)| MailParameter::Other {
                keyword: keyword.to_owned(),
                value: Some(value.to_owned()),
            }));
        }
        self.messages += 1;
        let mail = Mail::new(Some(sender.clone()), parameters);
        self.is_ahead = self.offers("PIPELINING");
        if !self.is_ahead {
            return self.step(Step::Mail, mail, self.timeouts.command, Severity::PositiveCompletion).await;
        }
        let all = InOneWrite(mail, Rcpt::new(recipient.clone(), self.notices(recipient)), Data);
        let Timeouts { command, data, .. } = self.timeouts;
        match self.step(Step::Mail, all, command, Severity::PositiveCompletion).await {
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
            let reply = timeout(*limit, self.smtp.read_response()).await;
            let refused = |error| negative(error).is_some_and(|reply| reply.code != CLOSING);
            self.state = match &reply {
                Ok(Err(error)) if refused(error) => State::InTransaction,
                _ => State::Broken,
            };
            if let Ok(Ok(yes)) = reply
                && yes.code().severity == Severity::PositiveCompletion
            {
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
        let handing_over = failpoint::reach_in(Failpoint::ContentSent, self.smtp.command(content));
        match timeout(self.timeouts.content, handing_over).await {
            Ok(Ok(response)) if response.code().severity == Severity::PositiveCompletion => {
                self.state = State::Ready;
                Outcome::Accepted(positive(&response))
            }
            Ok(Ok(response)) => unknown(unexpected(&response)),
            Ok(Err(error)) => match negative(&error) {
                Some(reply) => self.refused(Step::Content, reply),
                None => unknown(error.to_string()),
            },
            Err(_) => Outcome::Unknown { error: Break::TimedOut },
        }
    }

    /// Says goodbye. Nothing depends on it, so nothing comes of a failure.
    pub(super) async fn quit(mut self) {
        let _ = timeout(FAREWELL, self.smtp.command(Quit)).await;
    }

    async fn approach(&mut self, recipient: &Address) -> Result<(), Outcome> {
        let Timeouts { command, data, .. } = self.timeouts;
        if !self.is_ahead {
            let recipient = Rcpt::new(recipient.clone(), self.notices(recipient));
            self.step(Step::Recipient, recipient, command, Severity::PositiveCompletion).await?;
            return self.step(Step::Data, Data, data, Severity::PositiveIntermediate).await;
        }
        if let Err(refusal) = self.next_reply(Step::Recipient, command, Severity::PositiveCompletion).await {
            return Err(self.skip_replies(refusal, &[data]).await);
        }
        self.next_reply(Step::Data, data, Severity::PositiveIntermediate).await
    }

    async fn step<C: Display>(
        &mut self,
        step: Step,
        command: C,
        limit: Duration,
        expected: Severity,
    ) -> Result<(), Outcome> {
        self.state = State::Broken;
        let replied = timeout(limit, self.smtp.command(command)).await;
        self.take(step, replied, expected)
    }

    /// Waits for the reply to a command that has gone out already.
    async fn next_reply(&mut self, step: Step, limit: Duration, expected: Severity) -> Result<(), Outcome> {
        self.state = State::Broken;
        let replied = timeout(limit, self.smtp.read_response()).await;
        self.take(step, replied, expected)
    }

    fn take(
        &mut self,
        step: Step,
        replied: Result<Result<Response, Error>, Elapsed>,
        expected: Severity,
    ) -> Result<(), Outcome> {
        match replied {
            Ok(Ok(response)) if response.code().severity == expected => {
                self.state = State::InTransaction;
                match step {
                    Step::Mail => failpoint::reach(Failpoint::Mail),
                    Step::Recipient => failpoint::reach(Failpoint::Recipient),
                    _ => {}
                }
                Ok(())
            }
            Ok(Ok(response)) => Err(lost(step, unexpected(&response))),
            Ok(Err(error)) => Err(match negative(&error) {
                Some(reply) => self.refused(step, reply),
                None => lost(step, error),
            }),
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

/// Connects to the first of the server's addresses that answers.
async fn connect(to: &Prepared) -> Result<TcpStream, Outcome> {
    let (host, port) = (to.server.host.as_str(), to.server.port);
    let limit = to.server.timeouts.connect;
    let addresses: Vec<SocketAddr> = match timeout(limit, lookup_host((host, port))).await {
        Ok(Ok(addresses)) => addresses.collect(),
        Ok(Err(error)) => return Err(lost(Step::Connect, error)),
        Err(_) => return Err(timed_out(Step::Connect)),
    };
    let mut failure = lost(Step::Connect, "the server's name has no address");
    for address in addresses {
        failure = match timeout(limit, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => lost(Step::Connect, error),
            Err(_) => timed_out(Step::Connect),
        };
    }
    Err(failure)
}

async fn connect_plainly(to: &Prepared) -> Result<AsyncSmtpConnection, Outcome> {
    let stream = connect(to).await?;
    let is_local = stream.peer_addr().is_ok_and(|peer| peer.ip().to_canonical().is_loopback());
    if to.server.tls == Tls::None && !is_local && !to.server.allow_plaintext {
        let refusal = "without TLS only a server on this machine is spoken to, unless plain text is allowed";
        let refusal = refusal.to_owned();
        return Err(Outcome::Fault(Fault::Tls(refusal)));
    }
    stream.set_nodelay(true).map_err(|error| lost(Step::Connect, error))?;
    let greeting = AsyncSmtpConnection::connect_with_transport(Box::new(LineStream::new(stream)), &to.hello);
    within(to.server.timeouts.greeting, Step::Greeting, greeting).await
}

async fn connect_privately(to: &Prepared) -> Result<AsyncSmtpConnection, Outcome> {
    let Timeouts { connect, greeting, .. } = to.server.timeouts;
    let server = (to.server.host.as_str(), to.server.port);
    let connecting =
        AsyncSmtpConnection::connect_tokio1(server, Some(connect), &to.hello, to.tls.clone(), None);
    within(connect + greeting, Step::Connect, connecting).await
}

/// Runs a step that comes before the first message; a failure of the relay itself is told from
/// one of the network.
async fn within<T>(
    limit: Duration,
    step: Step,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Outcome> {
    let error = match timeout(limit, work).await {
        Ok(Ok(value)) => return Ok(value),
        Ok(Err(error)) => error,
        Err(_) => return Err(timed_out(step)),
    };
    Err(match (step, negative(&error)) {
        (Step::SignIn, Some(reply)) if reply.code != CLOSING => Outcome::Fault(Fault::SignIn(said(&reply))),
        (Step::SignIn, None) if error.is_client() => Outcome::Fault(Fault::SignIn(error.to_string())),
        (Step::StartTls, Some(reply)) if reply.code != CLOSING => Outcome::Fault(Fault::Tls(said(&reply))),
        (_, Some(reply)) => Outcome::Refused { step, reply },
        (_, None) if is_tls_failure(&error) => Outcome::Fault(Fault::Tls(error.to_string())),
        (_, None) => lost(step, error),
    })
}

fn lost(step: Step, error: impl Display) -> Outcome {
    Outcome::Lost { step, error: error.to_string().into() }
}

const fn timed_out(step: Step) -> Outcome {
    Outcome::Lost { step, error: Break::TimedOut }
}

fn unexpected(response: &Response) -> String {
    format!("the server answered with an unexpected {}", response.code())
}

fn said(reply: &Reply) -> String {
    format!("{} {} {}", reply.code, reply.enhanced_code.as_deref().unwrap_or("-"), reply.text)
}
