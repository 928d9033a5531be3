ALTER TABLE delivery_attempts RESET (fillfactor);
ALTER TABLE deliveries RESET (fillfactor);
ALTER TABLE deliveries ALTER COLUMN message SET STORAGE EXTENDED;
