-- A row per note and recipient, in a table that few write to: the index is there in a moment.
CREATE INDEX note_contacts_by_contact ON note_contacts (contact_id, note_id);
