//! What has faults is looked at further all the same: whoever sent it learns of all of them at once, those too that
//! only the work with it finds.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::app::AppError;
use crate::app::faults::{self, Fault, UNKNOWN_FIELD};

/// An input, and the faults of the document that it was made of. Nobody gets the one without the other.
pub struct Given<T> {
    input: T,
    faults: Vec<Fault>,
}

impl<T> Given<T> {
    pub(super) const fn sound(input: T) -> Self {
        Self { input, faults: Vec::new() }
    }

    /// The input, and what has to be put [`beside`] the outcome of the work with it.
    pub fn into_parts(self) -> (T, Vec<Fault>) {
        (self.input, self.faults)
    }

    /// Does `work` with the input, which comes to nothing [`beside`] the document's faults.
    ///
    /// # Errors
    /// [`AppError::Invalid`] with the faults of both; without faults of the document whatever the work ends in.
    pub fn look_further<R>(self, work: impl FnOnce(T) -> Result<R, AppError>) -> Result<R, AppError> {
        let (input, faults) = self.into_parts();
        beside(faults, work(input))
    }
}

/// What comes of work with an input that has `faults`: none of it stands, and the faults that it found are
/// told with them. Of a place that is known to be wrong the work knows nothing.
pub fn beside<R>(mut faults: Vec<Fault>, outcome: Result<R, AppError>) -> Result<R, AppError> {
    if faults.is_empty() {
        return outcome;
    }
    if let Err(AppError::Invalid(found)) = outcome {
        let is_news = |fault: &Fault| !faults.iter().any(|known| is_at(fault, known));
        let news: Vec<Fault> = found.into_iter().filter(is_news).collect();
        faults.extend(news);
    }
    Err(AppError::Invalid(faults::first(faults)))
}

/// Whether a fault is at the place of another one, or within it.
fn is_at(fault: &Fault, other: &Fault) -> bool {
    let rest = fault.pointer.strip_prefix(&other.pointer);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The codes of what has not even the type of its field, or would be too much work. What is blank can be read all
/// the same.
const UNREADABLE: [&str; 8] = [
    UNKNOWN_FIELD,
    "wrong_type",
    "unknown_word",
    "invalid_id",
    "invalid_format",
    "out_of_range",
    "too_long",
    "too_many",
];

/// What a document says without what cannot be read of it or, if that does not do, without any field that has a
/// fault.
pub(super) fn in_spite_of<T: DeserializeOwned>(
    document: &Value,
    faults: Vec<Fault>,
) -> Result<Given<T>, AppError> {
    let is_unreadable = |fault: &&Fault| UNREADABLE.contains(&fault.code.as_ref());
    let read = |wrong: &mut dyn Iterator<Item = &Fault>| {
        let mut rest = document.clone();
        wrong.for_each(|fault| remove(&mut rest, &fault.pointer));
        serde_json::from_value(rest).ok()
    };
    match read(&mut faults.iter().filter(is_unreadable)).or_else(|| read(&mut faults.iter())) {
        Some(input) => Ok(Given { input, faults }),
        None => Err(AppError::Invalid(faults)),
    }
}

/// Takes a field out. What stands in a list stays, since its neighbours would get other places.
fn remove(document: &mut Value, pointer: &str) {
    if let Some((object, name)) = pointer.rsplit_once('/')
        && let Some(Value::Object(fields)) = document.pointer_mut(object)
    {
        fields.remove(&name.replace("~1", "/").replace("~0", "~"));
    }
}
