CREATE INDEX retry_requests_by_time_asked ON retry_requests (put_to_client_at) WHERE is_open;
