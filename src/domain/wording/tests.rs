use proptest::prelude::*;
use strum::VariantArray;

use super::*;

fn note(text: &str) -> Vec<Finding> {
    review(text, WordingKind::Note, Some("en")).findings
}

/// What a rule finds in a text, as it stands there.
fn found(rule: Rule, text: &str) -> Vec<String> {
    let units: Vec<u16> = text.encode_utf16().collect();
    let of_rule = note(text).into_iter().filter(|finding| finding.rule == rule);
    of_rule.map(|finding| String::from_utf16(&units[finding.start..finding.end]).unwrap()).collect()
}

/// For each rule texts with what must be found in them; nothing where it must not be.
const TABLE: &[(Rule, &str, &[&str])] = &[
    (Rule::OverApologising, "I am sorry that I was late.", &[]),
    (Rule::OverApologising, "I'm sorry to hear about the move. I'm sorry that I was late.", &[]),
    (Rule::OverApologising, "I was sorry to hear it. Better safe than sorry. My apologies.", &[]),
    (Rule::OverApologising, "I am sorry. Really, I’m sorry, my apologies!", &["sorry", "apologies"]),
    (Rule::OverApologising, "I am so so sorry.", &["so so sorry"]),
    (Rule::OverApologising, "I deeply regret nothing but am terribly sorry.", &["terribly sorry"]),
    (Rule::SelfDeprecation, "I'm such an idiot for forgetting.", &["I'm such an idiot"]),
    (Rule::SelfDeprecation, "I was absolutely useless.", &["I was absolutely useless"]),
    (Rule::SelfDeprecation, "I made a fool of myself and wasted your time.", &["fool of myself"]),
    (Rule::SelfDeprecation, "I wasted your time.", &["I wasted your time"]),
    (Rule::SelfDeprecation, "I am not an idiot, and it was not stupid. I am good at stupid jokes.", &[]),
    (Rule::SelfDeprecation, "I was terribly glad. My answer on pricing was short.", &[]),
    (Rule::CatastrophicWords, "It was a disaster, a complete failure.", &["disaster", "complete failure"]),
    (
        Rule::CatastrophicWords,
        "Everything went wrong and I blew it.",
        &["Everything went wrong", "I blew it"],
    ),
    (Rule::CatastrophicWords, "I run disaster recovery for two sites. It was not a disaster.", &[]),
    (Rule::CatastrophicWords, "I absolutely agree, and I always get on with auditors.", &[]),
    (Rule::CatastrophicWords, "The failure rate fell to one in a thousand.", &[]),
    (Rule::BlameOfInterviewer, "The interviewer was rude.", &["interviewer was rude"]),
    (Rule::BlameOfInterviewer, "You were clearly unprepared.", &["You were clearly unprepared"]),
    (Rule::BlameOfInterviewer, "You asked a trick question.", &["trick question"]),
    (Rule::BlameOfInterviewer, "Your question was a good one, and you were very kind.", &[]),
    (Rule::BlameOfInterviewer, "I was unprepared for the question.", &[]),
    (Rule::FormerEmployer, "My last boss was really quite toxic.", &["My last boss was really quite toxic"]),
    (Rule::FormerEmployer, "I left a toxic workplace.", &["toxic workplace"]),
    (Rule::FormerEmployer, "My former manager was a great teacher. The waste was toxic.", &[]),
    (Rule::FormerEmployer, "My last company was sold. That was awful weather.", &[]),
    (Rule::PressureOrPleading, "I really need this job.", &["I really need this job"]),
    (
        Rule::PressureOrPleading,
        "Please, please give me another chance, I beg you.",
        &["Please, please", "I beg"],
    ),
    (Rule::PressureOrPleading, "If I don't hear by Friday I will go elsewhere.", &["If I don't hear"]),
    (Rule::PressureOrPleading, "Please let me know if you need anything. The team needs a lead.", &[]),
    (Rule::ListOfMistakes, "I forgot to name the figure: it was forty.", &[]),
    (
        Rule::ListOfMistakes,
        "I forgot the figure. I stumbled over the case. My mistake was haste.",
        &["I stumbled", "My mistake"],
    ),
    (Rule::ListOfMistakes, "I did not know the answer then, and now I do.", &[]),
    (Rule::NoThanks, "Dear Ines, I look forward to it.", &["Dear Ines, I look forward to it."]),
    (Rule::NoThanks, "I appreciated the tour.", &[]),
    (Rule::NoConfirmedInterest, "Thank you.", &["Thank you."]),
    (Rule::NoConfirmedInterest, "I'd love to join.", &[]),
    (
        Rule::NothingNew,
        "Thank you for your time. I am very interested.",
        &["Thank you for your time. I am very interested."],
    ),
    (Rule::NothingNew, "Thank you. You asked about lead times: two days.", &[]),
    (Rule::NothingNew, "Thanks! The migration that we discussed was done without any downtime.", &[]),
    (
        Rule::ContactDetails,
        "Write to tomas@home.example, or see https://home.example/cv.",
        &["tomas@home.example", "https://home.example/cv"],
    ),
    (
        Rule::ContactDetails,
        "I am at linkedin.com/in/tomas (or www.home.example).",
        &["linkedin.com/in/tomas", "www.home.example"],
    ),
    (
        Rule::ContactDetails,
        "Ring +49 30 123456-78, (030) 1234567 or 555-123-4567.",
        &["+49 30 123456-78", "(030) 1234567", "555-123-4567"],
    ),
    (Rule::ContactDetails, "Please call me directly, or @tomas_h.", &["call me directly", "@tomas_h"]),
    (
        Rule::ContactDetails,
        "On 20.11.2026, 01/02/2026 and 2026-11-20 we cut 68,000 to 1.200.000 in 2019-2024.",
        &[],
    ),
    (Rule::ContactDetails, "I use Node.js, ASP.NET and Booking.com; e.g. at work.Then I rest.", &[]),
    (Rule::ContactDetails, "You called me back at once. Order 12345678 was late.", &[]),
    (Rule::HealthDetails, "I was ill that day.", &["I was ill"]),
    (Rule::HealthDetails, "My migraine came back, and I'm on medication.", &["My migraine", "on medication"]),
    (Rule::HealthDetails, "I had a panic attack.", &["panic attack"]),
    (Rule::HealthDetails, "I am sick of commuting, and I’ll be there. The ill-fated plan.", &[]),
    (Rule::HealthDetails, "I worked as a nurse in surgery, for the doctor on call at the hospital.", &[]),
    (Rule::HealthDetails, "I run the mental health service and the sick leave policy.", &[]),
    (
        Rule::Placeholder,
        "Dear [Name], at {{company}} or <role>: ____",
        &["[Name]", "{{company}}", "<role>", "____"],
    ),
    (Rule::Placeholder, "I led XXX people. TODO. Lorem ipsum dolor.", &["XXX", "TODO", "Lorem ipsum"]),
    (Rule::Placeholder, "He said \"recieve [sic]\" [...] and [1], 2 < 3 and 4 > 1; to do: rest.", &[]),
    (Rule::Spelling, "I recieve. Definately! teh", &["recieve", "Definately", "teh"]),
    (Rule::Spelling, "Ines, Jens and Tomás favour colour, organise programmes and analyse behaviour.", &[]),
    (Rule::Spelling, "See https://x.example/recieve_it, snake_recieve and recieve@x.example.", &[]),
    (Rule::Grammar, "I should of said so. It was the the best.", &["should of said", "the the"]),
    (Rule::Grammar, "I know that that had had an effect. Had he been there, he would have seen it.", &[]),
];

#[test]
fn every_rule_finds_what_it_must_and_nothing_else() {
    for (rule, text, expected) in TABLE {
        assert_eq!(found(*rule, text), *expected, "{rule}: {text}");
    }
    for rule in Rule::VARIANTS {
        let in_table = |hits: bool| TABLE.iter().any(|(of, _, found)| of == rule && found.is_empty() != hits);
        let elsewhere = matches!(rule, Rule::Length | Rule::OtherCompany);
        assert!(elsewhere || (in_table(true) && in_table(false)), "{rule} has both sides in the table");
    }
}

/// Notes as they should be.
const GOOD: [&str; 4] = [
    "Dear Ines,\n\nThank you for the time that you took for me on Friday, and for the open answers about the \
     team.\n\nYou asked how I would cut the lead time. I would begin with the hand-over between the two shifts, \
     where we gained three days in my last project.\n\nThe role is exactly what I am looking for, and I would be \
     glad to continue the conversation.\n\nKind regards,\nTomás",
    "Dear Mr Brandt,\n\nMany thanks for the invitation and for the tour of the building. I’m sorry that my answer \
     on the standards was short: I have worked with both for six years, and would be glad to show an example. I \
     am very interested in working with you.\n\nBest wishes\nTomás Herrera",
    "Hello Jens,\n\nit was a pleasure to meet you and to hear what Nordwind Logistics has in mind for 2027. I \
     looked up the figure that I could not name: we reduced the complaints from forty to eleven a month, at a cost \
     of 68,000 euros. My interest in the shift lead role has grown, and I hope that we will speak again.\n\nTomás",
    "Dear panel,\n\nThank you for your time on 20.11.2026 and for the good questions. My disaster recovery plan \
     from the second audit may be of use, and I'd absolutely love to talk it through in the next round.\n\nTomás",
];

#[test]
fn a_good_note_gives_no_finding() {
    for text in GOOD {
        assert_eq!(note(text), [], "{text}");
    }
}

#[test]
fn a_bad_note_is_told_everything() {
    let text = "Dear [Name],\n\nI’m so so sorry, I was ill and it was a disaster. My old boss was a bully, and the \
                interviewer was hostile. Please call me directly on 0170 1234567. I recieve no answer.";
    let lines: Vec<String> = note(text)
        .iter()
        .map(|f| {
            format!(
                "{} {} {}..{} / {}..{}",
                f.severity, f.rule, f.start, f.end, f.start_character, f.end_character
            )
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @r"
    warning no_thanks 0..183 / 0..183
    hint no_confirmed_interest 0..183 / 0..183
    serious placeholder 5..11 / 5..11
    warning over_apologising 18..29 / 18..29
    serious health_details 31..40 / 31..40
    warning catastrophic_words 54..62 / 54..62
    serious former_employer 64..87 / 64..87
    serious blame_of_interviewer 97..120 / 97..120
    serious contact_details 129..145 / 129..145
    serious contact_details 149..161 / 149..161
    warning spelling 165..172 / 165..172
    ");
}

#[test]
fn a_note_is_long_beyond_two_hundred_words() {
    let length = |words: usize| found(Rule::Length, &"word ".repeat(words)).len();
    assert_eq!((length(200), length(201)), (0, 1));
}

#[test]
fn an_account_for_the_agency_may_say_what_a_note_may_not() {
    let text = "I forgot the figure. I stumbled. I was late. I am sorry, so sorry. Ring 0170 1234567.";
    assert_eq!(review(text, WordingKind::CandidateFeedback, None).findings, []);
    let text = "The interviewer was rude, and I was ill.";
    let rules = review(text, WordingKind::CandidateFeedback, None).findings.into_iter().map(|f| f.rule);
    assert_eq!(rules.collect::<Vec<_>>(), [Rule::BlameOfInterviewer, Rule::HealthDetails]);
}

#[test]
fn without_a_lexicon_only_the_rules_run_that_need_none() {
    let german =
        review("Lieber [Name], 0170 1234567. Disaster, sorry, sorry.", WordingKind::Note, Some("de-AT"));
    assert_eq!(german.language, None);
    assert_eq!(german.rules, [Rule::Length, Rule::ContactDetails, Rule::Placeholder]);
    let rules: Vec<Rule> = german.findings.iter().map(|finding| finding.rule).collect();
    assert_eq!(rules, [Rule::Placeholder, Rule::ContactDetails]);
    for tag in ["en", "EN-gb", "en-US", "eng"] {
        assert_eq!(review("Hello", WordingKind::Note, Some(tag)).language.as_deref(), Some("en"), "{tag}");
    }
}

fn other_companies(body: &str) -> Vec<String> {
    let names = Names {
        own: ["Nordwind Logistics GmbH", "Ines Okafor", "Tomás Herrera", "Shift lead at Baltic"]
            .map(str::to_owned)
            .into(),
        others: ["Siemens AG", "Blue Ridge Ltd", "Nordwind", "Okafor & Sons", "Baltic"]
            .map(str::to_owned)
            .into(),
    };
    let findings = review_note("Thank you, Ines", body, None, &names).findings;
    let other = findings.into_iter().filter(|finding| finding.rule == Rule::OtherCompany);
    other
        .map(|f| body.chars().skip(f.start_character).take(f.end_character - f.start_character).collect())
        .collect()
}

#[test]
fn other_companies_are_found_by_their_names() {
    assert_eq!(other_companies("I would love to join Siemens, or Blue Ridge."), ["Siemens", "Blue Ridge"]);
    assert_eq!(other_companies("At BLUE RIDGE’s plant."), ["BLUE RIDGE’s"]);
    assert_eq!(
        other_companies("Nordwind Logistics is where I belong, says Ines Okafor. At Nordwind."),
        [""; 0]
    );
    assert_eq!(
        other_companies("A blue ridge. Siemens came first. The siemens is a unit, Siemensstadt a place."),
        [""; 0]
    );
}

#[test]
fn a_stored_note_says_which_text_a_finding_is_in() {
    let review = review_note("Thank you [Name]", "I am keen on it. TODO", Some("en"), &Names::default());
    let places: Vec<_> = review.findings.iter().map(|f| (f.field, f.rule, f.start)).collect();
    let (subject, body) = (Some(NoteField::Subject), Some(NoteField::Body));
    assert_eq!(
        places,
        [(subject, Rule::Placeholder, 10), (body, Rule::NothingNew, 0), (body, Rule::Placeholder, 17)]
    );
    assert_eq!(review.word_count, 6);
}

#[test]
fn the_words_of_names_are_those_in_capitals() {
    assert_eq!(first_words(&["Thank you, Ines", "at 3M and Ines"]), ["3M", "Ines", "Thank"]);
    assert_eq!(first_words(&["A B C ".repeat(5).as_str()]).len(), 3);
}

#[test]
fn health_is_told_of_or_not() {
    assert!(tells_of_health("I had a migraine."));
    assert!(!tells_of_health("I was sick of waiting."));
}

/// Shapes at which a careless matcher would take the square of their length.
#[test]
fn the_longest_texts_are_read_through() {
    for piece in ["[", "<a ", "_", "+49 ", "sorry ", "I am so ", "a@", "😀", "[x]", "really "] {
        let text: String = piece.chars().cycle().take(MAX_TEXT_CHARS).collect();
        let review = review(&text, WordingKind::Note, None);
        assert!(review.findings.len() <= text.len(), "{piece}");
    }
}

/// Texts that mean something to the rules, between those that do not.
fn texts() -> impl Strategy<Value = String> {
    let pieces = TABLE.iter().map(|(_, text, _)| *text).collect::<Vec<_>>();
    let piece = prop_oneof![
        proptest::sample::select(pieces).prop_map(str::to_owned),
        "\\PC{0,12}",
        "[\\[\\]{}<>_@+0-9() ./:😀’\u{301}\n-]{0,12}",
    ];
    proptest::collection::vec(piece, 0..6).prop_map(|pieces| pieces.join(" "))
}

proptest! {
    #[test]
    fn places_are_in_the_text_and_in_order(text in texts(), is_note: bool) {
        let kind = if is_note { WordingKind::Note } else { WordingKind::CandidateFeedback };
        let review = review(&text, kind, None);
        let units: Vec<u16> = text.encode_utf16().collect();
        let characters: Vec<char> = text.chars().collect();
        for finding in &review.findings {
            prop_assert!(finding.start <= finding.end && finding.end <= units.len());
            let of_units = String::from_utf16(&units[finding.start..finding.end]);
            prop_assert!(of_units.is_ok(), "cuts a character: {finding:?}");
            let of_characters: String = characters[finding.start_character..finding.end_character].iter().collect();
            prop_assert_eq!(of_units.unwrap(), of_characters);
            prop_assert!(review.rules.contains(&finding.rule));
        }
        prop_assert!(review.findings.is_sorted_by_key(|finding| finding.start));
    }

    #[test]
    fn no_text_is_too_strange(text in any::<String>(), subject in any::<String>(), name in any::<String>()) {
        let names = Names { own: vec![name.clone()], others: vec![text.clone(), name] };
        let review = review_note(&subject, &text, Some("en"), &names);
        prop_assert!(review.findings.iter().all(|finding| finding.field.is_some()));
        prop_assert!(first_words(&[&text, &subject]).len() <= 60);
    }
}
