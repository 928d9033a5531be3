//! Reading a JSON document so that nothing of it is lost.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::map::Entry;
use serde_json::{Map, Number, Value};

/// Reads a document in which no object has a name twice: JSON allows it, and of two values one would be dropped
/// without a word (RFC 8259, section 4).
///
/// # Errors
/// What is wrong with it, and where.
pub fn parse(bytes: &[u8]) -> Result<Value, serde_json::Error> {
    serde_json::from_slice::<Document>(bytes).map(|document| document.0)
}

/// So many characters of a name are told.
const SHOWN: usize = 100;

struct Document(Value);

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader).map(Self)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(Document(item)) = items.next_element()? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = fields.next_key::<String>()? {
            match object.entry(name) {
                Entry::Vacant(place) => {
                    place.insert(fields.next_value::<Document>()?.0);
                }
                Entry::Occupied(place) => {
                    let name: String = place.key().chars().take(SHOWN).collect();
                    return Err(A::Error::custom(format!("{name:?} stands twice in one object")));
                }
            }
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_name_that_stands_twice_is_told_of() {
        let error = parse(br#"{"a": [{"b": 1, "c": 2, "b": 3}]}"#).unwrap_err();
        assert_eq!(error.to_string(), r#""b" stands twice in one object at line 1 column 27"#);
        assert_eq!(
            parse(br#"{"a": {"b": 1}, "b": {"b": 2}}"#).unwrap(),
            json!({"a": {"b": 1}, "b": {"b": 2}})
        );
    }

    proptest! {
        #[test]
        fn everything_else_is_read_as_ever(text in r#"[\[\]{}:,"0-9a.eE+\- tfnrulse]{0,24}|"(\PC|\\u[0-9a-f]{4}|\\n){0,8}"|-?[0-9]{1,22}(\.[0-9]{1,4})?(e[0-9]{1,3})?"#) {
            let usual: Result<Value, _> = serde_json::from_str(&text);
            match (parse(text.as_bytes()), usual) {
                (Ok(ours), Ok(usual)) => prop_assert_eq!(ours, usual),
                (ours, usual) => prop_assert!(ours.is_err() && (usual.is_err() || text.matches('"').count() > 3)),
            }
        }
    }
}
