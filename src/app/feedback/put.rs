//! Accounts as rows of a file: whoever has given one already revises it.

use serde_json::{Map, Value};

use super::read::Feedback;
use super::write::{create, patch};
use crate::app::records::Put;
use crate::app::{AppError, schema};
use crate::auth::caller::Caller;
use crate::domain::feedback::FeedbackState;
use crate::domain::ids::DebriefId;
use crate::store::feedback::{self, FeedbackRow};
use crate::store::pool::Tx;

/// Writes one person's account in a debrief, or changes it by a merge patch (RFC 7396). Points that say
/// what one of the account says already are that one, whatever their ids.
///
/// # Errors
/// Those of [`create`] and [`patch`].
pub fn put(
    tx: &mut Tx<'_>,
    caller: &Caller,
    debrief: DebriefId,
    mut fields: Map<String, Value>,
) -> Result<(Feedback, Put), AppError> {
    let text = |name: &str| fields.get(name).and_then(Value::as_str).unwrap_or_default();
    let contact = |row: &FeedbackRow| row.contact_id.map(|id| id.to_string()).unwrap_or_default();
    let is_theirs = |row: &&FeedbackRow| {
        row.state != FeedbackState::Requested
            && <&str>::from(row.side) == text("side")
            && contact(row) == text("contact_id")
    };
    let accounts = feedback::of_debrief(tx, caller.agency, debrief)?;
    let Some(former) = accounts.iter().find(is_theirs) else {
        identify(&mut fields, &[]);
        let input = schema::read(Value::Object(fields))?;
        return Ok((create(tx, caller, debrief, input)?, Put::Created));
    };
    let apply = |present: &Value| {
        identify(&mut fields, present["points"].as_array().map_or(&[][..], Vec::as_slice));
        let mut document = present.clone();
        json_patch::merge(&mut document, &Value::Object(fields));
        schema::read(document)
    };
    let account = patch(tx, caller, former.id, None, apply)?;
    let put = if account.row.version == former.version { Put::Unchanged } else { Put::Updated };
    Ok((account, put))
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
