-- When mail to an address comes back, every contact of the agency who has it is marked.
CREATE INDEX contacts_by_email ON contacts (agency_id, lower(email));
