//! The steps that writing an account is made of.

use serde_json::Value;

use super::input::{FeedbackInput, PointInput};
use super::read::Feedback;
use crate::app::AppError;
use crate::app::events::Happening;
use crate::app::faults::Faults;
use crate::auth::caller::Caller;
use crate::domain::feedback::{FeedbackState, FeedbackTransition, Point};
use crate::domain::state::Machine;
use crate::domain::text::is_blank;
use crate::store::connection::DbConn;
use crate::store::feedback::{self, FeedbackRow};
use crate::store::points::{self, PointRow};
use crate::store::pool::Tx;
use crate::store::revisions::{self, RevisionRow};
use crate::store::types::Json;

impl Feedback {
    /// A row with the points that it has.
    pub(super) fn with_points(conn: &mut DbConn, row: FeedbackRow) -> Result<Self, AppError> {
        let points = points::of_feedback(conn, row.agency_id, row.id)?;
        Ok(Self { row, points: points.into_iter().map(Into::into).collect() })
    }

    /// The input that would make it, as a document; what was never said is null.
    pub(super) fn input(&self) -> Result<Value, AppError> {
        let mut document =
            serde_json::to_value(self.content()).map_err(|e| AppError::Internal(e.to_string()))?;
        if let Value::Object(fields) = &mut document {
            fields.insert("submit".to_owned(), self.is_given().into());
        }
        Ok(document)
    }

    /// The keys of the competencies that it names.
    pub(super) fn competencies(&self) -> Vec<String> {
        let rated = self.row.ratings.0.iter().map(|rating| &rating.competency);
        rated.chain(self.points.iter().filter_map(|point| point.competency.as_ref())).cloned().collect()
    }

    /// Makes it say what the input says.
    pub(super) fn write_down(&mut self, tx: &mut Tx<'_>, input: FeedbackInput) {
        let row = &mut self.row;
        row.side = input.side;
        row.said_by = input.said_by;
        row.channel = Some(input.channel);
        row.verbatim = input.verbatim;
        row.first_impression = input.first_impression;
        row.narrative = Some(input.narrative);
        row.overall = input.overall;
        row.ratings = Json(input.ratings);
        row.agency_only = input.agency_only.map(Json);
        self.points = input.points.into_iter().map(|point| made(tx, point)).collect();
    }

    /// Notes that it says nothing at all, and so cannot be given.
    pub(super) fn check_given(&self, faults: &mut Faults) {
        let said = |text: &Option<String>| text.as_ref().is_some_and(|text| !is_blank(text));
        let row = &self.row;
        let speaks = said(&row.narrative)
            || said(&row.first_impression)
            || row.overall.is_some()
            || !row.ratings.0.is_empty()
            || !self.points.is_empty();
        if !speaks {
            faults.add("/narrative", "blank", "an account that is submitted must say something");
        }
    }

    /// Its next version, to be changed in memory and then [saved](Self::save) over this one.
    pub(super) fn next(&self, tx: &Tx<'_>) -> Self {
        let mut next = self.clone();
        next.row.version += 1;
        tx.touch(&mut next.row.updated_at);
        next
    }

    /// Takes a transition in memory. What is given thereby is a revision of its own.
    pub(super) fn take(&mut self, tx: &Tx<'_>, transition: FeedbackTransition) -> Result<(), AppError> {
        self.row.state = self.row.state.apply(transition)?;
        if self.is_given() {
            self.row.revision += 1;
            self.row.submitted_at = Some(tx.now());
        }
        Ok(())
    }

    /// Whether it has been given. Then every change is a revision.
    #[must_use]
    pub fn is_given(&self) -> bool {
        self.row.state == FeedbackState::Submitted
    }

    /// Writes it over its former version, if there was one: the row, the points where they differ,
    /// and the revision if it is a new one.
    pub(super) fn save(
        &self,
        tx: &mut Tx<'_>,
        caller: &Caller,
        former: Option<&Self>,
    ) -> Result<(), AppError> {
        let row = &self.row;
        match former {
            None => feedback::insert(tx, row)?,
            Some(former) => feedback::update_at_end(tx, row.clone(), former.row.version)?,
        }
        let points = former.map_or(&[][..], |former| &former.points);
        if points != self.points {
            if !points.is_empty() {
                points::delete_of(tx, row.agency_id, row.id)?;
            }
            points::insert_at_end(tx, self.point_rows())?;
        }
        if former.is_none_or(|former| former.row.revision != row.revision) && self.is_given() {
            let revision = self.revision(tx, caller);
            revisions::insert_at_end(tx, revision)?;
        }
        Ok(())
    }

    fn point_rows(&self) -> Vec<PointRow> {
        let row = &self.row;
        let place = |(place, point)| PointRow::new(row.agency_id, row.debrief_id, row.id, place, point);
        self.points.iter().enumerate().map(place).collect()
    }

    fn revision(&self, tx: &Tx<'_>, caller: &Caller) -> RevisionRow {
        RevisionRow {
            feedback_id: self.row.id,
            revision: self.row.revision,
            agency_id: self.row.agency_id,
            document: Json(self.content()),
            recorded_by: Json(caller.actor),
            recorded_at: tx.now(),
        }
    }

    /// Writes down what happened to it.
    pub(super) fn happened(&self, tx: &mut Tx<'_>, caller: &Caller, event: &str, reason: Option<&str>) {
        let row = &self.row;
        Happening::to(event, row.id)
            .of(row.debrief_id)
            .because(reason)
            .with("side", row.side)
            .with("contact_id", row.contact_id)
            .with("state", row.state)
            .with("revision", row.revision)
            .with("version", row.version)
            .record(tx, caller);
    }
}

/// The point that an input makes.
fn made(tx: &mut Tx<'_>, input: PointInput) -> Point {
    Point {
        id: input.id.unwrap_or_else(|| tx.new_id()),
        kind: input.kind,
        competency: input.competency,
        what: input.what,
        why: input.why,
        next_time: input.next_time,
        question_asked: input.question_asked,
        wished_answer: input.wished_answer,
        severity: input.severity,
        address: input.address,
    }
}
