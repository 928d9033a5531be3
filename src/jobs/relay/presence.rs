//! Whether other relays work on the same SQLite file: each one that does holds its lock file.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;

use crate::store::lock_file;

/// A relay's hold on its database, as long as this lives.
pub(super) struct Presence {
    file: File,
    alone: bool,
}

impl Presence {
    /// Comes to a database; waits while another relay is alone with it.
    pub fn enter(database: &Path) -> io::Result<Self> {
        let file = lock_file::beside(database, "relay")?;
        let alone = match file.try_lock() {
            Ok(()) => true,
            Err(TryLockError::WouldBlock) => {
                file.lock_shared()?;
                false
            }
            Err(TryLockError::Error(error)) => return Err(error),
        };
        Ok(Self { file, alone })
    }

    /// Whether no other relay was there, nor comes before it is [admitted](Self::admit).
    pub fn is_alone(&self) -> bool {
        self.alone
    }

    /// Lets others in. One of them may be alone for a moment before this returns, which does no
    /// harm to a relay that has claimed nothing yet.
    pub fn admit(mut self) -> io::Result<Self> {
        if self.alone {
            self.file.unlock()?;
            self.file.lock_shared()?;
            self.alone = false;
        }
        Ok(self)
    }
}
