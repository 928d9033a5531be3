-- POST /v1/debriefs/{id}/feedback: the statements of the service, in one transaction.
\set turn :turn + 1
\set n (:turn - 1) * :clients_at_once + :client_id + 1
BEGIN;
SELECT d.*, p.feedback_id AS account, (SELECT a.competencies FROM agencies a WHERE a.id = d.agency_id) AS competencies
FROM bench_people p JOIN debriefs d ON d.id = p.debrief_id
WHERE p.n = :n FOR UPDATE OF d \gset d_
SELECT * FROM feedback WHERE debrief_id = :d_id::uuid AND agency_id = :d_agency_id::uuid ORDER BY side, id;
UPDATE feedback SET state = 'submitted', revision = 1, channel = 'phone',
    first_impression = 'It went worse than I had hoped.',
    narrative = 'The first half went well. Then came a question about a slow query, and nothing sensible came to mind for what felt like minutes. The rest was friendly, but short.',
    overall = 'no_decision',
    ratings = '[{"competency": "technical_depth", "rating": "no"}, {"competency": "communication", "rating": "yes"}]',
    submitted_at = now(), version = version + 1, updated_at = now()
WHERE id = :d_account::uuid AND agency_id = :d_agency_id::uuid AND version = 1;
INSERT INTO points (id, agency_id, debrief_id, feedback_id, position, kind, competency, what, why, next_time, severity)
VALUES
    (gen_random_uuid(), :d_agency_id::uuid, :d_id::uuid, :d_account::uuid, 0, 'slip', 'technical_depth',
        'No way into the slow query question', 'Nerves', 'Think aloud', 'serious'),
    (gen_random_uuid(), :d_agency_id::uuid, :d_id::uuid, :d_account::uuid, 1, 'slip', 'motivation',
        'Unclear why the change', NULL, NULL, 'noticeable'),
    (gen_random_uuid(), :d_agency_id::uuid, :d_id::uuid, :d_account::uuid, 2, 'strength', 'preparation',
        'Good questions about the product', NULL, NULL, NULL);
INSERT INTO feedback_revisions (feedback_id, revision, agency_id, document, recorded_by, recorded_at)
VALUES (:d_account::uuid, 1, :d_agency_id::uuid,
    '{"side": "client", "channel": "phone", "verbatim": false, "first_impression": "It went worse than I had hoped.", "narrative": "The first half went well. Then came a question about a slow query, and nothing sensible came to mind for what felt like minutes. The rest was friendly, but short.", "overall": "no_decision", "ratings": [{"competency": "technical_depth", "rating": "no"}, {"competency": "communication", "rating": "yes"}], "points": [{"id": "pnt_01m81yfteme25sz08b4yeqw0ka", "kind": "slip", "competency": "technical_depth", "what": "No way into the slow query question", "why": "Nerves", "next_time": "Think aloud", "severity": "serious"}, {"id": "pnt_01m81yfteme25r2s5syb084p8t", "kind": "slip", "competency": "motivation", "what": "Unclear why the change", "severity": "noticeable"}, {"id": "pnt_01m81yfteme25vvycqkvmzskm5", "kind": "strength", "competency": "preparation", "what": "Good questions about the product"}]}',
    '{"kind": "user", "id": "usr_01m81yfrhres0r37et4vw2rrj1"}', now());
UPDATE debriefs SET client_side = 'in', client_overall = 'no_decision', version = version + 1, updated_at = now()
WHERE id = :d_id::uuid AND agency_id = :d_agency_id::uuid AND version = :d_version::bigint;
INSERT INTO events (id, agency_id, type, record_id, debrief_id, actor, reason, data, occurred_at)
VALUES
    (gen_random_uuid(), :d_agency_id::uuid, 'feedback.created', :d_account::uuid, :d_id::uuid,
        '{"kind": "user", "id": "usr_01m81yfrhres0r37et4vw2rrj1"}', NULL,
        '{"id": "fbk_01m81yfsx3em9asqm30k8cx0y8", "side": "client", "state": "draft", "version": 2, "revision": 0, "debrief_id": "dbf_01m81yfsx3em99mmtyf9taxb2g"}', now()),
    (gen_random_uuid(), :d_agency_id::uuid, 'feedback.submitted', :d_account::uuid, :d_id::uuid,
        '{"kind": "user", "id": "usr_01m81yfrhres0r37et4vw2rrj1"}', NULL,
        '{"id": "fbk_01m81yfsx3em9asqm30k8cx0y8", "side": "client", "state": "submitted", "version": 2, "revision": 1, "debrief_id": "dbf_01m81yfsx3em99mmtyf9taxb2g"}', now());
COMMIT;
