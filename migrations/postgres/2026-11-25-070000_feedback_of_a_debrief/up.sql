-- As on SQLite, which keeps no statistics here and needs it; and the accounts of a debrief come in their order.
DROP INDEX feedback_by_debrief;
CREATE INDEX feedback_by_debrief ON feedback (debrief_id, agency_id, side, id);
