//! The content of a message as it goes over the wire.

/// Frames a message for DATA: doubles every dot that begins a line, ends the last line, adds the
/// final dot (RFC 5321, section 4.5.2). All of it goes out in one write: a final dot of its own
/// would wait some 40 ms for the acknowledgement of what was before it.
///
/// Bytes with a bare CR or LF, a NUL, or in anything but UTF-8 are no message that every server
/// reads alike (some take a bare LF for the end of a line, so that one message becomes two), and
/// are refused.
pub(super) fn frame(message: &[u8]) -> Result<String, String> {
    let message = std::str::from_utf8(message).map_err(|_| "the message is not UTF-8".to_owned())?;
    let message = message.strip_suffix("\r\n").unwrap_or(message);
    let mut framed = String::with_capacity(message.len() + 64);
    for line in message.split("\r\n") {
        if line.contains(['\r', '\n', '\0']) {
            return Err("the message has a line break or a character that mail must not have".to_owned());
        }
        if line.starts_with('.') {
            framed.push('.');
        }
        framed.push_str(line);
        framed.push_str("\r\n");
    }
    framed.push_str(".\r\n");
    Ok(framed)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What a server makes of it: lines up to the lone dot, one leading dot taken off.
    fn unframed(framed: &str) -> String {
        let content = framed.strip_suffix(".\r\n").unwrap();
        assert!(content.ends_with("\r\n"));
        let lines = content.split_inclusive("\r\n");
        lines
            .inspect(|line| assert_ne!(*line, ".\r\n"))
            .map(|line| line.strip_prefix('.').unwrap_or(line))
            .collect()
    }

    #[test]
    fn dots_are_doubled_only_where_a_line_begins() {
        assert_eq!(frame(b".a\r\n..\r\nb.c\r\n.\r\n").unwrap(), "..a\r\n...\r\nb.c\r\n..\r\n.\r\n");
        assert_eq!(frame(b"no end").unwrap(), "no end\r\n.\r\n");
        assert_eq!(frame(b"").unwrap(), "\r\n.\r\n");
    }

    #[test]
    fn what_servers_read_differently_is_refused() {
        for bad in [&b"a\n.\r\nb"[..], b"a\r.\r\n", b"a\r\r\n", b"a\n", b"\0", b"\xff"] {
            assert!(frame(bad).is_err(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn framing_can_be_undone(lines in prop::collection::vec("[.a\u{e9} ]{0,4}", 1..9)) {
            let message = lines.join("\r\n") + "\r\n";
            prop_assert_eq!(unframed(&frame(message.as_bytes()).unwrap()), message);
        }
    }
}
