//! Competencies: what points and ratings are about, an ordered list per agency.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{AppError, agencies};
use crate::auth::caller::Caller;
use crate::domain::ids::AgencyId;
use crate::store::agencies::Competency;
use crate::store::connection::DbConn;
use crate::store::pool::Tx;

/// How many competencies an agency can have.
const MAX_COMPETENCIES: usize = 100;

const FIRST: [(&str, &str); 7] = [
    ("communication", "Communication"),
    ("preparation", "Preparation"),
    ("technical_depth", "Technical depth"),
    ("problem_solving", "Problem solving"),
    ("motivation", "Motivation"),
    ("culture", "Culture"),
    ("leadership", "Leadership"),
];

/// A competency in its place.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CompetencyView {
    /// What feedback names it by.
    pub key: String,
    /// What people call it.
    name: String,
    /// Its place in the agency's order, from 0.
    position: usize,
    /// No longer offered for new feedback.
    archived: bool,
}

/// What makes a competency.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCompetency {
    /// What feedback names it by; it never changes.
    #[schema(pattern = "^[a-z][a-z0-9_]{0,63}$", example = "problem_solving")]
    key: String,
    /// What people call it.
    #[schema(min_length = 1, max_length = 200, format = "line-not-blank")]
    name: String,
    /// Its place in the agency's order, from 0; the end if it is not said.
    #[schema(minimum = 0, maximum = 1000)]
    position: Option<usize>,
}

/// What changes a competency.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CompetencyInput {
    /// What people call it.
    #[schema(min_length = 1, max_length = 200, format = "line-not-blank")]
    name: String,
    /// Its place in the agency's order, from 0.
    #[schema(minimum = 0, maximum = 1000)]
    position: usize,
    /// No longer offered for new feedback.
    #[serde(default)]
    archived: bool,
}

/// The competencies that a new agency starts with.
#[must_use]
pub fn first() -> Vec<Competency> {
    let competency = |(key, name): (&str, &str)| Competency {
        key: key.to_owned(),
        name: name.to_owned(),
        archived: false,
    };
    FIRST.map(competency).to_vec()
}

/// A page of the agency's competencies in its order, beginning after the one with the key `after`.
pub fn list(
    conn: &mut DbConn,
    agency: AgencyId,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<CompetencyView>, AppError> {
    let mut all = views(&agencies::get(conn, agency)?.competencies.0);
    if let Some(after) = after {
        // A competency may be archived, but it never goes away.
        let begin = all.iter().position(|competency| competency.key == after).map_or(all.len(), |at| at + 1);
        all.drain(..begin);
    }
    all.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(all)
}

/// Adds a competency.
pub fn create(tx: &mut Tx<'_>, caller: &Caller, new: NewCompetency) -> Result<CompetencyView, AppError> {
    let mut agency = agencies::hold(tx, caller.agency)?;
    let all = &mut agency.competencies.0;
    if all.iter().any(|competency| competency.key == new.key) {
        return Err(AppError::already_exists("there is a competency with this key", &new.key));
    }
    if all.len() >= MAX_COMPETENCIES {
        return Err(AppError::fault(
            "",
            "too_many",
            format!("an agency has at most {MAX_COMPETENCIES} competencies"),
        ));
    }
    let at = new.position.unwrap_or(all.len()).min(all.len());
    all.insert(at, Competency { key: new.key, name: new.name, archived: false });
    let agency = agencies::save(tx, caller, agency)?;
    views(&agency.competencies.0).into_iter().nth(at).ok_or(AppError::NotFound)
}

/// Changes a competency; `edit` makes the new input of the present one.
pub fn change(
    tx: &mut Tx<'_>,
    caller: &Caller,
    key: &str,
    edit: impl FnOnce(CompetencyInput) -> Result<CompetencyInput, AppError>,
) -> Result<CompetencyView, AppError> {
    let mut agency = agencies::hold(tx, caller.agency)?;
    let all = &mut agency.competencies.0;
    let position = all.iter().position(|competency| competency.key == key).ok_or(AppError::NotFound)?;
    let mut competency = all.remove(position);
    let present = CompetencyInput { name: competency.name.clone(), position, archived: competency.archived };
    let input = edit(present.clone())?;
    let is_same = input == present;
    competency.name = input.name;
    competency.archived = input.archived;
    let at = input.position.min(all.len());
    all.insert(at, competency);
    let agency = if is_same { agency } else { agencies::save(tx, caller, agency)? };
    views(&agency.competencies.0).into_iter().nth(at).ok_or(AppError::NotFound)
}

fn views(all: &[Competency]) -> Vec<CompetencyView> {
    let view = |(position, competency): (usize, &Competency)| CompetencyView {
        key: competency.key.clone(),
        name: competency.name.clone(),
        position,
        archived: competency.archived,
    };
    all.iter().enumerate().map(view).collect()
}
