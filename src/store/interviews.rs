//! Interviews: the meetings, with what their debriefs and their panels add.

use std::collections::HashMap;

use diesel::dsl::exists;
use diesel::prelude::*;
use serde::Serialize;
use utoipa::ToSchema;

use super::connection::{DbConn, MultiBackend, NotFoundBy};
use super::prepared::insert_rows;
use super::record::{ListOptions, page_of, row_queries};
use super::schema::{debriefs, interview_contacts, interviews};
use super::types::Json;
use crate::domain::ids::{
    AgencyId, CandidateId, ClientId, ContactId, DebriefId, InterviewId, JobOrderId, UserId, kinds,
};
use crate::domain::interview::{Format, InterviewStatus, PreparationItem};
use crate::domain::record::{ExternalRef, RecordKind};
use crate::domain::timestamp::Timestamp;

/// The columns of an interview.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset, Serialize, ToSchema)]
#[diesel(table_name = interviews, treat_none_as_null = true, treat_none_as_default_value = false)]
#[schema(as = InterviewFields)]
pub struct InterviewRow {
    /// The interview's id.
    pub id: InterviewId,
    #[expect(missing_docs, reason = "never shown")]
    #[serde(skip)]
    pub agency_id: AgencyId,
    /// Who is interviewed.
    pub candidate_id: CandidateId,
    /// The vacancy that it is about.
    pub job_order_id: JobOrderId,
    /// Which meeting about the vacancy it is, counted from 1.
    pub round: i32,
    /// How the people meet.
    pub format: Format,
    /// When it begins.
    pub starts_at: Timestamp,
    /// When it ends.
    pub ends_at: Timestamp,
    /// The time zone of the IANA database in which it was agreed.
    pub time_zone: String,
    /// What became of it.
    pub status: InterviewStatus,
    /// The interview that this one is a second chance for.
    pub retry_of_interview_id: Option<InterviewId>,
    /// What the candidate prepares, and what of it is done.
    #[schema(value_type = Vec<PreparationItem>)]
    pub preparation: Json<Vec<PreparationItem>>,
    /// What other systems call it.
    #[schema(value_type = Vec<ExternalRef>)]
    pub external_refs: Json<Vec<ExternalRef>>,
    /// Rises by one with every change.
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

/// One meeting of one candidate with one or more contacts.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Interview {
    #[expect(missing_docs, reason = "its fields are shown as the interview's own")]
    #[serde(flatten)]
    pub row: InterviewRow,
    /// The panel, in the order in which it was given.
    pub contact_ids: Vec<ContactId>,
    /// The hiring company.
    pub client_id: ClientId,
    /// Whose interview it is at the agency; nobody's, if an integration made it.
    pub recruiter_id: Option<UserId>,
    /// The record of its aftermath.
    pub debrief_id: DebriefId,
}

/// Which interviews a list shows.
#[derive(Debug, Clone, Default)]
pub struct InterviewFilters {
    /// Those of one candidate.
    pub candidate_id: Option<CandidateId>,
    /// Those about one vacancy.
    pub job_order_id: Option<JobOrderId>,
    /// Those at one client.
    pub client_id: Option<ClientId>,
    /// Those in which one contact takes part.
    pub contact_id: Option<ContactId>,
    /// Those of which this became.
    pub status: Option<InterviewStatus>,
}

impl Interview {
    /// What kind of record it is.
    pub const KIND: RecordKind = RecordKind::Interview;
}

row_queries!(interviews, InterviewRow, InterviewId);

/// An interview's row with what its debrief adds.
type Joined = (InterviewRow, ClientId, Option<UserId>, DebriefId);

/// The interview with its panel, a tombstone too.
pub fn find_whole(conn: &mut DbConn, agency: AgencyId, id: InterviewId) -> QueryResult<Option<Interview>> {
    let found = interviews::table
        .inner_join(debriefs::table)
        .filter(interviews::id.eq(id))
        .filter(interviews::agency_id.eq(agency))
        .select((InterviewRow::as_select(), debriefs::client_id, debriefs::recruiter_id, debriefs::id))
        .first::<Joined>(conn)
        .optional()?;
    let Some(found) = found else { return Ok(None) };
    let panel = interview_contacts::table
        .filter(interview_contacts::interview_id.eq(id))
        .order(interview_contacts::position)
        .select(interview_contacts::contact_id)
        .load(conn)?;
    Ok(Some(whole(found, panel)))
}

/// A page of interviews: newest first, or with `updated_since` in the order of their changes.
pub fn list(
    conn: &mut DbConn,
    agency: AgencyId,
    filters: &InterviewFilters,
    options: &ListOptions<kinds::Interview>,
) -> QueryResult<Vec<Interview>> {
    let mut query = interviews::table
        .inner_join(debriefs::table)
        .select((InterviewRow::as_select(), debriefs::client_id, debriefs::recruiter_id, debriefs::id))
        .into_boxed::<MultiBackend>();
    // A client's interviews are found by their debriefs.
    query = if filters.client_id.is_some() {
        query.filter(NotFoundBy(interviews::agency_id).eq(agency))
    } else {
        query.filter(interviews::agency_id.eq(agency))
    };
    if let Some(candidate) = filters.candidate_id {
        query = query.filter(interviews::candidate_id.eq(candidate));
    }
    if let Some(order) = filters.job_order_id {
        query = query.filter(interviews::job_order_id.eq(order));
    }
    if let Some(client) = filters.client_id {
        query = query.filter(debriefs::client_id.eq(client));
    }
    if let Some(contact) = filters.contact_id {
        let theirs = interview_contacts::table
            .filter(interview_contacts::contact_id.eq(contact))
            .select(interview_contacts::interview_id);
        query = query.filter(interviews::id.eq_any(theirs));
    }
    if let Some(status) = filters.status {
        query = query.filter(interviews::status.eq(status));
    }
    let page: Vec<Joined> = page_of!(query, interviews, options).load(conn)?;
    let mut panels = panels_of(conn, page.iter().map(|(row, ..)| row.id))?;
    Ok(page
        .into_iter()
        .map(|found| {
            let panel = panels.remove(&found.0.id).unwrap_or_default();
            whole(found, panel)
        })
        .collect())
}

/// The panels of several interviews, each in its order.
fn panels_of(
    conn: &mut DbConn,
    interviews: impl Iterator<Item = InterviewId>,
) -> QueryResult<HashMap<InterviewId, Vec<ContactId>>> {
    let rows: Vec<(InterviewId, ContactId)> = interview_contacts::table
        .filter(interview_contacts::interview_id.eq_any(interviews))
        .order((interview_contacts::interview_id, interview_contacts::position))
        .select((interview_contacts::interview_id, interview_contacts::contact_id))
        .load(conn)?;
    let mut panels: HashMap<InterviewId, Vec<ContactId>> = HashMap::new();
    for (interview, contact) in rows {
        panels.entry(interview).or_default().push(contact);
    }
    Ok(panels)
}

fn whole((row, client_id, recruiter_id, debrief_id): Joined, contact_ids: Vec<ContactId>) -> Interview {
    Interview { row, contact_ids, client_id, recruiter_id, debrief_id }
}

/// Makes these contacts, in this order, the panel of an interview.
pub fn replace_panel(conn: &mut DbConn, interview: InterviewId, contacts: &[ContactId]) -> QueryResult<()> {
    let former = interview_contacts::table.filter(interview_contacts::interview_id.eq(interview));
    diesel::delete(former).execute(conn)?;
    insert_panel(conn, interview, contacts)
}

/// Somebody who takes part in an interview.
#[derive(Debug, Insertable)]
#[diesel(table_name = interview_contacts, treat_none_as_default_value = false)]
pub struct PanelRow {
    /// The interview.
    pub interview_id: InterviewId,
    /// The contact.
    pub contact_id: ContactId,
    /// The contact's place in the panel, from 0.
    pub position: i32,
}

/// Gives a new interview its panel.
pub fn insert_panel(conn: &mut DbConn, interview: InterviewId, contacts: &[ContactId]) -> QueryResult<()> {
    let seat = |(contact, position): (&ContactId, i32)| PanelRow {
        interview_id: interview,
        contact_id: *contact,
        position,
    };
    let rows: Vec<PanelRow> = contacts.iter().zip(0_i32..).map(seat).collect();
    insert_rows!(conn, interview_contacts::table, &rows)
}

/// The interviews that stand and are a second chance for this one, which was the candidate's.
#[diesel::dsl::auto_type(no_type_alias)]
fn retries(candidate: CandidateId, interview: InterviewId) -> _ {
    // The candidate's interviews are few and have an index.
    interviews::table
        .filter(interviews::candidate_id.eq(candidate))
        .filter(interviews::retry_of_interview_id.eq(interview))
        .filter(interviews::deleted_at.is_null())
}

/// Whether there is a second chance for the interview.
pub fn has_retry(conn: &mut DbConn, candidate: CandidateId, interview: InterviewId) -> QueryResult<bool> {
    diesel::select(exists(retries(candidate, interview))).get_result(conn)
}

/// Whether there is one that begins at this time or earlier.
pub fn has_retry_by(
    conn: &mut DbConn,
    candidate: CandidateId,
    interview: InterviewId,
    at: Timestamp,
) -> QueryResult<bool> {
    let early = retries(candidate, interview).filter(interviews::starts_at.le(at));
    diesel::select(exists(early)).get_result(conn)
}
