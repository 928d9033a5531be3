-- Domains that agencies send mail from.
CREATE TABLE mail_domains (
    id BLOB NOT NULL PRIMARY KEY,
    agency_id BLOB NOT NULL REFERENCES agencies (id),
    -- as A-labels, in lower case; one domain belongs to one agency
    domain TEXT NOT NULL UNIQUE,
    -- of the envelope sender
    bounce_domain TEXT NOT NULL,
    -- [{"selector", "algorithm", "public_key", "sealed", ...}], oldest first
    keys TEXT NOT NULL,
    verified_at INTEGER,
    checked_at INTEGER,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX mail_domains_by_agency ON mail_domains (agency_id, id);
