-- POST /v1/debriefs/{id}/feedback: what the service reads and writes, in one transaction.
\set turn :turn + 1
\set n (:turn - 1) * :clients_at_once + :client_id + 1
BEGIN;
SELECT d.id AS debrief, d.agency_id AS agency, d.state AS state, d.version AS version, gen_random_uuid() AS feedback
FROM bench_people p JOIN debriefs d ON d.id = p.debrief_id JOIN agencies a ON a.id = d.agency_id
WHERE p.n = :n FOR UPDATE OF d \gset
SELECT f.state, f.side FROM feedback f WHERE f.debrief_id = :debrief;
INSERT INTO feedback (id, agency_id, debrief_id, side, contact_id, state, revision, channel, verbatim,
    first_impression, narrative, overall, ratings, submitted_at, version, created_at, updated_at)
SELECT :feedback::uuid, :agency::uuid, p.debrief_id, CASE WHEN p.contact_id IS NULL THEN 'candidate' ELSE 'client' END,
    p.contact_id, 'submitted', 1, 'phone', false, 'It went worse than I had hoped.',
    'The first half went well. Then came a question about a slow query, and nothing sensible came to mind for what felt like minutes. The rest was friendly, but short.',
    'no_decision',
    '[{"competency": "technical_depth", "rating": "no"}, {"competency": "communication", "rating": "yes"}]',
    now(), 1, now(), now()
FROM bench_people p WHERE p.n = :n;
INSERT INTO points (id, agency_id, debrief_id, feedback_id, position, kind, competency, what, why, next_time, severity)
VALUES
    (gen_random_uuid(), :agency::uuid, :debrief::uuid, :feedback::uuid, 0, 'slip', 'technical_depth',
        'No way into the slow query question', 'Nerves', 'Think aloud', 'serious'),
    (gen_random_uuid(), :agency::uuid, :debrief::uuid, :feedback::uuid, 1, 'slip', 'motivation',
        'Unclear why the change', NULL, NULL, 'noticeable'),
    (gen_random_uuid(), :agency::uuid, :debrief::uuid, :feedback::uuid, 2, 'strength', 'preparation',
        'Good questions about the product', NULL, NULL, NULL);
INSERT INTO feedback_revisions (feedback_id, revision, agency_id, document, recorded_by, recorded_at)
SELECT f.id, 1, f.agency_id, to_jsonb(f), '{"user": "usr_01h455vb4pex5vsknk084sn02q"}', now()
FROM feedback f WHERE f.id = :feedback;
UPDATE debriefs SET client_side = 'in', version = version + 1, updated_at = now()
WHERE id = :debrief AND version = :version;
INSERT INTO events (id, agency_id, type, record_id, debrief_id, actor, data, occurred_at)
VALUES (gen_random_uuid(), :agency::uuid, 'feedback.submitted', :feedback::uuid, :debrief::uuid,
    '{"user": "usr_01h455vb4pex5vsknk084sn02q"}', '{"state": "submitted", "version": 1}', now());
COMMIT;
