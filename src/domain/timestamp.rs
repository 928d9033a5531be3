//! A moment as the service keeps and shows it.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;
use std::str::FromStr;

use chrono::{DateTime, Datelike, SecondsFormat, SubsecRound, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};

/// A moment in UTC, cut to microseconds, which both databases keep; RFC 3339 outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(DateTime<Utc>);

/// A text that is not a moment we can keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a time in RFC 3339, such as 2026-11-22T09:30:00Z, between the years 1900 and 9998")]
pub struct InvalidTimestamp;

impl Timestamp {
    /// The moment that lies `micros` microseconds after 1970.
    #[must_use]
    pub fn from_micros(micros: i64) -> Option<Self> {
        DateTime::from_timestamp_micros(micros).map(Self)
    }
}

impl From<DateTime<Utc>> for Timestamp {
    fn from(moment: DateTime<Utc>) -> Self {
        Self(moment.trunc_subsecs(6))
    }
}

impl Deref for Timestamp {
    type Target = DateTime<Utc>;
    fn deref(&self) -> &DateTime<Utc> {
        &self.0
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_rfc3339_opts(SecondsFormat::AutoSi, true))
    }
}

impl FromStr for Timestamp {
    type Err = InvalidTimestamp;
    fn from_str(text: &str) -> Result<Self, InvalidTimestamp> {
        let moment = DateTime::parse_from_rfc3339(text).map_err(|_| InvalidTimestamp)?.to_utc();
        // A leap second is kept as the first moment of the next minute, as the databases would read it back.
        let moment = DateTime::from_timestamp_micros(moment.timestamp_micros()).ok_or(InvalidTimestamp)?;
        if (1900..=9998).contains(&moment.year()) { Ok(moment.into()) } else { Err(InvalidTimestamp) }
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Cow::<str>::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl utoipa::PartialSchema for Timestamp {
    fn schema() -> utoipa::openapi::RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .description(Some(
                "A moment in RFC 3339 between the years 1900 and 9998; answers have it in UTC, with microseconds at most.",
            ))
            .examples(["2026-11-22T09:30:00Z"])
            .into()
    }
}
impl utoipa::ToSchema for Timestamp {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_offset_is_kept_as_utc_to_the_microsecond() {
        let moment: Timestamp = "2026-11-22T10:30:00.123456789+01:00".parse().unwrap();
        assert_eq!(moment.to_string(), "2026-11-22T09:30:00.123456Z");
        assert_eq!("2026-11-22T09:30:00Z".parse::<Timestamp>().unwrap().to_string(), "2026-11-22T09:30:00Z");
        assert_eq!("2016-12-31T23:59:60Z".parse::<Timestamp>().unwrap().to_string(), "2017-01-01T00:00:00Z");
    }

    #[test]
    fn what_no_database_could_keep_is_refused() {
        for text in ["2026-11-22", "2026-11-22T09:30:00", "0001-01-01T00:00:00Z", "now", ""] {
            assert_eq!(text.parse::<Timestamp>(), Err(InvalidTimestamp), "{text}");
        }
    }
}
