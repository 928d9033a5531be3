-- Numbered lists, so that a script of pgbench can pick a row by a random number.
CREATE TABLE bench_debriefs AS
    SELECT (row_number() OVER (ORDER BY id))::integer AS n, agency_id, id FROM debriefs;
CREATE UNIQUE INDEX ON bench_debriefs (n);

CREATE TABLE bench_clients AS
    SELECT (row_number() OVER (ORDER BY client_id))::integer AS n, agency_id, client_id
    FROM debriefs WHERE deleted_at IS NULL GROUP BY agency_id, client_id HAVING count(*) >= 50;
CREATE UNIQUE INDEX ON bench_clients (n);

-- Filled by COPY: persons who have not given an account; no contact_id is the candidate.
CREATE TABLE bench_people (n INTEGER PRIMARY KEY, debrief_id UUID NOT NULL, contact_id UUID);
