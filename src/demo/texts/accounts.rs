//! Whole accounts, sentence by sentence.

/// How it felt right after.
pub const FIRST_IMPRESSIONS: [&str; 12] = [
    "I think I blew it.",
    "Better than I feared.",
    "Exhausting, but good.",
    "I could not get a read on {contact} at all.",
    "It was over before it had begun.",
    "I left with a smile, and so did they.",
    "Mixed: a strong start and a weak end.",
    "I was not myself today.",
    "They liked me, I believe.",
    "Hard questions, fair people.",
    "Relieved that it is done.",
    "I would like to do the first ten minutes again.",
];

/// How it began.
pub const BEGINNINGS: [&str; 10] = [
    "I was there twenty minutes early and {contact} fetched me from the reception.",
    "The call began on time and {contact} introduced the team first.",
    "We began with coffee and some words about {client}.",
    "{contact} opened with a short talk about where {client} is going.",
    "After a bumpy start with the sound we got going.",
    "I had slept badly, and it showed in the first minutes.",
    "The welcome was warm and the questions began at once.",
    "They had me wait for a while, then everything went quickly.",
    "{contact} had my CV on the table, full of marks.",
    "It began with the question why I want to be a {title}.",
];

/// What went on in the middle, when it went well.
pub const GOOD_MIDDLES: [&str; 8] = [
    "The technical part felt like a talk among colleagues.",
    "My examples fitted the questions, and they asked to hear more.",
    "We went through a case from their own work and I could contribute.",
    "When I did not know something I said so, and that was fine with them.",
    "They were curious about the migration project and stayed with it for a while.",
    "I could show what I did in the last two years, with numbers.",
    "The exercise was demanding, and I got to the end of it.",
    "We spoke about the team, and I could picture myself in it.",
];

/// What went on in the middle, when it did not.
pub const BAD_MIDDLES: [&str; 8] = [
    "In the technical part I stumbled over something that I know by heart.",
    "The case caught me on the wrong foot and I never got back into it.",
    "I gave answers to questions that nobody had asked.",
    "When they pressed on the gap in my CV I became defensive.",
    "I could not name a single number about my own project.",
    "The second question already threw me, and I noticed that they noticed.",
    "I understood one question quite differently from how it was meant.",
    "My mind was blank for what felt like minutes.",
];

/// How it ended.
pub const ENDINGS: [&str; 8] = [
    "At the end they said that I would hear within a week.",
    "We ended ten minutes early.",
    "{contact} took me to the door and thanked me for coming.",
    "They asked when I could start.",
    "There was no time left for my own questions.",
    "They showed me the office before I left.",
    "I asked about the next step, and the answer was vague.",
    "We overran by a quarter of an hour, which I took for a good sign.",
];

/// The considered view, some hours later.
pub const CONSIDERED: [&str; 6] = [
    "Some hours later it looks less bad: most of the questions I did answer.",
    "Looking back, one weak answer does not make the whole hour.",
    "Having slept on it, I see that I was badly prepared for the second half.",
    "Thinking about it again, the role is closer to what I want than I had believed.",
    "On reflection I talked more than I listened.",
    "By now I am sure that I would take the job.",
];

/// How the client begins.
pub const CLIENT_BEGINNINGS: [&str; 8] = [
    "We met {candidate} for the {title} role.",
    "{candidate} was well received by the team.",
    "A pleasant talk with {candidate}, and an honest one.",
    "We had read a lot of good things about {candidate} beforehand.",
    "{candidate} came well recommended.",
    "We took more time than planned.",
    "The panel did not agree on {candidate} at first.",
    "{candidate} is the third person we saw for this role.",
];

/// What the client says in favour.
pub const CLIENT_PRO: [&str; 8] = [
    "The experience fits, and the examples were concrete.",
    "We would like to go on, the sooner the better.",
    "The way of working would do our team good.",
    "The exercise was solved cleanly and explained well.",
    "Open, quick and well prepared.",
    "The references to our own situation showed real interest.",
    "What is missing can be learnt within months.",
    "Two of us would have made an offer on the spot.",
];

/// What the client says against.
pub const CLIENT_CON: [&str; 8] = [
    "In the depth that we need it was not enough.",
    "The answers stayed general, even when we asked again.",
    "We were not sure that the role is really wanted.",
    "Under pressure the line was lost.",
    "The salary that was named is above our range.",
    "Somebody with more experience in our sector is in the running.",
    "The nerves got the better of a good start.",
    "We missed the questions that somebody asks who wants the job.",
];

/// What speaks against the role, for the agency alone.
pub const CONCERNS: [&str; 6] = [
    "The commute is longer than thought.",
    "Afraid of a second reorganisation.",
    "Would have to give up the four-day week.",
    "Not sure about the direct manager.",
    "The probation period is long.",
    "A fixed-term contract would be a problem.",
];

/// Where else the candidate is in talks, for the agency alone.
pub const OTHER_PROCESSES: [&str; 6] = [
    "Second round with another agency next week.",
    "An offer from the present employer is on the table.",
    "Nothing else at the moment.",
    "Two applications without an answer so far.",
    "A final interview with a competitor on Thursday.",
    "Waiting for an answer from the public sector.",
];

/// What was said about pay, for the agency alone.
pub const SALARIES: [&str; 5] = [
    "Said 68,000, would take 64,000.",
    "Was asked for the present salary and did not answer.",
    "Named the range that we had agreed.",
    "Did not come up.",
    "They hinted at a bonus of one month.",
];

/// Why there will be no account.
pub const WAIVERS: [&str; 5] = [
    "Left the company since.",
    "On leave until next month; a colleague spoke for the panel.",
    "Was in the room for ten minutes only.",
    "Does not want to comment.",
    "Could not be reached after four tries.",
];
