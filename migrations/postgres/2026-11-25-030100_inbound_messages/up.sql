-- What came back for deliveries, so that the same message counts once. Nothing of what it says is here.
CREATE TABLE inbound_messages (
    digest BYTEA NOT NULL PRIMARY KEY,
    agency_id UUID NOT NULL REFERENCES agencies (id),
    delivery_id UUID NOT NULL REFERENCES deliveries (id),
    kind TEXT NOT NULL,
    received_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX inbound_messages_by_delivery ON inbound_messages (delivery_id);
CREATE INDEX inbound_messages_by_age ON inbound_messages (received_at);
