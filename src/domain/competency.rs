//! Competencies: what a rating or a point is about. Each agency has its own list, in its own order.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One competency of an agency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Competency {
    /// What accounts name it by; it never changes.
    pub key: String,
    /// What people call it.
    pub name: String,
    /// Whether it is only kept for the accounts that name it already.
    pub archived: bool,
}
