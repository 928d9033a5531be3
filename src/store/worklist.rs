//! The worklist: debriefs with the names that go with them, filtered and in an order.

use diesel::dsl::{exists, sql};
use diesel::prelude::*;
use diesel::sql_types::{Bool, Nullable};
use serde::Serialize;
use utoipa::ToSchema;

use super::connection::{Among, DbConn, MultiBackend};
use super::prepared::{Prepared, pad};
use super::schema::{candidates, clients, contacts, debriefs, interview_contacts, job_orders, users};
use super::{notes, types};
use crate::domain::debrief::{DebriefState, Outcome, SideStatus};
use crate::domain::feedback::Overall;
use crate::domain::ids::{
    AgencyId, CandidateId, ClientId, ContactId, DebriefId, InterviewId, JobOrderId, UserId,
};
use crate::domain::note::NoteState;
use crate::domain::retry_request::RetryState;
use crate::domain::timestamp::Timestamp;

mod filters;
mod path;

pub use filters::WorklistFilters;
use filters::{Named, Query};
use path::Path;

/// A debrief as a worklist shows it.
#[derive(Debug, Clone, Queryable, Selectable, Serialize, ToSchema)]
#[diesel(table_name = debriefs)]
pub struct WorklistEntry {
    /// The debrief's id.
    pub id: DebriefId,
    /// The interview.
    pub interview_id: InterviewId,
    /// Who was interviewed.
    pub candidate_id: CandidateId,
    /// The hiring company.
    pub client_id: ClientId,
    /// The vacancy.
    pub job_order_id: JobOrderId,
    /// Whose debrief it is at the agency; nobody's, if an integration made it.
    pub recruiter_id: Option<UserId>,
    /// Where it stands.
    pub state: DebriefState,
    /// What came of the interview; there once the debrief is closed.
    pub outcome: Option<Outcome>,
    /// When the interview begins.
    pub interviewed_at: Timestamp,
    /// When the interview ends.
    pub interview_ends_at: Timestamp,
    /// When the accounts and the note are due: at the end of the candidate's day.
    pub due_at: Timestamp,
    /// Whether the candidate has spoken.
    pub candidate_side: SideStatus,
    /// Whether somebody at the client has spoken.
    pub client_side: SideStatus,
    /// The candidate's own judgement on the whole.
    pub candidate_overall: Option<Overall>,
    /// The client's judgement on the whole: of several contacts the middle one, of two middle ones
    /// the lower.
    pub client_overall: Option<Overall>,
    /// Where the newest retry request stands.
    pub retry_state: Option<RetryState>,
    /// Where the newest live thank-you note stands; where none is live, the newest.
    pub note_state: Option<NoteState>,
    /// When the candidate was given the client's view.
    pub released_at: Option<Timestamp>,
    /// When it was closed.
    pub closed_at: Option<Timestamp>,
    /// Rises by one with every change of the debrief or of anything inside it.
    pub version: i64,
    /// When the record was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// When it was deleted; only tombstones have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub deleted_at: Option<Timestamp>,
}

/// A candidate by name.
#[derive(Debug, Clone, Queryable, Selectable, Serialize, ToSchema)]
#[diesel(table_name = candidates)]
pub struct CandidateName {
    /// The candidate's id.
    pub id: CandidateId,
    /// The candidate's name.
    pub name: String,
    /// The time zone that the candidate's day, and so the due time, is told by.
    pub time_zone: String,
}

/// A client by name.
#[derive(Debug, Clone, Queryable, Selectable, Serialize, ToSchema)]
#[diesel(table_name = clients)]
pub struct ClientName {
    /// The client's id.
    pub id: ClientId,
    /// The client's name.
    pub name: String,
}

/// A job order by title.
#[derive(Debug, Clone, Queryable, Selectable, Serialize, ToSchema)]
#[diesel(table_name = job_orders)]
pub struct JobTitle {
    /// The job order's id.
    pub id: JobOrderId,
    /// What the job is called.
    pub title: String,
}

/// A user by name.
#[derive(Debug, Clone, Queryable, Selectable, Serialize, ToSchema)]
#[diesel(table_name = users)]
pub struct UserName {
    /// The user's id.
    pub id: UserId,
    /// The user's name.
    pub name: String,
}

/// A contact by name.
#[derive(Debug, Clone, Queryable, Selectable, Serialize, ToSchema)]
#[diesel(table_name = contacts)]
pub struct ContactName {
    /// The contact's id.
    pub id: ContactId,
    /// The contact's name.
    pub name: String,
}

/// A row of the worklist, without its contacts.
#[derive(Debug, Clone, Queryable)]
pub struct Row {
    /// The debrief's own part.
    pub entry: WorklistEntry,
    /// Who was interviewed.
    pub candidate: CandidateName,
    /// The hiring company.
    pub client: ClientName,
    /// The vacancy.
    pub job_order: JobTitle,
    /// Whose debrief it is at the agency.
    pub recruiter: Option<UserName>,
    /// Whether a note stands for somebody.
    pub note_stands: bool,
    /// When the first email was to leave of those that still wait to be sent.
    pub unsent_since: Option<Timestamp>,
    /// Whether nobody knows the fate of an email.
    pub note_unconfirmed: bool,
}

/// What a worklist is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SortKey {
    /// When the interview begins.
    InterviewedAt,
    /// When the accounts are due.
    DueAt,
    /// When the debrief was last changed.
    UpdatedAt,
}

/// When the first email of the debrief at hand was to leave of those that still wait to be sent. Where there is no
/// note PostgreSQL does not look for emails.
const UNSENT_SINCE: &str = "CASE WHEN debriefs.note_state IS NOT NULL THEN \
    (SELECT min(due_at) FROM deliveries WHERE deliveries.debrief_id = debriefs.id \
        AND deliveries.state IN ('queued', 'sending', 'deferred')) END";

/// Whether the debrief at hand has an email that nobody knows the fate of.
const UNCONFIRMED: &str = "(debriefs.note_state IS NOT NULL AND EXISTS (SELECT 1 FROM deliveries \
    WHERE deliveries.debrief_id = debriefs.id AND deliveries.state = 'unconfirmed' AND NOT deliveries.withdrawn))";

/// Which page of a worklist is wanted.
#[derive(Debug, Clone)]
pub struct WorklistPage {
    /// What it is sorted by; rows that are equal in this by their ids.
    pub key: SortKey,
    /// Whether the last comes first.
    pub descending: bool,
    /// Only rows after this one.
    pub after: Option<(Timestamp, DebriefId)>,
    /// How many rows at the most.
    pub limit: i64,
    /// The time by which a debrief is overdue.
    pub now: Timestamp,
}

/// A page of the worklist: one statement, and two more before it if a name is looked for.
pub fn list(
    conn: &mut DbConn,
    agency: AgencyId,
    filters: &WorklistFilters,
    page: &WorklistPage,
) -> QueryResult<Vec<Row>> {
    let named = Named::find(conn, agency, filters.named.as_ref())?;
    if named.is_nobody() {
        return Ok(Vec::new());
    }
    let path = Path::choose(conn, filters, &named, page.key);
    // The page is found among the debriefs alone, and only its rows are joined with their names.
    let found = debriefs::table.into_boxed::<MultiBackend>();
    let bounded = without_looser_bound(filters, page);
    let found = after(bounded.apply(path.of_agency(found, agency), agency, &named, page.now), page);
    let found = found.order(sql::<types::Instant>(&path.order(page))).limit(page.limit).select(debriefs::id);
    let rows = debriefs::table
        .inner_join(candidates::table)
        .inner_join(clients::table)
        .inner_join(job_orders::table)
        .left_join(users::table)
        .filter(Among(debriefs::id, found))
        .order(sql::<types::Instant>(&Path::Ordered.order(page)))
        .select((
            WorklistEntry::as_select(),
            CandidateName::as_select(),
            ClientName::as_select(),
            JobTitle::as_select(),
            Option::<UserName>::as_select(),
            debriefs::note_state.is_not_null().and(exists(notes::standing())),
            sql::<Nullable<types::Instant>>(UNSENT_SINCE),
            sql::<Bool>(UNCONFIRMED),
        ));
    if filters.are_steady() { Prepared(rows).load(conn) } else { rows.load(conn) }
}

/// The filters without the bound of the column that the list is sorted by, if the page begins further on: of two
/// bounds SQLite would go by the first, and walk from there.
fn without_looser_bound(filters: &WorklistFilters, page: &WorklistPage) -> WorklistFilters {
    let mut filters = filters.clone();
    match (page.after, page.key, page.descending) {
        (Some(_), SortKey::UpdatedAt, false) => filters.updated_since = None,
        (Some(_), SortKey::InterviewedAt, false) => filters.interviewed_from = None,
        (Some(_), SortKey::InterviewedAt, true) => filters.interviewed_to = None,
        _ => {}
    }
    filters
}

/// Only the rows after the one where the page before ended.
fn after<'a>(query: Query<'a>, page: &WorklistPage) -> Query<'a> {
    macro_rules! beyond {
        ($column:expr) => {
            match (page.after, page.descending) {
                (None, _) => query,
                (Some((at, id)), false) => {
                    let later = $column.gt(at).or(debriefs::id.gt(id));
                    query.filter($column.ge(at)).filter(later)
                }
                (Some((at, id)), true) => {
                    let earlier = $column.lt(at).or(debriefs::id.lt(id));
                    query.filter($column.le(at)).filter(earlier)
                }
            }
        };
    }
    match page.key {
        SortKey::InterviewedAt => beyond!(debriefs::interviewed_at),
        SortKey::DueAt => beyond!(debriefs::due_at),
        SortKey::UpdatedAt => beyond!(debriefs::updated_at),
    }
}

/// The contacts of some interviews, in the order of each.
pub fn contacts_of(
    conn: &mut DbConn,
    interviews: Vec<InterviewId>,
) -> QueryResult<Vec<(InterviewId, ContactName)>> {
    if interviews.is_empty() {
        return Ok(Vec::new());
    }
    let rows = interview_contacts::table
        .inner_join(contacts::table)
        .filter(interview_contacts::interview_id.eq_any(pad(interviews)))
        .order((interview_contacts::interview_id, interview_contacts::position))
        .select((interview_contacts::interview_id, ContactName::as_select()));
    Prepared(rows).load(conn)
}
