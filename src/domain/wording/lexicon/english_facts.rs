//! English: what should not be in a text whatever its tone, and what a note should have.

use super::Table;
use crate::domain::wording::Rule;

pub(super) const TABLES: &[Table] = &[
    Table {
        rule: Rule::ContactDetails,
        fine: 0,
        finds: &[
            "call|ring|text|phone|message|email|whatsapp me directly|personally|on|at|under|any|privately",
            "reach|contact me directly|personally|privately|on|at|under|by|via",
            "write to me directly|at|personally",
            "my private|personal|mobile|cell|phone|telephone|home? number|email|address|mobile is",
            "connect|link up? with? you|me|each? other? on linkedin|facebook|xing|instagram|whatsapp",
            "add|find|follow|message me on linkedin|facebook|xing|instagram|whatsapp|twitter|telegram|signal",
            "my linkedin|xing|github|instagram|facebook profile|page|account",
            "bypass|without .. recruiter|agency",
        ],
        spares: &["contact|reach me at any"],
        suggestion: "Take it out: the client answers through the recruiter, who passes it on.",
    },
    Table {
        rule: Rule::HealthDetails,
        fine: 0,
        finds: &[
            "i am|was|felt|feel|fell|have|had been? so|very|quite|really|rather|still|a? bit? ill|sick|unwell|nauseous|feverish|pregnant|depressed|hospitalised|hospitalized|hungover",
            "my|our|his|her migraine*|depression|anxiety|illness|disability|medication|pregnancy|surgery|adhd|autism|dyslexia|burnout|asthma|diabetes|epilepsy|cancer|chemotherapy|therapy|therapist|psychiatrist|diagnosis|disorder",
            "my doctor|physician|medical|health",
            "i|have|has|had a|an|some|another|the|my? severe|bad|terrible|awful|slight|mild|heavy? migraine*|fever|flu|covid|stroke|seizure|headache|concussion",
            "i|have had|have|has|with a|my bad|heavy|terrible|awful? cold",
            "i have|had depression|anxiety|adhd|autism|dyslexia|burnout|asthma|diabetes|epilepsy|cancer",
            "migraine*|antidepressant*",
            "panic|anxiety|heart|asthma attack*",
            "mental health",
            "anxiety|eating|bipolar|personality disorder",
            "diagnosed with",
            "i was|am|have been? diagnosed",
            "i suffer*|suffered from|with",
            "on|taking|took|my medication|antidepressants|painkillers|tranquillisers|tranquilizers",
            "in hospital",
            "sick leave|note",
            "on maternity|medical leave",
            "undergoing|after|had|having surgery|chemotherapy|therapy",
        ],
        spares: &[
            "i am|was|feel|felt|am so|very|quite|really|rather? sick of|and",
            "sick of",
            "i suffer*|suffered from|with a? lack|nerves|delays",
            "sick leave policy|policies|process|management|rates|cover",
            "my health and safety|insurance",
            "mental health service*|nurs*|team*|sector|charity|care|support|first|provider*",
            "my medical device*|background|degree|sales|knowledge|career",
            "my therapy|surgery team|practice|experience",
            "in hospital management|administration|logistics|settings|it",
            "a heart attack",
        ],
        suggestion: "Take it out, or put it as \"I was not at my best that day\". Health is the candidate's own to tell.",
    },
    Table {
        rule: Rule::Grammar,
        fine: 0,
        finds: &[
            "could|should|would|must|might of been|had|done|said|liked|gone|given|told|asked|answered|known|made",
        ],
        spares: &[],
        suggestion: "Write \"have\" instead of \"of\".",
    },
    Table {
        rule: Rule::Grammar,
        fine: 0,
        finds: &["your welcome to", "your very welcome"],
        spares: &[],
        suggestion: "Write \"you're\" or \"you are\".",
    },
    Table {
        rule: Rule::Grammar,
        fine: 0,
        finds: &["i is|has|were|does", "we|they|you was", "he|she|it were|have|do not"],
        spares: &[
            "_ and i were",
            "if|wish|as|though|were he|she|it were",
            "were i",
            "does|did|can|could|will|would|should|may|might|must|let|make|makes|made|help|helps|see|saw|had|have|has he|she|it have|do",
            "_ he|she|it do not",
        ],
        suggestion: "Make the verb agree with its subject.",
    },
];

pub(super) const THANKS: &[&str] = &[
    "thank*",
    "grateful",
    "gratitude",
    "appreciate*|appreciation",
    "pleasure to|meeting|speaking|talking",
    "kind|good|generous of you to",
];

pub(super) const INTEREST: &[&str] = &[
    "interested|interest|interests",
    "keen|eager|excited|enthusiastic|enthusiasm|thrilled|delighted|motivated",
    "look|looking forward",
    "i would|should very|really|truly|also|still|all? much? love|like|welcome|enjoy",
    "i would|should be very|really|more? than? glad|happy|pleased|proud|delighted|honoured|honored",
    "i hope that? we|to|you",
    "i want to|this",
    "what i am|was looking for",
    "continue|continuing the|our conversation|talk|talks|process",
    "join|joining you|your|the|_",
    "convinced|confirms|confirmed|confirm",
    "working|work with you|your",
    "next step|steps|stage|round",
];

pub(super) const ADDITIONS: &[&str] = &[
    "left|leave out",
    "you|they asked|mentioned|said|described|raised|wanted|told",
    "your|the question",
    "to|would|like|wanted|want add",
    "looked up",
    "one more|thing",
    "since we|our|then",
    "i attach|attached|enclose|enclosed",
    "i did not mention|say",
    "i said little|less",
    "thinking|thought about",
];
