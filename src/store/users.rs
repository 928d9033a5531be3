//! Users: the people at an agency, and the sign-ins they have.

use diesel::prelude::*;
use serde::Serialize;
use utoipa::ToSchema;

use super::connection::{DbConn, Lock, Locked};
use super::prepared::Prepared;
use super::schema::{refresh_tokens, users};
use crate::domain::ids::{AgencyId, Id, UserId};
use crate::domain::people::Role;
use crate::domain::timestamp::Timestamp;

/// A person at the agency.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset, Serialize, ToSchema)]
#[diesel(table_name = users, treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct User {
    /// The user's id.
    pub id: UserId,
    #[expect(missing_docs, reason = "never shown")]
    #[serde(skip)]
    pub agency_id: AgencyId,
    /// The address that the user signs in with, in lower case.
    pub email: String,
    /// The user's name.
    pub name: String,
    /// What the user is at the agency.
    pub role: Role,
    #[expect(missing_docs, reason = "never shown")]
    #[serde(skip)]
    pub password_hash: String,
    /// Since when the user can no longer sign in.
    pub disabled_at: Option<Timestamp>,
    /// Rises by one with every change.
    pub version: i64,
    /// When the user was made.
    pub created_at: Timestamp,
    /// When the user was last changed.
    pub updated_at: Timestamp,
}

/// Inserts a user.
pub fn insert(conn: &mut DbConn, user: &User) -> QueryResult<()> {
    diesel::insert_into(users::table).values(user).execute(conn).map(drop)
}

/// The user.
pub fn find(conn: &mut DbConn, agency: AgencyId, id: UserId) -> QueryResult<Option<User>> {
    let found = users::table.filter(users::id.eq(id)).filter(users::agency_id.eq(agency));
    found.select(User::as_select()).first(conn).optional()
}

/// The user with this address, of whichever agency: for signing in.
pub fn find_by_email(conn: &mut DbConn, email: &str) -> QueryResult<Option<User>> {
    users::table.filter(users::email.eq(email)).select(User::as_select()).first(conn).optional()
}

/// The user of a sign-in, of whichever agency, locked: a sign-in and a change of the password come
/// one after the other.
pub fn lock(conn: &mut DbConn, id: UserId) -> QueryResult<Option<User>> {
    let query = users::table.filter(users::id.eq(id)).select(User::as_select());
    Locked(query, Lock::Wait).get_result(conn).optional()
}

/// Writes the user over the one of `version`; false if that is not the present one.
pub fn update(conn: &mut DbConn, user: &User, version: i64) -> QueryResult<bool> {
    let present = users::table.filter(users::id.eq(user.id)).filter(users::version.eq(version));
    Prepared(diesel::update(present).set(user)).execute(conn).map(|rows| rows == 1)
}

/// A page of users, newest first.
pub fn list(
    conn: &mut DbConn,
    agency: AgencyId,
    after: Option<UserId>,
    limit: i64,
) -> QueryResult<Vec<User>> {
    let mut query = users::table
        .filter(users::agency_id.eq(agency))
        .select(User::as_select())
        .order(users::id.desc())
        .limit(limit)
        .into_boxed::<super::connection::MultiBackend>();
    if let Some(after) = after {
        query = query.filter(users::id.lt(after));
    }
    query.load(conn)
}

/// How many administrators of the agency can sign in.
pub fn count_admins(conn: &mut DbConn, agency: AgencyId) -> QueryResult<i64> {
    users::table
        .filter(users::agency_id.eq(agency))
        .filter(users::role.eq(Role::Admin))
        .filter(users::disabled_at.is_null())
        .count()
        .get_result(conn)
}

/// What a family of refresh tokens is: one sign-in.
pub struct SignIn;
/// The id of one sign-in.
pub type FamilyId = Id<SignIn>;

impl Default for SignIn {
    fn default() -> Self {
        Self
    }
}
impl type_safe_id::StaticType for SignIn {
    const TYPE: &'static str = "fam";
}
impl crate::domain::ids::Kind for SignIn {}

/// A refresh token; only its hash is kept.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = refresh_tokens, treat_none_as_default_value = false)]
pub struct RefreshToken {
    /// The SHA-256 of the token.
    pub token_hash: Vec<u8>,
    /// The sign-in that it carries on.
    pub family_id: FamilyId,
    /// Who signed in.
    pub user_id: UserId,
    /// When it was given.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// When it was exchanged for another.
    pub used_at: Option<Timestamp>,
    /// When its family was revoked.
    pub revoked_at: Option<Timestamp>,
}

/// Keeps a refresh token.
pub fn insert_refresh_token(conn: &mut DbConn, token: &RefreshToken) -> QueryResult<()> {
    diesel::insert_into(refresh_tokens::table).values(token).execute(conn).map(drop)
}

/// Whose the refresh token with this hash is.
pub fn owner_of(conn: &mut DbConn, hash: &[u8]) -> QueryResult<Option<UserId>> {
    let token = refresh_tokens::table.find(hash.to_vec());
    token.select(refresh_tokens::user_id).first(conn).optional()
}

/// The refresh token with this hash, locked: of two exchanges at once, the second waits.
pub fn lock_refresh_token(conn: &mut DbConn, hash: &[u8]) -> QueryResult<Option<RefreshToken>> {
    let query = refresh_tokens::table
        .filter(refresh_tokens::token_hash.eq(hash.to_vec()))
        .select(RefreshToken::as_select());
    Locked(query, Lock::Wait).get_result(conn).optional()
}

/// Marks a refresh token as exchanged.
pub fn use_refresh_token(conn: &mut DbConn, hash: &[u8], now: Timestamp) -> QueryResult<()> {
    diesel::update(refresh_tokens::table.find(hash.to_vec()))
        .set(refresh_tokens::used_at.eq(now))
        .execute(conn)
        .map(drop)
}

/// Ends a sign-in: none of its tokens is good any more.
pub fn revoke_family(conn: &mut DbConn, family: FamilyId, now: Timestamp) -> QueryResult<()> {
    let alive = refresh_tokens::table
        .filter(refresh_tokens::family_id.eq(family))
        .filter(refresh_tokens::revoked_at.is_null());
    diesel::update(alive).set(refresh_tokens::revoked_at.eq(now)).execute(conn).map(drop)
}

/// Ends every sign-in of a user.
pub fn revoke_all(conn: &mut DbConn, user: UserId, now: Timestamp) -> QueryResult<()> {
    let alive = refresh_tokens::table
        .filter(refresh_tokens::user_id.eq(user))
        .filter(refresh_tokens::revoked_at.is_null());
    diesel::update(alive).set(refresh_tokens::revoked_at.eq(now)).execute(conn).map(drop)
}

/// Forgets refresh tokens that ended before `now`, at most a thousand of them.
pub fn forget_expired(conn: &mut DbConn, now: Timestamp) -> QueryResult<usize> {
    let ended = refresh_tokens::table
        .filter(refresh_tokens::expires_at.lt(now))
        .order(refresh_tokens::expires_at)
        .limit(1000)
        .select(refresh_tokens::token_hash);
    let hashes: Vec<Vec<u8>> = ended.load(conn)?;
    diesel::delete(refresh_tokens::table.filter(refresh_tokens::token_hash.eq_any(hashes))).execute(conn)
}
