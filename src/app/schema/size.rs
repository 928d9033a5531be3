//! What no document may be, whatever its schema says: so large that finding out what is wrong with it, and
//! telling, would take many times the memory that it takes itself.

use serde_json::Value;

use super::escape;
use crate::app::AppError;
use crate::app::error::checked;
use crate::app::faults::Faults;

/// The most entries of a list, and fields of an object. The longest list that any schema allows has as
/// many, and no object has half of it.
pub const MAX_ENTRIES: usize = 200;

/// The most values in a document, all of them counted. An account with everything that fits into it has
/// some two thousand.
const MAX_VALUES: usize = 10_000;

/// The longest JSON pointer to a value, in bytes: each fault repeats its own.
const MAX_POINTER: usize = 1_000;

/// Fails if the document is larger than any can be that is right.
///
/// # Errors
/// [`AppError::Invalid`] with what is too large.
pub fn check_size(document: &Value) -> Result<(), AppError> {
    let mut walk = Walk::default();
    walk.visit(document, &mut String::new());
    if walk.values > MAX_VALUES {
        walk.faults.add("", "too_many", format!("has more than {MAX_VALUES} values"));
    }
    checked(walk.faults)
}

#[derive(Default)]
struct Walk {
    values: usize,
    faults: Faults,
}

impl Walk {
    fn visit(&mut self, value: &Value, at: &mut String) {
        self.values += 1;
        let length = at.len();
        match value {
            Value::Array(items) if items.len() > MAX_ENTRIES => {
                self.faults.add(at.clone(), "too_many", format!("must have at most {MAX_ENTRIES}"));
            }
            Value::Array(items) => {
                for (i, item) in items.iter().enumerate() {
                    at.push_str(&format!("/{i}"));
                    self.visit(item, at);
                    at.truncate(length);
                }
            }
            Value::Object(fields) if fields.len() > MAX_ENTRIES => {
                self.faults.add(at.clone(), "too_many", format!("must have at most {MAX_ENTRIES} fields"));
            }
            Value::Object(fields) => {
                for (name, field) in fields {
                    if length + name.len() > MAX_POINTER {
                        let detail = format!("has a field at a pointer of more than {MAX_POINTER} bytes");
                        self.faults.add(at.clone(), "too_long", detail);
                        continue;
                    }
                    at.push('/');
                    at.push_str(&escape(name));
                    self.visit(field, at);
                    at.truncate(length);
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn faults(document: &Value) -> Vec<String> {
        match check_size(document) {
            Ok(()) => Vec::new(),
            Err(AppError::Invalid(faults)) => {
                faults.iter().map(|fault| format!("{} {}", fault.pointer, fault.code)).collect()
            }
            Err(error) => unreachable!("{error}"),
        }
    }

    fn wide(fields: usize) -> Value {
        (0..fields).map(|i| (i.to_string(), json!(i))).collect::<serde_json::Map<_, _>>().into()
    }

    #[test]
    fn what_is_too_large_is_named_at_its_place() {
        let long = vec![1; MAX_ENTRIES + 1];
        assert_eq!(
            faults(&json!({"a": {"b/c": long}, "d": wide(MAX_ENTRIES + 1)})),
            ["/a/b~1c too_many", "/d too_many"]
        );
        assert_eq!(faults(&json!({"a": vec![1; MAX_ENTRIES], "b": wide(MAX_ENTRIES)})), Vec::<String>::new());
        assert_eq!(faults(&json!({"a": vec![vec![1; MAX_ENTRIES]; 60]})), [" too_many"]);
        assert_eq!(faults(&json!({"a": {"b".repeat(MAX_POINTER): 1}})), ["/a too_long"]);
    }
}
