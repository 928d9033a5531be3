//! Checking a document against the schema of a type.

mod document;
mod formats;
mod given;
mod naming;
mod size;

use std::any::TypeId;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use jsonschema::Validator;
use serde::de::DeserializeOwned;
use serde_json::{Number, Value, json};
use utoipa::ToSchema;

use super::AppError;
use super::faults::{self, Fault, MAX_FAULTS, UNKNOWN_FIELD};
use crate::domain::timestamp::Timestamp;
use formats::forbid_nul;
use naming::{collect, in_order};

pub use document::parse;
pub use given::{Given, beside};
pub use size::{MAX_ENTRIES, check_size};

/// A type's schema, ready to check documents.
pub struct Schema {
    validator: Validator,
    /// The type's own properties with their schemas.
    properties: serde_json::Map<String, Value>,
}

static SCHEMAS: RwLock<Option<HashMap<TypeId, Arc<Schema>>>> = RwLock::new(None);

/// The schema of `T`; made on first use.
pub fn of<T: ToSchema + 'static>() -> Result<Arc<Schema>, AppError> {
    let id = TypeId::of::<T>();
    let known = SCHEMAS.read().unwrap_or_else(PoisonError::into_inner);
    if let Some(schema) = known.as_ref().and_then(|schemas| schemas.get(&id)) {
        return Ok(schema.clone());
    }
    drop(known);
    let schema = Arc::new(make::<T>().map_err(AppError::Internal)?);
    let mut known = SCHEMAS.write().unwrap_or_else(PoisonError::into_inner);
    known.get_or_insert_default().insert(id, schema.clone());
    Ok(schema)
}

/// Reads a document as a `T`, in which null means the same as a field that is not there.
///
/// # Errors
/// [`AppError::Invalid`] with what the schema does not allow. A field that is unknown is a fault even if it
/// is null.
pub fn read<T: DeserializeOwned + ToSchema + 'static>(document: Value) -> Result<T, AppError> {
    given(document)?.look_further(Ok)
}

/// Reads a document as a `T` as far as that can be done in spite of its faults.
///
/// # Errors
/// Those of [`read`], if nothing but the faults can be read.
pub fn given<T: DeserializeOwned + ToSchema + 'static>(document: Value) -> Result<Given<T>, AppError> {
    let (document, faults) = checked::<T>(document)?;
    if !faults.is_empty() {
        return given::in_spite_of(&document, faults);
    }
    let input = serde_json::from_value(document);
    Ok(Given::sound(input.map_err(|e| AppError::fault("", "invalid", e.to_string()))?))
}

/// A document with a merge patch (RFC 7396) applied to it. What the patch clears stays as null, which is read like a
/// field that is not there: so a field is found that is unknown, and was to be cleared.
#[must_use]
pub fn patched(mut document: Value, patch: &Value) -> Value {
    merge(&mut document, patch);
    document
}

fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(changes) = patch else {
        target.clone_from(patch);
        return;
    };
    if !target.is_object() {
        *target = Value::Object(serde_json::Map::new());
    }
    if let Value::Object(fields) = target {
        for (name, change) in changes {
            merge(fields.entry(name).or_insert(Value::Null), change);
        }
    }
}

/// The document without its nulls; and its faults by the schema of `T`.
fn checked<T: ToSchema + 'static>(document: Value) -> Result<(Value, Vec<Fault>), AppError> {
    let schema = of::<T>()?;
    let mut said = document.clone();
    settle_notation(&mut said);
    let mut faults = schema.faults(&said);
    if said != document {
        faults.extend(schema.faults_where(&document, |fault| fault.code == UNKNOWN_FIELD));
        in_order(&mut faults);
    }
    Ok((said, faults::first(faults)))
}

/// Takes out every field that is null, and writes whole numbers as such: `57.0` is the integer 57 to a schema
/// (JSON Schema Core, section 6.3), but not to a type.
fn settle_notation(document: &mut Value) {
    match document {
        Value::Object(fields) => {
            fields.retain(|_, field| !field.is_null());
            fields.values_mut().for_each(settle_notation);
        }
        Value::Array(items) => items.iter_mut().for_each(settle_notation),
        Value::Number(number) => {
            if let Some(whole) = whole(number) {
                *number = whole.into();
            }
        }
        _ => {}
    }
}

/// The integer that a number with a decimal point or an exponent is, if it is one that every digit of was kept.
fn whole(number: &Number) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let value =
        number.as_f64().filter(|value| number.is_f64() && value.fract() == 0.0 && value.abs() <= EXACT)?;
    format!("{value:.0}").parse().ok()
}

fn make<T: ToSchema>() -> Result<Schema, String> {
    let mut components = Vec::new();
    T::schemas(&mut components);
    let components: HashMap<_, _> = components.into_iter().collect();
    let mut document = serde_json::to_value(T::schema()).map_err(|e| e.to_string())?;
    let properties = document["properties"].as_object().cloned().unwrap_or_default();
    document["components"] = json!({ "schemas": components });
    let mut options = jsonschema::options()
        .should_validate_formats(true)
        .with_format("date-time", |text: &str| text.parse::<Timestamp>().is_ok());
    for format in &formats::FORMATS {
        options = options.with_format(format.name, |text: &str| format.fits(text));
    }
    let validator = options.build(&document);
    Ok(Schema { validator: validator.map_err(|e| e.to_string())?, properties })
}

impl Schema {
    /// The faults of the document: all of them, or more than are told.
    #[must_use]
    pub fn faults(&self, document: &Value) -> Vec<Fault> {
        self.faults_where(document, |_| true)
    }

    fn faults_where(&self, document: &Value, is_wanted: impl Fn(&Fault) -> bool) -> Vec<Fault> {
        let (mut faults, mut found) = (Vec::new(), Vec::new());
        // To look for errors takes far longer than to see that there are none, which is the rule.
        if !self.validator.is_valid(document) {
            // Each error is a copy of what is wrong, and the rest of them are not even looked for.
            for error in self.validator.iter_errors(document) {
                collect(&error, &mut found);
                faults.extend(found.drain(..).filter(&is_wanted));
                // Of a fault that several keywords found only one is told.
                if faults.len() > MAX_FAULTS {
                    in_order(&mut faults);
                }
                if faults.len() > MAX_FAULTS {
                    break;
                }
            }
        }
        forbid_nul(document, &mut String::new(), &mut found);
        faults.extend(found.into_iter().filter(is_wanted));
        in_order(&mut faults);
        faults
    }

    /// Whether the type has a property of this name.
    #[must_use]
    pub fn has(&self, property: &str) -> bool {
        self.properties.contains_key(property)
    }

    /// A text from a query as the JSON value that the property's schema asks for.
    #[must_use]
    pub fn typed(&self, property: &str, text: &str) -> Value {
        let types = &self.properties.get(property).unwrap_or(&Value::Null)["type"];
        let is = |name: &str| types == name || types.as_array().is_some_and(|t| t.contains(&json!(name)));
        let parsed = match text {
            "true" | "false" if is("boolean") => Some(json!(text == "true")),
            _ if is("integer") => text.parse::<i64>().ok().map(Value::from),
            _ => None,
        };
        parsed.unwrap_or_else(|| Value::String(text.to_owned()))
    }
}

/// A name as part of a JSON pointer (RFC 6901, section 3).
#[must_use]
pub fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Deserialize;

    use super::*;
    use crate::domain::ids::ClientId;

    #[derive(Deserialize, ToSchema)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only its schema is used")]
    struct Inner {
        #[schema(max_length = 3)]
        short: String,
        scope: Option<crate::domain::people::Role>,
    }

    #[derive(Debug, Deserialize, ToSchema)]
    struct Count {
        count: i64,
    }

    #[derive(Deserialize, ToSchema)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only its schema is used")]
    struct Outer {
        inner: Vec<Inner>,
        client: Option<ClientId>,
        at: Option<Timestamp>,
        #[schema(minimum = 1)]
        count: Option<i64>,
    }

    #[test]
    fn every_fault_is_named_at_its_place() {
        let schema = of::<Outer>().unwrap();
        let document = json!({
            "inner": [{"short": "long", "scope": "king"}, {"short": null, "no/pe": 1}, {"short": "a\u{0}"}],
            "client": "con_01h2xcejqtf2nbrexx3vqjhp41", "at": "yesterday", "count": 0, "more": true
        });
        let lines: Vec<String> = schema
            .faults(&document)
            .into_iter()
            .map(|f| format!("{} {}: {}", f.pointer, f.code, f.detail))
            .collect();
        insta::assert_snapshot!(lines.join("\n"), @r"
        /at invalid_format: must be a time in RFC 3339, such as 2026-11-22T09:30:00Z, between the years 1900 and 9998
        /client invalid_id: must be an id that begins with cli_
        /count too_small: must be at least 1
        /inner/0/scope unknown_word: must be one of admin, manager, recruiter, auditor
        /inner/0/short too_long: must have at most 3 characters
        /inner/1/no~1pe unknown_field: is not a field here
        /inner/1/short required: is required
        /inner/2/short control_character: must not contain U+0000
        /more unknown_field: is not a field here
        ");
    }

    #[test]
    fn a_whole_number_is_an_integer_however_it_is_written() {
        let read =
            |count: &str| read::<Count>(serde_json::from_str(&format!(r#"{{"count":{count}}}"#)).unwrap());
        for (text, count) in [("57.0", 57), ("5.7e1", 57), ("-0.0", 0), ("9007199254740992.0", 1 << 53)] {
            assert_eq!(read(text).unwrap().count, count, "{text}");
        }
        for text in ["57.5", "1e300"] {
            assert!(matches!(read(text), Err(AppError::Invalid(_))), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_patch_means_what_the_standard_says(document in json_value(), patch in json_value()) {
            let mut expected = document.clone();
            json_patch::merge(&mut expected, &patch);
            let mut patched = patched(document, &patch);
            for value in [&mut expected, &mut patched] {
                settle_notation(value);
            }
            prop_assert_eq!(patched, expected);
        }
    }

    /// Any document, small enough that two of them often have fields in common.
    fn json_value() -> impl Strategy<Value = Value> {
        let leaf =
            prop_oneof![Just(Value::Null), any::<bool>().prop_map(Value::from), "[ab]".prop_map(Value::from)];
        leaf.prop_recursive(4, 24, 4, |inner| {
            let object = prop::collection::btree_map("[abc]", inner.clone(), 0..4);
            prop_oneof![
                prop::collection::vec(inner, 0..3).prop_map(Value::from),
                object.prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    #[test]
    fn what_is_right_has_no_faults() {
        let schema = of::<Outer>().unwrap();
        let document = json!({
            "inner": [{"short": "abc", "scope": "admin"}, {"short": "a"}],
            "client": null, "at": "2026-11-22T09:30:00Z", "count": 3
        });
        assert_eq!(schema.faults(&document), []);
    }
}
