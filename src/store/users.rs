//! Users: the people at an agency.

use diesel::prelude::*;
use serde::Serialize;
use utoipa::ToSchema;

use super::connection::{DbConn, Lock, Locked, MultiBackend};
use super::prepared::Prepared;
use super::record::{newest_first, present};
use super::schema::users;
use crate::domain::ids::{AgencyId, UserId};
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
    Prepared(diesel::update(present!(users, user, version)).set(user)).execute(conn).map(|rows| rows == 1)
}

/// A page of users, newest first.
pub fn list(
    conn: &mut DbConn,
    agency: AgencyId,
    after: Option<UserId>,
    limit: i64,
) -> QueryResult<Vec<User>> {
    let rows = users::table
        .filter(users::agency_id.eq(agency))
        .select(User::as_select())
        .into_boxed::<MultiBackend>();
    newest_first!(rows, users, after, limit).load(conn)
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
