//! Which index finds a page of the worklist.
//!
//! PostgreSQL knows how many rows each filter leaves. SQLite, without statistics, takes every index
//! that begins with the agency for as good as one of a single client, and may walk through all of
//! an agency's debriefs for the sake of their order. A unary plus keeps a column out of its choice.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::filters::{Named, Query, WorklistFilters};
use super::{SortKey, WorklistPage};
use crate::domain::debrief::DebriefState;
use crate::domain::ids::AgencyId;
use crate::store::connection::DbConn;
use crate::store::types::Uuid;

/// How a page is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Path {
    /// Through the rows in the order of the page, until it is full; or as PostgreSQL sees fit.
    Ordered,
    /// By the agency and a filter that leaves few rows, which are then sorted.
    OfAgency,
    /// By a filter that leaves few rows of one agency without naming it, which are then sorted.
    OfParty,
}

impl Path {
    /// The path for these filters.
    pub fn choose(conn: &DbConn, filters: &WorklistFilters, named: &Named, key: SortKey) -> Self {
        if matches!(conn, DbConn::Postgres(_)) {
            return Self::Ordered;
        }
        let party = filters.client_id.is_some()
            || filters.candidate_id.is_some()
            || filters.job_order_id.is_some()
            || filters.recruiter_id.is_some();
        let few = filters.contact_id.is_some() || matches!(named, Named::Few(_));
        // Their indexes have the order of the interviews.
        if few || (party && key != SortKey::InterviewedAt) {
            return Self::OfParty;
        }
        let unfinished = filters.state.is_some_and(|state| state != DebriefState::Closed)
            || filters.overdue == Some(true)
            || filters.missing.is_some();
        if unfinished { Self::OfAgency } else { Self::Ordered }
    }

    /// Only the debriefs of one agency.
    pub fn of_agency<'a>(self, query: Query<'a>, agency: AgencyId) -> Query<'a> {
        let column = if self == Self::OfParty { "+debriefs.agency_id = " } else { "debriefs.agency_id = " };
        query.filter(sql::<Bool>(column).bind::<Uuid, _>(agency))
    }

    /// The order of the page.
    pub fn order(self, page: &WorklistPage) -> String {
        let plus = if self == Self::Ordered { "" } else { "+" };
        let column = match page.key {
            SortKey::InterviewedAt => "interviewed_at",
            SortKey::DueAt => "due_at",
            SortKey::UpdatedAt => "updated_at",
        };
        let direction = if page.descending { "DESC" } else { "ASC" };
        format!("{plus}debriefs.{column} {direction}, debriefs.id {direction}")
    }
}
