//! Sign-ins: families of refresh tokens, each of which is exchanged for the next.

use diesel::prelude::*;

use super::connection::{DbConn, Lock, Locked};
use super::schema::refresh_tokens;
use crate::domain::ids::{SignInId, UserId};
use crate::domain::timestamp::Timestamp;

/// A refresh token; only its hash is kept.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = refresh_tokens, treat_none_as_default_value = false)]
pub struct RefreshToken {
    /// The SHA-256 of the token.
    pub token_hash: Vec<u8>,
    /// The sign-in that it carries on.
    pub family_id: SignInId,
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
pub fn insert(conn: &mut DbConn, token: &RefreshToken) -> QueryResult<()> {
    diesel::insert_into(refresh_tokens::table).values(token).execute(conn).map(drop)
}

/// Whose the refresh token with this hash is.
pub fn owner_of(conn: &mut DbConn, hash: &[u8]) -> QueryResult<Option<UserId>> {
    let token = refresh_tokens::table.find(hash.to_vec());
    token.select(refresh_tokens::user_id).first(conn).optional()
}

/// The refresh token with this hash, locked: of two exchanges at once, the second waits.
pub fn lock(conn: &mut DbConn, hash: &[u8]) -> QueryResult<Option<RefreshToken>> {
    let query = refresh_tokens::table
        .filter(refresh_tokens::token_hash.eq(hash.to_vec()))
        .select(RefreshToken::as_select());
    Locked(query, Lock::Wait).get_result(conn).optional()
}

/// Marks a refresh token as exchanged.
pub fn mark_used(conn: &mut DbConn, hash: &[u8], now: Timestamp) -> QueryResult<()> {
    diesel::update(refresh_tokens::table.find(hash.to_vec()))
        .set(refresh_tokens::used_at.eq(now))
        .execute(conn)
        .map(drop)
}

/// Ends a sign-in: none of its tokens is good any more.
pub fn revoke(conn: &mut DbConn, sign_in: SignInId, now: Timestamp) -> QueryResult<()> {
    let alive = refresh_tokens::table
        .filter(refresh_tokens::family_id.eq(sign_in))
        .filter(refresh_tokens::revoked_at.is_null());
    diesel::update(alive).set(refresh_tokens::revoked_at.eq(now)).execute(conn).map(drop)
}

/// Ends every sign-in of a user.
pub fn revoke_all_of(conn: &mut DbConn, user: UserId, now: Timestamp) -> QueryResult<()> {
    let alive = refresh_tokens::table
        .filter(refresh_tokens::user_id.eq(user))
        .filter(refresh_tokens::revoked_at.is_null());
    diesel::update(alive).set(refresh_tokens::revoked_at.eq(now)).execute(conn).map(drop)
}

/// Forgets refresh tokens that ended before `now`, at most `limit` of them.
pub fn forget_expired(conn: &mut DbConn, now: Timestamp, limit: i64) -> QueryResult<usize> {
    let ended = refresh_tokens::table
        .filter(refresh_tokens::expires_at.lt(now))
        .order(refresh_tokens::expires_at)
        .limit(limit)
        .select(refresh_tokens::token_hash);
    let hashes: Vec<Vec<u8>> = ended.load(conn)?;
    diesel::delete(refresh_tokens::table.filter(refresh_tokens::token_hash.eq_any(hashes))).execute(conn)
}
