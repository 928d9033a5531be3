//! Identifiers: [TypeID](https://github.com/jetify-com/typeid) strings over UUIDv7 outside, the
//! bare UUID inside. They sort by time and say what they name.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use type_safe_id::{StaticType, TypeSafeId};
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::openapi::{RefOr, SchemaFormat};
use uuid::Uuid;

/// What an [`Id`] names; carries the TypeID prefix.
pub trait Kind: StaticType + Send + Sync + 'static {}

/// The identifier of one record of kind `K`.
pub struct Id<K> {
    uuid: Uuid,
    kind: PhantomData<fn() -> K>,
}

/// A text that is not an identifier of the expected kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected an id that begins with {prefix}_")]
pub struct InvalidId {
    /// The prefix that was expected.
    pub prefix: &'static str,
}

impl<K> Id<K> {
    /// The identifier that stands for a stored UUID.
    #[must_use]
    pub const fn from_uuid(uuid: Uuid) -> Self {
        Self { uuid, kind: PhantomData }
    }

    /// The UUID as it is stored.
    #[must_use]
    pub const fn uuid(self) -> Uuid {
        self.uuid
    }

    /// When it was made, to the millisecond; none if it is no UUIDv7.
    #[must_use]
    pub fn made_at(self) -> Option<DateTime<Utc>> {
        let (seconds, nanos) = self.uuid.get_timestamp()?.to_unix();
        DateTime::from_timestamp(i64::try_from(seconds).ok()?, nanos)
    }

    /// The same identifier, taken for one of another kind.
    #[must_use]
    pub const fn cast<J>(self) -> Id<J> {
        Id::from_uuid(self.uuid)
    }

    /// A new UUIDv7 for the moment `now`. The first 12 random bits carry the microseconds
    /// (RFC 9562, section 6.2, method 3), so that ids of one millisecond still sort by time.
    #[must_use]
    pub fn new(now: DateTime<Utc>, mut random: [u8; 10]) -> Self {
        let fraction = (now.timestamp_subsec_micros() % 1000) * 4096 / 1000;
        let [_, _, high, low] = fraction.to_be_bytes();
        random[0] = high;
        random[1] = low;
        let millis = u64::try_from(now.timestamp_millis()).unwrap_or_default();
        let uuid = uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid();
        Self::from_uuid(uuid)
    }
}

impl<K: Kind> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        TypeSafeId::<K>::from_uuid(self.uuid).fmt(f)
    }
}

impl<K: Kind> FromStr for Id<K> {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let id: TypeSafeId<K> = text.parse().map_err(|_| InvalidId { prefix: K::TYPE })?;
        Ok(Self::from_uuid(id.uuid()))
    }
}

impl<K: Kind> Serialize for Id<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de, K: Kind> Deserialize<'de> for Id<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// What follows the prefix of an id, as a regular expression: a UUID in Crockford's base 32.
pub const SUFFIX: &str = "_[0-7][0-9a-hjkmnp-tv-z]{25}$";

impl<K: Kind> utoipa::PartialSchema for Id<K> {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::Custom("typeid".to_owned())))
            .pattern(Some(format!("^{}{SUFFIX}", K::TYPE)))
            .description(Some(format!("A TypeID over UUIDv7 with the prefix `{}`.", K::TYPE)))
            .examples([format!("{}_01h2xcejqtf2nbrexx3vqjhp41", K::TYPE)])
            .into()
    }
}

impl<K: Kind> utoipa::ToSchema for Id<K> {
    fn name() -> Cow<'static, str> {
        let path = std::any::type_name::<K>();
        Cow::Owned(format!("{}Id", path.rsplit("::").next().unwrap_or(path)))
    }
}

// Derives would ask the same of `K`, which is only a name.
impl<K> Clone for Id<K> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<K> Copy for Id<K> {}
impl<K> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.uuid == other.uuid
    }
}
impl<K> Eq for Id<K> {}
impl<K> PartialOrd for Id<K> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl<K> Ord for Id<K> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.uuid.cmp(&other.uuid)
    }
}
impl<K> Hash for Id<K> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.uuid.hash(state);
    }
}
impl<K: Kind> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident $alias:ident $prefix:literal)+) => {
        /// What identifiers can name.
        pub mod kinds {
            $(
                $(#[$doc])*
                #[derive(Default)]
                pub struct $kind;
                impl type_safe_id::StaticType for $kind {
                    const TYPE: &'static str = $prefix;
                }
                impl super::Kind for $kind {}
            )+
        }
        $(
            $(#[$doc])*
            pub type $alias = Id<kinds::$kind>;
        )+
    };
}

kinds! {
    /// The tenant.
    Agency AgencyId "agy"
    /// A person at the agency.
    User UserId "usr"
    /// One time that a user signed in, for as long as it is carried on.
    SignIn SignInId "fam"
    /// A machine account of an integration.
    ApiClient ApiClientId "app"
    /// The hiring company.
    Client ClientId "cli"
    /// A person at the client.
    Contact ContactId "con"
    /// The person interviewed.
    Candidate CandidateId "cnd"
    /// The vacancy that the client wants filled.
    JobOrder JobOrderId "job"
    /// One meeting of a candidate with contacts about a job order.
    Interview InterviewId "int"
    /// The record of one interview's aftermath.
    Debrief DebriefId "dbf"
    /// One person's account in a debrief.
    Feedback FeedbackId "fbk"
    /// One thing in a feedback.
    Point PointId "pnt"
    /// The recruiter's word that two points are, or are not, the same thing.
    Match MatchId "mat"
    /// The candidate's wish to meet the client again.
    RetryRequest RetryRequestId "rty"
    /// What the candidate wants said to the client.
    Note NoteId "nte"
    /// One note on its way to one contact.
    Delivery DeliveryId "dlv"
    /// A domain that an agency sends mail from.
    MailDomain MailDomainId "mdm"
    /// A call, voicemail or message around a debrief.
    Activity ActivityId "act"
    /// A file that is imported.
    Import ImportId "imp"
    /// Something that happened.
    Event EventId "evt"
    /// Where another system wants to be told of what happens.
    WebhookEndpoint WebhookEndpointId "whk"
    /// One event on its way to one endpoint.
    WebhookDelivery WebhookDeliveryId "whd"
    /// A record of whichever kind.
    AnyRecord AnyRecordId "rec"
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ids_of_another_kind_are_refused() {
        let id = ClientId::from_uuid(Uuid::from_u128(7));
        let error = id.to_string().parse::<ContactId>().unwrap_err();
        assert_eq!(error.to_string(), "expected an id that begins with con_");
    }

    proptest! {
        #[test]
        fn every_id_reads_back_as_written(bits: u128) {
            let id = DebriefId::from_uuid(Uuid::from_u128(bits));
            prop_assert_eq!(id.to_string().parse(), Ok(id));
        }

        #[test]
        fn later_ids_sort_after_earlier_ones(
            micros in 0_i64..4_000_000_000_000_000, step in 1_i64..5_000_000, a: [u8; 10], b: [u8; 10],
        ) {
            let earlier = DateTime::from_timestamp_micros(micros).unwrap();
            let (first, second) = (NoteId::new(earlier, a), NoteId::new(earlier + TimeDelta::microseconds(step), b));
            prop_assert!(first < second);
            prop_assert!(first.to_string() < second.to_string());
        }
    }
}
