//! Settings as TOML: sections, texts, whole numbers, truth values and lists of them, which is all
//! that settings are made of.

use serde_json::{Map, Value};

use super::Settings;

/// Writes `settings` as TOML, in the order of the alphabet.
pub(super) fn toml(settings: &Settings) -> String {
    let mut text = String::new();
    if let Ok(Value::Object(sections)) = serde_json::to_value(settings) {
        section("", &sections, &mut text);
    }
    text
}

fn section(path: &str, values: &Map<String, Value>, text: &mut String) {
    let (inner, own): (Vec<_>, Vec<_>) = values.iter().partition(|(_, value)| value.is_object());
    if !own.is_empty() {
        let gap = if text.is_empty() { "" } else { "\n" };
        *text += &format!("{gap}[{path}]\n");
    }
    for (key, value) in own {
        // A JSON string, number, boolean or list of them is spelt the same in TOML.
        *text += &format!("{key} = {value}\n");
    }
    for (key, value) in inner {
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        if let Value::Object(values) = value {
            section(&path, values, text);
        }
    }
}
