DROP INDEX events_by_type;
DROP TABLE feed_horizons;
