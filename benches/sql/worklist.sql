-- GET /v1/debriefs?client_id=…&limit=50: one row more than shown tells whether there is a next page.
\set n random(1, :clients)
SELECT json_agg(page)
FROM (
    SELECT d.id, d.state, d.outcome, d.interviewed_at, d.due_at, d.candidate_side, d.client_side,
        d.candidate_overall, d.client_overall, d.retry_state, d.note_state, d.interview_id, d.version,
        d.created_at, d.updated_at, d.candidate_id, c.name AS candidate_name, d.client_id,
        cl.name AS client_name, d.job_order_id, j.title, d.recruiter_id, u.name AS recruiter_name
    FROM debriefs d
    JOIN candidates c ON c.id = d.candidate_id
    JOIN clients cl ON cl.id = d.client_id
    JOIN job_orders j ON j.id = d.job_order_id
    LEFT JOIN users u ON u.id = d.recruiter_id
    WHERE d.agency_id = (SELECT agency_id FROM bench_clients WHERE n = :n)
        AND d.client_id = (SELECT client_id FROM bench_clients WHERE n = :n)
        AND d.deleted_at IS NULL
    ORDER BY d.interviewed_at, d.id
    LIMIT 51
) page;
