-- What still waits to be sent, the longest due first: the worklist is filtered by how late it is.
CREATE INDEX deliveries_unsent ON deliveries (agency_id, due_at, debrief_id)
    WHERE state IN ('queued', 'sending', 'deferred');
