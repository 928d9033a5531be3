-- POST /v1/debriefs/{id}/feedback: the statements of the service, in one transaction. What a caller
-- would send comes from outside (account.py), as it does there.
\set turn :turn + 1
\set n (:turn - 1) * :clients_at_once + :client_id + 1
BEGIN;
SELECT d.*, p.feedback_id AS account, (SELECT a.competencies FROM agencies a WHERE a.id = d.agency_id) AS competencies
FROM bench_people p JOIN debriefs d ON d.id = p.debrief_id
WHERE p.n = :n FOR UPDATE OF d \gset d_
SELECT * FROM feedback WHERE debrief_id = :d_id::uuid AND agency_id = :d_agency_id::uuid ORDER BY side, id;
UPDATE feedback SET state = 'submitted', revision = 1, channel = :channel, first_impression = :first_impression,
    narrative = :narrative, overall = :overall, ratings = :ratings,
    submitted_at = now(), version = version + 1, updated_at = now()
WHERE id = :d_account::uuid AND agency_id = :d_agency_id::uuid AND version = 1;
INSERT INTO points (id, agency_id, debrief_id, feedback_id, position, kind, competency, what, why, next_time, severity)
VALUES
    (gen_random_uuid(), :d_agency_id::uuid, :d_id::uuid, :d_account::uuid, 0, :kind_1, :competency_1, :what_1, :why_1,
        :next_time_1, :severity_1),
    (gen_random_uuid(), :d_agency_id::uuid, :d_id::uuid, :d_account::uuid, 1, :kind_2, :competency_2, :what_2, NULL,
        NULL, :severity_2),
    (gen_random_uuid(), :d_agency_id::uuid, :d_id::uuid, :d_account::uuid, 2, :kind_3, :competency_3, :what_3, NULL,
        NULL, NULL);
INSERT INTO feedback_revisions (feedback_id, revision, agency_id, document, recorded_by, recorded_at)
VALUES (:d_account::uuid, 1, :d_agency_id::uuid, :document, :actor, now());
UPDATE debriefs SET client_side = 'in', client_overall = :overall, version = version + 1, updated_at = now()
WHERE id = :d_id::uuid AND agency_id = :d_agency_id::uuid AND version = :d_version::bigint;
INSERT INTO events (id, agency_id, type, record_id, debrief_id, actor, reason, data, occurred_at)
VALUES
    (gen_random_uuid(), :d_agency_id::uuid, 'feedback.created', :d_account::uuid, :d_id::uuid, :actor, NULL,
        :created, now()),
    (gen_random_uuid(), :d_agency_id::uuid, 'feedback.submitted', :d_account::uuid, :d_id::uuid, :actor, NULL,
        :submitted, now());
COMMIT;
