-- For exports, which walk through an agency's feedback.
CREATE INDEX feedback_by_id ON feedback (agency_id, id);
CREATE INDEX feedback_by_update ON feedback (agency_id, updated_at, id);
