//! A note that is held while it changes.

use super::NoteView;
use super::view::get;
use crate::app::AppError;
use crate::app::debriefs::lifecycle;
use crate::app::events::Happening;
use crate::app::records::{Expected, expect_version, expect_written};
use crate::auth::caller::Caller;
use crate::domain::ids::{DebriefId, NoteId};
use crate::domain::note::{NoteState, NoteTransition};
use crate::domain::state::Machine;
use crate::store::connection::DbConn;
use crate::store::debriefs::Debrief;
use crate::store::notes::{self, Note};
use crate::store::pool::Tx;

/// A note that is about to change, with its debrief, which nobody else can change meanwhile.
pub(super) struct Held {
    pub note: Note,
    pub debrief: Debrief,
}

impl Held {
    /// Holds the note, if it is at the version that the caller expects.
    pub fn hold(tx: &mut Tx<'_>, caller: &Caller, id: NoteId, expected: Expected) -> Result<Self, AppError> {
        let debrief = notes::debrief_of(tx, caller.agency, id)?.ok_or(AppError::NotFound)?;
        let mut debrief = lifecycle::lock(tx, caller, debrief)?;
        // Read only now: the relay marks a note as changed without giving it a version.
        let note = notes::find(tx, caller.agency, id)?.ok_or(AppError::NotFound)?;
        expect_version(expected, note.version)?;
        lifecycle::touch(tx, &mut debrief);
        Ok(Self { note, debrief })
    }

    /// Takes a transition, in memory.
    pub fn take(&mut self, transition: NoteTransition) -> Result<(), AppError> {
        self.note.state = self.note.state.apply(transition)?;
        Ok(())
    }

    /// Writes the changed note and its debrief, and that it happened.
    pub fn save(
        mut self,
        tx: &mut Tx<'_>,
        caller: &Caller,
        event: &str,
        reason: Option<&str>,
    ) -> Result<NoteView, AppError> {
        let former = tx.renew(&mut self.note.version, &mut self.note.updated_at);
        expect_written(notes::update(tx, &self.note, former)?, self.note.version)?;
        self.debrief.note_state = shown_state(tx, self.debrief.id)?;
        lifecycle::settle(tx, caller, &mut self.debrief)?;
        lifecycle::save(tx, &self.debrief)?;
        Happening::to(event, self.note.id)
            .of(self.debrief.id)
            .because(reason)
            .with("state", self.note.state)
            .with("version", self.note.version)
            .record(tx, caller);
        let now = tx.now();
        get(tx, caller.agency, self.note.id, now)
    }
}

/// What the worklist shows of a debrief's notes: the newest that is live, or else the newest.
fn shown_state(conn: &mut DbConn, debrief: DebriefId) -> Result<Option<NoteState>, AppError> {
    let states = notes::states_of_debrief(conn, debrief)?;
    Ok(states.iter().find(|state| state.is_live()).or(states.first()).copied())
}
