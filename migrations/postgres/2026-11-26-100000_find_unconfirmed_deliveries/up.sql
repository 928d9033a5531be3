-- How many deliveries of all agencies nobody knows the fate of is asked whenever the metrics are read.
CREATE INDEX deliveries_unconfirmed ON deliveries (id) WHERE state = 'unconfirmed';
