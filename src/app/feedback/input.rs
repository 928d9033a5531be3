//! What is sent to write an account, and what is wrong with it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app::faults::Faults;
use crate::domain::feedback::{
    Address, AgencyOnly, Channel, CompetencyRating, Overall, PointKind, Severity, Side,
};
use crate::domain::ids::{ContactId, PointId};
use crate::store::agencies::Competency;

/// What makes or changes an account.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FeedbackInput {
    /// Whose account it is. It stays whose it is.
    pub side: Side,
    /// The contact who speaks, on the client's side; one of the debrief's client. It stays who it is.
    pub contact_id: Option<ContactId>,
    /// Who said it, where that is not plain from the side and the contact.
    #[schema(max_length = 200, format = "line-not-blank")]
    pub said_by: Option<String>,
    /// How it reached the agency.
    pub channel: Channel,
    /// Whether these are the person's own words.
    #[serde(default)]
    pub verbatim: bool,
    /// What it felt like right after. The considered view goes into the narrative.
    #[schema(max_length = 20_000, format = "text")]
    pub first_impression: Option<String>,
    /// The considered view, start to end.
    #[schema(max_length = 20_000, format = "text")]
    pub narrative: String,
    /// The judgement on the whole.
    pub overall: Option<Overall>,
    /// The judgement on each competency, one for each at the most.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub ratings: Vec<CompetencyRating>,
    /// The points, in their order.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub points: Vec<PointInput>,
    /// What the candidate tells the agency alone; only on the candidate's side. It is never shown or
    /// sent to the client.
    pub agency_only: Option<AgencyOnly>,
    /// Whether the account is given with this. One that was given cannot be taken back, only revised.
    #[serde(default)]
    pub submit: bool,
}

/// One thing in an account.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PointInput {
    /// Keeps a point of this account under the id that it has, so that what it was matched with stays
    /// matched. A point without an id is a new one; points that are not named any more are gone.
    pub id: Option<PointId>,
    /// What it tells of.
    pub kind: PointKind,
    /// The key of the competency it is about.
    #[schema(max_length = 64, example = "communication")]
    pub competency: Option<String>,
    /// What happened.
    #[schema(min_length = 1, max_length = 2_000, format = "text-not-blank")]
    pub what: String,
    /// Why it happened.
    #[schema(max_length = 2_000, format = "text")]
    pub why: Option<String>,
    /// What to do the next time.
    #[schema(max_length = 2_000, format = "text")]
    pub next_time: Option<String>,
    /// The question that was asked.
    #[schema(max_length = 2_000, format = "text")]
    pub question_asked: Option<String>,
    /// The answer one wishes one had given.
    #[schema(max_length = 2_000, format = "text")]
    pub wished_answer: Option<String>,
    /// How much it weighs.
    pub severity: Option<Severity>,
    /// The recruiter's decision whether to bring it up with the client.
    pub address: Option<Address>,
}

/// Why there will be no account.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WaiveInput {
    /// The reason, as it will stand in the history.
    #[schema(
        min_length = 1,
        max_length = 2_000,
        format = "text-not-blank",
        example = "The contact has left the company."
    )]
    pub reason: String,
}

impl FeedbackInput {
    /// Notes what the schema cannot see. `competencies` are the agency's, `former` the keys that the
    /// account names already: an archived one may stay where it is.
    pub(super) fn check(&self, competencies: &[Competency], former: &[String], faults: &mut Faults) {
        self.check_who(faults);
        let known = |faults: &mut Faults, pointer: String, key: &str| match competencies
            .iter()
            .find(|c| c.key == key)
        {
            None => faults.unknown(pointer, "competency"),
            Some(found) if found.archived && !former.iter().any(|kept| kept == key) => {
                faults.add(pointer, "archived", "the competency is archived");
            }
            Some(_) => {}
        };
        for (i, rating) in self.ratings.iter().enumerate() {
            known(faults, format!("/ratings/{i}/competency"), &rating.competency);
            if self.ratings[..i].iter().any(|earlier| earlier.competency == rating.competency) {
                faults.add(format!("/ratings/{i}/competency"), "duplicate", "the competency is rated twice");
            }
        }
        for (i, point) in self.points.iter().enumerate() {
            if let Some(key) = &point.competency {
                known(faults, format!("/points/{i}/competency"), key);
            }
        }
    }

    fn check_who(&self, faults: &mut Faults) {
        if self.side == Side::Candidate && self.contact_id.is_some() {
            faults.add(
                "/contact_id",
                "not_allowed",
                "a contact speaks for the client, not for the candidate",
            );
        }
        if self.side == Side::Client && self.agency_only.is_some() {
            faults.add("/agency_only", "not_allowed", "only the candidate tells the agency such things");
        }
    }

    /// Notes the points that claim ids which are not the account's, or claim one twice.
    pub(super) fn check_ids(&self, own: &[PointId], faults: &mut Faults) {
        for (i, point) in self.points.iter().enumerate() {
            let Some(id) = point.id else { continue };
            if !own.contains(&id) {
                faults.unknown(format!("/points/{i}/id"), "point in this account");
            } else if self.points[..i].iter().any(|earlier| earlier.id == Some(id)) {
                faults.add(format!("/points/{i}/id"), "duplicate", "the point is named twice");
            }
        }
    }
}
