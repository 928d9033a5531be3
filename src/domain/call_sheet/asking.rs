//! What to ask the client.

use super::{Known, Question, QuestionTopic};
use crate::domain::retry_request::RetryState;

/// So many steps between both ratings are worth a question.
const WIDE_GAP: i8 = 2;

/// Every question, in the order of the talk: impressions first, wishes after, the next step last.
pub(super) fn questions(known: &Known) -> Vec<Question> {
    let mut asked = Vec::new();
    for (contact, name) in &known.unheard {
        let question = format!("What impression did the candidate make on {name}?");
        let why = "There is no account of theirs yet.";
        asked.push(Question { contact_id: Some(*contact), ..ask(QuestionTopic::Account, question, why) });
    }
    if !known.is_judged {
        let why = "The client has not judged the whole.";
        asked.push(ask(QuestionTopic::Overall, "Could you see this candidate in the role?", why));
    }
    asked.extend(competencies(known));
    for point in &known.comparison.blind_spots {
        let why = "The candidate did not notice it; with an example it can be learnt from.";
        let mut question =
            ask(QuestionTopic::BlindSpot, "Can you give an example of it, and how much does it weigh?", why);
        question.point_id = Some(point.id);
        question.contact_id = point.contact_id;
        question.competency.clone_from(&point.competency);
        asked.push(question);
    }
    asked.extend(another_meeting(known));
    let why = "The candidate will ask, and a date holds better than a promise.";
    asked.push(ask(QuestionTopic::NextStep, "What is the next step, and by when will you decide?", why));
    asked
}

fn competencies(known: &Known) -> Vec<Question> {
    let about = |competency: &str, question: String, why: &str| Question {
        competency: Some(competency.to_owned()),
        ..ask(QuestionTopic::Competency, question, why)
    };
    let rows = known.comparison.competencies.iter().filter_map(|row| {
        let key = &row.competency;
        match (row.candidate, row.client, row.gap) {
            (Some(_), None, _) => Some(about(
                key,
                format!("How did you see the candidate on {}?", spoken(key)),
                "The candidate rated it and the client has not.",
            )),
            (_, _, Some(gap)) if gap.abs() >= WIDE_GAP => Some(about(
                key,
                format!("What led to your view of the candidate on {}?", spoken(key)),
                "Both sides see it very differently.",
            )),
            _ => None,
        }
    });
    rows.collect()
}

/// What to ask about the wish to meet again; nothing once it is settled.
fn another_meeting(known: &Known) -> Option<Question> {
    let wish = known.retry.as_ref()?;
    let (question, why) = match wish.state {
        RetryState::Requested => ("Would you meet the candidate once more?", "The candidate asks for it."),
        RetryState::PutToClient => (
            "Have you decided whether to meet the candidate once more?",
            "The client was asked and has not answered.",
        ),
        RetryState::Accepted => {
            ("When can the second meeting take place?", "The client agreed to it; it has no date.")
        }
        _ => return None,
    };
    Some(Question { retry_request_id: Some(wish.id), ..ask(QuestionTopic::Retry, question, why) })
}

/// A key as it is spoken: `technical_depth` is technical depth.
fn spoken(key: &str) -> String {
    key.replace('_', " ")
}

fn ask(about: QuestionTopic, question: impl Into<String>, why: &str) -> Question {
    Question {
        about,
        question: question.into(),
        why: why.to_owned(),
        contact_id: None,
        competency: None,
        point_id: None,
        retry_request_id: None,
    }
}
