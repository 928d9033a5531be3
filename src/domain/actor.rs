//! Who did something.

use serde::{Deserialize, Serialize};
use utoipa::openapi::schema::Type;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema};

use super::ids::{self, ApiClientId, UserId};

/// Who did something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", content = "id", rename_all = "snake_case")]
pub enum Actor {
    /// A person at the agency.
    User(UserId),
    /// An integration.
    ApiClient(ApiClientId),
    /// The service itself, as time passes.
    System,
}

// One object rather than one for each kind: it is shown among the fields of others, and no client can
// make a type of "one of these three, and these fields".
impl utoipa::PartialSchema for Actor {
    fn schema() -> RefOr<Schema> {
        let kind = ObjectBuilder::new()
            .schema_type(Type::String)
            .enum_values(Some(["user", "api_client", "system"]))
            .description(Some("A person at the agency, an integration, or the service itself."));
        let id = ObjectBuilder::new()
            .schema_type(Type::String)
            .pattern(Some(format!("^(usr|app){}", ids::SUFFIX)))
            .description(Some("The id of the user or of the API client; the service itself has none."));
        ObjectBuilder::new()
            .property("kind", kind)
            .required("kind")
            .property("id", id)
            .description(Some("Who did something."))
            .into()
    }
}

impl utoipa::ToSchema for Actor {}
