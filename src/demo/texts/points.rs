//! What accounts are made of: for every competency slips and strengths, as either side puts them.

/// A mistake, as the candidate tells of it.
#[derive(Debug)]
pub struct Slip {
    /// What happened.
    pub what: &'static str,
    /// Why.
    pub why: &'static str,
    /// What to do the next time.
    pub next_time: &'static str,
    /// The question that was asked.
    pub question: &'static str,
    /// The answer one wishes one had given.
    pub wished: &'static str,
    /// The same, as the client saw it.
    pub seen: &'static str,
}

/// One competency.
#[derive(Debug)]
pub struct Theme {
    /// Its key in a new agency.
    pub competency: &'static str,
    /// What goes wrong.
    pub slips: &'static [Slip],
    /// What goes well, as the candidate tells of it.
    pub own_strengths: &'static [&'static str],
    /// What goes well, as the client saw it.
    pub seen_strengths: &'static [&'static str],
    /// What a rating rests on.
    pub remarks: &'static [&'static str],
}

/// Every competency that a new agency starts with.
pub const THEMES: [Theme; 7] = [
    Theme {
        competency: "communication",
        slips: &[
            Slip {
                what: "I talked for five minutes without a pause and lost the thread.",
                why: "I was nervous and afraid of silence.",
                next_time: "Answer in three sentences, then ask whether more is wanted.",
                question: "Can you walk us through your last project?",
                wished: "We moved billing to a new platform in nine months; I led the cut-over. Shall I start with the plan or the result?",
                seen: "The answers were long and hard to follow.",
            },
            Slip {
                what: "I interrupted the interviewer twice.",
                why: "The sound came late and I thought the question was over.",
                next_time: "Count to two before answering on a video call.",
                question: "How do you explain a delay to a customer?",
                wished: "I ring before they notice, say what we know, and when I will ring again.",
                seen: "Cut in before questions were finished.",
            },
        ],
        own_strengths: &[
            "I explained the outage in plain words and they nodded along.",
            "We laughed together about the merger story; the ice was broken.",
        ],
        seen_strengths: &[
            "Clear and friendly, made a dry subject easy to follow.",
            "Listened closely and asked back where something was vague.",
        ],
        remarks: &[
            "Long answers, but to the point when asked again.",
            "Good in the small talk, weaker under pressure.",
        ],
    },
    Theme {
        competency: "preparation",
        slips: &[
            Slip {
                what: "I did not know that they had closed the second plant.",
                why: "I had read the website, but not the news.",
                next_time: "Read the news of the last six months the evening before.",
                question: "What do you know about our situation this year?",
                wished: "You brought two plants together in spring; I would like to hear what that means for this team.",
                seen: "Had not heard of the plant closure, which was in every paper.",
            },
            Slip {
                what: "I had no questions for them at the end.",
                why: "They had answered my two during the talk.",
                next_time: "Bring six questions, so that two are left.",
                question: "What would you like to ask us?",
                wished: "What would make you say after six months that this was the right choice?",
                seen: "Asked us nothing at the end.",
            },
        ],
        own_strengths: &[
            "I had three examples ready, and each of them fitted.",
            "I knew everybody on the panel and what they work on.",
        ],
        seen_strengths: &[
            "Had read our annual report and quoted it correctly.",
            "Came with a page of good questions.",
        ],
        remarks: &["Knew the products, not the market.", "Very well prepared."],
    },
    Theme {
        competency: "technical_depth",
        slips: &[
            Slip {
                what: "I mixed up two standards that I use every week.",
                why: "The question came out of nowhere and I guessed.",
                next_time: "Say that I need a moment, and think aloud.",
                question: "Which of the two standards would you apply here, and why?",
                wished: "The newer one: it covers the interface, and the older one stops at the cabinet.",
                seen: "Confused two standards that the job is about.",
            },
            Slip {
                what: "I could not say how the cache is invalidated in my own project.",
                why: "A colleague wrote that part.",
                next_time: "Go over the parts that I did not write myself.",
                question: "How do stale entries leave that cache?",
                wished: "By a version in the key; a colleague built it and I reviewed it.",
                seen: "Could not go into depth on the project that was named as the main one.",
            },
        ],
        own_strengths: &[
            "The whiteboard part went well, I saw the deadlock at once.",
            "I could draw the whole process from memory.",
        ],
        seen_strengths: &[
            "Deep knowledge, far beyond the job description.",
            "Found the flaw in our exercise that most people miss.",
        ],
        remarks: &["Solid on the basics, thin on the newer tools.", "One of the strongest this year."],
    },
    Theme {
        competency: "problem_solving",
        slips: &[
            Slip {
                what: "I jumped to a solution before I had understood the case.",
                why: "I wanted to be quick.",
                next_time: "Repeat the question in my own words first.",
                question: "Our returns doubled in March. What do you do?",
                wished: "First I would ask which products and which customers, then look at what changed in February.",
                seen: "Went for the first idea and did not look at the numbers we had put on the table.",
            },
            Slip {
                what: "I went silent for two minutes over the exercise.",
                why: "I think better alone.",
                next_time: "Think aloud, even if it is half-baked.",
                question: "How many vans does this depot need?",
                wished: "I would start from parcels per stop and stops per hour, and check it against today's fleet.",
                seen: "We could not see how the result came about.",
            },
        ],
        own_strengths: &[
            "The case study was like one that I had last year.",
            "I found a second way when they took the first one away.",
        ],
        seen_strengths: &[
            "Took the case apart step by step.",
            "Changed course at once when we changed the numbers.",
        ],
        remarks: &["Right result, hidden path.", "Structured, calm, quick."],
    },
    Theme {
        competency: "motivation",
        slips: &[
            Slip {
                what: "I said that I would take any job near home.",
                why: "It was meant as a joke about the commute.",
                next_time: "Keep the reasons to the work itself.",
                question: "Why this role?",
                wished: "Because the team builds the thing that I used as a customer, and I know what it lacks.",
                seen: "We could not tell why it should be us.",
            },
            Slip {
                what: "I asked about overtime before anything else.",
                why: "My last job burnt me in that respect.",
                next_time: "Leave the terms to the recruiter.",
                question: "What matters to you in a job?",
                wished: "A team that plans well; then the evenings look after themselves.",
                seen: "Talked about working hours first.",
            },
        ],
        own_strengths: &[
            "I could say honestly why I want this role and no other.",
            "They noticed that I had tried their product.",
        ],
        seen_strengths: &["Really wants to work here, and could say why.", "Energy in every answer."],
        remarks: &["Interested, but in two other roles as well.", "Wants this one."],
    },
    Theme {
        competency: "culture",
        slips: &[
            Slip {
                what: "I spoke too openly about my former manager.",
                why: "The question invited it.",
                next_time: "One neutral sentence about the former job, then on.",
                question: "Why did you leave?",
                wished: "After five years I had built what there was to build, and wanted a new task.",
                seen: "Spoke badly of a former employer.",
            },
            Slip {
                what: "I was on first-name terms while everybody else was formal.",
                why: "The recruiter's mail was informal.",
                next_time: "Begin formally and let them change it.",
                question: "How do you get on with people who are more formal than you?",
                wished: "I take up the tone of the house; at the bank that was formal, at the start-up it was not.",
                seen: "A little too casual for our house.",
            },
        ],
        own_strengths: &[
            "I got on with both of them from the start.",
            "We found that we settle conflicts in the same way.",
        ],
        seen_strengths: &[
            "The team would like to work with this person tomorrow.",
            "Takes criticism well; we tried.",
        ],
        remarks: &["Would fit the team in the north better.", "Fits."],
    },
    Theme {
        competency: "leadership",
        slips: &[
            Slip {
                what: "I had no example of a hard conversation with somebody in my team.",
                why: "I have led for a year only.",
                next_time: "Prepare the story about the shift plan.",
                question: "When did you last have to disappoint somebody in your team?",
                wished: "In spring I took a project from a colleague; we agreed what had to change, and in autumn it was theirs again.",
                seen: "Little experience with conflicts in a team.",
            },
            Slip {
                what: "I said 'I' all the time and never 'we'.",
                why: "The coach had told me to show what was mine.",
                next_time: "Say what the team did, then what my part was.",
                question: "What did your team achieve last year?",
                wished: "We halved the complaints; my part was to free two people for it.",
                seen: "The team did not appear in any answer.",
            },
        ],
        own_strengths: &[
            "The story about the night shift made an impression.",
            "I could say what I would do in the first hundred days.",
        ],
        seen_strengths: &[
            "A leader people would follow; calm and fair.",
            "Honest about own mistakes as a manager.",
        ],
        remarks: &["Leads by example, delegates too little.", "Ready for a larger team."],
    },
];

/// How interviewers behave.
pub const CONDUCT: [&str; 8] = [
    "The interviewer came fifteen minutes late and did not say why.",
    "One of them read mail the whole time.",
    "They gave me time to think and said so.",
    "I was asked about plans for children.",
    "They walked me through the whole building, which I liked.",
    "Nobody had read my CV before the talk.",
    "The tone was cool, but fair.",
    "They explained how they decide and when I would hear.",
];

/// What the day brings.
pub const CIRCUMSTANCES: [&str; 8] = [
    "The train was cancelled and I arrived with two minutes to spare.",
    "The video link broke off three times.",
    "The building site next door was so loud that we had to repeat questions.",
    "The fire alarm went off in the middle of the case study.",
    "I had a cold and little voice.",
    "The invitation named the wrong entrance.",
    "The meeting room was double-booked; we finished in the canteen.",
    "My laptop installed updates at the very moment.",
];
