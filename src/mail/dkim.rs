//! Signatures that a receiver can check (DKIM: RFC 6376, with Ed25519 after RFC 8463), relaxed for
//! head and body, made once over the bytes that every attempt sends.
//!
//! The signing is ring's, in constant time. lettre can sign too, but takes its own time for the time
//! of the signature, signs no field against being added, and signs once.

use std::fmt::Write as _;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::rand::SystemRandom;
use ring::rsa;
use ring::signature::{Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256};
use rsa_keys::pkcs8::{EncodePrivateKey, EncodePublicKey};
use sha2::{Digest, Sha256};

use super::letter::Letter;
use crate::domain::mail_domain::DkimAlgorithm;
use crate::domain::timestamp::Timestamp;

/// The fields that are signed. Those that stand here more often than in the message cannot be added
/// to it later, where some readers would show them instead (RFC 6376, section 8.15).
const SIGNED: [&str; 16] = [
    "from",
    "reply-to",
    "to",
    "subject",
    "date",
    "message-id",
    "mime-version",
    "content-type",
    "from",
    "reply-to",
    "to",
    "cc",
    "subject",
    "date",
    "message-id",
    "content-type",
];

/// RFC 8301, section 3.2: at least 1024 bits, and 2048 are advised.
const RSA_BITS: usize = 2048;

/// The signature is cut into lines of this length.
const LINE: usize = 70;

/// A key that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the DKIM key of {0} cannot be used")]
pub struct DkimError(String);

/// A new key.
pub struct NewKey {
    /// The private key: PKCS#8, DER.
    pub private: Vec<u8>,
    /// The base64 of the public key, as its record has it.
    pub public: String,
}

/// Makes a key.
pub fn generate(algorithm: DkimAlgorithm) -> Result<NewKey, DkimError> {
    let failed = || DkimError(format!("a new {algorithm} key"));
    match algorithm {
        DkimAlgorithm::Rsa => {
            let key = rsa_keys::RsaPrivateKey::new(&mut rsa_keys::rand_core::OsRng, RSA_BITS);
            let key = key.map_err(|_| failed())?;
            let private = key.to_pkcs8_der().map_err(|_| failed())?.as_bytes().to_vec();
            let public = key.to_public_key().to_public_key_der().map_err(|_| failed())?;
            Ok(NewKey { private, public: STANDARD.encode(public.as_bytes()) })
        }
        DkimAlgorithm::Ed25519 => {
            let private = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(|_| failed())?;
            let pair = Ed25519KeyPair::from_pkcs8(private.as_ref()).map_err(|_| failed())?;
            Ok(NewKey {
                private: private.as_ref().to_vec(),
                public: STANDARD.encode(pair.public_key().as_ref()),
            })
        }
    }
}

/// Signs for one domain with one key.
pub struct Signer {
    domain: String,
    selector: String,
    key: Key,
}

enum Key {
    Rsa(Box<rsa::KeyPair>),
    Ed25519(Ed25519KeyPair),
}

impl Signer {
    /// The signer with a private key (PKCS#8, DER) whose public half stands under `selector`.
    pub fn new(
        algorithm: DkimAlgorithm,
        domain: &str,
        selector: &str,
        private: &[u8],
    ) -> Result<Self, DkimError> {
        let failed = |_| DkimError(format!("{selector}._domainkey.{domain}"));
        let key = match algorithm {
            DkimAlgorithm::Rsa => Key::Rsa(Box::new(rsa::KeyPair::from_pkcs8(private).map_err(failed)?)),
            DkimAlgorithm::Ed25519 => {
                Key::Ed25519(Ed25519KeyPair::from_pkcs8_maybe_unchecked(private).map_err(failed)?)
            }
        };
        Ok(Self { domain: domain.to_owned(), selector: selector.to_owned(), key })
    }

    fn algorithm(&self) -> DkimAlgorithm {
        match self.key {
            Key::Rsa(_) => DkimAlgorithm::Rsa,
            Key::Ed25519(_) => DkimAlgorithm::Ed25519,
        }
    }

    /// The field that signs a message, with its line break.
    fn field(&self, message: &[u8], at: Timestamp) -> Result<String, DkimError> {
        let (head, body) = parted(message);
        let names: Vec<String> = SIGNED.chunks(6).map(|names| names.join(":")).collect();
        let unsigned = format!(
            "DKIM-Signature: v=1; a={}; c=relaxed/relaxed;\r\n d={}; s={}; t={};\r\n h={};\r\n bh={};\r\n b=",
            self.algorithm().signature_name(),
            self.domain,
            self.selector,
            at.timestamp(),
            names.join(":\r\n "),
            STANDARD.encode(Sha256::digest(relaxed_body(body))),
        );
        let signature = STANDARD.encode(self.sign(&digested(head, &SIGNED, &unsigned))?);
        let mut field = unsigned;
        for (i, line) in signature.as_bytes().chunks(LINE).enumerate() {
            let fold = if i == 0 { "" } else { "\r\n  " };
            let _ = write!(field, "{fold}{}", String::from_utf8_lossy(line));
        }
        field.push_str("\r\n");
        Ok(field)
    }

    fn sign(&self, data: &str) -> Result<Vec<u8>, DkimError> {
        match &self.key {
            Key::Rsa(key) => {
                let mut signature = vec![0; key.public().modulus_len()];
                let failed = |_| DkimError(format!("{}._domainkey.{}", self.selector, self.domain));
                key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), data.as_bytes(), &mut signature)
                    .map_err(failed)?;
                Ok(signature)
            }
            // The signature is of the digest (RFC 8463, section 3).
            Key::Ed25519(key) => Ok(key.sign(&Sha256::digest(data)).as_ref().to_vec()),
        }
    }
}

impl Letter {
    /// Signs the message with each of the signers, at this time.
    pub fn sign(&mut self, signers: &[Signer], at: Timestamp) -> Result<(), DkimError> {
        let fields = signers.iter().map(|signer| signer.field(&self.bytes, at));
        let fields = fields.collect::<Result<Vec<_>, _>>()?.concat();
        self.bytes.splice(..0, fields.into_bytes());
        Ok(())
    }
}

/// The head, its last line ended, and the body.
fn parted(message: &[u8]) -> (&[u8], &[u8]) {
    let end = message.windows(4).position(|four| four == b"\r\n\r\n");
    end.map_or((message, &[]), |end| (&message[..end + 2], &message[end + 4..]))
}

/// What is signed of a head: the named fields, the last of a name first, and the signature's own field
/// with nothing behind its `b=` (RFC 6376, section 3.7).
fn digested(head: &[u8], names: &[&str], unsigned: &str) -> String {
    let head = String::from_utf8_lossy(head);
    let mut fields: Vec<String> = Vec::new();
    for line in head.split_inclusive("\r\n") {
        match fields.last_mut() {
            Some(last) if line.starts_with([' ', '\t']) => last.push_str(line),
            _ => fields.push(line.to_owned()),
        }
    }
    let mut fields: Vec<(String, String)> = fields.iter().filter_map(|field| relaxed_field(field)).collect();
    let mut data = String::new();
    for name in names {
        if let Some(i) = fields.iter().rposition(|(found, _)| found == name) {
            let (name, value) = fields.remove(i);
            let _ = write!(data, "{name}:{value}\r\n");
        }
    }
    if let Some((name, value)) = relaxed_field(unsigned) {
        let _ = write!(data, "{name}:{value}");
    }
    data
}

/// RFC 6376, section 3.4.2.
fn relaxed_field(field: &str) -> Option<(String, String)> {
    let (name, value) = field.split_once(':')?;
    let words: Vec<_> = value.split([' ', '\t', '\r', '\n']).filter(|word| !word.is_empty()).collect();
    Some((name.trim().to_ascii_lowercase(), words.join(" ")))
}

/// RFC 6376, section 3.4.4.
fn relaxed_body(body: &[u8]) -> Vec<u8> {
    let mut relaxed = Vec::with_capacity(body.len());
    let mut end = 0;
    for line in body.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let mut blank = false;
        for byte in line {
            if matches!(byte, b' ' | b'\t') {
                blank = true;
                continue;
            }
            if std::mem::take(&mut blank) {
                relaxed.push(b' ');
            }
            relaxed.push(*byte);
            end = relaxed.len() + 2;
        }
        relaxed.extend(b"\r\n");
    }
    relaxed.truncate(end);
    relaxed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::Envelope;

    /// The example of RFC 8463, appendix A.
    const MESSAGE: &str = "From: Joe SixPack <joe@football.example.com>\r\n\
        To: Suzie Q <suzie@shopping.example.net>\r\n\
        Subject: Is dinner ready?\r\n\
        Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n\
        Message-ID: <20030712040037.46341.5F8J@football.example.com>\r\n\
        \r\n\
        Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n";

    #[test]
    fn the_example_of_the_standard_is_signed_as_it_says() {
        let (head, body) = parted(MESSAGE.as_bytes());
        let hash = STANDARD.encode(Sha256::digest(relaxed_body(body)));
        assert_eq!(hash, "2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=");
        let names = ["from", "to", "subject", "date", "message-id", "from", "subject", "date"];
        let unsigned = format!(
            "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n d=football.example.com; \
             i=@football.example.com;\r\n q=dns/txt; s=brisbane; t=1528637909; h=from : to :\r\n subject : \
             date : message-id : from : subject : date;\r\n bh={hash};\r\n b="
        );
        let seed = STANDARD.decode("nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=").unwrap();
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).unwrap();
        assert_eq!(STANDARD.encode(pair.public_key()), "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=");
        let signer = Signer { domain: String::new(), selector: String::new(), key: Key::Ed25519(pair) };
        let signature = STANDARD.encode(signer.sign(&digested(head, &names, &unsigned)).unwrap());
        assert_eq!(
            signature,
            "/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11BusFa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw=="
        );
    }

    #[test]
    fn a_body_is_relaxed_as_the_standard_says() {
        for (body, relaxed) in [
            ("", ""),
            ("\r\n\r\n", ""),
            (" C \r\nD \t E\r\n\r\n\r\n", " C\r\nD E\r\n"),
            ("no end", "no end\r\n"),
            (" \t\r\nx", "\r\nx\r\n"),
        ] {
            assert_eq!(String::from_utf8(relaxed_body(body.as_bytes())).unwrap(), relaxed, "{body:?}");
        }
    }

    #[test]
    fn a_message_gets_a_signature_of_each_key() {
        let made = generate(DkimAlgorithm::Ed25519).unwrap();
        let signers = ["one", "two"].map(|selector| {
            Signer::new(DkimAlgorithm::Ed25519, "football.example.com", selector, &made.private).unwrap()
        });
        let envelope = Envelope { sender: String::new(), recipient: String::new() };
        let mut letter = Letter { message_id: String::new(), envelope, bytes: MESSAGE.into() };
        let at: Timestamp = chrono::DateTime::from_timestamp(1_795_176_000, 0).unwrap().into();
        letter.sign(&signers, at).unwrap();
        let text = String::from_utf8(letter.bytes).unwrap();
        assert!(text.ends_with(MESSAGE));
        assert_eq!(text.matches("DKIM-Signature: v=1; a=ed25519-sha256;").count(), 2);
        assert!(
            text.contains(" d=football.example.com; s=two; t=1795176000;\r\n h=from:reply-to:to:"),
            "{text}"
        );
        assert!(text.lines().all(|line| line.len() <= 78), "{text}");
        assert!(Signer::new(DkimAlgorithm::Rsa, "a.example", "s", &made.private).is_err());
    }
}
