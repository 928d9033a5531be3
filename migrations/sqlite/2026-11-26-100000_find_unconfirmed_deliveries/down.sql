DROP INDEX deliveries_unconfirmed;
