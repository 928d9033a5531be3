-- What still waits to be sent, by debrief: the worklist tells since when.
CREATE INDEX deliveries_unsent ON deliveries (debrief_id, due_at) WHERE state IN ('queued', 'sending', 'deferred');
