//! A domain that an agency sends mail from: the keys that sign for it, the records that its DNS must
//! have, and what is made of those that it has.

mod judging;

use judging::{judge_dkim, judge_exchangers, judge_spf, with_version};

use super::words::words;

words! {
    /// What a DKIM key is of (RFC 6376, RFC 8463); the word is the one in the key's record.
    pub enum DkimAlgorithm {
        /// RSA of 2048 bits: what every verifier knows.
        Rsa,
        /// Ed25519: short, and not known to all yet.
        Ed25519,
    }
}

impl DkimAlgorithm {
    /// What a signature calls it.
    #[must_use]
    pub const fn signature_name(self) -> &'static str {
        match self {
            Self::Rsa => "rsa-sha256",
            Self::Ed25519 => "ed25519-sha256",
        }
    }
}

/// What the service asks of every domain, whosoever it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DnsPolicy {
    /// The host that takes what comes back.
    pub bounce_host: String,
    /// The SPF record (RFC 7208) that lets our mail server send.
    pub spf: String,
}

/// A text that is not the name of a domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a domain name with a dot, such as agency.example")]
pub struct NotADomain;

/// Reads the name of a domain, into A-labels (RFC 5890) and lower case.
pub fn parse_domain(text: &str) -> Result<String, NotADomain> {
    let ascii = idna::domain_to_ascii_strict(text.trim_end_matches('.')).map_err(|_| NotADomain)?;
    // As long as its selectors may be, the whole must stay a name (RFC 1035, section 2.3.4).
    if ascii.contains('.') && ascii.len() <= 200 { Ok(ascii.to_ascii_lowercase()) } else { Err(NotADomain) }
}

/// Whether `name` is `domain` or lies below it.
#[must_use]
pub fn is_within(name: &str, domain: &str) -> bool {
    name == domain || name.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'))
}

/// What a record of the DNS is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Purpose {
    /// Publishes a key under a selector.
    Dkim {
        /// The selector.
        selector: String,
        /// The base64 of the public key.
        public_key: String,
    },
    /// Says who may send with the domain in the envelope.
    Spf,
    /// Says what becomes of mail that is not signed and sent as it should be.
    Dmarc,
    /// Leads what comes back to us.
    Bounces,
}

/// A record that the DNS must have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// What it is for.
    pub purpose: Purpose,
    /// The name that has it.
    pub name: String,
    /// What it says.
    pub value: String,
}

/// What the DNS has instead of a record that it should have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// It, or something that does as well.
    Good,
    /// Nothing.
    Missing,
    /// Something else.
    Other(String),
    /// Nobody could tell.
    Unknown(String),
}

/// A key as its record has it.
#[derive(Debug, Clone, Copy)]
pub struct PublicKey<'a> {
    /// The selector that it is published under.
    pub selector: &'a str,
    /// What it is of.
    pub algorithm: DkimAlgorithm,
    /// Its base64.
    pub base64: &'a str,
}

/// Every record that a domain with these keys needs.
#[must_use]
pub fn wanted(domain: &str, bounce_domain: &str, keys: &[PublicKey<'_>], policy: &DnsPolicy) -> Vec<Wanted> {
    let dkim = keys.iter().map(|key| Wanted {
        purpose: Purpose::Dkim { selector: key.selector.to_owned(), public_key: key.base64.to_owned() },
        name: format!("{}._domainkey.{domain}", key.selector),
        value: format!("v=DKIM1; k={}; p={}", key.algorithm, key.base64),
    });
    let others = [
        (Purpose::Spf, bounce_domain.to_owned(), policy.spf.clone()),
        (Purpose::Dmarc, format!("_dmarc.{domain}"), "v=DMARC1; p=none".to_owned()),
        (Purpose::Bounces, bounce_domain.to_owned(), format!("10 {}.", policy.bounce_host)),
    ];
    dkim.chain(others.map(|(purpose, name, value)| Wanted { purpose, name, value })).collect()
}

impl Wanted {
    /// The type of the record.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        if self.purpose == Purpose::Bounces { "MX" } else { "TXT" }
    }

    /// The names to look at, one after the other until one has something: the policy of a domain above
    /// holds for those below it (RFC 7489, section 6.6.3).
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let mut names = vec![self.name.clone()];
        if self.purpose == Purpose::Dmarc {
            let mut domain = self.name.trim_start_matches("_dmarc.");
            while let Some((_, above)) = domain.split_once('.')
                && above.contains('.')
            {
                names.push(format!("_dmarc.{above}"));
                domain = above;
            }
        }
        names
    }

    /// The record as a line of a zone file. A text has pieces of at most 255 octets (RFC 1035, section
    /// 3.3.14).
    #[must_use]
    pub fn zone_line(&self) -> String {
        if self.kind() == "MX" {
            return format!("{}. IN MX {}", self.name, self.value);
        }
        let pieces = self.value.as_bytes().chunks(250).map(String::from_utf8_lossy);
        let pieces: Vec<_> = pieces.map(|piece| format!("\"{piece}\"")).collect();
        let text = if pieces.len() == 1 { pieces.concat() } else { format!("( {} )", pieces.join(" ")) };
        format!("{}. IN TXT {text}", self.name)
    }

    /// What is made of the records of this name and type: texts with their pieces joined, mail
    /// exchangers as "preference host".
    #[must_use]
    pub fn judge(&self, records: &[String]) -> Found {
        match &self.purpose {
            Purpose::Dkim { .. } => judge_dkim(records, &self.value),
            Purpose::Spf => judge_spf(records, &self.value),
            Purpose::Dmarc => {
                let policies: Vec<_> = with_version(records, "v=DMARC1");
                match policies.as_slice() {
                    [] => Found::Missing,
                    [_] => Found::Good,
                    // Then there is none (RFC 7489, section 6.6.3).
                    several => Found::Other(several.join(" and ")),
                }
            }
            Purpose::Bounces => judge_exchangers(records, &self.value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> DnsPolicy {
        DnsPolicy {
            bounce_host: "mx.debrief.example".into(),
            spf: "v=spf1 include:spf.debrief.example ~all".into(),
        }
    }

    fn records(domain: &str) -> Vec<Wanted> {
        let key =
            PublicKey { selector: "debrief1-ed25519", algorithm: DkimAlgorithm::Ed25519, base64: "AAAA" };
        wanted(domain, &format!("bounces.{domain}"), &[key], &policy())
    }

    #[test]
    fn the_records_of_a_domain() {
        let lines: Vec<_> = records("hanse.example").iter().map(Wanted::zone_line).collect();
        insta::assert_snapshot!(lines.join("\n"), @r#"
        debrief1-ed25519._domainkey.hanse.example. IN TXT "v=DKIM1; k=ed25519; p=AAAA"
        bounces.hanse.example. IN TXT "v=spf1 include:spf.debrief.example ~all"
        _dmarc.hanse.example. IN TXT "v=DMARC1; p=none"
        bounces.hanse.example. IN MX 10 mx.debrief.example.
        "#);
    }

    #[test]
    fn a_long_text_is_cut_into_pieces() {
        let long = Wanted { value: "x".repeat(600), ..records("hanse.example")[0].clone() };
        let line = long.zone_line();
        assert_eq!(line.matches('"').count(), 6);
        assert!(line.split('"').all(|piece| piece.len() <= 255));
    }

    #[test]
    fn what_is_there_is_judged_by_what_it_does() {
        let [dkim, spf, dmarc, mx] = <[Wanted; 4]>::try_from(records("hanse.example")).unwrap();
        let other = |text: &str| Found::Other(text.to_owned());
        for (wanted, texts, found) in [
            (&dkim, vec!["v=DKIM1; p=AA AA; k=ed25519"], Found::Good),
            (&dkim, vec!["hello"], Found::Missing),
            (
                &spf,
                vec!["v=spf1 mx +include:SPF.debrief.example -all", "google-site-verification=x"],
                Found::Good,
            ),
            (&spf, vec!["v=spf1 mx -all"], other("v=spf1 mx -all")),
            (&spf, vec!["v=spf10 include:spf.debrief.example"], Found::Missing),
            (&spf, vec!["v=spf1 a", "v=spf1 b"], other("v=spf1 a and v=spf1 b")),
            (&dmarc, vec!["v=DMARC1; p=reject"], Found::Good),
            (&dmarc, vec![], Found::Missing),
            (
                &dmarc,
                vec!["v=DMARC1;p=none", "v=DMARC1;p=reject"],
                other("v=DMARC1;p=none and v=DMARC1;p=reject"),
            ),
            (&mx, vec!["5 MX.debrief.example."], Found::Good),
            (
                &mx,
                vec!["5 mx.debrief.example.", "10 mx.other.example."],
                other("5 mx.debrief.example. and 10 mx.other.example."),
            ),
            (&mx, vec![], Found::Missing),
        ] {
            let texts: Vec<String> = texts.into_iter().map(str::to_owned).collect();
            assert_eq!(wanted.judge(&texts), found, "{wanted:?} {texts:?}");
        }
    }

    #[test]
    fn a_policy_of_a_domain_above_counts() {
        let names = records("mail.hanse.co.example")[2].names();
        assert_eq!(names, ["_dmarc.mail.hanse.co.example", "_dmarc.hanse.co.example", "_dmarc.co.example"]);
        assert_eq!(records("hanse.example")[2].names(), ["_dmarc.hanse.example"]);
    }

    #[test]
    fn domains_are_read_into_a_labels() {
        assert_eq!(parse_domain("Größe.Example.").unwrap(), "xn--gre-6ka8i.example");
        for bad in ["", "example", "a b.example", "x..example", "http://a.example", "-a.example"] {
            assert_eq!(parse_domain(bad), Err(NotADomain), "{bad}");
        }
        assert!(is_within("b.a.example", "a.example") && is_within("a.example", "a.example"));
        assert!(!is_within("ba.example", "a.example") && !is_within("example", "a.example"));
    }
}
