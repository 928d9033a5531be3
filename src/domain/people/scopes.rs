//! What an access token allows: scopes, and sets of them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use strum::VariantArray;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};

/// One thing that a token may allow.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    strum::Display,
    strum::EnumMessage,
    strum::EnumString,
    strum::IntoStaticStr,
    strum::VariantArray,
    utoipa::ToSchema,
)]
pub enum Scope {
    /// Read every record.
    #[serde(rename = "records:read")]
    #[strum(serialize = "records:read")]
    RecordsRead,
    /// Write records and take their transitions.
    #[serde(rename = "records:write")]
    #[strum(serialize = "records:write")]
    RecordsWrite,
    /// Approve or refuse thank-you notes.
    #[serde(rename = "notes:approve")]
    #[strum(serialize = "notes:approve")]
    NotesApprove,
    /// Read the change feed.
    #[serde(rename = "events:read")]
    #[strum(serialize = "events:read")]
    EventsRead,
    /// Keep webhook endpoints.
    #[serde(rename = "webhooks:manage")]
    #[strum(serialize = "webhooks:manage")]
    WebhooksManage,
    /// Everything, users and settings too.
    #[serde(rename = "admin")]
    #[strum(serialize = "admin")]
    Admin,
}

/// A set of scopes. As text it is the `scope` of RFC 6749, section 3.3: words between single
/// spaces, here always in the order of declaration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Scopes(u8);

/// A word that is not a scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no scope {0:?}")]
pub struct UnknownScope(pub String);

impl Scopes {
    /// Whether the set allows `scope`: it is named, or `admin` is, which implies every other.
    #[must_use]
    pub const fn contains(self, scope: Scope) -> bool {
        self.0 & (bit(scope) | bit(Scope::Admin)) != 0
    }

    /// Whether the set allows everything that `other` allows: a token may be asked for with less
    /// than its owner has, never with more.
    #[must_use]
    pub fn covers(self, other: Self) -> bool {
        other.iter().all(|scope| self.contains(scope))
    }

    /// Whether the set allows nothing.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The scopes that are named, in the order of declaration.
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::VARIANTS.iter().copied().filter(move |scope| self.0 & bit(*scope) != 0)
    }
}

const fn bit(scope: Scope) -> u8 {
    1 << scope as u8
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().fold(0, |bits, scope| bits | bit(scope)))
    }
}

impl FromStr for Scopes {
    type Err = UnknownScope;

    fn from_str(text: &str) -> Result<Self, UnknownScope> {
        let words = text.split(' ').filter(|word| !word.is_empty());
        words.map(|word| word.parse().map_err(|_| UnknownScope(word.to_owned()))).collect()
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<&str> = self.iter().map(Into::into).collect();
        f.write_str(&words.join(" "))
    }
}

impl Serialize for Scopes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Scopes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl utoipa::PartialSchema for Scopes {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("Scopes between single spaces (RFC 6749, section 3.3)."))
            .examples(["records:read records:write"])
            .into()
    }
}

impl utoipa::ToSchema for Scopes {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_unknown_scope_is_named() {
        let error = "records:read record:write".parse::<Scopes>().unwrap_err();
        assert_eq!(error.to_string(), r#"there is no scope "record:write""#);
        assert_eq!("".parse(), Ok(Scopes::default()));
    }

    #[test]
    fn admin_implies_every_scope() {
        let admin = Scopes::from_iter([Scope::Admin]);
        let reader = Scopes::from_iter([Scope::RecordsRead]);
        assert!(Scope::VARIANTS.iter().all(|scope| admin.contains(*scope)));
        assert!(admin.covers(reader) && !reader.covers(admin));
    }

    #[test]
    fn json_and_messages_spell_a_scope_alike() {
        for scope in Scope::VARIANTS {
            assert_eq!(serde_json::to_value(scope).unwrap(), scope.to_string());
        }
    }

    proptest! {
        #[test]
        fn every_set_reads_back_as_written(scopes in proptest::sample::subsequence(Scope::VARIANTS, 0..=6)) {
            let set: Scopes = scopes.iter().copied().collect();
            prop_assert_eq!(set.to_string().parse(), Ok(set));
            prop_assert_eq!(set.iter().collect::<Vec<_>>(), scopes);
        }
    }
}
