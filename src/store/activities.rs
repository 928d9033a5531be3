//! Activities: the log of calls, voicemails and messages around a debrief.

use diesel::prelude::*;
use serde::Serialize;
use utoipa::ToSchema;

use super::connection::{DbConn, MultiBackend};
use super::record::newest_first;
use super::schema::activities;
use super::types::Json;
use crate::domain::activity::ActivityKind;
use crate::domain::actor::Actor;
use crate::domain::ids::{ActivityId, AgencyId, ContactId, DebriefId};
use crate::domain::timestamp::Timestamp;

/// Something that was done around a debrief.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, Serialize, ToSchema)]
#[diesel(table_name = activities, treat_none_as_default_value = false)]
pub struct Activity {
    /// The activity's id.
    pub id: ActivityId,
    #[expect(missing_docs, reason = "never shown")]
    #[serde(skip)]
    pub agency_id: AgencyId,
    /// The debrief.
    pub debrief_id: DebriefId,
    /// The contact at the other end, if it was one.
    pub contact_id: Option<ContactId>,
    /// What kind of activity it was.
    pub kind: ActivityKind,
    /// What came of it.
    pub outcome: String,
    /// What was said.
    pub summary: Option<String>,
    /// Whether somebody who took part had an interest of their own in it.
    pub conflict_of_interest: bool,
    /// When it took place.
    pub occurred_at: Timestamp,
    /// Who wrote it down.
    #[schema(value_type = Actor)]
    pub recorded_by: Json<Actor>,
    /// When the record was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// Inserts a row.
pub fn insert(conn: &mut DbConn, row: &Activity) -> QueryResult<()> {
    diesel::insert_into(activities::table).values(row).execute(conn).map(drop)
}

/// A page of a debrief's activities, the last one written first, beginning before `before`.
pub fn list(
    conn: &mut DbConn,
    agency: AgencyId,
    debrief: DebriefId,
    before: Option<ActivityId>,
    limit: i64,
) -> QueryResult<Vec<Activity>> {
    let rows = activities::table
        .filter(activities::debrief_id.eq(debrief))
        .filter(activities::agency_id.eq(agency))
        .select(Activity::as_select())
        .into_boxed::<MultiBackend>();
    newest_first!(rows, activities, before, limit).load(conn)
}
