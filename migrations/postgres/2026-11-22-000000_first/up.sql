-- The agency and its people -------------------------------------------------------------------

CREATE TABLE agencies (
    id UUID PRIMARY KEY,
    name TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    -- {"sender_name", ...}: how the agency's mail presents itself
    mail JSONB NOT NULL,
    -- [{"key", "name", "archived"}], in the agency's order: read with every debrief, so kept here
    competencies JSONB NOT NULL,
    version BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE users (
    id UUID PRIMARY KEY,
    agency_id UUID NOT NULL REFERENCES agencies (id),
    -- lower case; one address signs in to one agency
    email TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    disabled_at TIMESTAMPTZ,
    version BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX users_by_agency ON users (agency_id, id);

-- One row per refresh token ever given; a family is one sign-in.
CREATE TABLE refresh_tokens (
    token_hash BYTEA PRIMARY KEY,
    family_id UUID NOT NULL,
    user_id UUID NOT NULL REFERENCES users (id),
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    used_at TIMESTAMPTZ,
    revoked_at TIMESTAMPTZ
);
CREATE INDEX refresh_tokens_by_family ON refresh_tokens (family_id);
CREATE INDEX refresh_tokens_by_user ON refresh_tokens (user_id);
CREATE INDEX refresh_tokens_by_expiry ON refresh_tokens (expires_at);

CREATE TABLE api_clients (
    id UUID PRIMARY KEY,
    agency_id UUID NOT NULL REFERENCES agencies (id),
    name TEXT NOT NULL,
    scopes TEXT NOT NULL,
    secret_hash BYTEA NOT NULL,
    disabled_at TIMESTAMPTZ,
    version BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX api_clients_by_agency ON api_clients (agency_id, id);

-- The records that a CRM knows too ------------------------------------------------------------

CREATE TABLE clients (
    id UUID PRIMARY KEY,
    agency_id UUID NOT NULL REFERENCES agencies (id),
    name TEXT NOT NULL,
    notes TEXT,
    -- [{"system", "id"}], as in external_refs
    external_refs JSONB NOT NULL,
    version BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    deleted_at TIMESTAMPTZ
);
CREATE INDEX clients_by_id ON clients (agency_id, id);
CREATE INDEX clients_by_update ON clients (agency_id, updated_at, id);

CREATE TABLE contacts (
    id UUID PRIMARY KEY,
    agency_id UUID NOT NULL REFERENCES agencies (id),
    client_id UUID NOT NULL REFERENCES clients (id),
    name TEXT NOT NULL,
    email TEXT,
    phone TEXT,
    role TEXT NOT NULL,
    off_limits BOOLEAN NOT NULL,
    email_status TEXT NOT NULL,
    -- [{"system", "id"}], as in external_refs
    external_refs JSONB NOT NULL,
    version BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    deleted_at TIMESTAMPTZ
);
CREATE INDEX contacts_by_id ON contacts (agency_id, id);
CREATE INDEX contacts_by_update ON contacts (agency_id, updated_at, id);
CREATE INDEX contacts_by_client ON contacts (client_id, id);

CREATE TABLE candidates (
    id UUID PRIMARY KEY,
    agency_id UUID NOT NULL REFERENCES agencies (id),
    name TEXT NOT NULL,
    email TEXT,
    phone TEXT,
    locale TEXT,
    time_zone TEXT NOT NULL,
    -- [{"system", "id"}], as in external_refs
    external_refs JSONB NOT NULL,
    version BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    deleted_at TIMESTAMPTZ
);
CREATE INDEX candidates_by_id ON candidates (agency_id, id);
CREATE INDEX candidates_by_update ON candidates (agency_id, updated_at, id);

CREATE TABLE job_orders (
    id UUID PRIMARY KEY,
    agency_id UUID NOT NULL REFERENCES agencies (id),
    client_id UUID NOT NULL REFERENCES clients (id),
    title TEXT NOT NULL,
    status TEXT NOT NULL,
    notes TEXT,
    -- [{"system", "id"}], as in external_refs
    external_refs JSONB NOT NULL,
    version BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    deleted_at TIMESTAMPTZ
);
CREATE INDEX job_orders_by_id ON job_orders (agency_id, id);
CREATE INDEX job_orders_by_update ON job_orders (agency_id, updated_at, id);
CREATE INDEX job_orders_by_client ON job_orders (client_id, id);

CREATE TABLE interviews (
    id UUID PRIMARY KEY,
    agency_id UUID NOT NULL REFERENCES agencies (id),
    candidate_id UUID NOT NULL REFERENCES candidates (id),
    job_order_id UUID NOT NULL REFERENCES job_orders (id),
    round INTEGER NOT NULL,
    format TEXT NOT NULL,
    starts_at TIMESTAMPTZ NOT NULL,
    ends_at TIMESTAMPTZ NOT NULL,
    time_zone TEXT NOT NULL,
    status TEXT NOT NULL,
    retry_of_interview_id UUID REFERENCES interviews (id),
    -- [{"item", "done"}]
    preparation JSONB NOT NULL,
    -- [{"system", "id"}], as in external_refs
    external_refs JSONB NOT NULL,
    version BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    deleted_at TIMESTAMPTZ
);
CREATE INDEX interviews_by_id ON interviews (agency_id, id);
CREATE INDEX interviews_by_update ON interviews (agency_id, updated_at, id);
CREATE INDEX interviews_by_candidate ON interviews (candidate_id, id);
CREATE INDEX interviews_by_job_order ON interviews (job_order_id, id);

CREATE TABLE interview_contacts (
    interview_id UUID NOT NULL REFERENCES interviews (id),
    contact_id UUID NOT NULL REFERENCES contacts (id),
    position INTEGER NOT NULL,
    PRIMARY KEY (interview_id, contact_id)
);
CREATE INDEX interview_contacts_by_contact ON interview_contacts (contact_id, interview_id);

-- What other systems call a record. `record_id` is of the table that `kind` names.
CREATE TABLE external_refs (
    agency_id UUID NOT NULL REFERENCES agencies (id),
    kind TEXT NOT NULL,
    system TEXT NOT NULL,
    external_id TEXT NOT NULL,
    record_id UUID NOT NULL,
    PRIMARY KEY (agency_id, kind, system, external_id)
);
CREATE INDEX external_refs_by_record ON external_refs (record_id);

-- Every suffix of every folded name, so that any part of a name is found by an index range that
-- is the same on both databases. The collation is that of bytes.
CREATE TABLE name_parts (
    agency_id UUID NOT NULL,
    kind TEXT NOT NULL,
    part TEXT COLLATE "C" NOT NULL,
    record_id UUID NOT NULL,
    PRIMARY KEY (agency_id, kind, part, record_id)
);
CREATE INDEX name_parts_by_record ON name_parts (record_id);

-- The debrief ---------------------------------------------------------------------------------

CREATE TABLE debriefs (
    id UUID PRIMARY KEY,
    agency_id UUID NOT NULL REFERENCES agencies (id),
    interview_id UUID NOT NULL UNIQUE REFERENCES interviews (id),
    candidate_id UUID NOT NULL REFERENCES candidates (id),
    client_id UUID NOT NULL REFERENCES clients (id),
    job_order_id UUID NOT NULL REFERENCES job_orders (id),
    recruiter_id UUID REFERENCES users (id),
    state TEXT NOT NULL,
    outcome TEXT,
    -- the interview's start and end, kept here for the worklist's order and filters
    interviewed_at TIMESTAMPTZ NOT NULL,
    interview_ends_at TIMESTAMPTZ NOT NULL,
    due_at TIMESTAMPTZ NOT NULL,
    -- what the worklist shows of the sides, the retry request and the note
    candidate_side TEXT NOT NULL,
    client_side TEXT NOT NULL,
    candidate_overall TEXT,
    client_overall TEXT,
    retry_state TEXT,
    note_state TEXT,
    -- [{"id", "points": [id, id], "same", ...}]: the recruiter's own matches
    matches JSONB NOT NULL,
    released_at TIMESTAMPTZ,
    closed_at TIMESTAMPTZ,
    version BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    deleted_at TIMESTAMPTZ
);
CREATE INDEX debriefs_by_interview_time ON debriefs (agency_id, interviewed_at, id);
CREATE INDEX debriefs_by_due_time ON debriefs (agency_id, due_at, id);
CREATE INDEX debriefs_by_state ON debriefs (agency_id, state, due_at, id);
CREATE INDEX debriefs_by_update ON debriefs (agency_id, updated_at, id);
CREATE INDEX debriefs_by_client ON debriefs (client_id, interviewed_at, id);
CREATE INDEX debriefs_by_candidate ON debriefs (candidate_id, interviewed_at, id);
CREATE INDEX debriefs_by_job_order ON debriefs (job_order_id, interviewed_at, id);
CREATE INDEX debriefs_by_recruiter ON debriefs (recruiter_id, interviewed_at, id);
CREATE INDEX debriefs_to_open ON debriefs (interview_ends_at) WHERE state = 'scheduled' AND deleted_at IS NULL;

-- One row per person who speaks in a debrief: the account as it stands now.
CREATE TABLE feedback (
    id UUID PRIMARY KEY,
    agency_id UUID NOT NULL REFERENCES agencies (id),
    debrief_id UUID NOT NULL REFERENCES debriefs (id),
    side TEXT NOT NULL,
    contact_id UUID REFERENCES contacts (id),
    state TEXT NOT NULL,
    revision INTEGER NOT NULL,
    said_by TEXT,
    channel TEXT,
    verbatim BOOLEAN NOT NULL,
    first_impression TEXT,
    narrative TEXT,
    overall TEXT,
    -- [{"competency", "rating", "note"}]
    ratings JSONB NOT NULL,
    -- for the agency's eyes only
    agency_only JSONB,
    waived_reason TEXT,
    submitted_at TIMESTAMPTZ,
    version BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX feedback_by_debrief ON feedback (debrief_id, id);
CREATE UNIQUE INDEX feedback_of_candidate ON feedback (debrief_id) WHERE side = 'candidate';
CREATE UNIQUE INDEX feedback_of_contact ON feedback (debrief_id, contact_id) WHERE contact_id IS NOT NULL;
CREATE UNIQUE INDEX feedback_of_client ON feedback (debrief_id) WHERE side = 'client' AND contact_id IS NULL;

-- Every submitted revision, whole, as it was submitted.
CREATE TABLE feedback_revisions (
    feedback_id UUID NOT NULL REFERENCES feedback (id),
    revision INTEGER NOT NULL,
    agency_id UUID NOT NULL REFERENCES agencies (id),
    document JSONB NOT NULL,
    -- who said it stands in the document; who typed it stands here
    recorded_by JSONB NOT NULL,
    recorded_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (feedback_id, revision)
);

CREATE TABLE points (
    id UUID PRIMARY KEY,
    agency_id UUID NOT NULL REFERENCES agencies (id),
    debrief_id UUID NOT NULL REFERENCES debriefs (id),
    feedback_id UUID NOT NULL REFERENCES feedback (id),
    position INTEGER NOT NULL,
    kind TEXT NOT NULL,
    competency TEXT,
    what TEXT NOT NULL,
    why TEXT,
    next_time TEXT,
    question_asked TEXT,
    wished_answer TEXT,
    severity TEXT,
    address TEXT
);
CREATE INDEX points_by_debrief ON points (debrief_id, feedback_id, position);
CREATE INDEX points_by_feedback ON points (feedback_id);

CREATE TABLE activities (
    id UUID PRIMARY KEY,
    agency_id UUID NOT NULL REFERENCES agencies (id),
    debrief_id UUID NOT NULL REFERENCES debriefs (id),
    contact_id UUID REFERENCES contacts (id),
    kind TEXT NOT NULL,
    outcome TEXT NOT NULL,
    summary TEXT,
    conflict_of_interest BOOLEAN NOT NULL,
    occurred_at TIMESTAMPTZ NOT NULL,
    recorded_by JSONB NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX activities_by_debrief ON activities (debrief_id, id);

CREATE TABLE retry_requests (
    id UUID PRIMARY KEY,
    agency_id UUID NOT NULL REFERENCES agencies (id),
    debrief_id UUID NOT NULL REFERENCES debriefs (id),
    interview_id UUID NOT NULL REFERENCES interviews (id),
    client_id UUID NOT NULL REFERENCES clients (id),
    state TEXT NOT NULL,
    -- true while the state is one of those in which no second request may stand beside it
    is_open BOOLEAN NOT NULL,
    grounds TEXT NOT NULL,
    what_would_differ TEXT NOT NULL,
    candidate_words TEXT NOT NULL,
    contact_id UUID REFERENCES contacts (id),
    channel TEXT,
    note TEXT,
    reason TEXT,
    proposal TEXT,
    scheduled_interview_id UUID REFERENCES interviews (id),
    put_to_client_at TIMESTAMPTZ,
    decided_at TIMESTAMPTZ,
    version BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX retry_requests_by_id ON retry_requests (agency_id, id);
CREATE INDEX retry_requests_by_state ON retry_requests (agency_id, state, id);
CREATE INDEX retry_requests_by_update ON retry_requests (agency_id, updated_at, id);
CREATE INDEX retry_requests_by_client ON retry_requests (client_id, id);
CREATE INDEX retry_requests_by_debrief ON retry_requests (debrief_id, id);
CREATE INDEX retry_requests_by_time_asked ON retry_requests (put_to_client_at) WHERE is_open;
CREATE UNIQUE INDEX retry_requests_one_open ON retry_requests (interview_id) WHERE is_open;

-- The note and its relay ----------------------------------------------------------------------

CREATE TABLE notes (
    id UUID PRIMARY KEY,
    agency_id UUID NOT NULL REFERENCES agencies (id),
    debrief_id UUID NOT NULL REFERENCES debriefs (id),
    -- in the order of the note; note_contacts keeps them for the rule of one live note
    contact_ids JSONB NOT NULL,
    state TEXT NOT NULL,
    subject TEXT NOT NULL,
    body TEXT NOT NULL,
    language TEXT,
    content_hash TEXT NOT NULL,
    reason TEXT,
    approved_hash TEXT,
    approved_by JSONB,
    approved_at TIMESTAMPTZ,
    send_at TIMESTAMPTZ,
    version BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX notes_by_id ON notes (agency_id, id);
CREATE INDEX notes_by_state ON notes (agency_id, state, id);
CREATE INDEX notes_by_update ON notes (agency_id, updated_at, id);
CREATE INDEX notes_by_debrief ON notes (debrief_id, id);

CREATE TABLE note_contacts (
    note_id UUID NOT NULL REFERENCES notes (id),
    contact_id UUID NOT NULL REFERENCES contacts (id),
    debrief_id UUID NOT NULL REFERENCES debriefs (id),
    -- false once it came to nothing for this contact: then another note may take its place
    live BOOLEAN NOT NULL,
    PRIMARY KEY (note_id, contact_id)
);
CREATE UNIQUE INDEX note_contacts_one_live ON note_contacts (debrief_id, contact_id) WHERE live;

-- One row per note and contact, frozen when the note is approved: every attempt sends these bytes.
CREATE TABLE deliveries (
    id UUID PRIMARY KEY,
    agency_id UUID NOT NULL REFERENCES agencies (id),
    debrief_id UUID NOT NULL REFERENCES debriefs (id),
    note_id UUID NOT NULL REFERENCES notes (id),
    contact_id UUID NOT NULL REFERENCES contacts (id),
    position INTEGER NOT NULL,
    state TEXT NOT NULL,
    -- past the commit point: from here on only the server's answer can tell what became of it
    transmitting BOOLEAN NOT NULL,
    -- taken back because the text changed: a later approval has deliveries of its own
    withdrawn BOOLEAN NOT NULL,
    attempts INTEGER NOT NULL,
    -- when it was to leave at first: trying again ends so long after this
    due_at TIMESTAMPTZ NOT NULL,
    next_attempt_at TIMESTAMPTZ,
    -- rises with every claim; an outcome is written only under the token of its claim
    lease_token BIGINT NOT NULL,
    lease_until TIMESTAMPTZ,
    envelope_from TEXT NOT NULL,
    envelope_to TEXT NOT NULL,
    message_id TEXT NOT NULL,
    message BYTEA NOT NULL,
    last_code INTEGER,
    last_enhanced_code TEXT,
    last_text TEXT,
    sent_at TIMESTAMPTZ,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX deliveries_by_note ON deliveries (note_id, position);
CREATE UNIQUE INDEX deliveries_one_per_contact ON deliveries (note_id, contact_id) WHERE NOT withdrawn;
CREATE INDEX deliveries_by_debrief ON deliveries (debrief_id, note_id);
CREATE INDEX deliveries_by_state ON deliveries (agency_id, state, note_id);
CREATE INDEX deliveries_due ON deliveries (next_attempt_at) WHERE state IN ('queued', 'deferred');
CREATE INDEX deliveries_leased ON deliveries (lease_until) WHERE state = 'sending';

CREATE TABLE delivery_attempts (
    delivery_id UUID NOT NULL REFERENCES deliveries (id),
    number INTEGER NOT NULL,
    agency_id UUID NOT NULL REFERENCES agencies (id),
    host TEXT NOT NULL,
    started_at TIMESTAMPTZ NOT NULL,
    finished_at TIMESTAMPTZ,
    -- what came of it, as the delivery's state afterwards; none while it runs
    outcome TEXT,
    -- the step of the conversation that was reached
    step TEXT,
    code INTEGER,
    enhanced_code TEXT,
    text TEXT,
    PRIMARY KEY (delivery_id, number)
);

-- What happened: the history of every record, and later the change feed -----------------------

CREATE TABLE events (
    seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id UUID NOT NULL UNIQUE,
    agency_id UUID NOT NULL REFERENCES agencies (id),
    type TEXT NOT NULL,
    record_id UUID NOT NULL,
    debrief_id UUID,
    actor JSONB NOT NULL,
    reason TEXT,
    -- thin: ids, state, version
    data JSONB NOT NULL,
    occurred_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX events_by_debrief ON events (debrief_id, seq);
CREATE INDEX events_by_agency ON events (agency_id, seq);
