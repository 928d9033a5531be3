//! What is not to be passed on: where it stands, without its words.

use super::{Known, Told, Wish, Withheld, WithheldKind};
use crate::domain::feedback::{AgencyOnly, Point, PointKind};
use crate::domain::retry_request::Grounds;
use crate::domain::text::is_blank;
use crate::domain::wording::tells_of_health;

/// Everything that is not to be passed on.
pub(super) fn all(known: &Known) -> Vec<Withheld> {
    let mut found = Vec::new();
    if let Some(told) = &known.candidate {
        found.extend(told.agency_only.into_iter().flat_map(|only| agency_only(told, only)));
        found.extend(told.points.iter().flat_map(|point| of_point(told, point)));
        found.extend(of_texts(told));
    }
    found.extend(known.retry.iter().flat_map(of_wish));
    found
}

fn withheld(kind: WithheldKind, field: &str, why: &str) -> Withheld {
    Withheld {
        kind,
        feedback_id: None,
        point_id: None,
        retry_request_id: None,
        field: field.to_owned(),
        why: why.to_owned(),
    }
}

const HEALTH: &str = "It tells of health, which is the candidate's own to tell.";

fn agency_only(told: &Told, only: &AgencyOnly) -> Vec<Withheld> {
    let fields = [
        (
            "agency_only/interest_level",
            only.interest_level.is_some(),
            "How keen the candidate is, is for the agency alone.",
        ),
        (
            "agency_only/concerns",
            only.concerns.is_some(),
            "The candidate's concerns are for the agency alone.",
        ),
        (
            "agency_only/other_processes",
            only.other_processes.is_some(),
            "Where else the candidate is in talks is for the agency alone.",
        ),
        (
            "agency_only/salary",
            only.salary.is_some(),
            "What the candidate said about pay is for the agency alone.",
        ),
        ("agency_only/start_date", only.start_date.is_some(), "The start date is for the agency alone."),
    ];
    let said = fields.into_iter().filter(|(_, is_said, _)| *is_said);
    said.map(|(field, _, why)| Withheld {
        feedback_id: Some(told.feedback_id),
        ..withheld(WithheldKind::AgencyOnly, field, why)
    })
    .collect()
}

fn of_point(told: &Told, point: &Point) -> Vec<Withheld> {
    let place = |kind, field, why| Withheld {
        feedback_id: Some(told.feedback_id),
        point_id: Some(point.id),
        ..withheld(kind, field, why)
    };
    if point.kind == PointKind::Conduct {
        let why = "It tells how the interviewer behaved: speak to your manager first, and never in passing.";
        return vec![place(WithheldKind::Conduct, "what", why)];
    }
    let texts = [
        ("what", Some(&point.what)),
        ("why", point.why.as_ref()),
        ("next_time", point.next_time.as_ref()),
        ("question_asked", point.question_asked.as_ref()),
        ("wished_answer", point.wished_answer.as_ref()),
    ];
    let telling = texts.into_iter().filter(|(_, text)| text.is_some_and(|text| tells_of_health(text)));
    telling.map(|(field, _)| place(WithheldKind::Health, field, HEALTH)).collect()
}

fn of_texts(told: &Told) -> Vec<Withheld> {
    let place =
        |kind, field, why| Withheld { feedback_id: Some(told.feedback_id), ..withheld(kind, field, why) };
    let mut found = Vec::new();
    if told.first_impression.is_some_and(|text| !is_blank(text)) {
        let why = "It was said right after, and the considered view may differ.";
        found.push(place(WithheldKind::FirstImpression, "first_impression", why));
    }
    for (field, text) in [("first_impression", told.first_impression), ("narrative", told.narrative)] {
        if text.is_some_and(tells_of_health) {
            found.push(place(WithheldKind::Health, field, HEALTH));
        }
    }
    found
}

fn of_wish(wish: &Wish) -> Vec<Withheld> {
    let place =
        |field| Withheld { retry_request_id: Some(wish.id), ..withheld(WithheldKind::Health, field, HEALTH) };
    let mut found = Vec::new();
    if wish.grounds == Grounds::Illness {
        found.push(place("grounds"));
    }
    if tells_of_health(wish.what_would_differ) {
        found.push(place("what_would_differ"));
    }
    found
}
