//! `/v1/clients`: the hiring companies.

use super::records::record_routes;
use crate::app::clients::{ClientInput, ClientQuery};
use crate::domain::ids::ClientId;
use crate::store::clients::Client;

record_routes!(
    Client,
    ClientInput,
    ClientQuery,
    ClientId,
    "clients",
    "/v1/clients",
    "/v1/clients/{id}",
    "/v1/clients/by-external-id/{system}/{external_id}"
);
