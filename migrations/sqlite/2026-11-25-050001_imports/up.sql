-- Files that are imported: what came, how far it is worked off, and what came of each row.
CREATE TABLE imports (
    id BLOB NOT NULL PRIMARY KEY,
    agency_id BLOB NOT NULL REFERENCES agencies (id),
    kind TEXT NOT NULL,
    format TEXT NOT NULL,
    dry_run INTEGER NOT NULL,
    -- whose ids stand in the columns for ids of another system
    external_system TEXT,
    -- the header of a CSV file; empty otherwise
    header TEXT NOT NULL,
    state TEXT NOT NULL,
    -- why it came to nothing
    reason TEXT,
    -- as whom the rows are written
    actor TEXT NOT NULL,
    rows_total INTEGER NOT NULL,
    rows_done INTEGER NOT NULL,
    rows_created INTEGER NOT NULL,
    rows_updated INTEGER NOT NULL,
    rows_unchanged INTEGER NOT NULL,
    rows_failed INTEGER NOT NULL,
    -- how often it broke since rows were last worked off
    failures INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    started_at INTEGER,
    finished_at INTEGER,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX imports_by_agency ON imports (agency_id, id);
CREATE INDEX imports_unfinished ON imports (id) WHERE finished_at IS NULL;
CREATE INDEX imports_finished ON imports (finished_at) WHERE finished_at IS NOT NULL;

-- Rows that wait to be worked off, a line of JSON each: an array of cells, an object, or, as a string, why
-- the row could not be read. A chunk is gone once its rows are done.
CREATE TABLE import_chunks (
    import_id BLOB NOT NULL REFERENCES imports (id),
    -- counted from 1
    first_row INTEGER NOT NULL,
    agency_id BLOB NOT NULL REFERENCES agencies (id),
    content TEXT NOT NULL,
    PRIMARY KEY (import_id, first_row)
) STRICT;

-- What came of rows, a line of JSON each, without a word of theirs.
CREATE TABLE import_results (
    import_id BLOB NOT NULL REFERENCES imports (id),
    last_row INTEGER NOT NULL,
    agency_id BLOB NOT NULL REFERENCES agencies (id),
    failed INTEGER NOT NULL,
    content TEXT NOT NULL,
    PRIMARY KEY (import_id, last_row)
) STRICT;
CREATE INDEX import_results_failed ON import_results (import_id, last_row) WHERE failed;
