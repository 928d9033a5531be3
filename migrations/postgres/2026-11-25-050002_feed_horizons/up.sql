-- How far back the change feed goes. What stands before is shown in the history of its debrief, and no
-- longer in the feed.
CREATE TABLE feed_horizons (
    agency_id UUID PRIMARY KEY REFERENCES agencies (id),
    -- the last event that is not shown any more, and when it happened
    xact BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    occurred_at TIMESTAMPTZ NOT NULL
);

-- Who follows a rare type does not walk through all the others.
CREATE INDEX events_by_type ON events (agency_id, type, xact, seq);
