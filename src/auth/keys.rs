//! The keys that access tokens are signed with: Ed25519, kept as PKCS#8 PEM, named by their JWK
//! thumbprint (RFC 7638). Former keys still verify, so a rotation signs nobody out.

use std::collections::{BTreeMap, HashMap};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey, EncodePrivateKey, KeypairBytes};
use jsonwebtoken::jwk::{Jwk, JwkSet, KeyAlgorithm, PublicKeyUse, ThumbprintHash};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};
use rand::Rng;

use super::seal::Seals;
use super::tags::Tags;

/// A key file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read or written.
    #[error("the key file {0} cannot be used: {1}")]
    File(PathBuf, std::io::Error),
    /// The file holds something else.
    #[error("the key file {0} is not an Ed25519 private key in PKCS#8 PEM")]
    NotAKey(PathBuf),
}

/// The present signing key, and every key that verifies.
pub struct Keys {
    kid: String,
    signing: EncodingKey,
    verifying: HashMap<String, DecodingKey>,
    published: JwkSet,
    /// Bytes that only holders of the signing key know: for marks that nobody else may make.
    derived: [u8; 32],
    /// A secret of each key, the present one and the former ones, in the order of their names.
    secrets: Vec<[u8; 32]>,
    seals: Seals,
    tags: Tags,
}

impl Keys {
    /// Reads the signing key from `current`, making it (mode 0600) if the file is not there, and
    /// the keys of former times from `previous`.
    pub fn load(current: &Path, previous: &[PathBuf]) -> Result<Self, KeyError> {
        if !current.exists() {
            create(current)?;
        }
        let (key, signing, jwk) = read(current)?;
        let mut secrets = BTreeMap::from([(kid(&jwk).to_owned(), secret(&key))]);
        let mut jwks = vec![jwk];
        let mut former = Vec::new();
        for path in previous {
            let (key, _, jwk) = read(path)?;
            secrets.insert(kid(&jwk).to_owned(), secret(&key));
            jwks.push(jwk);
            former.push(secret(&key));
        }
        let (seals, tags) = (Seals::new(&secret(&key), &former), Tags::new(&secret(&key), &former));
        let mut verifying = HashMap::new();
        for jwk in &jwks {
            let decoding =
                DecodingKey::from_jwk(jwk).map_err(|_| KeyError::NotAKey(current.to_path_buf()))?;
            verifying.insert(kid(jwk).to_owned(), decoding);
        }
        Ok(Self {
            kid: kid(&jwks[0]).to_owned(),
            signing,
            verifying,
            published: JwkSet { keys: jwks },
            derived: derive(&key, CURSORS),
            secrets: secrets.into_values().collect(),
            seals,
            tags,
        })
    }

    /// The name of the signing key.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The signing key.
    #[must_use]
    pub fn signing(&self) -> &EncodingKey {
        &self.signing
    }

    /// The key that verifies tokens of `kid`.
    #[must_use]
    pub fn verifying(&self, kid: &str) -> Option<&DecodingKey> {
        self.verifying.get(kid)
    }

    /// The public keys as a JWK set (RFC 7517, RFC 8037).
    #[must_use]
    pub fn published(&self) -> &JwkSet {
        &self.published
    }

    /// A secret that every node with this signing key has in common.
    #[must_use]
    pub fn derived(&self) -> &[u8; 32] {
        &self.derived
    }

    /// A secret of each key, for what has to outlive the present one. Their order is that of the keys'
    /// names, so nodes that know the same keys agree on the first, whichever of them each signs with.
    #[must_use]
    pub fn secrets(&self) -> &[[u8; 32]] {
        &self.secrets
    }

    /// Seals secrets that must be read again, for every node with this signing key, and with it
    /// among the former ones.
    #[must_use]
    pub fn seals(&self) -> &Seals {
        &self.seals
    }

    /// Tags what every node with this signing key, or with it among the former ones, will know again.
    #[must_use]
    pub fn tags(&self) -> &Tags {
        &self.tags
    }
}

/// What secrets are derived for.
const CURSORS: &str = "debrief cursors";
const SECRETS: &str = "debrief secrets";

fn kid(jwk: &Jwk) -> &str {
    jwk.common.key_id.as_deref().unwrap_or_default()
}

fn derive(key: &SigningKey, purpose: &str) -> [u8; 32] {
    use sha2::{Digest, Sha256};
    Sha256::new().chain_update(purpose).chain_update(key.to_bytes()).finalize().into()
}

fn secret(key: &SigningKey) -> [u8; 32] {
    derive(key, SECRETS)
}

/// Makes a key file that is whole from its first moment, unless somebody is faster: whoever dies in between
/// leaves none, and whoever starts at the same time takes the same.
fn create(path: &Path) -> Result<(), KeyError> {
    let failed = |e| KeyError::File(path.to_path_buf(), e);
    let seed: [u8; 32] = rand::rng().random();
    // Without the public half: PKCS#8 version 1, which every reader takes.
    let pair = KeypairBytes { secret_key: seed, public_key: None };
    let pem = pair.to_pkcs8_pem(LineEnding::LF).map_err(|_| KeyError::NotAKey(path.to_path_buf()))?;
    let mut draft = path.as_os_str().to_owned();
    draft.push(format!(".{:08x}", rand::rng().random::<u32>()));
    let draft = Path::new(&draft);
    let made = write_private(draft, &pem).and_then(|()| match std::fs::hard_link(draft, path) {
        Err(e) if e.kind() == ErrorKind::AlreadyExists => Ok(()),
        linked => linked,
    });
    let _ = std::fs::remove_file(draft);
    made.map_err(failed)
}

fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn read(path: &Path) -> Result<(SigningKey, EncodingKey, Jwk), KeyError> {
    let not_a_key = || KeyError::NotAKey(path.to_path_buf());
    let pem = std::fs::read_to_string(path).map_err(|e| KeyError::File(path.to_path_buf(), e))?;
    let key = SigningKey::from_pkcs8_pem(&pem).map_err(|_| not_a_key())?;
    let encoding = EncodingKey::from_ed_pem(pem.as_bytes()).map_err(|_| not_a_key())?;
    let mut jwk = Jwk::from_encoding_key(&encoding, Algorithm::EdDSA).map_err(|_| not_a_key())?;
    jwk.common.key_id = Some(jwk.thumbprint(ThumbprintHash::SHA256).map_err(|_| not_a_key())?);
    jwk.common.public_key_use = Some(PublicKeyUse::Signature);
    jwk.common.key_algorithm = Some(KeyAlgorithm::EdDSA);
    Ok((key, encoding, jwk))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_and_only_its_owner_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("signing-key.pem");
        let first = Keys::load(&path, &[]).unwrap();
        let again = Keys::load(&path, &[]).unwrap();
        assert_eq!(first.kid(), again.kid());
        assert_eq!(folder.path().read_dir().unwrap().count(), 1, "nothing is left beside it");
        assert!(!serde_json::to_string(first.published()).unwrap().contains("\"d\""));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn who_starts_at_the_same_time_takes_the_same_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("signing-key.pem");
        let starts: Vec<_> = std::thread::scope(|scope| {
            let starting: Vec<_> = (0..8).map(|_| scope.spawn(|| Keys::load(&path, &[]).unwrap())).collect();
            starting.into_iter().map(|start| start.join().unwrap()).collect()
        });
        assert!(starts.iter().all(|keys| keys.kid() == starts[0].kid()));
    }

    #[test]
    fn who_knows_the_same_keys_has_the_same_secrets() {
        let folder = tempfile::tempdir().unwrap();
        let [a, b] = ["a.pem", "b.pem"].map(|name| folder.path().join(name));
        for path in [&a, &b] {
            Keys::load(path, &[]).unwrap();
        }
        let before = Keys::load(&a, std::slice::from_ref(&b)).unwrap();
        let after = Keys::load(&b, std::slice::from_ref(&a)).unwrap();
        assert_ne!(before.kid(), after.kid());
        assert_eq!(before.secrets(), after.secrets());
        assert!(after.secrets().contains(&Keys::load(&a, &[]).unwrap().secrets()[0]));
    }

    #[test]
    fn what_is_not_a_key_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key.pem");
        std::fs::write(&path, "hello").unwrap();
        let error = Keys::load(&path, &[]).err().unwrap();
        assert!(error.to_string().contains("key.pem is not an Ed25519 private key"));
    }
}
