//! Thank-you notes.

/// Subjects.
pub const SUBJECTS: [&str; 6] = [
    "Thank you for the conversation",
    "Thank you for your time",
    "Our meeting about the {title} role",
    "Thank you, and one thing I left out",
    "With thanks for the open talk",
    "Following up on our conversation",
];

/// First paragraphs.
pub const THANKS: [&str; 8] = [
    "Thank you for the time that you took for me, and for the open answers about the team.",
    "Thank you for our conversation. I came away with a clear picture of the role, which is rare after one hour.",
    "It was a pleasure to meet you and to hear first-hand what {client} has in mind for the coming year.",
    "Many thanks for the invitation and for the tour of the building.",
    "Thank you for a conversation that I enjoyed, the hard questions included.",
    "Thank you for making room for me in a full week.",
    "I would like to thank you for the careful introduction to your work.",
    "Thank you for the good questions; I have been thinking about them since.",
];

/// Second paragraphs: something new.
pub const ADDITIONS: [&str; 8] = [
    "You asked how I would cut the lead time. I would begin with the hand-over between the two shifts, where we gained three days in my last project.",
    "One thing I left out: the migration that we spoke of was done without a single day of downtime, with a team of four.",
    "On the question of the standards my answer was short. I have worked with both for six years, and would be glad to show an example.",
    "I looked up the figure that I could not name: we reduced the complaints from forty to eleven a month.",
    "What you said about the new site has stayed with me. I set up a similar team before and know where the first weeks go.",
    "You mentioned the audit in spring. I prepared two of them, and the checklist from the second may be of use.",
    "I said little about my time in the field. Those two years are the reason why I ask about the user first.",
    "Your question about priorities was a good one. In short: what stops somebody else's work comes first.",
];

/// Last paragraphs.
pub const INTERESTS: [&str; 6] = [
    "The role is exactly what I am looking for, and I would be glad to continue the conversation.",
    "I am very interested in working with you and look forward to hearing from you.",
    "After our talk I am more convinced than before that I would like to join {client}.",
    "Should anything be open from your side, I am happy to answer it.",
    "I would be delighted to meet the rest of the team.",
    "My interest in the {title} role has grown, and I hope that we will speak again.",
];

/// Why a note goes back to the candidate.
pub const CHANGES: [&str; 5] = [
    "Too much apology: one sentence about the nerves is plenty.",
    "Please leave out the telephone number, answers come through us.",
    "It names the other company in the second paragraph.",
    "Too long by half; keep the part about the audit.",
    "Say that you still want the role, it is not in there.",
];

/// Why a note is refused.
pub const REFUSALS: [&str; 4] = [
    "The client asked for no further mail.",
    "The candidate has withdrawn in the meantime.",
    "It blames the interviewer; we will write a new one together.",
    "The role was filled this morning.",
];
