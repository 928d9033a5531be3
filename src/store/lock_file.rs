//! Files beside a SQLite database, by whose locks processes know of each other. The operating
//! system lets go of a lock when its process ends, however it ends; the empty file stays.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// Opens `<database>.<purpose>.lock`, which is made when it is missing. Nothing is locked yet.
pub fn beside(database: &Path, purpose: &str) -> io::Result<File> {
    let mut path = OsString::from(database);
    path.push(format!(".{purpose}.lock"));
    File::options().create(true).truncate(false).read(true).write(true).mode(0o600).open(path)
}
