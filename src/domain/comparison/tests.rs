use proptest::prelude::*;
use proptest::sample::select;
use strum::VariantArray;
use uuid::Uuid;

use super::*;

fn agency() -> Vec<String> {
    ["communication", "preparation", "motivation"].map(str::to_owned).to_vec()
}

fn point_id(number: u128) -> PointId {
    PointId::from_uuid(Uuid::from_u128(number))
}

fn point(number: u128, kind: PointKind, competency: Option<&str>, what: &str) -> Point {
    Point {
        id: point_id(number),
        kind,
        competency: competency.map(str::to_owned),
        what: what.to_owned(),
        why: None,
        next_time: None,
        question_asked: None,
        wished_answer: None,
        severity: Some(Severity::Minor),
        address: None,
    }
}

fn slip(number: u128, competency: &str) -> Point {
    point(number, PointKind::Slip, Some(competency), "a slip")
}

/// The account of the candidate (0) or of a contact (1 and up).
fn account(speaker: u128, points: Vec<Point>) -> Account {
    let contact_id = (speaker > 0).then(|| ContactId::from_uuid(Uuid::from_u128(speaker)));
    Account {
        feedback_id: FeedbackId::from_uuid(Uuid::from_u128(speaker)),
        side: if speaker == 0 { Side::Candidate } else { Side::Client },
        contact_id,
        said_by: None,
        points,
        ratings: Vec::new(),
    }
}

fn rated(speaker: u128, ratings: &[(&str, Rating)]) -> Account {
    let rating = |(key, rating): &(&str, Rating)| CompetencyRating {
        competency: (*key).to_owned(),
        rating: *rating,
        note: None,
    };
    Account { ratings: ratings.iter().map(rating).collect(), ..account(speaker, Vec::new()) }
}

fn same(a: u128, b: u128) -> ManualMatch {
    ManualMatch { points: (point_id(a), point_id(b)), same: true }
}

fn apart(a: u128, b: u128) -> ManualMatch {
    ManualMatch { same: false, ..same(a, b) }
}

/// The groups in short, the candidate's points before the bar: `communication both: 1 | 11`.
fn drawn(comparison: &Comparison) -> String {
    let ids = |points: &[ComparedPoint]| -> String {
        points.iter().map(|p| p.id.uuid().as_u128().to_string()).collect::<Vec<_>>().join(" ")
    };
    let line = |g: &PointGroup| {
        format!("{} {}: {} | {}", g.topic, g.noticed_by, ids(&g.candidate), ids(&g.client))
            .trim_end()
            .to_owned()
    };
    comparison.points.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn slips_on_one_competency_count_as_noticed_by_both() {
    let candidate = account(0, vec![slip(1, "preparation"), slip(2, "communication"), slip(3, "culture")]);
    let client = account(1, vec![slip(11, "motivation"), slip(12, "communication")]);
    let comparison = compare(&[client, candidate], &agency(), &[]);
    insta::assert_snapshot!(drawn(&comparison), @r"
    communication both: 2 | 12
    preparation candidate_only: 1 |
    motivation client_only:  | 11
    culture candidate_only: 3 |
    ");
    let ids = |points: &[ComparedPoint]| points.iter().map(|p| p.id).collect::<Vec<_>>();
    assert_eq!(ids(&comparison.overthinking), [point_id(1), point_id(3)]);
    assert_eq!(ids(&comparison.blind_spots), [point_id(11)]);
}

#[test]
fn two_slips_of_one_account_are_two_things() {
    let candidate = account(0, vec![slip(1, "communication"), slip(2, "communication")]);
    let panel = [account(1, vec![slip(11, "motivation")]), account(2, vec![slip(21, "motivation")])];
    let accounts = [candidate, panel[0].clone(), panel[1].clone()];
    insta::assert_snapshot!(drawn(&compare(&accounts, &agency(), &[])), @r"
    communication candidate_only: 1 |
    communication candidate_only: 2 |
    motivation client_only:  | 11 21
    ");
}

#[test]
fn the_recruiters_word_stands_above_the_rule() {
    let accounts = [
        account(0, vec![slip(1, "communication"), slip(2, "communication")]),
        account(1, vec![slip(11, "communication"), slip(12, "preparation")]),
    ];
    let drawn = |matches: &[ManualMatch]| drawn(&compare(&accounts, &agency(), matches));
    insta::assert_snapshot!(drawn(&[]), @r"
    communication both: 1 2 | 11
    preparation client_only:  | 12
    ");
    insta::assert_snapshot!(drawn(&[apart(11, 2)]), @r"
    communication both: 1 | 11
    communication candidate_only: 2 |
    preparation client_only:  | 12
    ");
    insta::assert_snapshot!(drawn(&[apart(11, 2), same(2, 12)]), @r"
    communication both: 1 | 11
    communication both: 2 | 12
    ");
    // To confirm what the rule found changes nothing, for no other point either.
    assert_eq!(drawn(&[same(1, 11)]), drawn(&[]));
}

#[test]
fn a_slip_held_apart_from_another_finds_its_counterpart_on_the_other_side() {
    let accounts = [
        account(0, vec![slip(1, "communication")]),
        account(1, vec![slip(11, "communication")]),
        account(2, vec![slip(21, "communication")]),
    ];
    let drawn = |matches: &[ManualMatch]| drawn(&compare(&accounts, &agency(), matches));
    insta::assert_snapshot!(drawn(&[apart(1, 11)]), @r"
    communication both: 1 | 21
    communication client_only:  | 11
    ");
}

#[test]
fn circumstances_are_the_same_in_the_same_words_or_by_hand() {
    let told = |number, what| point(number, PointKind::Circumstance, None, what);
    let accounts = [
        account(0, vec![told(1, "Broken  video link"), told(2, "Late train")]),
        account(1, vec![told(11, "broken video link"), slip(12, "preparation")]),
    ];
    let drawn = |matches: &[ManualMatch]| drawn(&compare(&accounts, &agency(), matches));
    insta::assert_snapshot!(drawn(&[]), @r"
    preparation client_only:  | 12
    circumstance both: 1 | 11
    circumstance candidate_only: 2 |
    ");
    // What the client took for a slip was the train.
    insta::assert_snapshot!(drawn(&[same(2, 12)]), @r"
    preparation both: 2 | 12
    circumstance both: 1 | 11
    ");
}

#[test]
fn nothing_is_overthought_or_overlooked_before_both_are_heard() {
    let candidate = compare(&[account(0, vec![slip(1, "communication")])], &agency(), &[]);
    assert_eq!(candidate.points[0].noticed_by, NoticedBy::CandidateOnly);
    assert_eq!(candidate.overthinking, []);
    let client = compare(&[account(1, vec![slip(11, "communication")])], &agency(), &[]);
    assert_eq!(client.blind_spots, []);
}

#[test]
fn strengths_of_both_sides_stand_apart_from_the_slips() {
    let strength = |number, key| point(number, PointKind::Strength, Some(key), "well done");
    let accounts = [
        account(0, vec![strength(1, "motivation"), slip(2, "communication")]),
        account(1, vec![strength(11, "communication")]),
    ];
    let comparison = compare(&accounts, &agency(), &[same(2, 11)]);
    let sides: Vec<_> = comparison.strengths.iter().map(|p| (p.side, p.id)).collect();
    assert_eq!(sides, [(Side::Client, point_id(11)), (Side::Candidate, point_id(1))]);
    insta::assert_snapshot!(drawn(&comparison), @"communication candidate_only: 2 |");
}

#[test]
fn the_panel_speaks_with_the_middle_of_its_voices() {
    let accounts = [
        rated(3, &[("communication", Rating::StrongNo)]),
        rated(0, &[("motivation", Rating::Yes), ("communication", Rating::StrongYes), ("zeal", Rating::No)]),
        rated(1, &[("communication", Rating::Yes), ("preparation", Rating::Mixed)]),
    ];
    let comparison = compare(&accounts, &agency(), &[]);
    let word = |rating: Option<Rating>| rating.map_or_else(|| "-".to_owned(), |rating| rating.to_string());
    let line = |row: &CompetencyRow| {
        format!("{}: {} {} {:?}", row.competency, word(row.candidate), word(row.client), row.gap)
    };
    insta::assert_snapshot!(comparison.competencies.iter().map(line).collect::<Vec<_>>().join("\n"), @r"
    communication: strong_yes strong_no Some(-4)
    preparation: - mixed None
    motivation: yes - None
    zeal: no - None
    ");
    let voices: Vec<_> = comparison.competencies[0].client_ratings.iter().map(|given| given.rating).collect();
    assert_eq!(voices, [Rating::Yes, Rating::StrongNo]);
}

#[test]
fn the_shape_is_what_the_contract_says() {
    let mut noticed = slip(1, "communication");
    noticed.address = Some(Address::Leave);
    let comparison = compare(&[account(0, vec![noticed])], &agency(), &[]);
    insta::assert_json_snapshot!(comparison, @r#"
    {
      "competencies": [],
      "points": [
        {
          "topic": "communication",
          "candidate": [
            {
              "id": "pnt_00000000000000000000000001",
              "feedback_id": "fbk_00000000000000000000000000",
              "side": "candidate",
              "contact_id": null,
              "said_by": null,
              "kind": "slip",
              "competency": "communication",
              "what": "a slip",
              "severity": "minor",
              "decision": "leave"
            }
          ],
          "client": [],
          "noticed_by": "candidate_only",
          "suggestion": {
            "address": "leave",
            "reason": "The client has not been heard and may not have noticed it: ask before bringing it up."
          }
        }
      ],
      "strengths": [],
      "blind_spots": [],
      "overthinking": []
    }
    "#);
}

prop_compose! {
    fn any_point()(
        kind in select(PointKind::VARIANTS),
        competency in select(&[None, Some("communication"), Some("preparation"), Some("zeal")][..]),
        what in select(&["late", "rude"][..]),
        severity in proptest::option::of(select(Severity::VARIANTS)),
    ) -> Point {
        Point { severity, ..point(0, kind, competency, what) }
    }
}

/// Up to four accounts, the candidate's first, with points numbered from 0.
fn any_accounts() -> impl Strategy<Value = Vec<Account>> {
    let points = proptest::collection::vec(any_point(), 0..5);
    proptest::collection::vec(points, 0..5).prop_map(|all| {
        let mut number = 0..;
        let mut numbered = |point| Point { id: point_id(number.next().unwrap()), ..point };
        let speakers = 0..;
        speakers
            .zip(all)
            .map(|(who, made)| account(who, made.into_iter().map(&mut numbered).collect()))
            .collect()
    })
}

fn any_matches() -> impl Strategy<Value = Vec<ManualMatch>> {
    let pair = (0_u128..20, 0_u128..20, any::<bool>());
    let made = pair.prop_map(|(a, b, same)| ManualMatch { points: (point_id(a), point_id(b)), same });
    proptest::collection::vec(made, 0..6)
}

fn home(comparison: &Comparison, id: PointId) -> Option<usize> {
    comparison.points.iter().position(|group| group.members().any(|point| point.id == id))
}

/// Whether a chain of matches by hand leads from one point to the other.
fn joined_by_hand(from: PointId, to: PointId, known: &[PointId], matches: &[ManualMatch]) -> bool {
    let mut reached = vec![from];
    for _ in known {
        for made in
            matches.iter().filter(|m| m.same && known.contains(&m.points.0) && known.contains(&m.points.1))
        {
            let (a, b) = made.points;
            if reached.contains(&a) || reached.contains(&b) {
                reached.extend([a, b]);
            }
        }
    }
    reached.contains(&to)
}

proptest! {
    #[test]
    fn every_point_stands_once_on_its_own_side(accounts in any_accounts(), matches in any_matches()) {
        let comparison = compare(&accounts, &agency(), &matches);
        for account in &accounts {
            for point in &account.points {
                let shown = |points: &[ComparedPoint]| points.iter().filter(|p| p.id == point.id).count();
                let in_groups = |side: fn(&PointGroup) -> &Vec<ComparedPoint>| -> usize {
                    comparison.points.iter().map(|group| shown(side(group))).sum()
                };
                let (own, other) = match account.side {
                    Side::Candidate => (in_groups(|g| &g.candidate), in_groups(|g| &g.client)),
                    Side::Client => (in_groups(|g| &g.client), in_groups(|g| &g.candidate)),
                };
                let strength = usize::from(point.kind == PointKind::Strength);
                prop_assert_eq!((shown(&comparison.strengths), own, other), (strength, 1 - strength, 0));
            }
        }
    }

    #[test]
    fn noticed_by_says_whose_points_are_there(accounts in any_accounts(), matches in any_matches()) {
        let comparison = compare(&accounts, &agency(), &matches);
        for group in &comparison.points {
            let (candidate, client) = (!group.candidate.is_empty(), !group.client.is_empty());
            let expected = match group.noticed_by {
                NoticedBy::Both => (true, true),
                NoticedBy::CandidateOnly => (true, false),
                NoticedBy::ClientOnly => (false, true),
            };
            prop_assert_eq!((candidate, client), expected);
            let has_slip = group.members().any(|point| point.kind == PointKind::Slip);
            prop_assert_eq!(group.suggestion.is_some(), has_slip);
        }
    }

    #[test]
    fn the_order_of_accounts_makes_no_difference(
        (accounts, shuffled) in any_accounts().prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle())),
        matches in any_matches(),
    ) {
        prop_assert_eq!(compare(&accounts, &agency(), &matches), compare(&shuffled, &agency(), &matches));
    }

    #[test]
    fn the_rule_never_overrules_the_recruiter(accounts in any_accounts(), matches in any_matches()) {
        let comparison = compare(&accounts, &agency(), &matches);
        let grouped: Vec<PointId> = comparison.points.iter().flat_map(PointGroup::members).map(|p| p.id).collect();
        for made in &matches {
            let (a, b) = made.points;
            let homes = home(&comparison, a).zip(home(&comparison, b));
            let Some((home_a, home_b)) = homes else { continue };
            let together = made.same || joined_by_hand(a, b, &grouped, &matches);
            prop_assert_eq!(home_a == home_b, together);
        }
    }

    #[test]
    fn without_a_match_by_hand_a_shared_competency_is_noticed_by_both(accounts in any_accounts()) {
        let comparison = compare(&accounts, &agency(), &[]);
        let slips = |p: &&ComparedPoint| p.kind == PointKind::Slip && p.competency.is_some();
        for group in &comparison.points {
            for slip in group.members().filter(slips) {
                let shared = accounts.iter().filter(|account| account.side != slip.side).any(|account| {
                    let matching = |p: &Point| p.kind == PointKind::Slip && p.competency == slip.competency;
                    account.points.iter().any(matching)
                });
                prop_assert_eq!(group.noticed_by == NoticedBy::Both, shared);
            }
        }
    }
}
