//! Secrets that must be read again, sealed for the database with keys that are not in it
//! (ChaCha20-Poly1305, RFC 8439).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::error::Unspecified;

/// Seals with one key, and opens what was sealed with that one or a former one.
pub struct Seals {
    present: LessSafeKey,
    former: Vec<LessSafeKey>,
}

/// A secret that was opened.
pub struct Opened {
    /// The secret.
    pub bytes: Vec<u8>,
    /// Whether it was sealed with the present key.
    pub is_present: bool,
}

impl Seals {
    pub(super) fn new(present: &[u8; 32], former: &[[u8; 32]]) -> Result<Self, Unspecified> {
        let key = |bytes: &[u8; 32]| UnboundKey::new(&CHACHA20_POLY1305, bytes).map(LessSafeKey::new);
        Ok(Self { present: key(present)?, former: former.iter().map(key).collect::<Result<_, _>>()? })
    }

    /// Seals a secret. It opens for the same `place` only, so that it is of no use in another row.
    /// `random` is used once.
    #[must_use]
    pub fn seal(&self, place: &[u8], secret: &[u8], random: [u8; NONCE_LEN]) -> Option<String> {
        let mut bytes = secret.to_vec();
        let nonce = Nonce::assume_unique_for_key(random);
        self.present.seal_in_place_append_tag(nonce, Aad::from(place), &mut bytes).ok()?;
        Some(STANDARD.encode([random.as_slice(), &bytes].concat()))
    }

    /// Opens what was sealed for `place`; none if it was not, or with a key that is not here.
    #[must_use]
    pub fn open(&self, place: &[u8], sealed: &str) -> Option<Opened> {
        let sealed = STANDARD.decode(sealed).ok()?;
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_LEN>()?;
        let keys = std::iter::once((&self.present, true)).chain(self.former.iter().map(|key| (key, false)));
        keys.into_iter().find_map(|(key, is_present)| {
            let mut bytes = sealed.to_vec();
            let nonce = Nonce::assume_unique_for_key(*nonce);
            let opened = key.open_in_place(nonce, Aad::from(place), &mut bytes).ok()?;
            Some(Opened { bytes: opened.to_vec(), is_present })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_in_its_place_and_with_its_key_alone() {
        let old = Seals::new(&[1; 32], &[]).unwrap();
        let sealed = old.seal(b"row", b"secret", [9; 12]).unwrap();
        assert!(!sealed.contains("secret"));
        let opened = old.open(b"row", &sealed).unwrap();
        assert!(opened.bytes == b"secret" && opened.is_present);
        let rotated = Seals::new(&[2; 32], &[[1; 32]]).unwrap();
        let opened = rotated.open(b"row", &sealed).unwrap();
        assert!(opened.bytes == b"secret" && !opened.is_present);
        assert!(old.open(b"other row", &sealed).is_none());
        assert!(Seals::new(&[2; 32], &[]).unwrap().open(b"row", &sealed).is_none());
        let mut changed = STANDARD.decode(&sealed).unwrap();
        *changed.last_mut().unwrap() ^= 1;
        for wrong in [STANDARD.encode(changed), String::new(), "no base64!".to_owned()] {
            assert!(old.open(b"row", &wrong).is_none());
        }
    }
}
