-- How far back the change feed goes. What stands before is shown in the history of its debrief, and no
-- longer in the feed.
CREATE TABLE feed_horizons (
    agency_id BLOB NOT NULL PRIMARY KEY REFERENCES agencies (id),
    -- the last event that is not shown any more, and when it happened
    xact INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    occurred_at INTEGER NOT NULL
) STRICT;

-- Who follows a rare type does not walk through all the others.
CREATE INDEX events_by_type ON events (agency_id, type, xact, seq);
