ALTER TABLE imports DROP COLUMN not_before;
ALTER TABLE imports DROP COLUMN postponed;
