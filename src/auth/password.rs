//! Passwords: argon2id (RFC 9106) on a bounded number of threads, so that a flood of sign-ins
//! takes neither all memory nor all cores.

use std::sync::Arc;

use argon2::password_hash::phc::{Output, PasswordHash, Salt};
use argon2::password_hash::{self, try_generate_salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use tokio::sync::Semaphore;

/// The shortest password that is taken, in characters.
pub const MIN_CHARS: usize = 8;
/// The longest password that is taken, in characters.
pub const MAX_CHARS: usize = 128;

/// The cost of a hash.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub iterations: u32,
    /// Lanes.
    pub parallelism: u32,
}

/// A password that cannot be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WeakPassword {
    /// Fewer than [`MIN_CHARS`] characters.
    #[error("must have at least 8 characters")]
    Short,
    /// More than [`MAX_CHARS`] characters.
    #[error("must have at most 128 characters")]
    Long,
    /// One of the passwords that everybody tries first.
    #[error("is one of the most common passwords")]
    Common,
}

/// Checks a password that somebody chose. It is taken as it is: no rules about kinds of characters
/// (NIST SP 800-63B, section 3.1.1).
pub fn check(password: &str) -> Result<(), WeakPassword> {
    let chars = password.chars().count();
    let lower = password.to_lowercase();
    if chars < MIN_CHARS {
        Err(WeakPassword::Short)
    } else if chars > MAX_CHARS {
        Err(WeakPassword::Long)
    } else if COMMON.lines().any(|common| common == lower) {
        Err(WeakPassword::Common)
    } else {
        Ok(())
    }
}

/// Passwords of eight characters or more that stand at the top of every list of leaked ones.
const COMMON: &str = include_str!("common-passwords.txt");

/// Hashes and verifies passwords.
#[derive(Clone)]
pub struct Hasher {
    argon2: Argon2<'static>,
    slots: Arc<Semaphore>,
    /// The hash of nobody's password: verified for an unknown user, so that it takes as long.
    decoy: Arc<str>,
}

/// Hashing failed; the library says why.
#[derive(Debug, thiserror::Error)]
#[error("hashing a password failed: {0}")]
pub struct HashingFailed(String);

impl Hasher {
    /// A hasher that runs at most `threads` hashes at once.
    pub fn new(cost: Cost, threads: usize) -> Result<Self, HashingFailed> {
        let params = Params::new(cost.memory_kib, cost.iterations, cost.parallelism, None)
            .map_err(|e| HashingFailed(e.to_string()))?;
        let decoy = decoy(&params).map_err(|e| HashingFailed(e.to_string()))?.to_string().into();
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        Ok(Self { argon2, slots: Arc::new(Semaphore::new(threads)), decoy })
    }

    /// The hash of a password, in the PHC string format.
    pub async fn hash(&self, password: String) -> Result<String, HashingFailed> {
        let argon2 = self.argon2.clone();
        self.on_a_thread(move || hash(&argon2, &password)).await?
    }

    /// The same, on the thread that asks, however many hash already: for commands, not for requests.
    pub fn hash_here(&self, password: &str) -> Result<String, HashingFailed> {
        hash(&self.argon2, password)
    }

    /// Whether `password` is the one behind `kept`. Without a kept hash the answer is no, after
    /// the same time.
    pub async fn verify(&self, password: String, kept: Option<String>) -> Result<bool, HashingFailed> {
        let decoy = self.decoy.clone();
        self.on_a_thread(move || {
            let known = kept.is_some();
            let kept = kept.as_deref().unwrap_or(&decoy);
            let kept = PasswordHash::new(kept).map_err(|e| HashingFailed(e.to_string()))?;
            Ok(is_of(&kept, &password).is_ok_and(|matches| matches) && known)
        })
        .await?
    }

    async fn on_a_thread<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, HashingFailed> {
        let slot = self.slots.clone().acquire_owned().await.map_err(|e| HashingFailed(e.to_string()))?;
        // The thread keeps its slot, even if whoever asked has gone.
        let held = move || {
            let result = work();
            drop(slot);
            result
        };
        tokio::task::spawn_blocking(held).await.map_err(|e| HashingFailed(e.to_string()))
    }
}

/// A hash that came from no password, at the cost of every other one.
fn decoy(params: &Params) -> Result<PasswordHash, password_hash::Error> {
    let output = Output::new(&[0; Params::DEFAULT_OUTPUT_LEN])?;
    written(params, Salt::new(&[0; Salt::RECOMMENDED_LENGTH])?, output)
}

fn hash(argon2: &Argon2<'_>, password: &str) -> Result<String, HashingFailed> {
    let hash = || {
        let salt = Salt::new(&try_generate_salt()?)?;
        let output = computed(argon2, password, &salt, Params::DEFAULT_OUTPUT_LEN)?;
        written(argon2.params(), salt, output)
    };
    Ok(hash().map_err(|e: password_hash::Error| HashingFailed(e.to_string()))?.to_string())
}

fn written(params: &Params, salt: Salt, output: Output) -> Result<PasswordHash, password_hash::Error> {
    Ok(PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: params.try_into()?,
        salt: Some(salt),
        hash: Some(output),
    })
}

/// Whether a hash is that of a password, at the cost that the hash itself names.
fn is_of(kept: &PasswordHash, password: &str) -> Result<bool, password_hash::Error> {
    let (Some(salt), Some(hash)) = (&kept.salt, &kept.hash) else { return Ok(false) };
    let algorithm = Algorithm::try_from(kept.algorithm.as_str())?;
    let version = kept.version.map_or(Ok(Version::default()), Version::try_from)?;
    let argon2 = Argon2::new(algorithm, version, Params::try_from(kept)?);
    // Outputs are compared in constant time.
    Ok(computed(&argon2, password, salt, hash.len())? == *hash)
}

/// Room for more blocks than fit into 32 MiB. Memory of that size is the system's again once it is free; of
/// less than that glibc keeps a piece for every thread that ever hashed (`M_MMAP_THRESHOLD` in mallopt(3)).
/// What is not written to costs nothing.
const ROOM: usize = 33 * 1024 * 1024 / Block::SIZE;

fn computed(
    argon2: &Argon2<'_>,
    password: &str,
    salt: &Salt,
    length: usize,
) -> Result<Output, password_hash::Error> {
    let blocks = argon2.params().block_count();
    let mut memory = Vec::with_capacity(blocks.max(ROOM));
    memory.resize(blocks, Block::new());
    let mut output = [0; Output::MAX_LENGTH];
    let output = output.get_mut(..length).ok_or(password_hash::Error::OutputSize)?;
    argon2.hash_password_into_with_memory(password.as_bytes(), salt, output, &mut memory)?;
    Ok(Output::new(output)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_taken_as_they_are_but_not_the_common_ones() {
        assert_eq!(check("Passw0rd"), Err(WeakPassword::Common));
        assert_eq!(check("1234567"), Err(WeakPassword::Short));
        assert_eq!(check(&"x".repeat(129)), Err(WeakPassword::Long));
        assert_eq!(check("correct horse"), Ok(()));
        assert_eq!(check(&"ü".repeat(128)), Ok(()));
    }

    #[tokio::test]
    async fn only_the_right_password_of_a_known_user_verifies() {
        let hasher = Hasher::new(Cost { memory_kib: 64, iterations: 1, parallelism: 1 }, 1).unwrap();
        let kept = hasher.hash("correct horse".to_owned()).await.unwrap();
        assert!(kept.starts_with("$argon2id$v=19$m=64,t=1,p=1$"));
        assert!(hasher.verify("correct horse".to_owned(), Some(kept.clone())).await.unwrap());
        assert!(!hasher.verify("wrong horse".to_owned(), Some(kept)).await.unwrap());
        assert!(!hasher.verify("nobody has this password".to_owned(), None).await.unwrap());
    }

    #[tokio::test]
    async fn the_decoy_costs_what_a_kept_hash_costs() {
        let hasher = Hasher::new(Cost { memory_kib: 64, iterations: 1, parallelism: 1 }, 1).unwrap();
        let kept = hasher.hash("correct horse".to_owned()).await.unwrap();
        let shape = |hash: &str| {
            let (cost, secret) = hash.split_at("$argon2id$v=19$m=64,t=1,p=1$".len());
            (cost.to_owned(), secret.len())
        };
        assert_eq!(shape(&hasher.decoy), shape(&kept));
    }
}
