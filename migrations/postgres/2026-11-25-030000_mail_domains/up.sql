-- Domains that agencies send mail from.
CREATE TABLE mail_domains (
    id UUID PRIMARY KEY,
    agency_id UUID NOT NULL REFERENCES agencies (id),
    -- as A-labels, in lower case; one domain belongs to one agency
    domain TEXT NOT NULL UNIQUE,
    -- of the envelope sender
    bounce_domain TEXT NOT NULL,
    -- [{"selector", "algorithm", "public_key", "sealed", ...}], oldest first
    keys JSONB NOT NULL,
    verified_at TIMESTAMPTZ,
    checked_at TIMESTAMPTZ,
    version BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX mail_domains_by_agency ON mail_domains (agency_id, id);
