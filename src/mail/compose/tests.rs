use proptest::prelude::*;

use super::*;

fn note() -> Note<'static> {
    Note {
        recruiter_name: "Rosa Klein",
        recruiter_address: "rosa@agency.example",
        agency_name: "Klein & Partner",
        author: Author::Service { name: "Debrief", address: "notes@debrief.example" },
        bounce_address: "bounces@debrief.example",
        contact_name: "Jürgen Groß",
        contact_address: "jg@größe.example",
        candidate_name: "Ann Lee",
        subject: "Thank you – it was a pleasure",
        body: "Dear Mr Groß,\n\nthank you for <your> time.\n.\nI liked the team & the \"lab\".\n\n\nAnn Lee\n",
        greeting: None,
        signature: None,
        language: "en",
        message_id: "dlv_01h2xcejqtf2nbrexx3vqjhp41",
        boundary_seed: "dlv_01h2xcejqtf2nbrexx3vqjhp41",
        date: DateTime::from_timestamp(1_760_000_000, 0).unwrap(),
    }
}

/// The header fields as a server would split them: unfolded, names in lower case.
fn fields(bytes: &[u8]) -> Vec<(String, String)> {
    let text = std::str::from_utf8(bytes).unwrap();
    let head = text.split_once("\r\n\r\n").unwrap().0.replace("\r\n ", " ");
    let split = |line: &str| {
        let (name, value) = line.split_once(':').unwrap();
        (name.to_lowercase(), value.trim().to_owned())
    };
    head.split("\r\n").map(split).collect()
}

#[test]
fn the_message_as_it_goes_out() {
    let letter = compose(&note()).unwrap();
    assert_eq!(letter.message_id, "dlv_01h2xcejqtf2nbrexx3vqjhp41@debrief.example");
    assert_eq!(letter.envelope.sender, "bounces@debrief.example");
    assert_eq!(letter.envelope.recipient, "jg@xn--gre-6ka8i.example");
    assert!(!letter.needs_utf8());
    insta::assert_snapshot!(String::from_utf8(letter.bytes).unwrap());
}

#[test]
fn who_stands_in_from_is_told_apart() {
    let from = |author| {
        let letter = compose(&Note { author, ..note() }).unwrap();
        (fields(&letter.bytes)[0].1.clone(), letter.message_id)
    };
    let (recruiter, id) = from(Author::Recruiter);
    assert_eq!(recruiter, "\"Rosa Klein\" <rosa@agency.example>");
    assert_eq!(id, "dlv_01h2xcejqtf2nbrexx3vqjhp41@agency.example");
    let (agency, id) = from(Author::Agency { address: "notes@klein.example" });
    assert_eq!(agency, "\"Rosa Klein (Klein & Partner)\" <notes@klein.example>");
    assert_eq!(id, "dlv_01h2xcejqtf2nbrexx3vqjhp41@klein.example");
}

#[test]
fn the_agency_frames_the_words_and_is_escaped_as_they_are() {
    let framed = Note {
        greeting: Some("Dear Ines,\n\n<b>Ann</b> asked me:"),
        signature: Some("Rosa Klein\r\n\n<i>Hanse</i>\n"),
        ..note()
    };
    let letter = compose(&framed).unwrap();
    let parts = crate::mail::Parts::of(&letter.bytes).unwrap();
    assert!(parts.text.starts_with("Dear Ines,\n\n<b>Ann</b> asked me:\n\nDear Mr Groß,"), "{}", parts.text);
    assert!(parts.text.ends_with("Ann Lee\n\n-- \nRosa Klein\n\n<i>Hanse</i>"), "{}", parts.text);
    assert!(parts.html.contains("<p>&#60;b&#62;Ann&#60;/b&#62; asked me:</p>"), "{}", parts.html);
    assert!(
        parts.html.contains("<p><small>Rosa Klein<br>\n<br>\n&#60;i&#62;Hanse&#60;/i&#62;</small></p>"),
        "{}",
        parts.html
    );
}

#[test]
fn the_same_note_makes_the_same_bytes() {
    assert_eq!(compose(&note()).unwrap(), compose(&note()).unwrap());
}

#[test]
fn a_local_part_beyond_ascii_needs_smtputf8() {
    let letter = compose(&Note { contact_address: "jörg@agency.example", ..note() }).unwrap();
    assert!(letter.needs_utf8());
    assert_eq!(letter.envelope.recipient, "jörg@agency.example");
}

#[test]
fn addresses_and_identifiers_are_checked() {
    for bad in [
        "",
        "a",
        "a@",
        "a b@c.example",
        "a@b.example\r\nBcc: x@y.example",
        "<a@b.example>",
        "\"a\r\n\"@b.example",
    ] {
        assert!(compose(&Note { contact_address: bad, ..note() }).is_err(), "{bad:?}");
    }
    for bad in ["", "a b", "a\"b", "a\r\nb", "a@b", ".a", "a..b"] {
        assert!(compose(&Note { message_id: bad, ..note() }).is_err(), "{bad:?}");
        assert!(compose(&Note { boundary_seed: bad, ..note() }).is_err(), "{bad:?}");
    }
    let endless = "x".repeat(1_000);
    assert!(matches!(compose(&Note { subject: &endless, ..note() }), Err(ComposeError::LineTooLong)));
}

#[test]
fn what_looks_encoded_stays_as_written() {
    let letter = compose(&Note { subject: "=?utf-8?q?=0ABcc:_x?= hi", ..note() }).unwrap();
    assert!(fields(&letter.bytes).contains(&("subject".into(), "= ?utf-8?q?=0ABcc:_x?= hi".into())));
}

proptest! {
    /// Whatever is written into a note, the message has the same fields, the envelope goes to
    /// the same two addresses, and every line is one that every server takes.
    #[test]
    fn no_text_can_change_the_shape(
        hostile in prop::collection::vec(
            prop_oneof![
                Just("\r\nBcc: x@y.example".to_owned()), Just("\n\n".to_owned()), Just("\r".to_owned()),
                Just("\0\u{85}\u{2028}".to_owned()), Just("\" <x@y.example>, \"".to_owned()),
                Just("\\".to_owned()), Just("=?utf-8?q?=0D=0A?=".to_owned()), Just("--=_dlv_01h2xcejqtf2nbrexx3vqjhp41--".to_owned()),
                Just("{{ 1 }}<script>".to_owned()), "\\PC{0,30}", any::<String>().prop_map(|s| s.chars().take(40).collect()),
            ],
            9,
        ),
        author in 0..3,
    ) {
        let letter = compose(&Note {
            recruiter_name: &hostile[0],
            agency_name: &hostile[1],
            contact_name: &hostile[2],
            candidate_name: &hostile[3],
            subject: &hostile[4],
            body: &hostile[5],
            language: &hostile[6],
            greeting: Some(&hostile[7]),
            signature: Some(&hostile[8]),
            author: match author {
                0 => Author::Recruiter,
                1 => Author::Agency { address: "notes@klein.example" },
                _ => Author::Service { name: &hostile[1], address: "notes@debrief.example" },
            },
            ..note()
        }).unwrap();
        let envelope = (letter.envelope.sender.as_str(), letter.envelope.recipient.as_str());
        prop_assert_eq!(envelope, ("bounces@debrief.example", "jg@xn--gre-6ka8i.example"));
        prop_assert!(letter.bytes.is_ascii());
        let names: Vec<_> = fields(&letter.bytes).into_iter().map(|(name, _)| name).collect();
        prop_assert_eq!(names, [
            "from", "reply-to", "to", "subject", "date", "message-id", "mime-version", "content-type",
        ]);
        let text = String::from_utf8(letter.bytes).unwrap();
        prop_assert_eq!(text.matches("\n--=_dlv_").count(), 3, "{}", text);
        let html = text.split_once("text/html").unwrap().1.replace("=\r\n", "");
        prop_assert!(!html.contains("<script>"));
        prop_assert!(!text.replace("\r\n", "").contains(['\r', '\n', '\0']));
        prop_assert!(text.lines().all(|line| line.len() <= LONGEST_LINE));
    }
}
