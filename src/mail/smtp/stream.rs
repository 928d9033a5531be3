//! The socket under a connection.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use lettre::transport::smtp::client::AsyncTokioStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// A socket that gives out one line at a time.
///
/// lettre keeps what it has read ahead when STARTTLS turns the connection into a private one, so
/// that replies which somebody on the way has slipped in behind the server's go-ahead would count
/// as said in private. What is not read ahead goes into the handshake instead and makes it fail.
#[derive(Debug)]
pub(super) struct LineStream {
    tcp: TcpStream,
    held: Vec<u8>,
    given: usize,
}

impl LineStream {
    pub(super) const fn new(tcp: TcpStream) -> Self {
        Self { tcp, held: Vec::new(), given: 0 }
    }
}

impl AsyncRead for LineStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.given == self.held.len() {
            let mut space = [0; 4096];
            let mut read = ReadBuf::new(&mut space);
            ready!(Pin::new(&mut self.tcp).poll_read(cx, &mut read))?;
            self.held = read.filled().to_vec();
            self.given = 0;
        }
        let waiting = &self.held[self.given..];
        let line = waiting.iter().position(|b| *b == b'\n').map_or(waiting.len(), |end| end + 1);
        let given = line.min(out.remaining());
        out.put_slice(&waiting[..given]);
        self.given += given;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for LineStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}

impl AsyncTokioStream for LineStream {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.tcp.peer_addr()
    }
}
