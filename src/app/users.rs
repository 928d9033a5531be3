//! Users: who can sign in, and as what.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::AppError;
use super::error::{ConflictCode, checked};
use super::events::Happening;
use super::faults::{Fault, Faults};
use super::records::{Expected, expect_version, expect_written};
use crate::auth::caller::Caller;
use crate::auth::password;
use crate::domain::ids::{AgencyId, UserId};
use crate::domain::people::Role;
use crate::store::agencies;
use crate::store::connection::DbConn;
use crate::store::notes::{self, Named};
use crate::store::pool::Tx;
use crate::store::sign_ins;
use crate::store::users::{self, User};

/// What makes a user.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// The user's name.
    #[schema(min_length = 1, max_length = 200, format = "line-not-blank")]
    pub name: String,
    /// The address to sign in with.
    #[schema(max_length = 254, format = "idn-email", example = "recruiter@agency.example")]
    pub email: String,
    /// What the user is at the agency.
    pub role: Role,
    /// The first password; 8 to 128 characters, taken as they are. Common ones are refused.
    #[schema(min_length = 8, max_length = 128, example = "correct horse battery")]
    pub password: String,
}

/// What changes a user.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserInput {
    /// The user's name.
    #[schema(min_length = 1, max_length = 200, format = "line-not-blank")]
    name: String,
    /// What the user is at the agency.
    role: Role,
    /// Whether the user can no longer sign in. Access tokens that were given before stay good until
    /// they end, 15 minutes at the most.
    #[serde(default)]
    disabled: bool,
    /// A new password; 8 to 128 characters, taken as they are. Common ones are refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, min_length = 8, max_length = 128)]
    pub password: Option<String>,
}

impl From<&User> for UserInput {
    fn from(user: &User) -> Self {
        Self {
            name: user.name.clone(),
            role: user.role,
            disabled: user.disabled_at.is_some(),
            password: None,
        }
    }
}

impl UserInput {
    /// Notes the faults that the schema cannot see.
    fn check(&self, faults: &mut Faults) {
        if let Some(password) = &self.password {
            check_password(faults, password);
        }
    }
}

/// Checks a password that somebody chose.
pub fn check_password(faults: &mut Faults, chosen: &str) {
    if let Err(weak) = password::check(chosen) {
        faults.add("/password", "weak_password", weak);
    }
}

/// An address as it is kept to sign in with.
#[must_use]
pub fn fold_email(email: &str) -> String {
    email.trim().to_lowercase()
}

/// A new user, checked before the password is hashed.
pub fn checked_new(new: NewUser) -> Result<NewUser, AppError> {
    let mut faults = Faults::default();
    check_password(&mut faults, &new.password);
    checked(faults)?;
    Ok(new)
}

/// What is wrong with a new user whose other faults are known: whether the address is taken too.
pub fn also_taken(conn: &mut DbConn, email: &str, error: AppError) -> Result<AppError, AppError> {
    match error {
        AppError::Invalid(mut faults) if users::find_by_email(conn, &fold_email(email))?.is_some() => {
            if !faults.iter().any(|fault| fault.pointer == "/email") {
                faults.insert(0, taken());
            }
            Ok(AppError::Invalid(faults))
        }
        other => Ok(other),
    }
}

fn taken() -> Fault {
    Fault {
        pointer: "/email".to_owned(),
        code: "already_exists".into(),
        detail: "somebody signs in with this address already".to_owned(),
    }
}

/// A changed user, checked; before the password is hashed too.
pub fn checked_change(input: UserInput) -> Result<UserInput, AppError> {
    let mut faults = Faults::default();
    input.check(&mut faults);
    checked(faults)?;
    Ok(input)
}

/// An address as it is kept, if nobody signs in with it.
pub(super) fn free_email(tx: &mut Tx<'_>, email: &str) -> Result<String, AppError> {
    let email = fold_email(email);
    match users::find_by_email(tx, &email)? {
        None => Ok(email),
        Some(_) => Err(AppError::Invalid(vec![taken()])),
    }
}

/// Makes a user, whose password was hashed.
pub fn create(
    tx: &mut Tx<'_>,
    caller: &Caller,
    new: &NewUser,
    password_hash: String,
) -> Result<User, AppError> {
    let email = free_email(tx, &new.email)?;
    let user = User {
        id: tx.new_id(),
        agency_id: caller.agency,
        email,
        name: new.name.clone(),
        role: new.role,
        password_hash,
        disabled_at: None,
        version: 1,
        created_at: tx.now(),
        updated_at: tx.now(),
    };
    users::insert(tx, &user)?;
    Happening::to("user.created", user.id).with("version", 1).record(tx, caller);
    Ok(user)
}

/// A user of the caller's agency.
pub fn get(conn: &mut DbConn, agency: AgencyId, id: UserId) -> Result<User, AppError> {
    users::find(conn, agency, id)?.ok_or(AppError::NotFound)
}

/// Changes a user; `edit` makes the new input of the present one. A new password, hashed already, or a user
/// disabled ends every sign-in.
pub fn change(
    tx: &mut Tx<'_>,
    caller: &Caller,
    id: UserId,
    expected: Expected,
    edit: impl FnOnce(UserInput) -> Result<UserInput, AppError>,
    password_hash: Option<String>,
) -> Result<User, AppError> {
    // One after the other in an agency: two administrators must not remove each other.
    agencies::lock(tx, caller.agency)?;
    notes::lock_debriefs_naming(tx, caller.agency, Named::Recruiter(id))?;
    users::lock(tx, id)?;
    let mut user = get(tx, caller.agency, id)?;
    expect_version(expected, user.version)?;
    let present = UserInput::from(&user);
    let input = checked_change(edit(present.clone())?)?;
    if input == present {
        return Ok(user);
    }
    let was_admin = user.role == Role::Admin && user.disabled_at.is_none();
    user.name = input.name;
    user.role = input.role;
    user.disabled_at = input.disabled.then(|| user.disabled_at.unwrap_or(tx.now()));
    if let Some(hash) = &password_hash {
        user.password_hash.clone_from(hash);
    }
    let former = tx.renew(&mut user.version, &mut user.updated_at);
    expect_written(users::update(tx, &user, former)?, user.version)?;
    if was_admin && users::count_admins(tx, caller.agency)? == 0 {
        return Err(AppError::conflict(ConflictCode::InUse, "an agency needs at least one administrator"));
    }
    if password_hash.is_some() || user.disabled_at.is_some() {
        let now = tx.now();
        sign_ins::revoke_all_of(tx, id, now)?;
    }
    // Their letters would be by another name, or another's.
    if (&present.name, present.disabled) != (&user.name, user.disabled_at.is_some()) {
        let now = tx.now();
        notes::renew_unapproved_naming(tx, caller.agency, Named::Recruiter(id), now)?;
    }
    Happening::to("user.updated", user.id).with("version", user.version).record(tx, caller);
    Ok(user)
}
