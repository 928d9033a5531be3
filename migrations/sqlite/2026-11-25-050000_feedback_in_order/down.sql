DROP INDEX feedback_by_update;
DROP INDEX feedback_by_id;
