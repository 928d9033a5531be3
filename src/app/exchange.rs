//! What stands in a file of each kind of record, alike for imports and exports: so that what was
//! exported can be imported again.

use serde_json::Value;

use crate::domain::exchange::Collection;
use crate::domain::ids::AnyRecordId;
use crate::domain::record::RecordKind;

/// What stands in the rows of one kind of file.
pub struct Layout {
    /// Every column, in the order of a CSV file. NDJSON has the same fields.
    pub columns: &'static [&'static str],
    /// The columns that name other records.
    pub references: &'static [Reference],
    /// The columns that tell what the service found out by itself: an import passes over them.
    pub read_only: &'static [&'static str],
}

/// A column that names another record, and the column in which another system's id can stand for it.
pub struct Reference {
    /// The column with our id, or our ids.
    pub field: &'static str,
    /// The column with the other system's id, or ids.
    pub external: &'static str,
    /// What is named.
    pub kind: RecordKind,
    /// What our ids begin with.
    pub prefix: &'static str,
}

/// The column in which another system's id of the row's own record stands.
pub const EXTERNAL_ID: &str = "external_id";

/// The columns whose cells are JSON, because they hold more than one thing.
pub const DOCUMENTS: &[&str] = &[
    "agency_only",
    "contact_external_ids",
    "contact_ids",
    "external_refs",
    "points",
    "preparation",
    "ratings",
];

const CLIENT: Reference =
    Reference { field: "client_id", external: "client_external_id", kind: RecordKind::Client, prefix: "cli" };

const CLIENTS: Layout = Layout {
    columns: &[
        "id",
        "external_id",
        "name",
        "notes",
        "external_refs",
        "version",
        "created_at",
        "updated_at",
        "deleted_at",
    ],
    references: &[],
    read_only: &["created_at", "updated_at"],
};

const CONTACTS: Layout = Layout {
    columns: &[
        "id",
        "external_id",
        "client_id",
        "client_external_id",
        "name",
        "email",
        "phone",
        "role",
        "off_limits",
        "email_status",
        "external_refs",
        "version",
        "created_at",
        "updated_at",
        "deleted_at",
    ],
    references: &[CLIENT],
    read_only: &["email_status", "created_at", "updated_at"],
};

const CANDIDATES: Layout = Layout {
    columns: &[
        "id",
        "external_id",
        "name",
        "email",
        "phone",
        "locale",
        "time_zone",
        "external_refs",
        "version",
        "created_at",
        "updated_at",
        "deleted_at",
    ],
    references: &[],
    read_only: &["created_at", "updated_at"],
};

const JOB_ORDERS: Layout = Layout {
    columns: &[
        "id",
        "external_id",
        "client_id",
        "client_external_id",
        "title",
        "status",
        "notes",
        "external_refs",
        "version",
        "created_at",
        "updated_at",
        "deleted_at",
    ],
    references: &[CLIENT],
    read_only: &["created_at", "updated_at"],
};

const INTERVIEWS: Layout = Layout {
    columns: &[
        "id",
        "external_id",
        "candidate_id",
        "candidate_external_id",
        "job_order_id",
        "job_order_external_id",
        "client_id",
        "contact_ids",
        "contact_external_ids",
        "recruiter_id",
        "round",
        "format",
        "starts_at",
        "ends_at",
        "time_zone",
        "status",
        "retry_of_interview_id",
        "retry_of_interview_external_id",
        "preparation",
        "debrief_id",
        "external_refs",
        "version",
        "created_at",
        "updated_at",
        "deleted_at",
    ],
    references: &[
        Reference {
            field: "candidate_id",
            external: "candidate_external_id",
            kind: RecordKind::Candidate,
            prefix: "cnd",
        },
        Reference {
            field: "job_order_id",
            external: "job_order_external_id",
            kind: RecordKind::JobOrder,
            prefix: "job",
        },
        Reference {
            field: "contact_ids",
            external: "contact_external_ids",
            kind: RecordKind::Contact,
            prefix: "con",
        },
        Reference {
            field: "retry_of_interview_id",
            external: "retry_of_interview_external_id",
            kind: RecordKind::Interview,
            prefix: "int",
        },
    ],
    read_only: &["client_id", "debrief_id", "created_at", "updated_at"],
};

const FEEDBACK: Layout = Layout {
    columns: &[
        "id",
        "debrief_id",
        "interview_id",
        "interview_external_id",
        "side",
        "contact_id",
        "contact_external_id",
        "said_by",
        "channel",
        "verbatim",
        "first_impression",
        "narrative",
        "overall",
        "ratings",
        "points",
        "agency_only",
        "submit",
        "state",
        "revision",
        "submitted_at",
        "version",
        "created_at",
        "updated_at",
    ],
    references: &[
        Reference {
            field: "interview_id",
            external: "interview_external_id",
            kind: RecordKind::Interview,
            prefix: "int",
        },
        Reference {
            field: "contact_id",
            external: "contact_external_id",
            kind: RecordKind::Contact,
            prefix: "con",
        },
    ],
    read_only: &[
        "id",
        "debrief_id",
        "state",
        "revision",
        "submitted_at",
        "version",
        "created_at",
        "updated_at",
    ],
};

impl Layout {
    /// The layout of a collection's files.
    #[must_use]
    pub const fn of(collection: Collection) -> &'static Self {
        match collection {
            Collection::Clients => &CLIENTS,
            Collection::Contacts => &CONTACTS,
            Collection::Candidates => &CANDIDATES,
            Collection::JobOrders => &JOB_ORDERS,
            Collection::Interviews => &INTERVIEWS,
            Collection::Feedback => &FEEDBACK,
        }
    }

    /// Whether another system's ids stand in a column.
    #[must_use]
    pub fn is_external(&self, column: &str) -> bool {
        column == EXTERNAL_ID || self.references.iter().any(|reference| reference.external == column)
    }
}

/// The id of a record as it is written, with what the ids of its kind begin with.
#[must_use]
pub fn spelled(prefix: &str, id: AnyRecordId) -> String {
    let id = id.to_string();
    let (_, digits) = id.split_once('_').unwrap_or_default();
    format!("{prefix}_{digits}")
}

/// The record that one of our ids names, of whichever kind.
#[must_use]
pub fn any_record(id: &Value) -> Option<AnyRecordId> {
    let (_, digits) = id.as_str()?.split_once('_')?;
    format!("rec_{digits}").parse().ok()
}
