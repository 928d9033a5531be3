//! What a worklist is filtered by.

use diesel::dsl::{IntoBoxed, exists, not, sql};
use diesel::prelude::*;
use diesel::sql_types::Bool;
use strum::VariantArray;

use crate::domain::debrief::{DebriefState, Missing, SideStatus};
use crate::domain::delivery::{DeliveryState, Lateness};
use crate::domain::ids::{AgencyId, AnyRecordId, CandidateId, ClientId, ContactId, JobOrderId, UserId};
use crate::domain::record::RecordKind;
use crate::domain::timestamp::Timestamp;
use crate::store::connection::{DbConn, MultiBackend};
use crate::store::names::{self, in_range, is_named};
use crate::store::notes;
use crate::store::schema::{debriefs, deliveries, interview_contacts};

/// The debriefs that are left after some filters.
pub(super) type Query<'a> = IntoBoxed<'a, debriefs::table, MultiBackend>;

/// Which debriefs a worklist shows.
#[derive(Debug, Clone, Default)]
pub struct WorklistFilters {
    /// Those in this state.
    pub state: Option<DebriefState>,
    /// Those of one client.
    pub client_id: Option<ClientId>,
    /// Those of one candidate.
    pub candidate_id: Option<CandidateId>,
    /// Those about one vacancy.
    pub job_order_id: Option<JobOrderId>,
    /// Those in whose interview one contact takes part.
    pub contact_id: Option<ContactId>,
    /// Those of one recruiter.
    pub recruiter_id: Option<UserId>,
    /// Those that await accounts past their due time, or all others.
    pub overdue: Option<bool>,
    /// Those that are under way and lack this.
    pub missing: Option<Missing>,
    /// Those with an email that is as late as this.
    pub note_late: Option<Lateness>,
    /// Those with an email that nobody knows the fate of, or all others.
    pub note_unconfirmed: Option<bool>,
    /// Those whose interview begins at this time or later.
    pub interviewed_from: Option<Timestamp>,
    /// Those whose interview begins before this time.
    pub interviewed_to: Option<Timestamp>,
    /// Those that were changed at this time or later.
    pub updated_since: Option<Timestamp>,
    /// Tombstones too.
    pub include_deleted: bool,
    /// Those whose candidate or client has a part of a name in this range.
    pub named: Option<(String, String)>,
}

/// The candidates and clients with a part of a name.
pub(super) enum Named {
    /// Nothing was looked for.
    Anybody,
    /// So few that they can be named one by one; perhaps none.
    Few(Vec<AnyRecordId>),
    /// Too many for that, but not too many to be looked up for a page.
    Many {
        /// The agency.
        agency: AgencyId,
        /// The first part, inclusive.
        from: String,
        /// The last part, exclusive.
        to: String,
    },
    /// So many that many debriefs are theirs too, and a page is soon found by looking at each.
    Most {
        /// The first part, inclusive.
        from: String,
        /// The last part, exclusive.
        to: String,
    },
}

/// The most parts of names that are looked up one by one.
const FEW: usize = 200;

impl Named {
    /// Looks for the names that have a part in this range.
    pub fn find(conn: &mut DbConn, agency: AgencyId, range: Option<&(String, String)>) -> QueryResult<Self> {
        let Some(range) = range else { return Ok(Self::Anybody) };
        let (from, to) = range.clone();
        let mut found = names::first(conn, agency, RecordKind::Candidate, range, FEW)?;
        if found.len() == FEW {
            let are_many = names::are_many(conn, agency, RecordKind::Candidate, range)?;
            return Ok(if are_many { Self::Most { from, to } } else { Self::Many { agency, from, to } });
        }
        found.append(&mut names::first(conn, agency, RecordKind::Client, range, FEW)?);
        Ok(if found.len() < FEW { Self::Few(found) } else { Self::Many { agency, from, to } })
    }

    /// Whether something was looked for that is in nobody's name.
    pub fn is_nobody(&self) -> bool {
        matches!(self, Self::Few(ids) if ids.is_empty())
    }
}

impl WorklistFilters {
    /// Whether one plan serves whatever the values are: each of these filters leaves about as many
    /// rows for one value as for another, and few together make few statements. What is filtered by
    /// a state or a time is planned with its value.
    pub(super) fn are_steady(&self) -> bool {
        let Self { state, contact_id, overdue, missing, .. } = self;
        let Self { interviewed_from, interviewed_to, updated_since, include_deleted, named, .. } = self;
        let by_state = state.is_some() || overdue.is_some() || missing.is_some() || *include_deleted;
        let by_time = self.note_late.is_some()
            || self.note_unconfirmed.is_some()
            || interviewed_from.is_some()
            || interviewed_to.is_some()
            || updated_since.is_some();
        !by_state && !by_time && contact_id.is_none() && named.is_none()
    }

    /// Leaves what the filters let through. `now` is the time by which a debrief is overdue.
    pub(super) fn apply<'a>(
        &self,
        mut query: Query<'a>,
        agency: AgencyId,
        named: &Named,
        now: Timestamp,
    ) -> Query<'a> {
        if let Some(state) = self.state {
            query = query.filter(debriefs::state.eq(state));
        }
        if let Some(client) = self.client_id {
            query = query.filter(debriefs::client_id.eq(client));
        }
        if let Some(candidate) = self.candidate_id {
            query = query.filter(debriefs::candidate_id.eq(candidate));
        }
        if let Some(order) = self.job_order_id {
            query = query.filter(debriefs::job_order_id.eq(order));
        }
        if let Some(recruiter) = self.recruiter_id {
            query = query.filter(debriefs::recruiter_id.eq(recruiter));
        }
        if let Some(contact) = self.contact_id {
            let theirs = interview_contacts::table.filter(interview_contacts::contact_id.eq(contact));
            query =
                query.filter(debriefs::interview_id.eq_any(theirs.select(interview_contacts::interview_id)));
        }
        if let Some(from) = self.interviewed_from {
            query = query.filter(debriefs::interviewed_at.ge(from));
        }
        if let Some(to) = self.interviewed_to {
            query = query.filter(debriefs::interviewed_at.lt(to));
        }
        if let Some(since) = self.updated_since {
            query = query.filter(debriefs::updated_at.ge(since));
        }
        if let Some(late) = self.note_late {
            let due_by: Timestamp = late.due_by(*now).into();
            let unsent = deliveries::table
                .filter(deliveries::agency_id.eq(agency))
                .filter(sql::<Bool>("deliveries.state IN ('queued', 'sending', 'deferred')"))
                .filter(deliveries::due_at.le(due_by));
            query = query.filter(debriefs::id.eq_any(unsent.select(deliveries::debrief_id)));
        }
        if let Some(unconfirmed) = self.note_unconfirmed {
            let doubted = deliveries::table
                .filter(deliveries::agency_id.eq(agency))
                .filter(deliveries::state.eq(DeliveryState::Unconfirmed))
                .filter(deliveries::withdrawn.eq(false))
                .select(deliveries::debrief_id);
            query = if unconfirmed {
                query.filter(debriefs::id.eq_any(doubted))
            } else {
                query.filter(debriefs::id.ne_all(doubted))
            };
        }
        if !self.include_deleted {
            query = query.filter(debriefs::deleted_at.is_null());
        }
        of_named(self.by_what_is_missing(query, now), named)
    }

    fn by_what_is_missing<'a>(&self, mut query: Query<'a>, now: Timestamp) -> Query<'a> {
        let awaiting = || states(DebriefState::awaits_accounts);
        query = match self.overdue {
            None => query,
            Some(true) => query.filter(debriefs::state.eq_any(awaiting())).filter(debriefs::due_at.lt(now)),
            Some(false) => query.filter(debriefs::state.ne_all(awaiting()).or(debriefs::due_at.ge(now))),
        };
        let Some(missing) = self.missing else { return query };
        query = query.filter(debriefs::state.eq_any(states(DebriefState::is_under_way)));
        match missing {
            Missing::CandidateFeedback => query.filter(debriefs::candidate_side.eq(SideStatus::Missing)),
            Missing::ClientFeedback => query.filter(debriefs::client_side.eq(SideStatus::Missing)),
            Missing::Note => {
                // A note whose emails all came to nothing stays queued: only its contacts tell.
                query.filter(not(exists(notes::standing())))
            }
        }
    }
}

/// The states of which something holds.
fn states(holds: impl Fn(DebriefState) -> bool) -> Vec<DebriefState> {
    DebriefState::VARIANTS.iter().copied().filter(|state| holds(*state)).collect()
}

fn of_named<'a>(query: Query<'a>, named: &Named) -> Query<'a> {
    match named {
        Named::Anybody => query,
        Named::Few(ids) => {
            let candidates: Vec<CandidateId> = ids.iter().map(|id| id.cast()).collect();
            let clients: Vec<ClientId> = ids.iter().map(|id| id.cast()).collect();
            let candidate = debriefs::candidate_id.eq_any(candidates);
            query.filter(candidate.or(debriefs::client_id.eq_any(clients)))
        }
        Named::Many { agency, from, to } => {
            let of = |kind: RecordKind| in_range!(*agency, kind, from.clone(), to.clone());
            let candidate = debriefs::candidate_id.eq_any(of(RecordKind::Candidate));
            query.filter(candidate.or(debriefs::client_id.eq_any(of(RecordKind::Client))))
        }
        Named::Most { from, to } => {
            let candidate = is_named!(debriefs::candidate_id, from.clone(), to.clone());
            query.filter(candidate.or(is_named!(debriefs::client_id, from.clone(), to.clone())))
        }
    }
}
