//! Accounts as rows of a file: whoever has given one already revises it.

use serde_json::{Map, Value};

use super::read::Feedback;
use super::write::{create, patch};
use crate::app::records::{Put, expect_version};
use crate::app::{AppError, schema};
use crate::auth::caller::Caller;
use crate::domain::feedback::FeedbackState;
use crate::domain::ids::DebriefId;
use crate::store::debriefs;
use crate::store::feedback::{self, FeedbackRow};
use crate::store::pool::Tx;

/// What a row tells of the account that it was once made of.
pub struct Read {
    /// Its id, if the row has one. Another agency's says nothing about this one's account.
    pub id: Option<Value>,
    /// The version that it was at.
    pub version: i64,
}

/// Writes one person's account in a debrief, or changes it by a merge patch (RFC 7396). Points that say
/// what one of the account says already are that one, whatever their ids. What would change nothing is no
/// change, and then it does not matter at what version the account was read.
///
/// # Errors
/// [`AppError::Stale`] if the account was read at another version, and those of [`create`] and [`patch`].
pub fn put(
    tx: &mut Tx<'_>,
    caller: &Caller,
    debrief: DebriefId,
    mut fields: Map<String, Value>,
    read: Option<Read>,
) -> Result<(Feedback, Put), AppError> {
    let text = |name: &str| fields.get(name).and_then(Value::as_str).unwrap_or_default();
    let contact = |row: &FeedbackRow| row.contact_id.map(|id| id.to_string()).unwrap_or_default();
    let is_theirs = |row: &&FeedbackRow| {
        row.state != FeedbackState::Requested
            && <&str>::from(row.side) == text("side")
            && contact(row) == text("contact_id")
    };
    // What is read of the account now has to be what is written over.
    debriefs::lock(tx, caller.agency, debrief)?;
    let accounts = feedback::of_debrief(tx, caller.agency, debrief)?;
    let Some(former) = accounts.iter().find(is_theirs) else {
        identify(&mut fields, &[]);
        let input = schema::read(Value::Object(fields))?;
        return Ok((create(tx, caller, debrief, input)?, Put::Created));
    };
    let apply = |present: &Value| {
        identify(&mut fields, present["points"].as_array().map_or(&[][..], Vec::as_slice));
        schema::read(schema::patched(present.clone(), &Value::Object(fields)))
    };
    let account = patch(tx, caller, former.id, None, apply)?;
    if account.row.version == former.version {
        return Ok((account, Put::Unchanged));
    }
    let is_theirs = |id: Value| id.as_str() == Some(&former.id.to_string());
    let expected = read.filter(|read| read.id.clone().is_none_or(is_theirs)).map(|read| vec![read.version]);
    expect_version(expected, former.version)?;
    Ok((account, Put::Updated))
}

/// Gives each point the id of a present one that says the same, and takes away every other id: in another
/// agency, or another account, it would name nothing.
fn identify(fields: &mut Map<String, Value>, present: &[Value]) {
    let Some(Value::Array(points)) = fields.get_mut("points") else { return };
    let mut left: Vec<&Value> = present.iter().collect();
    for point in points {
        let Value::Object(point) = point else { continue };
        let id = point.remove("id");
        let by_id = left.iter().position(|other| Some(&other["id"]) == id.as_ref());
        let by_words = || left.iter().position(|other| says(other) == says(&Value::Object(point.clone())));
        if let Some(place) = by_id.or_else(by_words) {
            point.insert("id".to_owned(), left.remove(place)["id"].clone());
        }
    }
}

/// What a point says: its fields without its id, and without those that say nothing.
fn says(point: &Value) -> Map<String, Value> {
    let mut said = point.as_object().cloned().unwrap_or_default();
    said.retain(|name, value| name != "id" && !value.is_null());
    said
}
