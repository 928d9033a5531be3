DROP INDEX feedback_by_debrief;
CREATE INDEX feedback_by_debrief ON feedback (debrief_id, id);
