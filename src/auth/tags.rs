//! Tags that show that something is ours: short enough for an address, and nobody else's to make.

use std::fmt::Write as _;

use subtle::ConstantTimeEq;

use super::vault::Vault;

/// How many bytes of the mark a tag has: 96 bits, too many to guess one by asking.
const BYTES: usize = 12;

/// Makes tags with one key, and knows those that were made with it or a former one.
pub struct Tags {
    present: Vault,
    former: Vec<Vault>,
}

impl Tags {
    pub(super) fn new(present: &[u8; 32], former: &[[u8; 32]]) -> Self {
        let vault = |secret: &[u8; 32]| Vault::new(secret, "bounce addresses");
        Self { present: vault(present), former: former.iter().map(vault).collect() }
    }

    /// The tag of `what`: lower-case hexadecimal, since mail servers may change the case of an address.
    #[must_use]
    pub fn tag(&self, what: &[u8]) -> String {
        tag_of(&self.present, what)
    }

    /// Whether `tag` is one that was made here for `what`.
    #[must_use]
    pub fn is_good(&self, what: &[u8], tag: &str) -> bool {
        let tag = tag.to_ascii_lowercase();
        let mut vaults = std::iter::once(&self.present).chain(&self.former);
        vaults.any(|vault| tag_of(vault, what).as_bytes().ct_eq(tag.as_bytes()).into())
    }
}

fn tag_of(vault: &Vault, what: &[u8]) -> String {
    let mut tag = String::with_capacity(2 * BYTES);
    for byte in vault.mark(&[what]).iter().take(BYTES) {
        let _ = write!(tag, "{byte:02x}");
    }
    tag
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_good_for_what_it_was_made_and_outlives_its_key() {
        let old = Tags::new(&[1; 32], &[]);
        let tag = old.tag(b"one");
        assert!(tag.len() == 24 && old.is_good(b"one", &tag) && old.is_good(b"one", &tag.to_uppercase()));
        assert!(Tags::new(&[2; 32], &[[1; 32]]).is_good(b"one", &tag));
        assert!(!Tags::new(&[2; 32], &[]).is_good(b"one", &tag));
        for wrong in ["", "0", &tag[..23], &format!("{tag}0"), &old.tag(b"two")] {
            assert!(!old.is_good(b"one", wrong), "{wrong}");
        }
    }
}
