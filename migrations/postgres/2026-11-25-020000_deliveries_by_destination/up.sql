-- The domain of the recipient, by which the relay shares out its connections: what follows the last @.
-- Before the first release no table is large, so it may be written anew.
ALTER TABLE deliveries ADD COLUMN destination TEXT NOT NULL GENERATED ALWAYS AS
    (lower(substring(envelope_to FROM '[^@]*$'))) STORED;
DROP INDEX deliveries_due;
CREATE INDEX deliveries_due ON deliveries (next_attempt_at, destination) WHERE state IN ('queued', 'deferred');
