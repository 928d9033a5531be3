//! What the records that a CRM knows too have in common.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::words::words;

words! {
    /// The kinds of records that carry external references.
    pub enum RecordKind {
        /// A hiring company.
        Client,
        /// A person at a client.
        Contact,
        /// A person interviewed.
        Candidate,
        /// A vacancy.
        JobOrder,
        /// A meeting.
        Interview,
    }
}

/// What another system calls a record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExternalRef {
    /// The other system, such as `bullhorn`.
    #[schema(min_length = 1, max_length = 64, example = "bullhorn")]
    pub system: String,
    /// The record's id there.
    #[schema(min_length = 1, max_length = 255, example = "4711")]
    pub id: String,
}
