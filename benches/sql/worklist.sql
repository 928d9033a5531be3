-- GET /v1/debriefs?client_id=…&limit=50: one row more than shown tells whether there is a next page.
\set n random(1, :clients)
WITH page AS MATERIALIZED (
    SELECT id, interview_id, candidate_id, client_id, job_order_id, recruiter_id, state, outcome, interviewed_at,
        interview_ends_at, due_at, candidate_side, client_side, candidate_overall, client_overall, retry_state,
        note_state, released_at, closed_at, version, created_at, updated_at
    FROM debriefs
    WHERE agency_id = (SELECT agency_id FROM bench_clients WHERE n = :n)
        AND client_id = (SELECT client_id FROM bench_clients WHERE n = :n)
        AND deleted_at IS NULL
    ORDER BY interviewed_at DESC, id DESC
    LIMIT 51
),
panel AS (
    SELECT ic.interview_id, json_agg(json_build_object('id', co.id, 'name', co.name) ORDER BY ic.position) AS contacts
    FROM interview_contacts ic JOIN contacts co ON co.id = ic.contact_id
    WHERE ic.interview_id = ANY(ARRAY(SELECT interview_id FROM page))
    GROUP BY ic.interview_id
)
SELECT json_agg(row ORDER BY row.interviewed_at DESC, row.id DESC)
FROM (
    SELECT page.*, c.name AS candidate, cl.name AS client, j.title AS job_order, u.name AS recruiter, panel.contacts,
        page.note_state IS NOT NULL AND EXISTS (SELECT 1 FROM note_contacts n WHERE n.debrief_id = page.id AND n.live)
            AS note_stands,
        CASE WHEN page.note_state IS NOT NULL THEN (SELECT min(d.due_at) FROM deliveries d
            WHERE d.debrief_id = page.id AND d.state IN ('queued', 'sending', 'deferred')) END AS unsent_since,
        page.note_state IS NOT NULL AND EXISTS (SELECT 1 FROM deliveries d
            WHERE d.debrief_id = page.id AND d.state = 'unconfirmed' AND NOT d.withdrawn) AS note_unconfirmed
    FROM page
    JOIN candidates c ON c.id = page.candidate_id
    JOIN clients cl ON cl.id = page.client_id
    JOIN job_orders j ON j.id = page.job_order_id
    LEFT JOIN users u ON u.id = page.recruiter_id
    LEFT JOIN panel ON panel.interview_id = page.interview_id
) row;
