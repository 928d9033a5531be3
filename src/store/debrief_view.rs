//! A debrief with everything around it, in few statements: each one is the same for every debrief,
//! so that both databases prepare it once.

use diesel::dsl::exists;
use diesel::prelude::*;

use super::agencies::Competency;
use super::candidates::Candidate;
use super::clients::Client;
use super::connection::DbConn;
use super::contacts::Contact;
use super::debriefs::Debrief;
use super::deliveries::Delivery;
use super::feedback::FeedbackRow;
use super::interviews::InterviewRow;
use super::job_orders::JobOrder;
use super::notes::{Note, standing};
use super::points::PointRow;
use super::prepared::directly;
use super::schema::{
    agencies, candidates, clients, contacts, debriefs, deliveries, feedback, interview_contacts, interviews,
    job_orders, notes, points, users,
};
use super::types::Json;
use crate::domain::ids::{AgencyId, DebriefId};

/// A debrief with the records that it is about.
#[derive(Debug, Clone, Queryable)]
pub struct Surroundings {
    /// The debrief.
    pub debrief: Debrief,
    /// Its interview.
    pub interview: InterviewRow,
    /// Who was interviewed.
    pub candidate: Candidate,
    /// The hiring company.
    pub client: Client,
    /// The vacancy.
    pub job_order: JobOrder,
    /// The name of whose debrief it is.
    pub recruiter_name: Option<String>,
    /// The agency's competencies.
    pub competencies: Json<Vec<Competency>>,
    /// Whether a note stands for somebody.
    pub note_stands: bool,
}

/// The debrief with the records that it is about, a tombstone too. What is a single value is asked for as
/// one: for a join PostgreSQL reads all the users while they are few, and lays out the whole row once more.
pub fn surroundings(conn: &mut DbConn, agency: AgencyId, id: DebriefId) -> QueryResult<Option<Surroundings>> {
    let recruiter_name =
        users::table.filter(users::id.nullable().eq(debriefs::recruiter_id)).select(users::name);
    let competencies =
        agencies::table.filter(agencies::id.eq(debriefs::agency_id)).select(agencies::competencies);
    directly!(conn => debriefs::table
        .inner_join(interviews::table)
        .inner_join(candidates::table.on(candidates::id.eq(debriefs::candidate_id)))
        .inner_join(clients::table)
        .inner_join(job_orders::table.on(job_orders::id.eq(debriefs::job_order_id)))
        .filter(debriefs::id.eq(id))
        .filter(debriefs::agency_id.eq(agency))
        .select((
            Debrief::as_select(),
            InterviewRow::as_select(),
            Candidate::as_select(),
            Client::as_select(),
            JobOrder::as_select(),
            recruiter_name.single_value(),
            competencies.single_value().assume_not_null(),
            debriefs::note_state.is_not_null().and(exists(standing())),
        ))
        .first(conn)
        .optional())
}

/// The debrief with its agency's competencies, a tombstone too.
pub fn with_competencies(
    conn: &mut DbConn,
    agency: AgencyId,
    id: DebriefId,
) -> QueryResult<Option<(Debrief, Json<Vec<Competency>>)>> {
    debriefs::table
        .inner_join(agencies::table)
        .filter(debriefs::id.eq(id))
        .filter(debriefs::agency_id.eq(agency))
        .select((Debrief::as_select(), agencies::competencies))
        .first(conn)
        .optional()
}

/// An account with whom it is of, and one of its points.
#[derive(Debug, Clone, Queryable)]
pub struct AccountRow {
    /// The account.
    pub row: FeedbackRow,
    /// The contact who speaks.
    pub speaker: Option<Contact>,
    /// The speaker's place on the panel of the interview, for one who is on it.
    pub place: Option<i32>,
    /// The version of the debrief at which this was read.
    pub debrief_version: i64,
    /// The point; none in an account that has none.
    pub point: Option<PointRow>,
}

/// Every account of a debrief, the candidate's first, once for each of its points, in their order.
/// Everybody on the panel has one, if only one that is asked for. They are sorted here, because PostgreSQL
/// copies rows as wide as these to sort them.
pub fn accounts(conn: &mut DbConn, agency: AgencyId, debrief: DebriefId) -> QueryResult<Vec<AccountRow>> {
    let on_panel = interview_contacts::interview_id
        .eq(debriefs::interview_id)
        .and(interview_contacts::contact_id.nullable().eq(feedback::contact_id));
    // The debrief is named too, so that they are found in the index of its points.
    let its_points = points::debrief_id.eq(feedback::debrief_id).and(points::feedback_id.eq(feedback::id));
    let mut rows: Vec<AccountRow> = directly!(conn => feedback::table
        .inner_join(debriefs::table)
        .left_join(contacts::table.on(contacts::id.nullable().eq(feedback::contact_id)))
        .left_join(interview_contacts::table.on(on_panel))
        .left_join(points::table.on(its_points))
        .filter(feedback::debrief_id.eq(debrief))
        .filter(feedback::agency_id.eq(agency))
        .select((
            FeedbackRow::as_select(),
            Option::<Contact>::as_select(),
            interview_contacts::position.nullable(),
            debriefs::version,
            Option::<PointRow>::as_select(),
        ))
        .load(conn))?;
    rows.sort_by_key(|row| (row.row.side, row.row.id, row.point.as_ref().map(|point| point.position)));
    Ok(rows)
}

/// Every note of a debrief, oldest first, once for each of its deliveries.
pub fn notes(conn: &mut DbConn, debrief: DebriefId) -> QueryResult<Vec<(Note, Option<Delivery>)>> {
    let its = deliveries::note_id.eq(notes::id).and(deliveries::withdrawn.eq(false));
    let mut rows: Vec<(Note, Option<Delivery>)> = directly!(conn => notes::table
        .left_join(deliveries::table.on(its))
        .filter(notes::debrief_id.eq(debrief))
        .select((Note::as_select(), Option::<Delivery>::as_select()))
        .load(conn))?;
    rows.sort_by_key(|(note, delivery)| (note.id, delivery.as_ref().map(|delivery| delivery.position)));
    Ok(rows)
}
