-- The answers of requests that came with an Idempotency-Key, for a day. There is no agency here: the
-- digest is of the caller and the key, the fingerprint of the request, and the answer is sealed.
CREATE TABLE idempotency_keys (
    digest BLOB NOT NULL PRIMARY KEY,
    fingerprint BLOB NOT NULL,
    answer BLOB NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);
