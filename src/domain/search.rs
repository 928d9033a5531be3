//! What somebody types to find a record.

use std::borrow::Cow;

use serde::Deserialize;
use utoipa::openapi::schema::Type;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema};

/// A part of a name, as somebody types it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct NamePart(String);

impl NamePart {
    /// What its text must match: it is not blank.
    pub const PATTERN: &str = r"\S";
    const MAX_CHARS: usize = 200;

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for NamePart {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl utoipa::PartialSchema for NamePart {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .max_length(Some(Self::MAX_CHARS))
            .pattern(Some(Self::PATTERN))
            .description(Some("A part of a name; case and accents do not count."))
            .examples(["nordw"])
            .into()
    }
}

impl utoipa::ToSchema for NamePart {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("NamePart")
    }
}
