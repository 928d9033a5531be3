//! From nothing to a conversation that is as private as it has to be, signed in, and ready for a message.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::commands::{Auth, Ehlo, Starttls};
use lettre::transport::smtp::response::{Category, Code, Detail, Response, Severity};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

use super::answer::{Answer, Meaning};
use super::connection::{CLOSING, codes, lost, said, timed_out, unexpected};
use super::conversation::{Conversation, is_tls_failure};
use super::server::{Prepared, Tls, TlsClient};
use crate::mail::{Fault, Outcome, Step};

/// The ways to sign in that we know, the one that we prefer first.
const MECHANISMS: [(&str, Mechanism); 2] = [("PLAIN", Mechanism::Plain), ("LOGIN", Mechanism::Login)];

/// A server that asks for more than this while we sign in never lets us.
const MOST_CHALLENGES: usize = 10;

/// The server asks for more (RFC 4954, section 4).
const CHALLENGE: u16 = 334;

/// What the server says it can do.
pub(super) struct Offers(Vec<String>);

impl Offers {
    fn read(answer: &Answer) -> Self {
        Self(answer.lines().skip(1).map(str::to_ascii_uppercase).collect())
    }

    /// Whether it offers an extension, by its keyword in capitals.
    pub(super) fn has(&self, keyword: &str) -> bool {
        self.words_after(keyword).is_some()
    }

    fn words_after(&self, keyword: &str) -> Option<impl Iterator<Item = &str>> {
        self.0.iter().find_map(|line| {
            let mut words = line.split_whitespace();
            (words.next() == Some(keyword)).then_some(words)
        })
    }
}

/// Connects, greets, makes the conversation private and signs in.
pub(super) async fn open(to: &Prepared) -> Result<(Conversation, Offers), Outcome> {
    let timeouts = to.server.timeouts;
    let stream = connect(to).await?;
    let is_local = stream.peer_addr().is_ok_and(|peer| peer.ip().to_canonical().is_loopback());
    if to.server.tls == Tls::None && !is_local && !to.server.allow_plaintext {
        let refusal = "without TLS only a server on this machine is spoken to, unless plain text is allowed";
        return Err(Outcome::Fault(Fault::Tls(refusal.to_owned())));
    }
    stream.set_nodelay(true).map_err(|error| lost(Step::Connect, error))?;
    let mut smtp = Conversation::new(stream);
    if let (Tls::Implicit, Some(tls)) = (to.server.tls, &to.tls) {
        smtp = shake_hands(smtp, tls, timeouts.connect).await?;
    }
    within(timeouts.greeting, Step::Greeting, smtp.answer()).await?;
    let mut offers = greet(&mut smtp, to).await?;
    if let (Tls::StartTls, Some(tls)) = (to.server.tls, &to.tls) {
        if !offers.has("STARTTLS") {
            return Err(Outcome::Fault(Fault::Tls("the server does not offer STARTTLS".to_owned())));
        }
        within(timeouts.command, Step::StartTls, smtp.ask(Starttls)).await?;
        smtp = shake_hands(smtp, tls, timeouts.connect).await?;
        // What was offered in the open counts for nothing (RFC 3207, section 4.2).
        offers = greet(&mut smtp, to).await?;
    }
    if let Some(credentials) = &to.credentials {
        sign_in(&mut smtp, &offers, credentials, timeouts.command).await?;
    }
    Ok((smtp, offers))
}

async fn greet(smtp: &mut Conversation, to: &Prepared) -> Result<Offers, Outcome> {
    let hello = smtp.ask(Ehlo::new(to.hello.clone()));
    let answer = within(to.server.timeouts.greeting, Step::Greeting, hello).await?;
    Ok(Offers::read(&answer))
}

async fn shake_hands(smtp: Conversation, tls: &TlsClient, limit: Duration) -> Result<Conversation, Outcome> {
    match timeout(limit, smtp.in_private(tls)).await {
        Ok(Ok(private)) => Ok(private),
        Ok(Err(error)) => Err(broken(Step::StartTls, &error)),
        Err(_) => Err(timed_out(Step::StartTls)),
    }
}

async fn sign_in(
    smtp: &mut Conversation,
    offers: &Offers,
    credentials: &Credentials,
    limit: Duration,
) -> Result<(), Outcome> {
    let unable = |why: String| Outcome::Fault(Fault::SignIn(why));
    let offered: Vec<_> = offers.words_after("AUTH").into_iter().flatten().collect();
    let known = MECHANISMS.into_iter().find(|(name, _)| offered.contains(name));
    let (_, mechanism) =
        known.ok_or_else(|| unable("the server offers neither PLAIN nor LOGIN".to_owned()))?;
    let first = Auth::new(mechanism, credentials.clone(), None);
    let mut next = first.map_err(|error| unable(error.to_string()))?;
    for _ in 0..MOST_CHALLENGES {
        let answered = timeout(limit, smtp.ask(next)).await.map_err(|_| timed_out(Step::SignIn))?;
        let answer = answered.map_err(|error| broken(Step::SignIn, &error))?;
        match answer.meaning() {
            Meaning::Done => return Ok(()),
            Meaning::Refused => return Err(refused(Step::SignIn, &answer)),
            Meaning::GoOn if answer.code() != CHALLENGE => {
                return Err(lost(Step::SignIn, unexpected(&answer)));
            }
            Meaning::GoOn => {
                let more = Auth::new_from_response(mechanism, credentials.clone(), &challenge(&answer));
                next = more.map_err(|error| unable(error.to_string()))?;
            }
        }
    }
    Err(unable("the server goes on asking".to_owned()))
}

/// A challenge as lettre reads it.
fn challenge(answer: &Answer) -> Response {
    let code = Code::new(Severity::PositiveIntermediate, Category::Unspecified3, Detail::Four);
    Response::new(code, answer.lines().map(str::to_owned).collect())
}

/// Runs a step that comes before the first message, and ends with a yes of the server.
async fn within(
    limit: Duration,
    step: Step,
    work: impl Future<Output = io::Result<Answer>>,
) -> Result<Answer, Outcome> {
    match timeout(limit, work).await {
        Ok(Ok(answer)) => match answer.meaning() {
            Meaning::Done => Ok(answer),
            Meaning::GoOn => Err(lost(step, unexpected(&answer))),
            Meaning::Refused => Err(refused(step, &answer)),
        },
        Ok(Err(error)) => Err(broken(step, &error)),
        Err(_) => Err(timed_out(step)),
    }
}

/// A no to what has nothing to do with the message is a fault of the relay itself.
fn refused(step: Step, answer: &Answer) -> Outcome {
    let reply = answer.reply();
    match step {
        // Not the server's words, which may repeat what we said: that is the credentials.
        Step::SignIn if reply.code != CLOSING => Outcome::Fault(Fault::SignIn(codes(&reply))),
        Step::StartTls if reply.code != CLOSING => Outcome::Fault(Fault::Tls(said(&reply))),
        _ => Outcome::Refused { step, reply },
    }
}

fn broken(step: Step, error: &io::Error) -> Outcome {
    if is_tls_failure(error) {
        return Outcome::Fault(Fault::Tls(error.to_string()));
    }
    lost(step, error)
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
