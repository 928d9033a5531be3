//! Clients: the hiring companies.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::AppError;
use super::faults::Faults;
use super::records::{Common, HasRefs, Input, Record, common_query, row_methods};
use crate::domain::ids::{AgencyId, ClientId, Id, kinds};
use crate::domain::record::{ExternalRef, RecordKind};
use crate::domain::search::NamePart;
use crate::domain::timestamp::Timestamp;
use crate::store::clients::{self, Client};
use crate::store::connection::DbConn;
use crate::store::pool::Tx;
use crate::store::record::ListOptions;
use crate::store::types::Json;

/// What makes or changes a client.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClientInput {
    /// What the company is called.
    #[schema(min_length = 1, max_length = 200, format = "line-not-blank", example = "Nordwind Logistics")]
    name: String,
    /// What the agency should know.
    #[schema(max_length = 10_000, format = "text")]
    notes: Option<String>,
    /// What other systems call it. With an id of another system, what it is called stays as it was if
    /// this is absent.
    #[schema(max_items = 20)]
    external_refs: Option<Vec<ExternalRef>>,
}

/// Which clients are wanted.
#[derive(Debug, Clone, Default, Deserialize, ToSchema, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ClientQuery {
    /// Only those whose name has this part; case and accents do not count.
    q: Option<NamePart>,
    /// Only those changed at this time or later, oldest change first.
    updated_since: Option<Timestamp>,
    /// Tombstones too.
    include_deleted: Option<bool>,
}
common_query!(ClientQuery);

impl ClientQuery {
    /// A client's list has no filters of its own.
    #[expect(clippy::unused_self, reason = "other kinds read theirs from it")]
    const fn filters(&self) {}
}

impl Input for ClientInput {}

impl HasRefs for ClientInput {
    fn refs_mut(&mut self) -> &mut Option<Vec<ExternalRef>> {
        &mut self.external_refs
    }
}

impl Record for Client {
    type Kind = kinds::Client;
    type Input = ClientInput;
    type Query = ClientQuery;
    const KIND: RecordKind = Self::KIND;
    const NOUN: &'static str = "client";

    fn build(
        _: &mut Tx<'_>,
        common: Common<kinds::Client>,
        input: ClientInput,
        _: Option<&Self>,
        _: &mut Faults,
    ) -> Result<Self, AppError> {
        Ok(Self {
            id: common.id,
            agency_id: common.agency_id,
            name: input.name,
            notes: input.notes,
            external_refs: Json(input.external_refs.unwrap_or_default()),
            version: common.version,
            created_at: common.created_at,
            updated_at: common.updated_at,
            deleted_at: common.deleted_at,
        })
    }

    fn input(&self) -> ClientInput {
        ClientInput {
            name: self.name.clone(),
            notes: self.notes.clone(),
            external_refs: Some(self.external_refs.0.clone()),
        }
    }

    fn known_as(&self) -> Option<&str> {
        Some(&self.name)
    }

    fn in_use(&self, conn: &mut DbConn) -> Result<Option<&'static str>, AppError> {
        let used = clients::has_dependents(conn, self.id)?;
        Ok(used.then_some("the client still has contacts or job orders"))
    }

    row_methods!(clients);
}

/// Notes a fault unless the client that `/client_id` names stands; it then keeps standing until the
/// transaction ends.
pub(in crate::app) fn check_client(
    tx: &mut Tx<'_>,
    agency: AgencyId,
    client: ClientId,
    faults: &mut Faults,
) -> Result<(), AppError> {
    if clients::pin(tx, agency, client)?.is_none_or(|client| client.deleted_at.is_some()) {
        faults.unknown("/client_id", "client");
    }
    Ok(())
}
