-- There is one writer at a time, so the numbers are in the order of commits already, and all events
-- are of the same transaction as far as the order goes.
ALTER TABLE events ADD COLUMN xact INTEGER NOT NULL DEFAULT 0;
CREATE INDEX events_in_order ON events (agency_id, xact, seq);
DROP INDEX events_by_agency;
