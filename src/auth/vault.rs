//! What only this service can make and read: marks of something that is not to be kept itself, and
//! sealed contents. Both come from the secret of a signing key, so every node with that key agrees.

use rand::Rng;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hmac;

/// A content that cannot be sealed, or was not sealed like this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the content was not sealed here, or not for this place")]
pub struct NotSealedHere;

/// Makes marks and seals for one purpose.
pub struct Vault {
    marks: hmac::Key,
    seals: hmac::Key,
}

impl Vault {
    /// What `secret` is for this purpose; for another purpose it is another vault.
    #[must_use]
    pub fn new(secret: &[u8; 32], purpose: &str) -> Self {
        let secret = hmac::Key::new(hmac::HMAC_SHA256, secret);
        let derive = |what: &str| {
            let derived = hmac::sign(&secret, format!("{purpose}: {what}").as_bytes());
            hmac::Key::new(hmac::HMAC_SHA256, derived.as_ref())
        };
        Self { marks: derive("marks"), seals: derive("seals") }
    }

    /// The mark of some parts, in their order: an HMAC-SHA256 (RFC 2104), which says nothing of them
    /// to whoever cannot make it.
    #[must_use]
    pub fn mark(&self, parts: &[&[u8]]) -> Vec<u8> {
        let mut mark = hmac::Context::with_key(&self.marks);
        for part in parts {
            // With its length before it, so that no two parts run into one another.
            mark.update(&(part.len() as u64).to_be_bytes());
            mark.update(part);
        }
        mark.sign().as_ref().to_vec()
    }

    /// Seals a content for one place: it opens there and nowhere else. AES-256-GCM with a random nonce
    /// and a key for each place, so that no key seals enough for two nonces ever to be the same.
    pub fn seal(&self, place: &[u8], content: Vec<u8>) -> Result<Vec<u8>, NotSealedHere> {
        let nonce: [u8; NONCE_LEN] = rand::rng().random();
        let mut sealed = content;
        self.key_of(place)?
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(place), &mut sealed)
            .map_err(|_| NotSealedHere)?;
        sealed.splice(..0, nonce);
        Ok(sealed)
    }

    /// The content that was sealed for this place.
    pub fn open(&self, place: &[u8], sealed: &[u8]) -> Result<Vec<u8>, NotSealedHere> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_LEN>().ok_or(NotSealedHere)?;
        let mut content = sealed.to_vec();
        let length = self
            .key_of(place)?
            .open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(place), &mut content)
            .map_err(|_| NotSealedHere)?
            .len();
        content.truncate(length);
        Ok(content)
    }

    fn key_of(&self, place: &[u8]) -> Result<LessSafeKey, NotSealedHere> {
        let key = hmac::sign(&self.seals, place);
        UnboundKey::new(&AES_256_GCM, key.as_ref()).map(LessSafeKey::new).map_err(|_| NotSealedHere)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn marks_tell_parts_and_purposes_apart() {
        let vault = Vault::new(&[7; 32], "tests");
        let mark = vault.mark(&[b"ab", b"c"]);
        assert_eq!(mark, Vault::new(&[7; 32], "tests").mark(&[b"ab", b"c"]));
        assert_ne!(mark, vault.mark(&[b"a", b"bc"]));
        assert_ne!(mark, Vault::new(&[7; 32], "others").mark(&[b"ab", b"c"]));
        assert_ne!(mark, Vault::new(&[8; 32], "tests").mark(&[b"ab", b"c"]));
    }

    proptest! {
        #[test]
        fn what_is_sealed_opens_in_its_place_alone(content: Vec<u8>, at: prop::sample::Index) {
            let vault = Vault::new(&[7; 32], "tests");
            let sealed = vault.seal(b"here", content.clone()).unwrap();
            prop_assert_eq!(vault.open(b"here", &sealed), Ok(content.clone()));
            prop_assert_ne!(vault.seal(b"here", content).unwrap(), sealed.clone());
            prop_assert_eq!(vault.open(b"there", &sealed), Err(NotSealedHere));
            prop_assert_eq!(Vault::new(&[7; 32], "others").open(b"here", &sealed), Err(NotSealedHere));
            let mut changed = sealed.clone();
            changed[at.index(sealed.len())] ^= 1;
            prop_assert_eq!(vault.open(b"here", &changed), Err(NotSealedHere));
            prop_assert_eq!(vault.open(b"here", &sealed[..at.index(sealed.len())]), Err(NotSealedHere));
        }
    }
}
