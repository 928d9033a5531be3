DROP INDEX deliveries_unsent;
