//! Retry requests, and what else happens around a debrief.

use crate::domain::activity::ActivityKind;
use crate::domain::retry_request::Grounds;

/// Why somebody asks for another meeting: what would differ, and the candidate's own words.
pub const RETRIES: [(Grounds, &str, &str); 12] = [
    (
        Grounds::Nerves,
        "A mock interview with us beforehand, and a smaller panel.",
        "I froze. That was not how I work, and I would like to show how I do.",
    ),
    (
        Grounds::Nerves,
        "The technical part as a talk rather than at the whiteboard.",
        "Three people looking at my back while I write was too much for me.",
    ),
    (
        Grounds::Illness,
        "The candidate is well again.",
        "I had a fever of 39 and should have said so instead of coming.",
    ),
    (
        Grounds::Illness,
        "A morning appointment, after the treatment.",
        "I was not fit that day and it showed.",
    ),
    (
        Grounds::Technical,
        "On site instead of by video.",
        "The line broke three times and each time I lost the thread.",
    ),
    (
        Grounds::Technical,
        "A wired connection, tried out the day before.",
        "They heard half of my answers. I would like them to hear the other half.",
    ),
    (
        Grounds::MisunderstoodQuestion,
        "The case would be sent in writing beforehand.",
        "I answered a different question from the one that was asked.",
    ),
    (
        Grounds::MisunderstoodQuestion,
        "The interview would be in the candidate's first language.",
        "I took 'plant' for the wrong kind and talked about gardens.",
    ),
    (Grounds::NewInformation, "The certificate has arrived.", "They doubted my certificate; here it is."),
    (
        Grounds::NewInformation,
        "The candidate can start two months earlier.",
        "The start date was the problem, and it no longer is one.",
    ),
    (
        Grounds::Other,
        "Another interviewer.",
        "We did not get along from the first minute, and I would like a fair chance.",
    ),
    (
        Grounds::Other,
        "The meeting would take place after the exam.",
        "I came straight from a night shift and an exam.",
    ),
];

/// What recruiters note when they ask the client.
pub const ASKED: [&str; 4] = [
    "Asked by phone, she will talk to the team.",
    "Reminded them of the strong CV and of the broken line.",
    "He was surprised that the candidate asks, in a good way.",
    "Left the candidate's words as they are.",
];

/// Why a request is granted.
pub const GRANTED: [&str; 4] = [
    "We liked the honesty.",
    "Half an hour, with the same two people.",
    "The CV is worth a second look.",
    "The line was bad on our side too.",
];

/// Why a request is refused, by the client or by the agency.
pub const REFUSED: [&str; 5] = [
    "The shortlist is closed.",
    "A second talk would not change the picture.",
    "Somebody else has accepted.",
    "It was the substance, not the day.",
    "No time before the holidays.",
];

/// What clients offer instead.
pub const PROPOSALS: [&str; 4] = [
    "A call of twenty minutes with the team lead.",
    "A meeting about the junior role in the same team.",
    "A written exercise first, then we will see.",
    "A trial day on site.",
];

/// Calls and messages: kind, outcome, what was said.
pub const ACTIVITIES: [(ActivityKind, &str, &str); 10] = [
    (ActivityKind::Call, "reached", "Spoke for ten minutes; will send the written account tonight."),
    (ActivityKind::Call, "reached", "Wants to hear the candidate's view before saying more."),
    (ActivityKind::Call, "no answer", "Tried twice before noon."),
    (ActivityKind::Voicemail, "left a message", "Asked to be called back before five."),
    (ActivityKind::Voicemail, "left a message", "Second message; named the role and the time."),
    (ActivityKind::Message, "answered", "Feedback comes tomorrow, the panel meets first."),
    (ActivityKind::Message, "sent", "Confirmed the time and the entrance."),
    (ActivityKind::Message, "sent", "Reminded of the account of the interview."),
    (ActivityKind::Advocate, "spoke up", "A former colleague put in a good word with the team lead."),
    (
        ActivityKind::DirectContact,
        "noted",
        "The candidate wrote to the interviewer on a social network; talked about it.",
    ),
];

/// Why interviews do not take place.
pub const CANCELLED: [&str; 5] = [
    "The interviewer fell ill.",
    "The candidate took another offer.",
    "The role was put on hold.",
    "The date collided with a works meeting; a new one is to be found.",
    "Did not come, and did not call.",
];
