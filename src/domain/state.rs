//! State machines: every change of state is a named transition, allowed or refused in one place.

use strum::VariantArray;

/// A transition that the present state does not allow.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{transition} is not possible while the {record} is {state}")]
pub struct InvalidTransition {
    /// The kind of record, as a person would call it.
    pub record: &'static str,
    /// The state that the record is in.
    pub state: &'static str,
    /// The transition that was asked for.
    pub transition: &'static str,
    /// The transitions that this state allows and somebody can ask for.
    pub allowed: Vec<&'static str>,
}

/// The states of one kind of record and the ways between them.
pub trait Machine: Copy + Into<&'static str> + 'static {
    /// The named ways from one state to another.
    type Transition: Copy + Into<&'static str> + VariantArray + 'static;

    /// What a person calls the record: "thank-you note".
    const RECORD: &'static str;

    /// The state that `transition` leads to, if this state allows it.
    fn next(self, transition: Self::Transition) -> Option<Self>;

    /// Whether somebody can ask for the transition; others follow from what happens.
    fn is_asked_for(_: Self::Transition) -> bool {
        true
    }

    /// The transitions that this state allows and somebody can ask for, in the order of their
    /// declaration.
    fn allowed(self) -> Vec<&'static str> {
        let possible = |t: &&Self::Transition| Self::is_asked_for(**t) && self.next(**t).is_some();
        Self::Transition::VARIANTS.iter().filter(possible).map(|t| (*t).into()).collect()
    }

    /// Takes `transition`, or says why it cannot be taken.
    fn apply(self, transition: Self::Transition) -> Result<Self, InvalidTransition> {
        self.next(transition).ok_or_else(|| InvalidTransition {
            record: Self::RECORD,
            state: self.into(),
            transition: transition.into(),
            allowed: self.allowed(),
        })
    }
}

/// The whole machine as text, one line per state: the picture that the tests of each machine hold
/// against the design.
#[cfg(test)]
pub(crate) fn table<M: Machine + VariantArray>() -> String {
    let ways = |state: M| -> Vec<String> {
        let name = |t: M::Transition| -> &'static str { t.into() };
        let way = |t: &M::Transition| {
            state.next(*t).map(|next| format!("{} -> {}", name(*t), Into::<&str>::into(next)))
        };
        M::Transition::VARIANTS.iter().filter_map(way).collect()
    };
    let line = |state: &M| {
        let name: &str = (*state).into();
        let ways = ways(*state);
        if ways.is_empty() { format!("{name}: final") } else { format!("{name}: {}", ways.join(", ")) }
    };
    M::VARIANTS.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use crate::domain::interview::{InterviewStatus, InterviewTransition};

    use super::*;

    #[test]
    fn a_refusal_names_the_state_and_what_it_allows() {
        let refusal = InterviewStatus::Held.apply(InterviewTransition::MarkHeld).unwrap_err();
        assert_eq!(refusal.to_string(), "mark_held is not possible while the interview is held");
        assert_eq!(refusal.allowed, ["cancel", "mark_no_show"]);
    }
}
