//! Signing in: passwords for people, secrets for integrations, refresh tokens for both to stay.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::agencies::{self, NewAgency};
use super::users::fold_email;
use super::{AppError, Context};
use crate::auth::caller::{Actor, Caller};
use crate::auth::secret;
use crate::domain::ids::{ApiClientId, SignInId};
use crate::domain::people::Scopes;
use crate::store::pool::Tx;
use crate::store::sign_ins::{self, RefreshToken};
use crate::store::users::{self, User};
use crate::store::{agencies as agency_store, api_clients};

/// The answer to a sign-in.
#[derive(Debug, Serialize, ToSchema)]
pub struct TokenPair {
    /// A JWT for the `Authorization` header.
    pub access_token: String,
    /// Always `Bearer`.
    #[schema(example = "Bearer")]
    pub token_type: &'static str,
    /// How long the access token is good, in seconds.
    #[schema(example = 900)]
    pub expires_in: i64,
    /// Good once, for the next pair.
    pub refresh_token: String,
}

/// The answer to an integration's sign-in (RFC 6749, section 5.1).
#[derive(Debug, Serialize, ToSchema)]
pub struct ClientToken {
    /// A JWT for the `Authorization` header.
    pub access_token: String,
    /// Always `Bearer`.
    #[schema(example = "Bearer")]
    pub token_type: &'static str,
    /// How long the access token is good, in seconds.
    #[schema(example = 900)]
    pub expires_in: i64,
    /// What the token allows.
    pub scope: Scopes,
}

/// What a user signs in with.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// The user's address.
    #[schema(max_length = 254)]
    pub email: String,
    /// The user's password.
    #[schema(max_length = 1024)]
    pub password: String,
}

/// A refresh token.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Refresh {
    /// The `refresh_token` of the last answer.
    #[schema(max_length = 255)]
    pub refresh_token: String,
}

/// What begins the first agency.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Setup {
    /// The one-time token that the server printed.
    #[schema(max_length = 255)]
    pub token: String,
    /// The agency's name.
    #[schema(min_length = 1, max_length = 200, format = "line-not-blank")]
    pub agency_name: String,
    /// The administrator's name.
    #[schema(min_length = 1, max_length = 200, format = "line-not-blank")]
    pub name: String,
    /// The administrator's address.
    #[schema(max_length = 254, format = "idn-email")]
    pub email: String,
    /// The administrator's password; 8 to 128 characters, taken as they are. Common ones are refused.
    #[schema(min_length = 8, max_length = 128, example = "correct horse battery")]
    pub password: String,
}

/// One and the same for an unknown user, a wrong password and a user who was disabled.
const REFUSED: AppError = AppError::Unauthorized("the address or the password is not right");
/// The answer to a refresh token that is not good.
pub const REFRESH_REFUSED: AppError = AppError::Unauthorized("the refresh token is not, or no longer, good");

/// A set-up that was found to be good, as far as can be told before its transaction.
pub struct Prepared {
    new: NewAgency,
    password_hash: String,
}

/// Not found once there is an agency.
pub async fn still_to_set_up(context: &Context) -> Result<(), AppError> {
    if context.read(|conn| Ok(agency_store::any(conn)?)).await? { Err(AppError::NotFound) } else { Ok(()) }
}

/// Gets the first agency ready. Not found once there is an agency.
pub async fn prepare(context: &Context, setup: Setup) -> Result<Prepared, AppError> {
    still_to_set_up(context).await?;
    if !context.setup_token.matches(&setup.token) {
        return Err(AppError::NotFound);
    }
    let Setup { agency_name, name, email, password, .. } = setup;
    let new = NewAgency { agency_name, name, email, password };
    agencies::check_new(&new)?;
    let password_hash = context.hasher.hash(new.password.clone()).await?;
    Ok(Prepared { new, password_hash })
}

/// Makes the first agency and signs its administrator in.
pub fn set_up(tx: &mut Tx<'_>, session: &Session, prepared: Prepared) -> Result<TokenPair, AppError> {
    // Of two set-ups at once, the second finds the first one's agency.
    agency_store::lock_all(tx)?;
    if agency_store::any(tx)? {
        return Err(AppError::NotFound);
    }
    let (_, admin) = agencies::create(tx, prepared.new, prepared.password_hash)?;
    session.begin(tx, &admin)
}

/// A user whose password was right.
pub struct Verified(User);

/// Verifies a user's password. An unknown user takes as long as a wrong password.
pub async fn verify(context: &Context, login: Login) -> Result<Verified, AppError> {
    let email = fold_email(&login.email);
    let user = context.read(move |conn| Ok(users::find_by_email(conn, &email)?)).await?;
    let user = user.filter(|user| user.disabled_at.is_none());
    let kept = user.as_ref().map(|user| user.password_hash.clone());
    let right = context.hasher.verify(login.password, kept).await?;
    user.filter(|_| right).map(Verified).ok_or(REFUSED)
}

/// Signs a user in.
pub fn log_in(tx: &mut Tx<'_>, session: &Session, verified: &Verified) -> Result<TokenPair, AppError> {
    let Verified(user) = verified;
    // The password may have been changed, or the user disabled, while it was verified.
    let present = users::lock(tx, user.id)?.filter(|present| present.disabled_at.is_none());
    let present = present.filter(|present| present.password_hash == user.password_hash);
    session.begin(tx, &present.ok_or(REFUSED)?)
}

/// Exchanges a refresh token for a new pair. A token that was exchanged before is in two hands:
/// its whole family is revoked (RFC 9700, section 4.14.2). A token that is not good is no error here,
/// but [`REFRESH_REFUSED`] once the transaction is committed: the revocation has to stand.
pub fn refresh(tx: &mut Tx<'_>, session: &Session, refresh: &Refresh) -> Result<Option<TokenPair>, AppError> {
    let hash = secret::hash(&refresh.refresh_token);
    // The user comes first, as where a password is changed: so whatever ends the user's sign-ins
    // finds the token that is given here, or this finds them ended.
    let Some(owner) = sign_ins::owner_of(tx, &hash)? else { return Ok(None) };
    let user = users::lock(tx, owner)?.filter(|user| user.disabled_at.is_none());
    let Some(token) = sign_ins::lock(tx, &hash)? else { return Ok(None) };
    let now = tx.now();
    if token.revoked_at.is_some() || token.expires_at <= now {
        return Ok(None);
    }
    if token.used_at.is_some() {
        sign_ins::revoke(tx, token.family_id, now)?;
        return Ok(None);
    }
    let Some(user) = user else { return Ok(None) };
    sign_ins::mark_used(tx, &hash, now)?;
    session.carry_on(tx, &user, token.family_id).map(Some)
}

/// Ends the sign-in that a refresh token belongs to. A token that is unknown ends nothing, and
/// that is fine too (RFC 7009, section 2.2).
pub fn log_out(tx: &mut Tx<'_>, refresh: &Refresh) -> Result<(), AppError> {
    let hash = secret::hash(&refresh.refresh_token);
    let Some(owner) = sign_ins::owner_of(tx, &hash)? else { return Ok(()) };
    users::lock(tx, owner)?;
    if let Some(token) = sign_ins::lock(tx, &hash)? {
        let now = tx.now();
        sign_ins::revoke(tx, token.family_id, now)?;
    }
    Ok(())
}

/// Forgets refresh tokens that have ended, at most `limit` of them; says how many.
pub fn forget_expired(tx: &mut Tx<'_>, limit: i64) -> Result<usize, AppError> {
    let now = tx.now();
    Ok(sign_ins::forget_expired(tx, now, limit)?)
}

/// Why an integration gets no token, in the words of RFC 6749, section 5.2.
#[derive(Debug)]
pub enum GrantError {
    /// The account or its secret is not right.
    InvalidClient,
    /// More is asked for than the account may have.
    InvalidScope,
    /// Something else went wrong.
    Failed(AppError),
}

impl From<AppError> for GrantError {
    fn from(error: AppError) -> Self {
        Self::Failed(error)
    }
}

/// Signs an integration in: the client credentials grant (RFC 6749, section 4.4).
pub async fn grant(
    context: &Context,
    id: &str,
    given_secret: &str,
    scope: Option<&str>,
) -> Result<ClientToken, GrantError> {
    let id: Option<ApiClientId> = id.parse().ok();
    let client = context
        .read(move |conn| Ok(id.map(|id| api_clients::find_any(conn, id)).transpose()?.flatten()))
        .await?;
    let client = client
        .filter(|client| client.disabled_at.is_none() && secret::matches(given_secret, &client.secret_hash))
        .ok_or(GrantError::InvalidClient)?;
    let scopes: Scopes = match scope.filter(|scope| !scope.trim().is_empty()) {
        None => client.scopes,
        Some(asked) => asked.parse().map_err(|_| GrantError::InvalidScope)?,
    };
    if !client.scopes.covers(scopes) {
        return Err(GrantError::InvalidScope);
    }
    let caller = Caller { agency: client.agency_id, actor: Actor::ApiClient(client.id), scopes, role: None };
    let now = context.store.clock().now();
    let access_token = context.tokens.sign(&caller, now, rand::random()).map_err(AppError::from)?;
    let expires_in = context.tokens.lifetime_seconds();
    Ok(ClientToken { access_token, token_type: "Bearer", expires_in, scope: scopes })
}

/// Hands out token pairs.
#[derive(Clone)]
pub struct Session {
    /// What signs the access tokens.
    pub tokens: std::sync::Arc<crate::auth::token::Tokens>,
    /// How long a refresh token is good.
    pub refresh_lifetime: TimeDelta,
}

impl Session {
    fn begin(&self, tx: &mut Tx<'_>, user: &User) -> Result<TokenPair, AppError> {
        let sign_in = tx.new_id();
        self.carry_on(tx, user, sign_in)
    }

    fn carry_on(&self, tx: &mut Tx<'_>, user: &User, sign_in: SignInId) -> Result<TokenPair, AppError> {
        let refresh_token = secret::generate("rft");
        let kept = RefreshToken {
            token_hash: secret::hash(&refresh_token),
            family_id: sign_in,
            user_id: user.id,
            created_at: tx.now(),
            expires_at: (*tx.now() + self.refresh_lifetime).into(),
            used_at: None,
            revoked_at: None,
        };
        sign_ins::insert(tx, &kept)?;
        let caller = Caller {
            agency: user.agency_id,
            actor: Actor::User(user.id),
            scopes: user.role.scopes(),
            role: Some(user.role),
        };
        let access_token = self.tokens.sign(&caller, *tx.now(), rand::random())?;
        let expires_in = self.tokens.lifetime_seconds();
        Ok(TokenPair { access_token, token_type: "Bearer", expires_in, refresh_token })
    }
}
