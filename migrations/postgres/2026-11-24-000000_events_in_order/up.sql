-- The transaction that wrote an event: a sequence gives out numbers that may commit in another order,
-- so the change feed shows what is older than every transaction under way, ordered by transaction.
-- What stands already comes first.
ALTER TABLE events ADD COLUMN xact BIGINT NOT NULL DEFAULT 0;
ALTER TABLE events ALTER COLUMN xact SET DEFAULT pg_current_xact_id()::text::bigint;
-- Not CONCURRENTLY: before the first release no table is large.
CREATE INDEX events_in_order ON events (agency_id, xact, seq);
DROP INDEX events_by_agency;
