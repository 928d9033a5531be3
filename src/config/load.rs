//! Laying the sources over each other. The embedded defaults hold every key, so they are also the
//! list of what may be set: whatever else is in a file or in the environment is a mistake, and all
//! mistakes are told at once.

use std::ffi::OsString;
use std::path::Path;

use config::{Config, File, FileFormat, Map, Source, Value, ValueKind};

use super::{Settings, check};

const DEFAULTS: &str = include_str!("../../config/default.toml");
const PREFIX: &str = "DEBRIEF__";

/// Why the settings cannot be used: everything that was found, one problem per line, each with its
/// key. No problem shows a value that could be a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the settings cannot be used:\n  {}", problems.join("\n  "))]
pub struct ConfigError {
    /// The problems, each with the key it is about.
    pub problems: Vec<String>,
}

/// Reads the defaults, `file` over them and `environment` over both, and checks the result.
pub(super) fn load(
    file: Option<&Path>,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<Settings, ConfigError> {
    let defaults = File::from_str(DEFAULTS, FileFormat::Toml);
    let known = defaults.collect().map_err(|cause| one("config/default.toml", &cause.to_string()))?;
    let mut problems = Vec::new();
    let mut builder = Config::builder().add_source(defaults);

    if let Some(path) = file {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|cause| one(&name, &cause.to_string()))?;
        let source = File::from_str(&text, FileFormat::Toml);
        let values = source.collect().map_err(|cause| one(&name, &without_excerpt(&cause.to_string())))?;
        compare(&known, &values, "", &name, &mut problems);
        builder = builder.add_source(source);
    }

    for (key, value) in from_environment(&known, environment, &mut problems) {
        builder = builder.set_override(key, value).map_err(|cause| one("environment", &cause.to_string()))?;
    }
    if !problems.is_empty() {
        return Err(ConfigError { problems });
    }
    let settings: Settings = builder
        .build()
        .and_then(Config::try_deserialize)
        .map_err(|cause| ConfigError { problems: vec![cause.to_string()] })?;
    let problems = check::problems(&settings);
    if problems.is_empty() { Ok(settings) } else { Err(ConfigError { problems }) }
}

fn one(place: &str, problem: &str) -> ConfigError {
    ConfigError { problems: vec![format!("{place}: {problem}")] }
}

/// A parser's message without the line that it quotes, which may hold a secret.
fn without_excerpt(message: &str) -> String {
    message.lines().filter(|line| !line.contains('|')).collect::<Vec<_>>().join(": ")
}

/// Finds what `given` has that `known` has not, or has in another shape.
fn compare(
    known: &Map<String, Value>,
    given: &Map<String, Value>,
    path: &str,
    place: &str,
    problems: &mut Vec<String>,
) {
    let mut given: Vec<_> = given.iter().collect();
    given.sort_by_key(|(key, _)| *key);
    for (key, value) in given {
        let full = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        match (known.get(key).map(|value| &value.kind), &value.kind) {
            (None, _) => {
                problems.push(format!("{full}: there is no such setting ({place}; {})", choices(known)));
            }
            (Some(ValueKind::Table(known)), ValueKind::Table(given)) => {
                compare(known, given, &full, place, problems);
            }
            (Some(expected), found) if shape(expected) != shape(found) => {
                problems.push(format!("{full}: must be {}, not {} ({place})", shape(expected), shape(found)));
            }
            _ => {}
        }
    }
}

fn choices(known: &Map<String, Value>) -> String {
    let mut keys: Vec<_> = known.keys().map(String::as_str).collect();
    keys.sort_unstable();
    format!("here there are: {}", keys.join(", "))
}

const fn shape(kind: &ValueKind) -> &'static str {
    match kind {
        ValueKind::Nil => "nothing",
        ValueKind::Boolean(_) => "true or false",
        ValueKind::I64(_) | ValueKind::I128(_) | ValueKind::U64(_) | ValueKind::U128(_) => "a whole number",
        ValueKind::Float(_) => "a fraction",
        ValueKind::String(_) => "a text",
        ValueKind::Table(_) => "a section",
        ValueKind::Array(_) => "a list",
    }
}

/// What the environment sets: the path of each key, and its value in the shape that the key has.
fn from_environment(
    known: &Map<String, Value>,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
    problems: &mut Vec<String>,
) -> Vec<(String, Value)> {
    let mut variables: Vec<_> = environment
        .into_iter()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
        .filter(|(name, _)| name.starts_with(PREFIX))
        .collect();
    variables.sort();
    let mut found = Vec::new();
    for (name, value) in variables {
        let path = name[PREFIX.len()..].to_ascii_lowercase();
        let parts: Vec<_> = path.split("__").collect();
        let (kind, nearest) = look_up(known, &parts);
        let Some(kind) = kind else {
            problems.push(format!("{name}: there is no such setting ({})", choices(nearest)));
            continue;
        };
        match value.into_string().ok().and_then(|text| read_as(kind, text)) {
            Some(value) => found.push((parts.join("."), Value::new(Some(&name), value))),
            None => problems.push(format!("{name}: must be {}", shape(kind))),
        }
    }
    found
}

/// The default at a path when there is one, and the section in which the search ended.
fn look_up<'a>(
    mut section: &'a Map<String, Value>,
    parts: &[&str],
) -> (Option<&'a ValueKind>, &'a Map<String, Value>) {
    for (position, part) in parts.iter().enumerate() {
        match section.get(*part).map(|value| &value.kind) {
            Some(ValueKind::Table(inner)) => section = inner,
            Some(kind) if position + 1 == parts.len() => return (Some(kind), section),
            _ => return (None, section),
        }
    }
    (None, section)
}

fn read_as(kind: &ValueKind, text: String) -> Option<ValueKind> {
    match kind {
        ValueKind::I64(_) => text.trim().parse::<i64>().ok().map(ValueKind::I64),
        ValueKind::Boolean(_) => text.trim().parse::<bool>().ok().map(ValueKind::Boolean),
        ValueKind::Array(_) if text.trim().is_empty() => Some(ValueKind::Array(Vec::new())),
        ValueKind::Array(_) => Some(ValueKind::from(text.split(',').map(str::trim).collect::<Vec<_>>())),
        _ => Some(ValueKind::String(text)),
    }
}
