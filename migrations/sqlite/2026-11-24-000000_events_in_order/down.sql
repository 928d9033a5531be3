CREATE INDEX events_by_agency ON events (agency_id, seq);
DROP INDEX events_in_order;
ALTER TABLE events DROP COLUMN xact;
