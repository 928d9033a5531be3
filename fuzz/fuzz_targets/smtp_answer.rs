//! What a mail server says, read in pieces of any size as a connection brings them.

#![no_main]

use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use debrief::domain::delivery::Reply;
use debrief::mail::Answer;
use libfuzzer_sys::fuzz_target;
use tokio::io::{AsyncBufRead, AsyncRead, BufReader, ReadBuf};

/// A reply's text is no longer, in characters.
const LONGEST_TEXT: usize = 500;

fuzz_target!(|data: &[u8]| {
    let Some((sizes, said)) = data.split_first_chunk::<4>() else { return };
    let whole = answers(&mut &*said);
    let [capacity, sizes @ ..] = *sizes;
    let pieces = Pieces { said, sizes, read: 0, is_late: false };
    let in_pieces = answers(&mut BufReader::with_capacity(usize::from(capacity).max(1), pieces));
    assert_eq!(whole, in_pieces, "an answer is the same in whatever pieces it comes");
    for reply in whole.iter().flatten() {
        look_at(reply, said);
    }
});

/// All answers, up to what is none.
fn answers(said: &mut (impl AsyncBufRead + Unpin)) -> Vec<Result<Reply, (io::ErrorKind, String)>> {
    let mut answers = Vec::new();
    loop {
        let answer = at_once(Answer::read(said));
        let is_over = answer.is_err();
        answers.push(answer.map(|answer| answer.reply()).map_err(|error| (error.kind(), error.to_string())));
        if is_over {
            return answers;
        }
    }
}

fn look_at(reply: &Reply, said: &[u8]) {
    assert!((200..600).contains(&reply.code), "{reply:?}");
    let code = reply.code.to_string();
    assert!(
        said.split(|b| *b == b'\n').any(|line| line.starts_with(code.as_bytes())),
        "nobody said {reply:?}"
    );
    assert!(reply.text.chars().count() <= LONGEST_TEXT, "{reply:?}");
    assert!(!reply.text.contains(char::is_control), "{reply:?}");
    if let Some(enhanced) = &reply.enhanced_code {
        assert_eq!(enhanced[..1], code[..1], "{reply:?}");
        assert!(enhanced.bytes().all(|b| b == b'.' || b.is_ascii_digit()), "{reply:?}");
    }
}

/// Runs what waits for nothing but [`Pieces`].
fn at_once<T>(work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    loop {
        if let Poll::Ready(done) = work.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return done;
        }
    }
}

/// Bytes that come in pieces of these sizes, round and round. One of size 0 is late: there is nothing at first.
struct Pieces<'a> {
    said: &'a [u8],
    sizes: [u8; 3],
    read: usize,
    is_late: bool,
}

impl AsyncRead for Pieces<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let size = usize::from(self.sizes[self.read % self.sizes.len()]);
        if size == 0 && !std::mem::replace(&mut self.is_late, true) {
            return Poll::Pending;
        }
        self.is_late = false;
        self.read += 1;
        let (piece, rest) = self.said.split_at(size.max(1).min(self.said.len()).min(buffer.remaining()));
        buffer.put_slice(piece);
        self.said = rest;
        Poll::Ready(Ok(()))
    }
}
