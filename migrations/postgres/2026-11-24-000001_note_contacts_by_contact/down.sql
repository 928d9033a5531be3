DROP INDEX note_contacts_by_contact;
