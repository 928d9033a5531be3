-- Where other systems want to be told of what happens.
CREATE TABLE webhook_endpoints (
    id BLOB NOT NULL PRIMARY KEY,
    agency_id BLOB NOT NULL REFERENCES agencies (id),
    url TEXT NOT NULL,
    description TEXT,
    -- none means all
    event_types TEXT NOT NULL,
    -- sealed, the present one first
    secrets TEXT NOT NULL,
    -- everything up to this event is on its way already
    position_xact INTEGER NOT NULL,
    position_seq INTEGER NOT NULL,
    -- the first failure since something last arrived
    failing_since INTEGER,
    disabled_at INTEGER,
    disabled_because TEXT,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    deleted_at INTEGER
) STRICT;
CREATE INDEX webhook_endpoints_by_agency ON webhook_endpoints (agency_id, id);

-- One event on its way to one endpoint.
CREATE TABLE webhook_deliveries (
    id BLOB NOT NULL PRIMARY KEY,
    agency_id BLOB NOT NULL REFERENCES agencies (id),
    endpoint_id BLOB NOT NULL REFERENCES webhook_endpoints (id),
    event_id BLOB NOT NULL,
    event_type TEXT NOT NULL,
    -- every attempt sends these bytes
    body TEXT NOT NULL,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    -- while an attempt is under way, the end of its lease: from then on somebody else may try
    next_attempt_at INTEGER,
    -- rises with every claim; an outcome is written only under the token of its claim
    lease_token INTEGER NOT NULL,
    last_attempt_at INTEGER,
    last_status INTEGER,
    last_error TEXT,
    delivered_at INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX webhook_deliveries_by_endpoint ON webhook_deliveries (endpoint_id, id);
CREATE INDEX webhook_deliveries_by_state ON webhook_deliveries (endpoint_id, state, id);
CREATE INDEX webhook_deliveries_by_age ON webhook_deliveries (created_at);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (endpoint_id, next_attempt_at)
    WHERE state IN ('pending', 'sending');
CREATE INDEX webhook_deliveries_next ON webhook_deliveries (next_attempt_at)
    WHERE state IN ('pending', 'sending');
