-- SQLite, which keeps no statistics here, took an agency's feedback in the order of its changes for as good a way to
-- the accounts of one debrief, and read all of them.
DROP INDEX feedback_by_debrief;
CREATE INDEX feedback_by_debrief ON feedback (debrief_id, agency_id, side, id);
