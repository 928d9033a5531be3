//! What is wrong with an input: every fault with the place it stands at, all of them at once, up to a number
//! that nobody mends one by one.

pub mod codes;

use std::borrow::Cow;
use std::fmt::Display;

use crate::domain::text::TextFault;

/// One thing that is wrong with an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where: a JSON pointer (RFC 6901) into the body.
    pub pointer: String,
    /// A stable code.
    pub code: Cow<'static, str>,
    /// What is wrong, for a person.
    pub detail: String,
}

/// The most faults that are told of one input.
pub const MAX_FAULTS: usize = 50;

/// The code of a field that there is not.
pub const UNKNOWN_FIELD: &str = "unknown_field";

/// The code of the last one where not all are told.
pub const MORE: &str = "more_faults";

/// As many faults as are told; the last one says so if there are more.
#[must_use]
pub fn first(mut faults: Vec<Fault>) -> Vec<Fault> {
    if faults.len() > MAX_FAULTS {
        faults.truncate(MAX_FAULTS);
        faults.push(more());
    }
    faults
}

/// What stands at the end where not all are told.
#[must_use]
pub fn more() -> Fault {
    let detail = format!("there are more faults than these {MAX_FAULTS}");
    Fault { pointer: String::new(), code: MORE.into(), detail }
}

/// The faults found so far.
#[derive(Debug, Default)]
pub struct Faults(Vec<Fault>);

impl Faults {
    /// Notes a fault.
    pub fn add(
        &mut self,
        pointer: impl Into<String>,
        code: impl Into<Cow<'static, str>>,
        detail: impl Display,
    ) {
        self.0.push(Fault { pointer: pointer.into(), code: code.into(), detail: detail.to_string() });
    }

    /// Notes a fault if `check` found one.
    pub fn text<T>(&mut self, pointer: impl Into<String>, check: Result<T, TextFault>) {
        if let Err(fault) = check {
            self.add(pointer, fault.code(), fault);
        }
    }

    /// Notes that the record which a field names is not there.
    pub fn unknown(&mut self, pointer: impl Into<String>, what: &str) {
        self.add(pointer, "unknown_reference", format!("there is no such {what}"));
    }

    /// Notes that a field can no longer be changed.
    pub fn immutable(&mut self, pointer: impl Into<String>, why: &str) {
        self.add(pointer, "immutable", format!("cannot be changed any more: {why}"));
    }

    /// The faults, if there are any.
    pub fn into_result(self) -> Result<(), Vec<Fault>> {
        if self.0.is_empty() { Ok(()) } else { Err(first(self.0)) }
    }
}
