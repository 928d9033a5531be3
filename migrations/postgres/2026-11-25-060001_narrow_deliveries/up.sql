-- The relay writes a delivery three times. Its message never changes, so it lies beside the row and is not
-- written again with it; and each page keeps room, so that the mark of the commit point, which no index knows,
-- stays on the page of the row and no index is written for it. The same for the end of an attempt. What stands
-- already stays as it is.
ALTER TABLE deliveries ALTER COLUMN message SET STORAGE EXTERNAL;
ALTER TABLE deliveries SET (fillfactor = 50);
ALTER TABLE delivery_attempts SET (fillfactor = 70);
