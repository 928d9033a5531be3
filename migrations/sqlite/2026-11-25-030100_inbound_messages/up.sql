-- What came back for deliveries, so that the same message counts once. Nothing of what it says is here.
CREATE TABLE inbound_messages (
    digest BLOB NOT NULL PRIMARY KEY,
    agency_id BLOB NOT NULL REFERENCES agencies (id),
    delivery_id BLOB NOT NULL REFERENCES deliveries (id),
    kind TEXT NOT NULL,
    received_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX inbound_messages_by_delivery ON inbound_messages (delivery_id);
CREATE INDEX inbound_messages_by_age ON inbound_messages (received_at);
