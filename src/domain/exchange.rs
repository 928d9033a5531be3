//! Files of records, as they are imported and exported.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::record::RecordKind;
use super::words::words;

/// What a file holds. It is named like the collection in the paths.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    Serialize,
    Deserialize,
    ToSchema,
    strum::Display,
    strum::EnumString,
    strum::IntoStaticStr,
    strum::VariantArray,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Collection {
    /// Hiring companies.
    Clients,
    /// People at clients.
    Contacts,
    /// People interviewed.
    Candidates,
    /// Vacancies.
    JobOrders,
    /// Meetings.
    Interviews,
    /// What people told of meetings.
    Feedback,
}

impl Collection {
    /// The kind of its records, if other systems have ids for them.
    #[must_use]
    pub const fn record_kind(self) -> Option<RecordKind> {
        match self {
            Self::Clients => Some(RecordKind::Client),
            Self::Contacts => Some(RecordKind::Contact),
            Self::Candidates => Some(RecordKind::Candidate),
            Self::JobOrders => Some(RecordKind::JobOrder),
            Self::Interviews => Some(RecordKind::Interview),
            Self::Feedback => None,
        }
    }
}

words! {
    /// How a file is written.
    pub enum FileFormat {
        /// Comma-separated values (RFC 4180) with a header.
        Csv,
        /// A JSON object on each line.
        Ndjson,
    }
}

impl FileFormat {
    /// Its media type.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv",
            Self::Ndjson => "application/x-ndjson",
        }
    }
}

words! {
    /// Where an import stands.
    pub enum ImportState {
        /// Its file is still arriving.
        Receiving,
        /// Its rows wait to be worked off.
        Queued,
        /// Its rows are being worked off.
        Running,
        /// Every row was worked off. Some of them may have failed.
        Done,
        /// Somebody stopped it. What was worked off stands.
        Cancelled,
        /// It broke, and what was not worked off by then never will be.
        Failed,
    }
}

impl ImportState {
    /// The states in which rows are left to work off.
    pub const AT_WORK: [Self; 2] = [Self::Queued, Self::Running];

    /// Whether nothing more will come of it.
    #[must_use]
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Done | Self::Cancelled | Self::Failed)
    }
}

words! {
    /// What came of a row.
    pub enum RowStatus {
        /// A record was made.
        Created,
        /// A record was changed.
        Updated,
        /// The record was like this already.
        Unchanged,
        /// Nothing of the row was done.
        Failed,
        /// In a dry run: a record would have been made.
        WouldCreate,
        /// In a dry run: a record would have been changed.
        WouldUpdate,
    }
}
