-- The domain of the recipient, by which the relay shares out its connections: what follows the last @.
ALTER TABLE deliveries ADD COLUMN destination TEXT NOT NULL GENERATED ALWAYS AS
    (lower(replace(envelope_to, rtrim(envelope_to, replace(envelope_to, '@', '')), ''))) VIRTUAL;
-- With it, what goes to a destination that takes nothing at the moment is passed over in the index.
DROP INDEX deliveries_due;
CREATE INDEX deliveries_due ON deliveries (next_attempt_at, destination) WHERE state IN ('queued', 'deferred');
