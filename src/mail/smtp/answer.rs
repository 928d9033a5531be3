//! What a server answers, read as generously as RFC 5321 asks of clients (section 4.2): a code alone is
//! enough, its first digit tells what to do, and the text may be in any encoding.

use std::io;

use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt};

use crate::domain::delivery::Reply;

/// No answer is longer: a server that sends more has something else in mind.
const LONGEST_ANSWER: u64 = 100_000;

/// The answer to one command, or the greeting.
#[derive(Debug)]
pub struct Answer {
    code: u16,
    /// The text of each line; there is at least one.
    lines: Vec<String>,
}

/// What an answer's first digit says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// 2: done.
    Done,
    /// 3: so far so good, and the server waits for more.
    GoOn,
    /// 4 and 5: no.
    Refused,
}

impl Answer {
    /// Reads the next answer, and nothing behind it.
    ///
    /// # Errors
    /// If there is none: what is said is no answer, is longer than any, or ends before its end.
    pub async fn read(said: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Self> {
        let (mut lines, mut line) = (Lines::default(), Vec::new());
        let mut left = said.take(LONGEST_ANSWER);
        loop {
            line.clear();
            left.read_until(b'\n', &mut line).await?;
            if let Some(answer) = lines.take(&line)? {
                return Ok(answer);
            }
        }
    }

    pub(super) const fn code(&self) -> u16 {
        self.code
    }

    pub(super) const fn meaning(&self) -> Meaning {
        match self.code {
            ..300 => Meaning::Done,
            300..400 => Meaning::GoOn,
            400.. => Meaning::Refused,
        }
    }

    /// The text, line by line.
    pub(super) fn lines(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().map(String::as_str)
    }

    /// The answer as it is kept and shown. Servers repeat the enhanced code in every line: once is enough.
    #[must_use]
    pub fn reply(&self) -> Reply {
        let (first, others) = self.lines.split_first().map_or(("", &[][..]), |(first, rest)| (first, rest));
        let repeated = Reply::new(self.code, first).enhanced_code;
        let mut text = first.to_owned();
        for line in others {
            let rest = repeated.as_deref().and_then(|code| line.strip_prefix(code)?.strip_prefix(' '));
            text.push(' ');
            text.push_str(rest.unwrap_or(line));
        }
        Reply::new(self.code, &text)
    }
}

/// An answer of which not all lines are there yet.
#[derive(Default)]
struct Lines {
    code: Option<u16>,
    texts: Vec<String>,
}

impl Lines {
    /// Takes the next line. The answer, if that was its last one.
    ///
    /// # Errors
    /// If it is no line of an answer, or one of another answer.
    fn take(&mut self, line: &[u8]) -> io::Result<Option<Answer>> {
        let line = line.strip_suffix(b"\n").ok_or(io::ErrorKind::UnexpectedEof)?;
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let (code, rest) = code(line).ok_or_else(|| no_answer(line))?;
        if *self.code.get_or_insert(code) != code {
            return Err(no_answer(line));
        }
        let (is_last, text) = match rest {
            [] => (true, rest),
            [b' ', text @ ..] => (true, text),
            [b'-', text @ ..] => (false, text),
            _ => return Err(no_answer(line)),
        };
        self.texts.push(readable(text));
        Ok(is_last.then(|| Answer { code, lines: std::mem::take(&mut self.texts) }))
    }
}

/// The code that a line begins with, and what comes after it. The second digit is any: servers give codes like 571.
fn code(line: &[u8]) -> Option<(u16, &[u8])> {
    let (digits, rest) = line.split_first_chunk::<3>()?;
    let [b'2'..=b'5', b'0'..=b'9', b'0'..=b'9'] = digits else { return None };
    let code = digits.iter().fold(0, |code, digit| code * 10 + u16::from(digit - b'0'));
    Some((code, rest))
}

/// What is not UTF-8 is from the time before it: every byte is a character of Latin-1.
fn readable(text: &[u8]) -> String {
    std::str::from_utf8(text)
        .map_or_else(|_| text.iter().copied().map(char::from).collect(), ToOwned::to_owned)
}

fn no_answer(line: &[u8]) -> io::Error {
    let start: String = readable(line).chars().take(80).collect();
    io::Error::new(io::ErrorKind::InvalidData, format!("this is no reply of a mail server: {start:?}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(said: &[u8]) -> io::Result<Option<Answer>> {
        let mut lines = Lines::default();
        for line in said.split_inclusive(|b| *b == b'\n') {
            if let Some(answer) = lines.take(line)? {
                return Ok(Some(answer));
            }
        }
        Ok(None)
    }

    #[test]
    fn what_servers_say_is_understood() {
        let said: [(&[u8], u16, Option<&str>, &str); 9] = [
            (b"250\r\n", 250, None, ""),
            (b"354\r\n", 354, None, ""),
            (b"250 \r\n", 250, None, ""),
            (b"250 2.0.0 taken\r\n", 250, Some("2.0.0"), "taken"),
            (b"571 5.7.1 no\r\n", 571, Some("5.7.1"), "no"),
            (b"550 5.1.1 Empf\xe4nger unbekannt\r\n", 550, Some("5.1.1"), "Empf\u{e4}nger unbekannt"),
            ("550 5.1.1 Empf\u{e4}nger\r\n".as_bytes(), 550, Some("5.1.1"), "Empf\u{e4}nger"),
            (b"554-5.7.1 spam\r\n554-\r\n554 5.7.1 go away\r\n", 554, Some("5.7.1"), "spam go away"),
            (b"550-5.7.2 one\r\n550 5.7.25 two\n", 550, Some("5.7.2"), "one 5.7.25 two"),
        ];
        for (said, code, enhanced, text) in said {
            let reply = read(said).unwrap().unwrap().reply();
            let found = (reply.code, reply.enhanced_code.as_deref(), reply.text.as_str());
            assert_eq!(found, (code, enhanced, text), "{:?}", String::from_utf8_lossy(said));
        }
    }

    #[test]
    fn what_is_no_answer_is_not_taken_for_one() {
        for said in
            ["hello\r\n", "25\r\n", "2500 ok\r\n", "150 ok\r\n", "650 ok\r\n", "250-a\r\n251 b\r\n", "250 o"]
        {
            assert!(read(said.as_bytes()).is_err(), "{said:?}");
        }
        assert!(read(b"250-more\r\n").unwrap().is_none());
    }

    proptest! {
        #[test]
        fn whatever_comes_is_borne(said in prop::collection::vec(any::<u8>(), 0..99)) {
            let _ = read(&said);
            let line = [b"250 ", said.as_slice()].concat();
            let line = line.split(|b| *b == b'\n').next().unwrap();
            let answer = read(&[line, b"\r\n"].concat()).unwrap().unwrap();
            prop_assert!(!answer.reply().text.contains(char::is_control));
        }
    }
}
