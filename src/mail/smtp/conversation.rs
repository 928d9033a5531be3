//! Commands and answers, over whatever carries them.

use std::fmt::Display;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::Poll;

use tokio::io::{AsyncBufRead, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::answer::Answer;
use super::server::TlsClient;

/// What carries the conversation: a socket, or TLS over one.
trait Carrier: AsyncRead + AsyncWrite + Send + Sync + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin> Carrier for T {}

/// A conversation with a server.
pub(super) struct Conversation {
    carrier: BufReader<Box<dyn Carrier>>,
}

impl Conversation {
    pub(super) fn new(tcp: TcpStream) -> Self {
        Self { carrier: BufReader::new(Box::new(tcp)) }
    }

    /// Goes on in private.
    ///
    /// # Errors
    /// If the handshake fails. What was said in the open and not yet heard would count as said in private, and
    /// may have been slipped in by somebody on the way: that is an error too.
    pub(super) async fn in_private(self, tls: &TlsClient) -> io::Result<Self> {
        if !self.carrier.buffer().is_empty() {
            let error =
                tokio_rustls::rustls::Error::General("something was said before TLS began".to_owned());
            return Err(io::Error::new(io::ErrorKind::InvalidData, error));
        }
        let private = tls.connector.connect(tls.name.clone(), self.carrier.into_inner()).await?;
        Ok(Self { carrier: BufReader::new(Box::new(private)) })
    }

    /// Whether the server has said nothing that was not asked for, and has not closed the connection, as far as
    /// is known by now.
    pub(super) async fn is_silent(&mut self) -> bool {
        // What was read with the last answer is in the buffer, and so ready too.
        poll_fn(|context| Poll::Ready(Pin::new(&mut self.carrier).poll_fill_buf(context).is_pending())).await
    }

    /// Says something, and waits for the answer.
    pub(super) async fn ask(&mut self, command: impl Display) -> io::Result<Answer> {
        self.carrier.write_all(command.to_string().as_bytes()).await?;
        self.carrier.flush().await?;
        self.answer().await
    }

    /// The next answer.
    pub(super) async fn answer(&mut self) -> io::Result<Answer> {
        Answer::read(&mut self.carrier).await
    }
}

/// Whether TLS itself failed (a certificate, a protocol), and not the connection under it.
pub(super) fn is_tls_failure(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|cause| cause.is::<tokio_rustls::rustls::Error>())
}
