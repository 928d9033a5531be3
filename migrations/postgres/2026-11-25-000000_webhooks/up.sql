-- Where other systems want to be told of what happens.
CREATE TABLE webhook_endpoints (
    id UUID PRIMARY KEY,
    agency_id UUID NOT NULL REFERENCES agencies (id),
    url TEXT NOT NULL,
    description TEXT,
    -- none means all
    event_types JSONB NOT NULL,
    -- sealed, the present one first
    secrets JSONB NOT NULL,
    -- everything up to this event is on its way already
    position_xact BIGINT NOT NULL,
    position_seq BIGINT NOT NULL,
    -- the first failure since something last arrived
    failing_since TIMESTAMPTZ,
    disabled_at TIMESTAMPTZ,
    disabled_because TEXT,
    version BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    deleted_at TIMESTAMPTZ
);
CREATE INDEX webhook_endpoints_by_agency ON webhook_endpoints (agency_id, id);

-- One event on its way to one endpoint.
CREATE TABLE webhook_deliveries (
    id UUID PRIMARY KEY,
    agency_id UUID NOT NULL REFERENCES agencies (id),
    endpoint_id UUID NOT NULL REFERENCES webhook_endpoints (id),
    event_id UUID NOT NULL,
    event_type TEXT NOT NULL,
    -- every attempt sends these bytes
    body TEXT NOT NULL,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    -- while an attempt is under way, the end of its lease: from then on somebody else may try
    next_attempt_at TIMESTAMPTZ,
    -- rises with every claim; an outcome is written only under the token of its claim
    lease_token BIGINT NOT NULL,
    last_attempt_at TIMESTAMPTZ,
    last_status INTEGER,
    last_error TEXT,
    delivered_at TIMESTAMPTZ,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX webhook_deliveries_by_endpoint ON webhook_deliveries (endpoint_id, id);
CREATE INDEX webhook_deliveries_by_state ON webhook_deliveries (endpoint_id, state, id);
CREATE INDEX webhook_deliveries_by_age ON webhook_deliveries (created_at);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (endpoint_id, next_attempt_at)
    WHERE state IN ('pending', 'sending');
CREATE INDEX webhook_deliveries_next ON webhook_deliveries (next_attempt_at)
    WHERE state IN ('pending', 'sending');
