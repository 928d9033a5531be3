-- The answers of requests that came with an Idempotency-Key, for a day. There is no agency here: the
-- digest is of the caller and the key, the fingerprint of the request, and the answer is sealed.
CREATE TABLE idempotency_keys (
    digest BYTEA PRIMARY KEY,
    fingerprint BYTEA NOT NULL,
    answer BYTEA NOT NULL,
    created_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);
