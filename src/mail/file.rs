//! The transport for a service that has no mail server yet: one file per message in a folder,
//! which any mail program opens.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::letter::Letter;
use super::outcome::{Outcome, Step};
use crate::domain::delivery::Reply;

/// Puts every message into a folder, as `<Message-ID>.eml`.
#[derive(Debug, Clone)]
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    /// A transport that writes into `path`, which is made when it is missing.
    #[must_use]
    pub const fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes one message. It is on the disk under another name when `commit_point` is called,
    /// and appears under its own name only if that says yes.
    pub async fn relay<F, C>(&self, letter: &Letter, commit_point: C) -> Outcome
    where
        C: FnOnce() -> F,
        F: Future<Output = bool>,
    {
        let name = file_name(&letter.message_id);
        let target = self.path.join(&name);
        let draft = target.with_extension("part");
        let (folder, bytes, path) = (self.path.clone(), letter.bytes.clone(), draft.clone());
        if let Err(error) = blocking(move || write_draft(&folder, &path, &bytes)).await {
            tracing::error!(folder = %self.path.display(), %error, "mail cannot be written into its file");
            return Outcome::Lost { step: Step::Data, error: error.to_string().into() };
        }
        if !commit_point().await {
            // What stays behind is overwritten by the next attempt and is no message to anybody.
            let _ = blocking(move || fs::remove_file(&draft)).await;
            return Outcome::Revoked;
        }
        let folder = self.path.clone();
        let text = format!("2.0.0 written to {name}");
        match blocking(move || Ok(publish(&folder, &draft, &target))).await {
            Ok(Published::Yes) => Outcome::Accepted(Reply::new(250, &text)),
            Ok(Published::No(error)) => {
                tracing::error!(folder = %self.path.display(), %error, "mail cannot be given its name");
                Outcome::Refused { step: Step::Content, reply: Reply::new(451, &format!("4.3.0 {error}")) }
            }
            Ok(Published::Perhaps(error)) | Err(error) => {
                Outcome::Unknown { error: error.to_string().into() }
            }
        }
    }
}

enum Published {
    Yes,
    No(io::Error),
    /// It is there, but would not have to survive a power cut.
    Perhaps(io::Error),
}

fn write_draft(folder: &Path, draft: &Path, bytes: &[u8]) -> io::Result<()> {
    // What is in it is nobody's business but the service's.
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(draft)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn publish(folder: &Path, draft: &Path, target: &Path) -> Published {
    if let Err(error) = fs::rename(draft, target) {
        return Published::No(error);
    }
    match File::open(folder).and_then(|folder| folder.sync_all()) {
        Ok(()) => Published::Yes,
        Err(error) => Published::Perhaps(error),
    }
}

async fn blocking<T, W>(work: W) -> io::Result<T>
where
    T: Send + 'static,
    W: FnOnce() -> io::Result<T> + Send + 'static,
{
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(io::Error::other(error)))
}

/// A Message-ID as a name that every file system takes and that stays in its folder.
fn file_name(message_id: &str) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() || "._@-".contains(c) { c } else { '_' };
    format!("{}.eml", message_id.trim_start_matches('.').chars().map(safe).take(200).collect::<String>())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::mail::Envelope;

    fn letter() -> Letter {
        let envelope = Envelope { sender: "b@a.example".into(), recipient: "c@d.example".into() };
        Letter { message_id: "../x/1@a.example".into(), envelope, bytes: b"Subject: x\r\n\r\ny\r\n".to_vec() }
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[tokio::test]
    async fn a_message_appears_whole_once_it_is_committed() {
        let folder = tempfile::tempdir().unwrap();
        let mail = folder.path().join("mail");
        let transport = Folder::new(mail.clone());
        let outcome =
            transport.relay(&letter(), async || names(&mail) == ["_x_1@a.example.part".to_owned()]).await;
        assert!(matches!(outcome, Outcome::Accepted(Reply { code: 250, .. })), "{outcome:?}");
        assert_eq!(names(&mail), ["_x_1@a.example.eml"]);
        assert_eq!(fs::read(mail.join("_x_1@a.example.eml")).unwrap(), letter().bytes);
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&mail), mode(&mail.join("_x_1@a.example.eml"))), (0o700, 0o600));
    }

    #[tokio::test]
    async fn a_revoked_one_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let outcome = Folder::new(folder.path().to_owned()).relay(&letter(), async || false).await;
        assert_eq!(outcome, Outcome::Revoked);
        assert!(names(folder.path()).is_empty());
    }

    #[tokio::test]
    async fn what_cannot_be_written_is_known_to_be_unsent() {
        let folder = tempfile::tempdir().unwrap();
        let blocked = folder.path().join("file");
        fs::write(&blocked, "").unwrap();
        let outcome = Folder::new(blocked).relay(&letter(), async || panic!("not reached")).await;
        assert!(matches!(outcome, Outcome::Lost { step: Step::Data, .. }), "{outcome:?}");

        let mail = folder.path().join("mail");
        let gone = async || fs::remove_dir_all(&mail).is_ok();
        let outcome = Folder::new(mail.clone()).relay(&letter(), gone).await;
        assert!(matches!(outcome, Outcome::Refused { step: Step::Content, .. }), "{outcome:?}");
    }
}
