//! What stands in a file of each kind of record, alike for imports and exports: so that what was
//! exported can be imported again.

use serde_json::Value;

use crate::domain::exchange::Collection;
use crate::domain::ids::AnyRecordId;
use crate::domain::record::RecordKind;

/// What stands in the rows of one kind of file.
pub struct Layout {
    columns: &'static [Column],
    /// The columns that name other records.
    pub references: &'static [Reference],
}

struct Column {
    name: &'static str,
    is_read_only: bool,
}

/// A column that an import reads.
const fn read(name: &'static str) -> Column {
    Column { name, is_read_only: false }
}

/// A column that tells what the service found out by itself: an import passes over it.
const fn found_out(name: &'static str) -> Column {
    Column { name, is_read_only: true }
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

/// The columns of a kind of record: its own, among those that every kind has.
macro_rules! record_columns {
    ($($own:expr),* $(,)?) => {
        &[
            read("id"),
            read(EXTERNAL_ID),
            $($own,)*
            read("external_refs"),
            read("version"),
            found_out("created_at"),
            found_out("updated_at"),
            read("deleted_at"),
        ]
    };
}

const CLIENTS: Layout = Layout { columns: record_columns![read("name"), read("notes")], references: &[] };

const CONTACTS: Layout = Layout {
    columns: record_columns![
        read("client_id"),
        read("client_external_id"),
        read("name"),
        read("email"),
        read("phone"),
        read("role"),
        read("off_limits"),
        found_out("email_status"),
    ],
    references: &[CLIENT],
};

const CANDIDATES: Layout = Layout {
    columns: record_columns![read("name"), read("email"), read("phone"), read("locale"), read("time_zone")],
    references: &[],
};

const JOB_ORDERS: Layout = Layout {
    columns: record_columns![
        read("client_id"),
        read("client_external_id"),
        read("title"),
        read("status"),
        read("notes"),
    ],
    references: &[CLIENT],
};

const INTERVIEWS: Layout = Layout {
    columns: record_columns![
        read("candidate_id"),
        read("candidate_external_id"),
        read("job_order_id"),
        read("job_order_external_id"),
        found_out("client_id"),
        read("contact_ids"),
        read("contact_external_ids"),
        read("recruiter_id"),
        read("round"),
        read("format"),
        read("starts_at"),
        read("ends_at"),
        read("time_zone"),
        read("status"),
        read("retry_of_interview_id"),
        read("retry_of_interview_external_id"),
        read("preparation"),
        found_out("debrief_id"),
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
};

const FEEDBACK: Layout = Layout {
    columns: &[
        read("id"),
        found_out("debrief_id"),
        read("interview_id"),
        read("interview_external_id"),
        read("side"),
        read("contact_id"),
        read("contact_external_id"),
        read("said_by"),
        read("channel"),
        read("verbatim"),
        read("first_impression"),
        read("narrative"),
        read("overall"),
        read("ratings"),
        read("points"),
        read("agency_only"),
        read("submit"),
        found_out("state"),
        found_out("revision"),
        found_out("submitted_at"),
        read("version"),
        found_out("created_at"),
        found_out("updated_at"),
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

    /// Every column, in the order of a CSV file. NDJSON has the same fields.
    pub fn columns(&self) -> impl Iterator<Item = &'static str> {
        self.columns.iter().map(|column| column.name)
    }

    /// Whether there is such a column.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.columns().any(|column| column == name)
    }

    /// Whether an import passes over a column.
    #[must_use]
    pub fn is_read_only(&self, name: &str) -> bool {
        self.columns.iter().any(|column| column.name == name && column.is_read_only)
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
