//! Accounts as they are shown.

use std::collections::HashMap;

use serde::Serialize;
use utoipa::ToSchema;

use crate::app::AppError;
use crate::auth::caller::{Actor, Caller};
use crate::domain::comparison::Account;
use crate::domain::feedback::{Point, RevisionState};
use crate::domain::ids::{AgencyId, FeedbackId, InterviewId, kinds};
use crate::domain::timestamp::Timestamp;
use crate::store::connection::DbConn;
use crate::store::feedback::{self, FeedbackRow};
use crate::store::points;
use crate::store::record::ListOptions;
use crate::store::revisions::{self, RevisionDocument};

/// One person's account as it now stands.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Feedback {
    #[expect(missing_docs, reason = "its fields are shown as the account's own")]
    #[serde(flatten)]
    pub row: FeedbackRow,
    /// Its points, in their order.
    pub points: Vec<Point>,
}

/// One submitted revision of an account.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Revision {
    /// Its number, from 1.
    pub revision: i32,
    /// Whether it is the account as it now is.
    pub state: RevisionState,
    /// What was submitted, whole.
    pub document: RevisionDocument,
    /// Who typed it. Who said it stands in the document.
    pub recorded_by: Actor,
    /// When.
    pub recorded_at: Timestamp,
}

impl Feedback {
    /// What it says, apart from its own history: what a revision keeps.
    pub(super) fn content(&self) -> RevisionDocument {
        let row = self.row.clone();
        RevisionDocument {
            side: row.side,
            contact_id: row.contact_id,
            said_by: row.said_by,
            channel: row.channel,
            verbatim: row.verbatim,
            first_impression: row.first_impression,
            narrative: row.narrative,
            overall: row.overall,
            ratings: row.ratings.0,
            points: self.points.clone(),
            agency_only: row.agency_only.map(|only| only.0),
        }
    }

    /// A page of the accounts that were begun or given, each with its interview.
    pub fn list_told(
        conn: &mut DbConn,
        agency: AgencyId,
        options: &ListOptions<kinds::Feedback>,
    ) -> Result<Vec<(Self, InterviewId)>, AppError> {
        let rows = feedback::list_told(conn, agency, options)?;
        let ids: Vec<FeedbackId> = rows.iter().map(|(row, _)| row.id).collect();
        let mut points: HashMap<FeedbackId, Vec<Point>> = HashMap::new();
        for row in points::of_several(conn, agency, &ids)? {
            points.entry(row.feedback_id).or_default().push(row.into());
        }
        let whole = |(row, interview): (FeedbackRow, InterviewId)| {
            let points = points.remove(&row.id).unwrap_or_default();
            (Self { row, points }, interview)
        };
        Ok(rows.into_iter().map(whole).collect())
    }

    /// The account as far as it is compared with others.
    #[must_use]
    pub fn compared(&self) -> Account {
        Account {
            feedback_id: self.row.id,
            side: self.row.side,
            contact_id: self.row.contact_id,
            said_by: self.row.said_by.clone(),
            points: self.points.clone(),
            ratings: self.row.ratings.0.clone(),
        }
    }
}

/// One account.
pub fn get(conn: &mut DbConn, caller: &Caller, id: FeedbackId) -> Result<Feedback, AppError> {
    let row = feedback::find(conn, caller.agency, id)?.ok_or(AppError::NotFound)?;
    Feedback::with_points(conn, row)
}

/// A page of what was submitted, newest first, beginning before the revision `before`.
pub fn revisions(
    conn: &mut DbConn,
    caller: &Caller,
    id: FeedbackId,
    before: Option<i32>,
    limit: i64,
) -> Result<Vec<Revision>, AppError> {
    let account = feedback::find(conn, caller.agency, id)?.ok_or(AppError::NotFound)?;
    let rows = revisions::list(conn, caller.agency, id, before, limit)?;
    let shown = rows.into_iter().map(|row| Revision {
        revision: row.revision,
        state: if row.revision == account.revision {
            RevisionState::Submitted
        } else {
            RevisionState::Superseded
        },
        document: row.document.0,
        recorded_by: row.recorded_by.0,
        recorded_at: row.recorded_at,
    });
    Ok(shown.collect())
}
