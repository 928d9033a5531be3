//! A receiver of webhooks for tests that does what it is told: it takes every request, except where a
//! script says otherwise.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use serde_json::Value;
use sha2::Sha256;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// What the receiver does instead of answering with 204.
#[derive(Debug, Clone, Copy)]
pub enum Reaction {
    /// Answers with this status, these headers (each with its line's end) and this body.
    Answer(u16, &'static str, &'static str),
    /// Reads the request and says nothing.
    Hang,
    /// Closes the connection without a word.
    Drop,
}

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Hook {
    pub path: String,
    headers: Vec<(String, String)>,
    pub body: String,
}

impl Hook {
    /// A header; empty if it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// Whether one of the signatures was made with the secret.
    pub fn is_signed_with(&self, secret: &str) -> bool {
        let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
        let signed =
            format!("{}.{}.{}", self.header("webhook-id"), self.header("webhook-timestamp"), self.body);
        mac.update(signed.as_bytes());
        let expected = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
        self.header("webhook-signature").split(' ').any(|signature| signature == expected)
    }
}

/// A receiver that is listening on this machine.
pub struct Receiver {
    port: u16,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    script: Mutex<VecDeque<Reaction>>,
    hooks: Mutex<Vec<Hook>>,
    connections: AtomicUsize,
}

impl Receiver {
    /// Starts a receiver on a free port. Each reaction of the script is used once, in order.
    pub async fn start(script: impl IntoIterator<Item = Reaction>) -> Self {
        let shared =
            Arc::new(Shared { script: Mutex::new(script.into_iter().collect()), ..Shared::default() });
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = Arc::clone(&shared);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                server.connections.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(stream, Arc::clone(&server)));
            }
        });
        Self { port, shared }
    }

    /// Where it is, by a name.
    pub fn url(&self) -> String {
        format!("http://localhost:{}/hook?of=debrief", self.port)
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What has come so far, answered or not.
    pub fn hooks(&self) -> Vec<Hook> {
        self.shared.hooks.lock().unwrap().clone()
    }

    /// How many have connected.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// Waits until so many requests have come.
    pub async fn until(&self, count: usize) {
        while self.hooks().len() < count {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// Serves one request; nothing waits for how it ends.
async fn serve(stream: TcpStream, shared: Arc<Shared>) -> Option<()> {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    stream.read_line(&mut line).await.ok().filter(|read| *read > 0)?;
    let mut words = line.split(' ');
    assert_eq!(words.next(), Some("POST"));
    let path = words.next()?.to_owned();
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.push((name.to_lowercase(), value.to_owned()));
    }
    let mut hook = Hook { path, headers, body: String::new() };
    let mut body = vec![0; hook.header("content-length").parse().ok()?];
    stream.read_exact(&mut body).await.ok()?;
    hook.body = String::from_utf8(body).ok()?;
    // Taken before the request shows, so that whoever waits for it finds the script moved on.
    let reaction = shared.script.lock().unwrap().pop_front();
    shared.hooks.lock().unwrap().push(hook);
    match reaction.unwrap_or(Reaction::Answer(204, "", "")) {
        Reaction::Answer(status, headers, body) => {
            let length =
                if status == 204 { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
            let answer = format!("HTTP/1.1 {status} X\r\n{headers}{length}\r\n{body}");
            stream.get_mut().write_all(answer.as_bytes()).await.ok()?;
        }
        // Reads on, so that the end of the connection is noticed.
        Reaction::Hang => drop(stream.read_to_end(&mut Vec::new()).await),
        Reaction::Drop => {}
    }
    Some(())
}
