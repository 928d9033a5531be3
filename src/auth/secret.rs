//! Secrets that are shown once and kept as a hash: refresh tokens, API secrets, set-up tokens.
//! They are long and random, so a plain SHA-256 is enough to keep them.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::Rng;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// A new secret of 256 random bits, after a prefix that says what it is.
#[must_use]
pub fn generate(prefix: &str) -> String {
    let bytes: [u8; 32] = rand::rng().random();
    format!("{prefix}_{}", URL_SAFE_NO_PAD.encode(bytes))
}

/// What is kept of a secret.
#[must_use]
pub fn hash(secret: &str) -> Vec<u8> {
    Sha256::digest(secret).to_vec()
}

/// Whether `secret` is the one that `kept` was made from, in a time that tells nothing.
#[must_use]
pub fn matches(secret: &str, kept: &[u8]) -> bool {
    hash(secret).ct_eq(kept).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_secret_itself_matches() {
        let secret = generate("rft");
        assert!(secret.starts_with("rft_") && secret.len() == 47);
        assert!(matches(&secret, &hash(&secret)));
        assert!(!matches(&generate("rft"), &hash(&secret)));
    }
}
