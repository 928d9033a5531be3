//! The faults of a document, as they are told: where, by a stable code, and in a sentence.

use chrono::DateTime;
use jsonschema::ValidationError;
use jsonschema::error::{TypeKind, ValidationErrorKind};
use serde_json::Value;

use super::{escape, formats};
use crate::app::faults::{Fault, UNKNOWN_FIELD};
use crate::domain::ids;
use crate::domain::search::NamePart;
use crate::domain::timestamp::InvalidTimestamp;

/// The most words that an answer lists: it may have to do so fifty times.
const MOST_WORDS: usize = 40;

/// Puts faults in the order of their places.
pub(super) fn in_order(faults: &mut Vec<Fault>) {
    faults.sort_by(|a, b| a.pointer.cmp(&b.pointer));
    // Several keywords may find the same.
    faults.dedup_by(|a, b| a.pointer == b.pointer && a.code == b.code);
}

/// Adds what an error of the validator comes to.
pub(super) fn collect(error: &ValidationError<'_>, faults: &mut Vec<Fault>) {
    let at = error.instance_path().as_str();
    let mut add = |pointer: String, code: &str, detail: String| {
        faults.push(Fault { pointer, code: code.to_owned().into(), detail });
    };
    match error.kind() {
        ValidationErrorKind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            add(format!("{at}/{}", escape(name)), "required", "is required".to_owned());
        }
        ValidationErrorKind::AdditionalProperties { unexpected }
        | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
            for name in unexpected {
                add(format!("{at}/{}", escape(name)), UNKNOWN_FIELD, "is not a field here".to_owned());
            }
        }
        ValidationErrorKind::OneOfNotValid { context } | ValidationErrorKind::AnyOf { context } => {
            // An optional field is "null or this": the faults of the other branch are the ones to tell.
            let is_null = |branch: &&Vec<ValidationError<'_>>| !branch.iter().any(wants_null);
            match context.iter().filter(is_null).collect::<Vec<_>>()[..] {
                [branch] => branch.iter().for_each(|error| collect(error, faults)),
                _ => add(at.to_owned(), "invalid", "is none of the forms that are taken here".to_owned()),
            }
        }
        // Of what is no text it is told already.
        ValidationErrorKind::Enum { .. } if !error.instance().is_string() => {}
        ValidationErrorKind::Enum { options } => {
            let words: Vec<&str> =
                options.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            let detail = match words.len() {
                0..=MOST_WORDS => format!("must be one of {}", words.join(", ")),
                count => format!("is none of the {count} words that the document lists"),
            };
            add(at.to_owned(), "unknown_word", detail);
        }
        ValidationErrorKind::Type { kind } => {
            let kind = match kind {
                TypeKind::Single(one) => one.to_string(),
                TypeKind::Multiple(several) => several
                    .iter()
                    .map(|t| t.to_string())
                    .filter(|t| t != "null")
                    .collect::<Vec<_>>()
                    .join(" or "),
            };
            let required = error.instance().is_null();
            let (code, detail) = if required {
                ("required", "is required".to_owned())
            } else {
                ("wrong_type", format!("must be of type {kind}"))
            };
            add(at.to_owned(), code, detail);
        }
        ValidationErrorKind::Pattern { pattern } if pattern == NamePart::PATTERN => {
            add(at.to_owned(), "blank", "must not be blank".to_owned());
        }
        ValidationErrorKind::MinLength { limit: 1 } => {
            add(at.to_owned(), "blank", "must not be blank".to_owned());
        }
        ValidationErrorKind::MinLength { limit } => {
            add(at.to_owned(), "too_short", format!("must have at least {limit} characters"));
        }
        ValidationErrorKind::MaxLength { limit } => {
            add(at.to_owned(), "too_long", format!("must have at most {limit} characters"));
        }
        ValidationErrorKind::MinItems { limit } => {
            add(at.to_owned(), "too_few", format!("must have at least {limit}"));
        }
        ValidationErrorKind::MaxItems { limit } => {
            add(at.to_owned(), "too_many", format!("must have at most {limit}"));
        }
        ValidationErrorKind::Minimum { limit } => {
            add(at.to_owned(), "too_small", format!("must be at least {limit}"));
        }
        ValidationErrorKind::Maximum { limit } => {
            add(at.to_owned(), "too_large", format!("must be at most {limit}"));
        }
        ValidationErrorKind::Pattern { pattern } if pattern.ends_with(ids::SUFFIX) => {
            let prefix = pattern.trim_start_matches('^').trim_end_matches(ids::SUFFIX);
            add(at.to_owned(), "invalid_id", format!("must be an id that begins with {prefix}_"));
        }
        ValidationErrorKind::Format { format } if format == "date-time" => {
            let text = error.instance().as_str().unwrap_or_default();
            let is_a_time = DateTime::parse_from_rfc3339(text).is_ok();
            let code = if is_a_time { "out_of_range" } else { "invalid_format" };
            add(at.to_owned(), code, InvalidTimestamp.to_string());
        }
        ValidationErrorKind::Format { format } => {
            let text = error.instance().as_str().unwrap_or_default();
            let (code, detail) = formats::fault(format, text).map_or_else(
                || ("invalid_format", format!("must be a {format}, as RFC 3339 and JSON Schema say")),
                |wrong| (wrong.code, wrong.detail),
            );
            add(at.to_owned(), code, detail);
        }
        other => add(at.to_owned(), "invalid", format!("does not meet {}", other.keyword())),
    }
}

fn wants_null(error: &ValidationError<'_>) -> bool {
    matches!(error.kind(), ValidationErrorKind::Type { kind: TypeKind::Single(one) } if one.to_string() == "null")
}
