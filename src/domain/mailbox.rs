//! One mailbox, whose address can be written in more than one way.

/// An address as it stands in an envelope: the domain as A-labels (RFC 5890). As it is, if it has no such
/// domain.
#[must_use]
pub fn in_envelope(address: &str) -> String {
    let Some((local, domain)) = address.rsplit_once('@') else { return address.to_owned() };
    idna::domain_to_ascii(domain).map_or_else(|_| address.to_owned(), |domain| format!("{local}@{domain}"))
}

/// Whether two addresses lead to one mailbox. A server may tell `Jo` from `jo` (RFC 5321, section 2.4), but none
/// is known that does.
#[must_use]
pub fn is_same(one: &str, other: &str) -> bool {
    in_envelope(one).eq_ignore_ascii_case(&in_envelope(other))
}

/// The ways in which a contact's address can be written that stands so in an envelope, in small letters.
#[must_use]
pub fn spellings(address: &str) -> [String; 2] {
    let in_envelope = in_envelope(address).to_ascii_lowercase();
    let (local, domain) = in_envelope.rsplit_once('@').unwrap_or((&in_envelope, ""));
    let readable = format!("{local}@{}", idna::domain_to_unicode(domain).0);
    [in_envelope, readable]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mailbox_is_known_however_it_is_written() {
        for (one, other) in [
            ("jo@b.example", "jo@b.example"),
            ("Jo@B.Example", "jo@b.example"),
            ("jo@gr\u{F6}\u{DF}e.example", "jo@xn--gre-6ka8i.example"),
            ("jo@GR\u{D6}\u{DF}E.example", "jo@xn--gre-6ka8i.example"),
        ] {
            assert!(is_same(one, other) && is_same(other, one), "{one} {other}");
        }
        for other in ["jo@c.example", "joe@b.example", "jo", ""] {
            assert!(!is_same("jo@b.example", other), "{other}");
        }
    }

    #[test]
    fn both_spellings_of_a_domain_are_looked_for() {
        assert_eq!(
            spellings("Jo@xn--gre-6ka8i.example"),
            ["jo@xn--gre-6ka8i.example", "jo@gr\u{F6}\u{DF}e.example"]
        );
        assert_eq!(spellings("jo@b.example"), ["jo@b.example", "jo@b.example"]);
    }
}
