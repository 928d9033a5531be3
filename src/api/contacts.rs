//! `/v1/contacts`: the people at the hiring companies.

use super::records::record_routes;
use crate::app::contacts::{ContactInput, ContactQuery};
use crate::domain::ids::ContactId;
use crate::store::contacts::Contact;

record_routes!(
    Contact,
    ContactInput,
    ContactQuery,
    ContactId,
    "contacts",
    "/v1/contacts",
    "/v1/contacts/{id}",
    "/v1/contacts/by-external-id/{system}/{external_id}"
);
