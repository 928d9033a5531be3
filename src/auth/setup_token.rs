//! The one-time token that lets whoever reads the server's terminal make the first agency.

use super::secret;

/// The hash of the token; the token itself is only printed.
#[derive(Clone)]
pub struct SetupToken(Vec<u8>);

impl SetupToken {
    /// A new token, and the text to print.
    #[must_use]
    pub fn generate() -> (Self, String) {
        let text = secret::generate("setup");
        (Self(secret::hash(&text)), text)
    }

    /// Whether this is the text that was printed.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        secret::matches(text, &self.0)
    }
}
