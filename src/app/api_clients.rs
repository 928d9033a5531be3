//! API clients: the machine accounts of integrations.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::AppError;
use super::events::Happening;
use super::records::{Expected, expect_version, expect_written};
use crate::auth::caller::Caller;
use crate::auth::secret;
use crate::domain::ids::{AgencyId, ApiClientId};
use crate::domain::people::Scope;
use crate::store::api_clients::{self, ApiClient};
use crate::store::connection::DbConn;
use crate::store::pool::Tx;

/// What makes or changes an API client.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApiClientInput {
    /// What the integration is called.
    #[schema(min_length = 1, max_length = 200, format = "line-not-blank", example = "CRM sync")]
    name: String,
    /// What its tokens may allow.
    #[schema(min_items = 1, max_items = 6)]
    scopes: Vec<Scope>,
    /// Whether it gets no more tokens. Tokens given before stay good until they end.
    #[serde(default)]
    disabled: bool,
}

impl From<&ApiClient> for ApiClientInput {
    fn from(client: &ApiClient) -> Self {
        Self {
            name: client.name.clone(),
            scopes: client.scopes.iter().collect(),
            disabled: client.disabled_at.is_some(),
        }
    }
}

/// An API client with its secret, which is shown this once.
#[derive(Debug, Serialize, ToSchema)]
pub struct ApiClientWithSecret {
    #[expect(missing_docs, reason = "its fields stand for themselves")]
    #[serde(flatten)]
    pub client: ApiClient,
    /// The account's `client_secret`. It is kept as a hash and cannot be shown again.
    pub secret: String,
}

/// Makes an account.
pub fn create(
    tx: &mut Tx<'_>,
    caller: &Caller,
    input: ApiClientInput,
) -> Result<ApiClientWithSecret, AppError> {
    let secret = secret::generate("dbs");
    let client = ApiClient {
        id: tx.new_id(),
        agency_id: caller.agency,
        name: input.name,
        scopes: input.scopes.into_iter().collect(),
        secret_hash: secret::hash(&secret),
        disabled_at: input.disabled.then_some(tx.now()),
        version: 1,
        created_at: tx.now(),
        updated_at: tx.now(),
    };
    api_clients::insert(tx, &client)?;
    Happening::to("api_client.created", client.id).with("version", 1).record(tx, caller);
    Ok(ApiClientWithSecret { client, secret })
}

/// An account of the caller's agency.
pub fn get(conn: &mut DbConn, agency: AgencyId, id: ApiClientId) -> Result<ApiClient, AppError> {
    api_clients::find(conn, agency, id)?.ok_or(AppError::NotFound)
}

/// An account of the caller's agency, taken until the transaction ends: who changes it at the same time
/// waits, and then sees it as it is.
fn hold(tx: &mut Tx<'_>, agency: AgencyId, id: ApiClientId) -> Result<ApiClient, AppError> {
    api_clients::lock(tx, agency, id)?.ok_or(AppError::NotFound)
}

/// Changes an account; `edit` makes the new input of the present one.
pub fn change(
    tx: &mut Tx<'_>,
    caller: &Caller,
    id: ApiClientId,
    expected: Expected,
    edit: impl FnOnce(ApiClientInput) -> Result<ApiClientInput, AppError>,
) -> Result<ApiClient, AppError> {
    let mut client = hold(tx, caller.agency, id)?;
    expect_version(expected, client.version)?;
    let present = ApiClientInput::from(&client);
    let input = edit(present.clone())?;
    if input == present {
        return Ok(client);
    }
    client.name = input.name;
    client.scopes = input.scopes.into_iter().collect();
    client.disabled_at = input.disabled.then(|| client.disabled_at.unwrap_or(tx.now()));
    save(tx, caller, client)
}

/// Gives an account a new secret; the former one is no longer good.
pub fn rotate_secret(
    tx: &mut Tx<'_>,
    caller: &Caller,
    id: ApiClientId,
) -> Result<ApiClientWithSecret, AppError> {
    let mut client = hold(tx, caller.agency, id)?;
    let secret = secret::generate("dbs");
    client.secret_hash = secret::hash(&secret);
    Ok(ApiClientWithSecret { client: save(tx, caller, client)?, secret })
}

fn save(tx: &mut Tx<'_>, caller: &Caller, mut client: ApiClient) -> Result<ApiClient, AppError> {
    let former = tx.renew(&mut client.version, &mut client.updated_at);
    expect_written(api_clients::update(tx, &client, former)?, client.version)?;
    Happening::to("api_client.updated", client.id).with("version", client.version).record(tx, caller);
    Ok(client)
}
