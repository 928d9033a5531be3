//! Whether a slip is worth bringing up at all: advice from who noticed it and how much it weighs.

use super::{NoticedBy, Suggestion};
use crate::domain::feedback::{Address, Severity};

/// The advice on a group with slips of these severities, none without a slip. The gravest counts;
/// while nobody has said how grave it is, it is taken for noticeable. `both_heard` tells a slip
/// that one side did not notice from one that it was not asked about.
pub(super) fn suggest(
    noticed_by: NoticedBy,
    severities: &[Option<Severity>],
    both_heard: bool,
) -> Option<Suggestion> {
    if severities.is_empty() {
        return None;
    }
    let gravest = severities.iter().flatten().max().copied().unwrap_or(Severity::Noticeable);
    let (address, reason) = match (noticed_by, gravest) {
        (NoticedBy::Both, Severity::Minor) => (
            Address::Leave,
            "Both noticed it, but it is small: to bring it up again would give it more weight.",
        ),
        (NoticedBy::Both, Severity::Noticeable) => {
            (Address::Address, "Both noticed it: a short word shows that the candidate sees it too.")
        }
        (NoticedBy::Both, Severity::Serious) => (
            Address::Address,
            "Both noticed it and it is serious: silence would speak louder than a good answer.",
        ),
        (NoticedBy::ClientOnly, Severity::Minor) => {
            (Address::Leave, "The client noticed it, but it is small: better kept as a lesson.")
        }
        (NoticedBy::ClientOnly, Severity::Noticeable) => (
            Address::Address,
            "The client noticed it: it is worth a good answer once the candidate knows of it.",
        ),
        (NoticedBy::ClientOnly, Severity::Serious) => (
            Address::Address,
            "The client noticed it and it is serious: left alone it may decide against the candidate.",
        ),
        (NoticedBy::CandidateOnly, Severity::Serious) if both_heard => (
            Address::Address,
            "The client did not speak of it, but the candidate finds it serious: better put right than found out.",
        ),
        (NoticedBy::CandidateOnly, _) if both_heard => {
            (Address::Leave, "Only the candidate noticed it: to bring it up would draw attention to it.")
        }
        (NoticedBy::CandidateOnly, Severity::Serious) => (
            Address::Address,
            "The candidate finds it serious, and the client has not been heard: raise it with the client first.",
        ),
        (NoticedBy::CandidateOnly, _) => (
            Address::Leave,
            "The client has not been heard and may not have noticed it: ask before bringing it up.",
        ),
    };
    Some(Suggestion { address, reason })
}

#[cfg(test)]
mod tests {
    use strum::VariantArray;

    use super::*;

    #[test]
    fn the_whole_table() {
        let mut lines = Vec::new();
        for both_heard in [true, false] {
            for noticed_by in NoticedBy::VARIANTS {
                let advice = Severity::VARIANTS.iter().map(|severity| {
                    let suggestion = suggest(*noticed_by, &[Some(*severity)], both_heard).unwrap();
                    format!("{severity} -> {}", suggestion.address)
                });
                let advice: Vec<String> = advice.collect();
                lines.push(format!("{noticed_by}, both heard {both_heard}: {}", advice.join(", ")));
            }
        }
        insta::assert_snapshot!(lines.join("\n"), @r"
        both, both heard true: minor -> leave, noticeable -> address, serious -> address
        candidate_only, both heard true: minor -> leave, noticeable -> leave, serious -> address
        client_only, both heard true: minor -> leave, noticeable -> address, serious -> address
        both, both heard false: minor -> leave, noticeable -> address, serious -> address
        candidate_only, both heard false: minor -> leave, noticeable -> leave, serious -> address
        client_only, both heard false: minor -> leave, noticeable -> address, serious -> address
        ");
    }

    #[test]
    fn the_gravest_slip_counts() {
        let mixed = [Some(Severity::Minor), None, Some(Severity::Serious)];
        assert_eq!(
            suggest(NoticedBy::Both, &mixed, true),
            suggest(NoticedBy::Both, &[Some(Severity::Serious)], true)
        );
        assert_eq!(
            suggest(NoticedBy::Both, &[None], true),
            suggest(NoticedBy::Both, &[Some(Severity::Noticeable)], true)
        );
        assert_eq!(suggest(NoticedBy::Both, &[], true), None);
    }

    #[test]
    fn a_client_not_yet_heard_has_not_failed_to_notice() {
        let reason = |both_heard| {
            suggest(NoticedBy::CandidateOnly, &[Some(Severity::Minor)], both_heard).unwrap().reason
        };
        assert!(reason(true).contains("Only the candidate noticed it"));
        assert!(reason(false).contains("has not been heard"));
    }
}
