-- GET /v1/debriefs/{id}: the debrief whole, in one statement.
\set n random(1, :debriefs)
SELECT json_build_object(
    'debrief', to_json(d),
    'note_stands', d.note_state IS NOT NULL AND EXISTS (SELECT FROM note_contacts WHERE debrief_id = d.id AND live),
    'interview', to_json(i),
    'candidate', to_json(c),
    'client', to_json(cl),
    'job_order', to_json(j),
    'contacts', (
        SELECT json_agg(co ORDER BY ic.position)
        FROM interview_contacts ic JOIN contacts co ON co.id = ic.contact_id
        WHERE ic.interview_id = d.interview_id),
    'feedback', (
        SELECT json_agg(account ORDER BY account.id)
        FROM (SELECT f.*, (SELECT json_agg(p ORDER BY p.position) FROM points p WHERE p.feedback_id = f.id) AS points
            FROM feedback f WHERE f.debrief_id = d.id) account),
    'retry_requests', (
        SELECT json_agg(r ORDER BY r.id) FROM retry_requests r WHERE r.debrief_id = d.id),
    'notes', (
        SELECT json_agg(note ORDER BY note.id)
        FROM (SELECT n.*, (SELECT json_agg(dl ORDER BY dl.position)
                FROM (SELECT id, contact_id, position, state, attempts, due_at, next_attempt_at, last_code,
                        last_enhanced_code, last_text, message_id, sent_at
                    FROM deliveries WHERE note_id = n.id AND NOT withdrawn) dl) AS deliveries
            FROM notes n WHERE n.debrief_id = d.id) note),
    'recruiter', u.name,
    'competencies', a.competencies
)
FROM debriefs d
JOIN interviews i ON i.id = d.interview_id
JOIN candidates c ON c.id = d.candidate_id
JOIN clients cl ON cl.id = d.client_id
JOIN job_orders j ON j.id = d.job_order_id
JOIN agencies a ON a.id = d.agency_id
LEFT JOIN users u ON u.id = d.recruiter_id
WHERE d.agency_id = (SELECT agency_id FROM bench_debriefs WHERE n = :n)
    AND d.id = (SELECT id FROM bench_debriefs WHERE n = :n);
