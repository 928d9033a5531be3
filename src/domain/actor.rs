//! Who did something.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ids::{ApiClientId, UserId};

/// Who did something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", content = "id", rename_all = "snake_case")]
pub enum Actor {
    /// A person at the agency.
    User(UserId),
    /// An integration.
    ApiClient(ApiClientId),
    /// The service itself, as time passes.
    System,
}
