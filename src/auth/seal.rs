//! Secrets that must be read again, sealed for the database with keys that are not in it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::vault::Vault;

/// Seals with one key, and opens what was sealed with that one or a former one.
pub struct Seals {
    present: Vault,
    former: Vec<Vault>,
}

/// A secret that was opened.
pub struct Opened {
    /// The secret.
    pub bytes: Vec<u8>,
    /// Whether it was sealed with the present key.
    pub is_present: bool,
}

impl Seals {
    pub(super) fn new(present: &[u8; 32], former: &[[u8; 32]]) -> Self {
        let vault = |secret: &[u8; 32]| Vault::new(secret, "secrets");
        Self { present: vault(present), former: former.iter().map(vault).collect() }
    }

    /// Seals a secret. It opens for the same `place` only, so that it is of no use in another row.
    #[must_use]
    pub fn seal(&self, place: &[u8], secret: &[u8]) -> Option<String> {
        Some(STANDARD.encode(self.present.seal(place, secret.to_vec()).ok()?))
    }

    /// Opens what was sealed for `place`; none if it was not, or with a key that is not here.
    #[must_use]
    pub fn open(&self, place: &[u8], sealed: &str) -> Option<Opened> {
        let sealed = STANDARD.decode(sealed).ok()?;
        let vaults = std::iter::once((&self.present, true)).chain(self.former.iter().map(|key| (key, false)));
        vaults.into_iter().find_map(|(vault, is_present)| {
            Some(Opened { bytes: vault.open(place, &sealed).ok()?, is_present })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_in_its_place_and_with_its_key_alone() {
        let old = Seals::new(&[1; 32], &[]);
        let sealed = old.seal(b"row", b"secret").unwrap();
        assert!(!sealed.contains("secret"));
        let opened = old.open(b"row", &sealed).unwrap();
        assert!(opened.bytes == b"secret" && opened.is_present);
        let rotated = Seals::new(&[2; 32], &[[1; 32]]);
        let opened = rotated.open(b"row", &sealed).unwrap();
        assert!(opened.bytes == b"secret" && !opened.is_present);
        assert!(old.open(b"other row", &sealed).is_none());
        assert!(Seals::new(&[2; 32], &[]).open(b"row", &sealed).is_none());
        let mut changed = STANDARD.decode(&sealed).unwrap();
        *changed.last_mut().unwrap() ^= 1;
        for wrong in [STANDARD.encode(changed), String::new(), "no base64!".to_owned()] {
            assert!(old.open(b"row", &wrong).is_none());
        }
    }
}
