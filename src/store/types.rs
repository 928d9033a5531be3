//! How our types are kept: a UUID as `uuid` or 16 bytes, an instant as `timestamptz` or
//! microseconds since 1970, a document as `jsonb` or JSON text, a word as text.

use std::io::Write;

use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::Pg;
use diesel::query_builder::QueryId;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::{BigInt, Binary, HasSqlType, SqlType, Text};
use diesel::sqlite::Sqlite;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::connection::{MultiBackend, MultiRawValue};
use crate::domain::activity::ActivityKind;
use crate::domain::debrief::{DebriefState, Outcome, SideStatus};
use crate::domain::delivery::DeliveryState;
use crate::domain::exchange::{Collection, FileFormat, ImportState};
use crate::domain::feedback::{Address, Channel, FeedbackState, Overall, PointKind, Severity, Side};
use crate::domain::ids::{Id, Kind};
use crate::domain::inbound::InboundKind;
use crate::domain::interview::{Format, InterviewStatus};
use crate::domain::note::NoteState;
use crate::domain::people::{ContactRole, EmailStatus, JobOrderStatus, Role, Scopes};
use crate::domain::record::RecordKind;
use crate::domain::retry_request::{Grounds, RetryState};
use crate::domain::timestamp::Timestamp;
use crate::domain::webhook::{DisabledBecause, WebhookDeliveryState};

/// The SQL type of an identifier.
#[derive(Debug, Clone, Copy, QueryId, SqlType)]
#[diesel(postgres_type(oid = 2950, array_oid = 2951), sqlite_type(name = "Binary"))]
pub struct Uuid;

/// The SQL type of a moment.
#[derive(Debug, Clone, Copy, QueryId, SqlType)]
#[diesel(postgres_type(oid = 1184, array_oid = 1185), sqlite_type(name = "Long"))]
pub struct Instant;

/// The SQL type of a JSON document.
#[derive(Debug, Clone, Copy, QueryId, SqlType)]
#[diesel(postgres_type(oid = 3802, array_oid = 3807), sqlite_type(name = "Text"))]
pub struct Document;

/// Lets a type that each backend knows on its own pass through the connection that is either.
macro_rules! through_either {
    ($([$($generics:tt)*] $rust:ty => $sql:ident;)+) => {$(
        impl<$($generics)*> ToSql<$sql, MultiBackend> for $rust {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, MultiBackend>) -> serialize::Result {
                out.set_value(($sql, self));
                Ok(IsNull::No)
            }
        }
        impl<$($generics)*> FromSql<$sql, MultiBackend> for $rust {
            fn from_sql(value: MultiRawValue<'_>) -> deserialize::Result<Self> {
                value.from_sql::<Self, $sql>()
            }
        }
    )+};
}

through_either! {
    [K: Kind] Id<K> => Uuid;
    [] Timestamp => Instant;
    [T: Storable + Serialize + DeserializeOwned] Json<T> => Document;
}

impl HasSqlType<Uuid> for MultiBackend {
    fn metadata(lookup: &mut Self::MetadataLookup) -> Self::TypeMetadata {
        Self::lookup_sql_type::<Uuid>(lookup)
    }
}
impl HasSqlType<Instant> for MultiBackend {
    fn metadata(lookup: &mut Self::MetadataLookup) -> Self::TypeMetadata {
        Self::lookup_sql_type::<Instant>(lookup)
    }
}
impl HasSqlType<Document> for MultiBackend {
    fn metadata(lookup: &mut Self::MetadataLookup) -> Self::TypeMetadata {
        Self::lookup_sql_type::<Document>(lookup)
    }
}

// Identifiers ---------------------------------------------------------------------------------

/// Makes [`Id`] usable in queries; never built.
#[derive(AsExpression, FromSqlRow)]
#[diesel(foreign_derive, sql_type = Uuid)]
#[expect(dead_code, reason = "the derives need a type to hang on")]
struct IdColumn<K: Kind>(Id<K>);

impl<K: Kind> ToSql<Uuid, Pg> for Id<K> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        out.write_all(self.uuid().as_bytes())?;
        Ok(IsNull::No)
    }
}
impl<K: Kind> FromSql<Uuid, Pg> for Id<K> {
    fn from_sql(value: <Pg as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        Ok(Self::from_uuid(uuid::Uuid::from_slice(value.as_bytes())?))
    }
}
impl<K: Kind> ToSql<Uuid, Sqlite> for Id<K> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.uuid().as_bytes().to_vec());
        Ok(IsNull::No)
    }
}
impl<K: Kind> FromSql<Uuid, Sqlite> for Id<K> {
    fn from_sql(value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        let bytes = <Vec<u8> as FromSql<Binary, Sqlite>>::from_sql(value)?;
        Ok(Self::from_uuid(uuid::Uuid::from_slice(&bytes)?))
    }
}

// Moments -------------------------------------------------------------------------------------

/// Makes [`Timestamp`] usable in queries; never built.
#[derive(AsExpression, FromSqlRow)]
#[diesel(foreign_derive, sql_type = Instant)]
#[expect(dead_code, reason = "the derives need a type to hang on")]
struct InstantColumn(Timestamp);

/// 2000-01-01 in microseconds since 1970: where PostgreSQL counts from.
const POSTGRES_EPOCH: i64 = 946_684_800_000_000;

fn moment(micros: i64) -> deserialize::Result<Timestamp> {
    Timestamp::from_micros(micros).ok_or_else(|| "a moment out of range".into())
}

impl ToSql<Instant, Pg> for Timestamp {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        let micros = self.timestamp_micros() - POSTGRES_EPOCH;
        ToSql::<BigInt, Pg>::to_sql(&micros, &mut out.reborrow())
    }
}
impl FromSql<Instant, Pg> for Timestamp {
    fn from_sql(value: <Pg as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        moment(<i64 as FromSql<BigInt, Pg>>::from_sql(value)? + POSTGRES_EPOCH)
    }
}
impl ToSql<Instant, Sqlite> for Timestamp {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.timestamp_micros());
        Ok(IsNull::No)
    }
}
impl FromSql<Instant, Sqlite> for Timestamp {
    fn from_sql(value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        moment(<i64 as FromSql<BigInt, Sqlite>>::from_sql(value)?)
    }
}

// Documents -----------------------------------------------------------------------------------

/// What a value must be to be kept as a document, besides readable and writable as JSON.
pub trait Storable: std::fmt::Debug + Send + Sync + 'static {}
impl<T: std::fmt::Debug + Send + Sync + 'static> Storable for T {}

/// A value kept as a JSON document.
#[derive(Debug, Clone, Default, PartialEq, Eq, AsExpression, FromSqlRow, Serialize)]
#[diesel(sql_type = Document)]
#[serde(transparent)]
pub struct Json<T: Storable>(pub T);

impl<T: Storable + Serialize> ToSql<Document, Pg> for Json<T> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        // The version of jsonb's wire format, then the text.
        out.write_all(&[1])?;
        serde_json::to_writer(out, &self.0)?;
        Ok(IsNull::No)
    }
}
impl<T: Storable + DeserializeOwned> FromSql<Document, Pg> for Json<T> {
    fn from_sql(value: <Pg as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        match value.as_bytes() {
            [1, text @ ..] => Ok(Self(serde_json::from_slice(text)?)),
            _ => Err("an unknown version of jsonb".into()),
        }
    }
}
impl<T: Storable + Serialize> ToSql<Document, Sqlite> for Json<T> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(serde_json::to_string(&self.0)?);
        Ok(IsNull::No)
    }
}
impl<T: Storable + DeserializeOwned> FromSql<Document, Sqlite> for Json<T> {
    fn from_sql(value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        let text = <String as FromSql<Text, Sqlite>>::from_sql(value)?;
        Ok(Self(serde_json::from_str(&text)?))
    }
}

// Words ---------------------------------------------------------------------------------------

/// Keeps closed sets of words as the text that they are written as.
macro_rules! text_columns {
    ($($word:ty),+ $(,)?) => {$(
        const _: () = {
            #[derive(AsExpression, FromSqlRow)]
            #[diesel(foreign_derive, sql_type = Text)]
            #[expect(dead_code, reason = "the derives need a type to hang on")]
            struct WordColumn($word);
        };
        impl ToSql<Text, Pg> for $word {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
                write!(out, "{self}")?;
                Ok(IsNull::No)
            }
        }
        impl ToSql<Text, Sqlite> for $word {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
                out.set_value(self.to_string());
                Ok(IsNull::No)
            }
        }
        impl ToSql<Text, MultiBackend> for $word {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, MultiBackend>) -> serialize::Result {
                out.set_value((Text, self));
                Ok(IsNull::No)
            }
        }
        impl<DB: Backend> FromSql<Text, DB> for $word
        where
            String: FromSql<Text, DB>,
        {
            fn from_sql(value: DB::RawValue<'_>) -> deserialize::Result<Self> {
                Ok(String::from_sql(value)?.parse()?)
            }
        }
    )+};
}

text_columns!(
    ActivityKind,
    Address,
    Channel,
    Collection,
    ContactRole,
    DebriefState,
    DeliveryState,
    DisabledBecause,
    EmailStatus,
    InboundKind,
    FeedbackState,
    FileFormat,
    Format,
    Grounds,
    ImportState,
    InterviewStatus,
    JobOrderStatus,
    NoteState,
    Outcome,
    Overall,
    PointKind,
    RecordKind,
    RetryState,
    Role,
    Scopes,
    Severity,
    Side,
    SideStatus,
    WebhookDeliveryState,
);
