//! The worklist: which debriefs want something done, with what a list shows of each.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::app::AppError;
use crate::auth::caller::Caller;
use crate::domain::debrief::{DebriefState, Missing};
use crate::domain::delivery::{DeliveryState, Lateness};
use crate::domain::due::is_overdue;
use crate::domain::ids::{CandidateId, ClientId, ContactId, DebriefId, JobOrderId, UserId};
use crate::domain::search::NamePart;
use crate::domain::timestamp::Timestamp;
use crate::store::connection::DbConn;
use crate::store::names;
use crate::store::worklist::{
    self, CandidateName, ClientName, ContactName, JobTitle, Row, SortKey, UserName, WorklistEntry,
    WorklistFilters, WorklistPage,
};

/// Which debriefs are wanted, and in which order.
#[derive(Debug, Clone, Default, Deserialize, ToSchema, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DebriefQuery {
    /// Only those in this state.
    state: Option<DebriefState>,
    /// Only those at this client.
    client_id: Option<ClientId>,
    /// Only those of this candidate.
    candidate_id: Option<CandidateId>,
    /// Only those about this vacancy.
    job_order_id: Option<JobOrderId>,
    /// Only those in whose interview this contact takes part.
    contact_id: Option<ContactId>,
    /// Only those of this recruiter.
    recruiter_id: Option<UserId>,
    /// Only those that still await an account past their due time; `false` for all others.
    overdue: Option<bool>,
    /// Only those whose interview took place, that are not closed, and that lack this.
    #[param(inline)]
    missing: Option<Missing>,
    /// Only those with an email that was to leave so long ago, or longer, and still waits to be sent.
    #[param(inline)]
    note_late: Option<Lateness>,
    /// Only those with an email that nobody knows the fate of, so that somebody has to decide; `false` for all others.
    note_unconfirmed: Option<bool>,
    /// Only those whose interview begins at this time or later.
    interviewed_from: Option<Timestamp>,
    /// Only those whose interview begins before this time.
    interviewed_to: Option<Timestamp>,
    /// Only those changed at this time or later: oldest change first, unless `sort` says otherwise.
    updated_since: Option<Timestamp>,
    /// Tombstones too.
    include_deleted: Option<bool>,
    /// Only those whose candidate or client has this part in the name; case and accents do not count.
    q: Option<NamePart>,
    /// The order; `-interviewed_at` if nothing is said.
    #[param(inline)]
    sort: Option<Sort>,
}

/// The order of a worklist; a minus turns it round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
pub enum Sort {
    /// The earliest interview first.
    #[serde(rename = "interviewed_at")]
    InterviewedAt,
    /// The latest interview first.
    #[serde(rename = "-interviewed_at")]
    InterviewedAtDescending,
    /// What is due first comes first.
    #[serde(rename = "due_at")]
    DueAt,
    /// What is due last comes first.
    #[serde(rename = "-due_at")]
    DueAtDescending,
}

/// A debrief as a worklist shows it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct WorklistItem {
    #[expect(missing_docs, reason = "its fields are shown as the item's own")]
    #[serde(flatten)]
    pub entry: WorklistEntry,
    /// Whether it still awaits an account past its due time.
    pub overdue: bool,
    /// Whether a thank-you note stands for somebody: it is being written, on its way, or was taken. A
    /// note whose emails all came to nothing stays `queued`, and stands for nobody.
    pub note_stands: bool,
    /// How late the latest email of its notes is that still waits to be sent.
    pub note_late: Option<Lateness>,
    /// Whether nobody knows the fate of an email of its notes, so that somebody has to decide.
    pub note_unconfirmed: bool,
    /// Who was interviewed.
    pub candidate: CandidateName,
    /// The hiring company.
    pub client: ClientName,
    /// The vacancy.
    pub job_order: JobTitle,
    /// Whose debrief it is at the agency.
    pub recruiter: Option<UserName>,
    /// The panel.
    pub contacts: Vec<ContactName>,
}

/// Where a page of the worklist ended.
pub type Place = (Timestamp, DebriefId);

impl DebriefQuery {
    fn order(&self) -> (SortKey, bool) {
        match self.sort {
            Some(Sort::InterviewedAt) => (SortKey::InterviewedAt, false),
            Some(Sort::InterviewedAtDescending) => (SortKey::InterviewedAt, true),
            Some(Sort::DueAt) => (SortKey::DueAt, false),
            Some(Sort::DueAtDescending) => (SortKey::DueAt, true),
            None if self.updated_since.is_some() => (SortKey::UpdatedAt, false),
            None => (SortKey::InterviewedAt, true),
        }
    }

    /// Where an item stands in the order that is wanted.
    #[must_use]
    pub fn place(&self, item: &WorklistItem) -> Place {
        let entry = &item.entry;
        let at = match self.order().0 {
            SortKey::InterviewedAt => entry.interviewed_at,
            SortKey::DueAt => entry.due_at,
            SortKey::UpdatedAt => entry.updated_at,
        };
        (at, entry.id)
    }

    fn filters(&self) -> WorklistFilters {
        WorklistFilters {
            state: self.state,
            client_id: self.client_id,
            candidate_id: self.candidate_id,
            job_order_id: self.job_order_id,
            contact_id: self.contact_id,
            recruiter_id: self.recruiter_id,
            overdue: self.overdue,
            missing: self.missing,
            note_late: self.note_late,
            note_unconfirmed: self.note_unconfirmed,
            interviewed_from: self.interviewed_from,
            interviewed_to: self.interviewed_to,
            updated_since: self.updated_since,
            include_deleted: self.include_deleted.unwrap_or_default(),
            named: self.q.as_ref().map(names::range),
        }
    }
}

/// A page of the worklist: two statements, and two more where a name is looked for.
pub fn list(
    conn: &mut DbConn,
    caller: &Caller,
    query: &DebriefQuery,
    after: Option<Place>,
    limit: i64,
    now: Timestamp,
) -> Result<Vec<WorklistItem>, AppError> {
    let (key, descending) = query.order();
    let page = WorklistPage { key, descending, after, limit, now };
    let rows = worklist::list(conn, caller.agency, &query.filters(), &page)?;
    let interviews = rows.iter().map(|row| row.entry.interview_id).collect();
    let mut panels = worklist::contacts_of(conn, interviews)?;
    let items = rows.into_iter().map(|row| {
        let Row {
            entry,
            candidate,
            client,
            job_order,
            recruiter,
            note_stands,
            unsent_since,
            note_unconfirmed,
        } = row;
        let its = panels.extract_if(.., |(interview, _)| *interview == entry.interview_id);
        let contacts = its.map(|(_, contact)| contact).collect();
        let overdue = overdue(entry.state, entry.due_at, now);
        // Whatever is not sent yet is as late as what is only queued.
        let late = |since: Timestamp| Lateness::of(DeliveryState::Queued, *since, *now);
        let note_late = unsent_since.and_then(late);
        WorklistItem {
            entry,
            overdue,
            note_stands,
            note_late,
            note_unconfirmed,
            candidate,
            client,
            job_order,
            recruiter,
            contacts,
        }
    });
    Ok(items.collect())
}

/// Whether a debrief still awaits an account past its due time.
pub(super) fn overdue(state: DebriefState, due_at: Timestamp, now: Timestamp) -> bool {
    state.awaits_accounts() && is_overdue(*due_at, *now)
}
