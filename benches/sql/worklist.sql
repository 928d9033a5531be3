-- GET /v1/debriefs?client_id=…&limit=50: one row more than shown tells whether there is a next page.
\set n random(1, :clients)
SELECT json_agg(page)
FROM (
    SELECT d.id, d.interview_id, d.candidate_id, d.client_id, d.job_order_id, d.recruiter_id, d.state, d.outcome,
        d.interviewed_at, d.interview_ends_at, d.due_at, d.candidate_side, d.client_side, d.candidate_overall,
        d.client_overall, d.retry_state, d.note_state, d.released_at, d.closed_at, d.version, d.created_at,
        d.updated_at, c.name AS candidate, cl.name AS client, j.title AS job_order, u.name AS recruiter,
        (SELECT json_agg(json_build_object('id', co.id, 'name', co.name) ORDER BY ic.position)
            FROM interview_contacts ic JOIN contacts co ON co.id = ic.contact_id
            WHERE ic.interview_id = d.interview_id) AS contacts
    FROM debriefs d
    JOIN candidates c ON c.id = d.candidate_id
    JOIN clients cl ON cl.id = d.client_id
    JOIN job_orders j ON j.id = d.job_order_id
    LEFT JOIN users u ON u.id = d.recruiter_id
    WHERE d.agency_id = (SELECT agency_id FROM bench_clients WHERE n = :n)
        AND d.client_id = (SELECT client_id FROM bench_clients WHERE n = :n)
        AND d.deleted_at IS NULL
    ORDER BY d.interviewed_at DESC, d.id DESC
    LIMIT 51
) page;
