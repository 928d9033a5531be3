//! The wording review of a note that is kept.

use crate::app::AppError;
use crate::auth::caller::Caller;
use crate::domain::ids::NoteId;
use crate::domain::wording::{Names, WordingReview, first_words, review_note};
use crate::store::connection::DbConn;
use crate::store::{clients, correspondents, notes};

/// The most names of other companies that are looked for in one note.
const MAX_OTHERS: i64 = 500;

/// What is to be looked at again in a note, with the note's version. Four statements.
pub fn review(conn: &mut DbConn, caller: &Caller, id: NoteId) -> Result<(i64, WordingReview), AppError> {
    let note = notes::find(conn, caller.agency, id)?.ok_or(AppError::NotFound)?;
    let (client, subjects) = correspondents::subjects(conn, caller.agency, note.debrief_id)?;
    let mut own = correspondents::contact_names(conn, caller.agency, &note.contact_ids.0)?;
    own.extend(subjects);
    let words = first_words(&[&note.subject, &note.body]);
    let others = clients::names_with(conn, caller.agency, client, &words, MAX_OTHERS)?;
    let names = Names { own, others };
    Ok((note.version, review_note(&note.subject, &note.body, note.language.as_deref(), &names)))
}
