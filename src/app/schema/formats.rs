//! What a text must be: the formats that a schema can ask for besides those of JSON Schema, and what is asked of every
//! text. A schema that names a format is all that a field needs: what is wrong with its text is found with every
//! other fault of the document.

use serde_json::Value;

use super::escape;
use crate::app::faults::Fault;
use crate::domain::text::{
    TextFault, check_email, check_language, check_line, check_name, check_paragraphs, check_time_zone,
    check_told,
};
use crate::domain::{event, frame};

/// A format, by the name that schemas call it.
pub struct Format {
    /// The value of the keyword `format`.
    pub name: &'static str,
    check: fn(&str) -> Result<(), Wrong>,
}

/// What is wrong with a text.
pub struct Wrong {
    /// A stable code.
    pub code: &'static str,
    /// What is wrong, for a person.
    pub detail: String,
}

/// Every format there is; API-DESIGN.md tells of them.
pub const FORMATS: [Format; 9] = [
    Format { name: "line", check: |text| wrong(check_line(text)) },
    Format { name: "line-not-blank", check: |text| wrong(check_name(text)) },
    Format { name: "text", check: |text| wrong(check_paragraphs(text)) },
    Format { name: "text-not-blank", check: |text| wrong(check_told(text)) },
    // A name of JSON Schema itself, but narrower here: an address that mail can be sent to.
    Format { name: "idn-email", check: |text| wrong(check_email(text)) },
    Format { name: "time-zone", check: |text| wrong(check_time_zone(text)) },
    Format { name: "language-tag", check: |text| wrong(check_language(text)) },
    Format {
        name: "event-types",
        check: |text| {
            let detail = |unknown| {
                format!(
                    "there are no events called {unknown}; EventType in the document has those that there are"
                )
            };
            event::listed(text)
                .map(drop)
                .map_err(|unknown| Wrong { code: "unknown_word", detail: detail(unknown) })
        },
    },
    Format {
        name: "mail-frame",
        check: |text| {
            frame::check(text).map_err(|fault| Wrong { code: fault.code(), detail: fault.to_string() })
        },
    },
];

impl Format {
    /// Whether the text has this format.
    #[must_use]
    pub fn fits(&self, text: &str) -> bool {
        (self.check)(text).is_ok()
    }
}

/// What keeps a text from having the format of a name.
#[must_use]
pub fn fault(name: &str, text: &str) -> Option<Wrong> {
    FORMATS.iter().find(|format| format.name == name).and_then(|format| (format.check)(text).err())
}

fn wrong<T>(check: Result<T, TextFault>) -> Result<(), Wrong> {
    check.map(drop).map_err(|fault| Wrong { code: fault.code(), detail: fault.to_string() })
}

/// No text of PostgreSQL can hold U+0000, and no honest text does.
pub(super) fn forbid_nul(value: &Value, at: &mut String, faults: &mut Vec<Fault>) {
    let length = at.len();
    match value {
        Value::String(text) if text.contains('\0') => faults.push(Fault {
            pointer: at.clone(),
            code: "control_character".into(),
            detail: "must not contain U+0000".to_owned(),
        }),
        Value::Array(items) => {
            for (i, item) in items.iter().enumerate() {
                at.push_str(&format!("/{i}"));
                forbid_nul(item, at, faults);
                at.truncate(length);
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                at.push('/');
                at.push_str(&escape(name));
                forbid_nul(field, at, faults);
                at.truncate(length);
            }
        }
        _ => {}
    }
}
