//! A mail server for tests that does what it is told: it takes every message, except where a
//! script says otherwise.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// The moment at which a [`Act`] takes the place of what the server would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// A client has connected.
    Greeting,
    /// EHLO has come.
    Ehlo,
    /// STARTTLS has come.
    StartTls,
    /// AUTH has come, and with PLAIN the credentials too.
    Auth,
    /// The credentials have come, after AUTH LOGIN.
    Credentials,
    /// RSET has come.
    Reset,
    /// MAIL has come.
    Mail,
    /// RCPT has come.
    Recipient,
    /// RCPT has come, with a recipient in this domain. It takes no part in the order of the script.
    RecipientIn(&'static str),
    /// DATA has come.
    Data,
    /// 354 was sent, the content has not been read.
    Content,
    /// The final dot has come.
    Dot,
}

/// What the server does instead.
#[derive(Debug, Clone, Copy)]
pub enum Act {
    /// Sends this (CR LF is added) and goes on; a message that is refused is not recorded.
    Reply(&'static str),
    /// The same with bytes of any kind.
    Say(&'static [u8]),
    /// Sends this as it is and closes the connection.
    SayAndDrop(&'static str),
    /// Closes the connection.
    Drop,
    /// Takes the message and closes the connection without a word; at the final dot only.
    TakeAndDrop,
    /// Keeps what it would say until it says something else, as servers do that have more to read.
    WithTheNext,
    /// Says nothing more.
    Hang,
    /// Sends this as it is, and says nothing more.
    SayAndHang(&'static str),
}

impl Act {
    /// Whether the server says something that begins so.
    fn says(self, start: &str) -> bool {
        match self {
            Self::Reply(text) => text.starts_with(start),
            Self::Say(bytes) => bytes.starts_with(start.as_bytes()),
            _ => false,
        }
    }
}

/// A message that the server took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// The argument of MAIL.
    pub mail: String,
    /// The argument of RCPT.
    pub recipient: String,
    /// The message, dots unstuffed.
    pub bytes: Vec<u8>,
    /// The number of the connection, from 1.
    pub connection: usize,
}

/// The running server; it ends with the test's runtime.
pub struct SmtpPeer {
    /// Where it listens.
    pub address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    script: Mutex<VecDeque<(At, Act)>>,
    taken: Mutex<Vec<Taken>>,
    commands: Mutex<Vec<String>>,
    connections: AtomicUsize,
    open: AtomicUsize,
}

impl SmtpPeer {
    /// Starts a server on a free port. Each line of the script is used once, in order.
    pub async fn start(script: impl IntoIterator<Item = (At, Act)>) -> Self {
        Self::start_at(Ipv4Addr::LOCALHOST.into(), script).await
    }

    /// The same at another of the machine's addresses.
    pub async fn start_at(host: IpAddr, script: impl IntoIterator<Item = (At, Act)>) -> Self {
        let shared =
            Arc::new(Shared { script: Mutex::new(script.into_iter().collect()), ..Shared::default() });
        let listener = TcpListener::bind((host, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = Arc::clone(&shared);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let shared = Arc::clone(&server);
                let connection = shared.connections.fetch_add(1, Ordering::SeqCst) + 1;
                shared.open.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(async move {
                    let _ = Session {
                        stream: BufReader::new(stream),
                        kept: String::new(),
                        connection,
                        shared: &shared,
                    }
                    .run()
                    .await;
                    shared.open.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        Self { address, shared }
    }

    /// The messages taken so far.
    pub fn taken(&self) -> Vec<Taken> {
        self.shared.taken.lock().unwrap().clone()
    }

    /// Every command so far, arguments and all.
    pub fn commands(&self) -> Vec<String> {
        self.shared.commands.lock().unwrap().clone()
    }

    /// How many clients have connected.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// Waits until every connection has ended, so that what was taken is all there will be.
    pub async fn quiet(&self) {
        while self.shared.open.load(Ordering::SeqCst) > 0 {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
    }
}

struct Session<'a> {
    stream: BufReader<TcpStream>,
    kept: String,
    connection: usize,
    shared: &'a Shared,
}

/// The connection is over: closed by either side.
struct Over;

impl From<std::io::Error> for Over {
    fn from(_: std::io::Error) -> Self {
        Self
    }
}

impl Session<'_> {
    async fn run(mut self) -> Result<(), Over> {
        self.answer(At::Greeting, "220 peer.example ESMTP").await?;
        let (mut mail, mut recipient) = (String::new(), String::new());
        loop {
            let line = self.line().await?;
            self.shared.commands.lock().unwrap().push(line.clone());
            match line.split([' ', ':']).next().unwrap_or_default() {
                "EHLO" => self.answer(At::Ehlo, "250-peer.example\r\n250-8BITMIME\r\n250 SMTPUTF8").await?,
                "STARTTLS" => self.answer(At::StartTls, "220 2.0.0 go ahead").await?,
                "AUTH" if line == "AUTH LOGIN" => self.login().await?,
                "AUTH" => self.answer(At::Auth, "235 2.7.0 welcome").await?,
                "RSET" => self.answer(At::Reset, "250 2.0.0 forgotten").await?,
                "MAIL" => {
                    mail = line.trim_start_matches("MAIL FROM:").to_owned();
                    self.answer(At::Mail, "250 2.1.0 sender fine").await?;
                }
                "RCPT" => {
                    recipient = line.trim_start_matches("RCPT TO:").to_owned();
                    let act = self.act_about(&recipient).or_else(|| self.act(At::Recipient));
                    self.perform(act, "250 2.1.5 recipient fine").await?;
                }
                "DATA" => {
                    let ready = self.act(At::Data);
                    self.perform(ready, "354 go on").await?;
                    if ready.is_none_or(|act| act.says("3")) {
                        self.message(&mail, &recipient).await?;
                    }
                }
                "QUIT" => return self.say("221 2.0.0 bye\r\n").await,
                _ => self.say("502 5.5.1 not known here\r\n").await?,
            }
        }
    }

    /// Asks for the name and the password, unless there is something to say against it at once.
    async fn login(&mut self) -> Result<(), Over> {
        let objection = self.act(At::Auth);
        self.perform(objection, "334 VXNlcm5hbWU6").await?;
        if objection.is_none() {
            self.line().await?;
            self.say("334 UGFzc3dvcmQ6\r\n").await?;
            self.line().await?;
            self.answer(At::Credentials, "235 2.7.0 welcome").await?;
        }
        Ok(())
    }

    async fn message(&mut self, mail: &str, recipient: &str) -> Result<(), Over> {
        if let Some(act) = self.act(At::Content) {
            return self.perform(Some(act), "").await;
        }
        let mut bytes = Vec::new();
        loop {
            let mut line = Vec::new();
            self.stream.read_until(b'\n', &mut line).await?;
            match line.as_slice() {
                [] => return Err(Over),
                b".\r\n" => break,
                [b'.', rest @ ..] => bytes.extend_from_slice(rest),
                line => bytes.extend_from_slice(line),
            }
        }
        let act = self.act(At::Dot);
        if act.is_none_or(|act| matches!(act, Act::TakeAndDrop) || act.says("2")) {
            let (mail, recipient) = (mail.to_owned(), recipient.to_owned());
            let taken = Taken { mail, recipient, bytes, connection: self.connection };
            self.shared.taken.lock().unwrap().push(taken);
        }
        self.perform(act, "250 2.0.0 taken").await
    }

    async fn answer(&mut self, at: At, usual: &str) -> Result<(), Over> {
        let act = self.act(at);
        self.perform(act, usual).await
    }

    /// The next line of the script, if it is for this moment.
    fn act(&self, at: At) -> Option<Act> {
        self.shared.script.lock().unwrap().pop_front_if(|(when, _)| *when == at).map(|(_, act)| act)
    }

    /// The next line of the script about the domain of this recipient.
    fn act_about(&self, recipient: &str) -> Option<Act> {
        let is_at = |(when, _): &(At, Act)| matches!(when, At::RecipientIn(domain) if recipient.trim_end_matches('>').ends_with(&format!("@{domain}")));
        let mut script = self.shared.script.lock().unwrap();
        let at = script.iter().position(is_at)?;
        script.remove(at).map(|(_, act)| act)
    }

    async fn perform(&mut self, act: Option<Act>, usual: &str) -> Result<(), Over> {
        match act {
            None => self.say(&format!("{usual}\r\n")).await,
            Some(Act::Reply(text)) => self.say(&format!("{text}\r\n")).await,
            Some(Act::Say(bytes)) => {
                self.stream.get_mut().write_all(bytes).await?;
                self.say("\r\n").await
            }
            Some(Act::SayAndDrop(text)) => {
                self.say(text).await?;
                Err(Over)
            }
            Some(Act::Drop | Act::TakeAndDrop) => Err(Over),
            Some(Act::WithTheNext) => {
                self.kept.push_str(&format!("{usual}\r\n"));
                Ok(())
            }
            Some(Act::Hang) => self.hang().await,
            Some(Act::SayAndHang(text)) => {
                self.say(text).await?;
                self.hang().await
            }
        }
    }

    async fn hang(&mut self) -> Result<(), Over> {
        // Reads on, so that the end of the connection is noticed.
        let mut rest = Vec::new();
        self.stream.read_to_end(&mut rest).await?;
        Err(Over)
    }

    async fn line(&mut self) -> Result<String, Over> {
        let mut line = String::new();
        if self.stream.read_line(&mut line).await? == 0 {
            return Err(Over);
        }
        Ok(line.trim_end().to_owned())
    }

    async fn say(&mut self, text: &str) -> Result<(), Over> {
        let all = std::mem::take(&mut self.kept) + text;
        Ok(self.stream.get_mut().write_all(all.as_bytes()).await?)
    }
}
