//! Cursors: where a page ended, sealed so that nobody else can make one, and bound to the list that it
//! was a page of.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::digest::InvalidLength;
use hmac::{Hmac, Mac};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::Sha256;

use super::error::{ApiError, Code};

/// What a cursor carries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor<K> {
    /// The filters of the list.
    #[serde(rename = "f")]
    pub filters: Map<String, Value>,
    /// Where the page before ended.
    #[serde(rename = "a")]
    pub after: K,
}

/// The bytes of the seal: half of HMAC-SHA256 (RFC 2104, section 5).
const SEAL: usize = 16;

/// The cursor as text, for the list at `path`.
pub fn seal<K: Serialize>(cursor: &Cursor<K>, path: &str, key: &[u8]) -> Result<String, ApiError> {
    let internal = |e: &dyn std::fmt::Display| ApiError::new(Code::Internal, e.to_string());
    let content = serde_json::to_vec(cursor).map_err(|e| internal(&e))?;
    let mac = authenticated(path, &content, key).map_err(|e| internal(&e))?;
    let mut bytes = mac.finalize().into_bytes()[..SEAL].to_vec();
    bytes.extend(content);
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// The cursor that a text stands for, if it was sealed with `key` for the list at `path`.
pub fn open<K: DeserializeOwned>(text: &str, path: &str, key: &[u8]) -> Result<Cursor<K>, ApiError> {
    let invalid = || ApiError::new(Code::InvalidCursor, "the cursor is not one that this list gave");
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| invalid())?;
    let (tag, content) = bytes.split_at_checked(SEAL).ok_or_else(invalid)?;
    let mac = authenticated(path, content, key).map_err(|_| invalid())?;
    mac.verify_truncated_left(tag).map_err(|_| invalid())?;
    serde_json::from_slice(content).map_err(|_| invalid())
}

/// What the seal is made of. The path is no part of the text: whoever opens it knows it.
fn authenticated(path: &str, content: &[u8], key: &[u8]) -> Result<Hmac<Sha256>, InvalidLength> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key)?;
    mac.update(path.as_bytes());
    // Nothing else in a path is a line's end, so no path and content run into one another.
    mac.update(b"\n");
    mac.update(content);
    Ok(mac)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cursor(q: &str) -> Cursor<(i64, String)> {
        let filters = Map::from_iter([("q".to_owned(), Value::from(q))]);
        Cursor { filters, after: (7, "id".to_owned()) }
    }

    proptest! {
        #[test]
        fn a_cursor_reads_back_as_written(q in "\\PC*") {
            let text = seal(&cursor(&q), "/v1/clients", b"key").unwrap();
            prop_assert_eq!(open(&text, "/v1/clients", b"key").unwrap(), cursor(&q));
        }

        #[test]
        fn a_changed_byte_is_refused(index: prop::sample::Index, with in "[A-Za-z0-9_-]") {
            let text = seal(&cursor("anna"), "/v1/clients", b"key").unwrap();
            let mut changed = text.clone().into_bytes();
            let at = index.index(changed.len());
            changed[at] = with.as_bytes()[0];
            let changed = String::from_utf8(changed).unwrap();
            prop_assume!(changed != text);
            // The last character may have bits to spare; then it is not canonical base64.
            prop_assert!(open::<(i64, String)>(&changed, "/v1/clients", b"key").is_err());
            prop_assert!(open::<(i64, String)>(&text, "/v1/clients", b"other").is_err());
            prop_assert!(open::<(i64, String)>(&text, "/v1/contacts", b"key").is_err());
        }
    }
}
