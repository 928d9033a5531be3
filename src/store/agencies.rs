//! Agencies: the tenants.

use std::collections::BTreeMap;

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::connection::{DbConn, Lock, Locked};
use super::prepared::Prepared;
use super::schema::agencies;
use super::types::Json;
use crate::domain::frame::Frame;
use crate::domain::ids::AgencyId;
use crate::domain::timestamp::Timestamp;

/// The tenant.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset, Serialize, ToSchema)]
#[diesel(table_name = agencies, treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct Agency {
    /// The agency's id.
    pub id: AgencyId,
    /// What it is called.
    pub name: String,
    /// The IANA name of the time zone that it works in.
    pub time_zone: String,
    /// How its mail presents itself.
    #[schema(value_type = MailIdentity)]
    pub mail: Json<MailIdentity>,
    /// Its competencies in its own order; they have routes of their own.
    #[serde(skip)]
    pub competencies: Json<Vec<Competency>>,
    /// Rises by one with every change.
    pub version: i64,
    /// When the agency was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// How an agency's mail presents itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MailIdentity {
    /// What stands for the agency in the `From` of a note; its name if there is none.
    #[schema(max_length = 100, format = "line")]
    pub sender_name: Option<String>,
    /// What stands around a candidate's words, by the language of the note (BCP 47); a language with a
    /// region, such as `pt-BR`, comes before the language alone.
    #[serde(default)]
    #[schema(example = json!({"en": {"greeting": "Dear {{contact_name}},", "signature": null}}))]
    pub frames: BTreeMap<String, Frame>,
}

impl MailIdentity {
    /// The frame of notes in this language.
    #[must_use]
    pub fn frame(&self, language: &str) -> Option<&Frame> {
        let of = |tag: &str| self.frames.iter().find(|(known, _)| known.eq_ignore_ascii_case(tag));
        let alone = language.split('-').next().unwrap_or_default();
        of(language).or_else(|| of(alone)).map(|(_, frame)| frame)
    }
}

/// What a point or a rating is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Competency {
    /// What feedback names it by.
    pub key: String,
    /// What people call it.
    pub name: String,
    /// No longer offered for new feedback.
    pub archived: bool,
}

/// The ids of all agencies.
pub fn ids(conn: &mut DbConn) -> QueryResult<Vec<AgencyId>> {
    agencies::table.select(agencies::id).order(agencies::id).load(conn)
}

/// Inserts an agency.
pub fn insert(conn: &mut DbConn, agency: &Agency) -> QueryResult<()> {
    diesel::insert_into(agencies::table).values(agency).execute(conn).map(drop)
}

/// The agency.
pub fn find(conn: &mut DbConn, id: AgencyId) -> QueryResult<Option<Agency>> {
    agencies::table.find(id).select(Agency::as_select()).first(conn).optional()
}

/// The agencies of this name, at most two of them: names need not be unique.
pub fn find_by_name(conn: &mut DbConn, name: &str) -> QueryResult<Vec<Agency>> {
    agencies::table.filter(agencies::name.eq(name)).limit(2).select(Agency::as_select()).load(conn)
}

/// Writes the agency over the one of `version`; false if that is not the present one.
pub fn update(conn: &mut DbConn, agency: &Agency, version: i64) -> QueryResult<bool> {
    let present = agencies::table.filter(agencies::id.eq(agency.id)).filter(agencies::version.eq(version));
    Prepared(diesel::update(present).set(agency)).execute(conn).map(|rows| rows == 1)
}

/// The agency, taken until the transaction ends: whoever changes it or its users waits.
pub fn lock(conn: &mut DbConn, id: AgencyId) -> QueryResult<Option<Agency>> {
    let query = agencies::table.filter(agencies::id.eq(id)).select(Agency::as_select());
    // Nearly every write refers to the agency, and one that waited for it could be waited for in turn.
    Locked(query, Lock::Change).get_result(conn).optional()
}

/// Waits for whoever is making an agency, until the transaction ends. SQLite has one writer anyway.
pub fn lock_all(conn: &mut DbConn) -> QueryResult<()> {
    match conn {
        DbConn::Postgres(c) => {
            diesel::sql_query("LOCK TABLE agencies IN EXCLUSIVE MODE").execute(c).map(drop)
        }
        DbConn::Sqlite(_) => Ok(()),
    }
}

/// Whether there is any agency at all.
pub fn any(conn: &mut DbConn) -> QueryResult<bool> {
    diesel::select(diesel::dsl::exists(agencies::table.select(agencies::id))).get_result(conn)
}
