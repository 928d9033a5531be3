//! Agencies: how one begins, and its settings.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::competencies;
use super::error::checked;
use super::events::Happening;
use super::faults::Faults;
use super::records::{Expected, expect_version, expect_written};
use super::users::{check_password, free_email};
use super::{AppError, schema};
use crate::auth::caller::Caller;
use crate::domain::ids::AgencyId;
use crate::domain::people::Role;
use crate::domain::text::{check_email, check_language, check_name};
use crate::store::agencies::{self, Agency, MailIdentity};
use crate::store::connection::DbConn;
use crate::store::notes;
use crate::store::pool::Tx;
use crate::store::types::Json;
use crate::store::users::{self, User};

/// More languages than this no agency writes in.
const MAX_FRAMES: usize = 50;

/// The time zone of a new agency, until it says another.
const FIRST_TIME_ZONE: &str = "Etc/UTC";

/// A new agency and its first administrator.
pub struct NewAgency {
    /// The agency's name.
    pub agency_name: String,
    /// The administrator's name.
    pub name: String,
    /// The administrator's address.
    pub email: String,
    /// The administrator's password.
    pub password: String,
}

/// Checks a new agency before the password is hashed.
pub fn check_new(new: &NewAgency) -> Result<(), AppError> {
    let mut faults = Faults::default();
    faults.text("/agency_name", check_name(&new.agency_name));
    faults.text("/name", check_name(&new.name));
    faults.text("/email", check_email(&new.email));
    check_password(&mut faults, &new.password);
    checked(faults)
}

/// Makes an agency with its first administrator, whose password was hashed.
pub fn create(tx: &mut Tx<'_>, new: NewAgency, password_hash: String) -> Result<(Agency, User), AppError> {
    let email = free_email(tx, &new.email)?;
    let agency = Agency {
        id: tx.new_id(),
        name: new.agency_name,
        time_zone: FIRST_TIME_ZONE.to_owned(),
        mail: Json(MailIdentity::default()),
        competencies: Json(competencies::first()),
        version: 1,
        created_at: tx.now(),
        updated_at: tx.now(),
    };
    agencies::insert(tx, &agency)?;
    let admin = User {
        id: tx.new_id(),
        agency_id: agency.id,
        email,
        name: new.name,
        role: Role::Admin,
        password_hash,
        disabled_at: None,
        version: 1,
        created_at: tx.now(),
        updated_at: tx.now(),
    };
    users::insert(tx, &admin)?;
    let system = Caller::system(agency.id);
    Happening::to("agency.created", agency.id).with("version", 1).record(tx, &system);
    Happening::to("user.created", admin.id).with("version", 1).record(tx, &system);
    Ok((agency, admin))
}

/// What changes an agency's settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AgencyInput {
    /// What the agency is called.
    #[schema(min_length = 1, max_length = 200, format = "line-not-blank")]
    name: String,
    /// The IANA name of the time zone that it works in.
    #[schema(format = "time-zone", example = "Europe/Berlin")]
    time_zone: String,
    /// How its mail presents itself.
    #[serde(default)]
    mail: MailIdentity,
}

impl From<&Agency> for AgencyInput {
    fn from(agency: &Agency) -> Self {
        Self { name: agency.name.clone(), time_zone: agency.time_zone.clone(), mail: agency.mail.0.clone() }
    }
}

impl AgencyInput {
    /// Notes the faults that the schema cannot see.
    fn check(&self, faults: &mut Faults) {
        check_languages(faults, &self.mail);
    }
}

/// The languages that an agency has frames for.
fn check_languages(faults: &mut Faults, mail: &MailIdentity) {
    if mail.frames.len() > MAX_FRAMES {
        faults.add("/mail/frames", "too_many", format!("has more than {MAX_FRAMES} languages"));
    }
    for language in mail.frames.keys() {
        faults.text(format!("/mail/frames/{}", schema::escape(language)), check_language(language));
    }
}

/// The caller's agency.
pub fn get(conn: &mut DbConn, id: AgencyId) -> Result<Agency, AppError> {
    agencies::find(conn, id)?.ok_or(AppError::NotFound)
}

/// The caller's agency, taken until the transaction ends: who changes it at the same time waits, and
/// then sees it as it is.
pub fn hold(tx: &mut Tx<'_>, id: AgencyId) -> Result<Agency, AppError> {
    agencies::lock(tx, id)?.ok_or(AppError::NotFound)
}

/// Changes the settings of the caller's agency; `edit` makes the new ones of the present ones.
pub fn change(
    tx: &mut Tx<'_>,
    caller: &Caller,
    expected: Expected,
    edit: impl FnOnce(AgencyInput) -> Result<AgencyInput, AppError>,
) -> Result<Agency, AppError> {
    let mut agency = hold(tx, caller.agency)?;
    expect_version(expected, agency.version)?;
    let present = AgencyInput::from(&agency);
    let input = edit(present.clone())?;
    let mut faults = Faults::default();
    input.check(&mut faults);
    checked(faults)?;
    if input == present {
        return Ok(agency);
    }
    // Whoever has read a note has read it in the words of then, and must not approve it in others.
    if (&agency.name, &agency.mail.0) != (&input.name, &input.mail) {
        let now = tx.now();
        notes::renew_unapproved(tx, agency.id, now)?;
    }
    agency.name = input.name;
    agency.time_zone = input.time_zone;
    agency.mail = Json(input.mail);
    save(tx, caller, agency)
}

/// Writes a changed agency that was taken.
pub fn save(tx: &mut Tx<'_>, caller: &Caller, mut agency: Agency) -> Result<Agency, AppError> {
    let former = tx.renew(&mut agency.version, &mut agency.updated_at);
    expect_written(agencies::update(tx, &agency, former)?, agency.version)?;
    Happening::to("agency.updated", agency.id).with("version", agency.version).record(tx, caller);
    Ok(agency)
}
