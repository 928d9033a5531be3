-- Numbered lists, so that a script of pgbench can pick a row by a number.
CREATE TABLE bench_debriefs AS
    SELECT (row_number() OVER (ORDER BY id))::integer AS n, agency_id, id FROM debriefs;
CREATE UNIQUE INDEX ON bench_debriefs (n);

CREATE TABLE bench_clients AS
    SELECT (row_number() OVER (ORDER BY client_id))::integer AS n, agency_id, client_id
    FROM debriefs WHERE deleted_at IS NULL GROUP BY agency_id, client_id HAVING count(*) >= 50;
CREATE UNIQUE INDEX ON bench_clients (n);

-- Persons who have been asked for an account and have not given it; no contact is the candidate.
CREATE TABLE bench_people AS
    SELECT l.n, l.debrief_id, f.id AS feedback_id
    FROM bench_listed l JOIN feedback f ON f.debrief_id = l.debrief_id AND f.state = 'requested'
        AND f.contact_id IS NOT DISTINCT FROM l.contact_id;
CREATE UNIQUE INDEX ON bench_people (n);
