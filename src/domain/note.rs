//! The thank-you note: what the candidate wants said to the client, read by the recruiter first.

use sha2::{Digest, Sha256};

use super::ids::ContactId;
use super::state::Machine;
use super::words::words;

words! {
    /// Where a thank-you note stands. How each of its emails fares is told by the deliveries.
    pub enum NoteState {
        /// Being written.
        Draft,
        /// Waiting for the recruiter's eye.
        Submitted,
        /// Back with the candidate, with a reason.
        ChangesRequested,
        /// Found fit to send, text by text. Approval queues the note at once, so it is passed
        /// through rather than stayed in.
        Approved,
        /// Will not be sent.
        Rejected,
        /// Handed to the mail, now or for a later time.
        Queued,
        /// Called back before the mail was done with it.
        Recalled,
    }
}

words! {
    /// The ways from one state of a note to another.
    pub enum NoteTransition {
        /// Hands the note to the recruiter.
        Submit,
        /// Finds exactly this text fit to send.
        Approve,
        /// Sends it back to be mended.
        RequestChanges,
        /// Refuses it for good.
        Reject,
        /// Makes a delivery for each recipient.
        Queue,
        /// Calls it back. What has left cannot be called back: the deliveries say what has.
        Recall,
        /// Changes its text or its recipients; for a queued note only while nothing has left.
        Edit,
    }
}

impl Machine for NoteState {
    type Transition = NoteTransition;

    const RECORD: &'static str = "thank-you note";

    fn is_asked_for(transition: NoteTransition) -> bool {
        transition != NoteTransition::Queue
    }

    /// An approval is for one text: a later edit sends the note back for another look.
    fn next(self, transition: NoteTransition) -> Option<Self> {
        use NoteTransition as T;
        match (self, transition) {
            (Self::Draft | Self::ChangesRequested, T::Submit) => Some(Self::Submitted),
            (Self::Submitted, T::Approve) => Some(Self::Approved),
            (Self::Submitted, T::RequestChanges) => Some(Self::ChangesRequested),
            (Self::Submitted, T::Reject) => Some(Self::Rejected),
            (Self::Approved, T::Queue) => Some(Self::Queued),
            (Self::Approved | Self::Queued, T::Recall) => Some(Self::Recalled),
            (Self::Draft | Self::Submitted | Self::ChangesRequested, T::Edit) => Some(self),
            (Self::Approved | Self::Queued, T::Edit) => Some(Self::Submitted),
            _ => None,
        }
    }
}

impl NoteState {
    /// Whether the note stands for its contacts: an interview has one live note per contact. A
    /// note that was sent stays live, so that nobody is thanked twice.
    #[must_use]
    pub const fn is_live(self) -> bool {
        !matches!(self, Self::Rejected | Self::Recalled)
    }
}

/// A hash of everything that an approval binds to: SHA-256 in lower-case hex, over each field
/// behind its length, so that no two notes share an encoding. The order of the contacts does not
/// count; every character of the texts does.
#[must_use]
pub fn content_hash(subject: &str, body: &str, language: Option<&str>, contact_ids: &[ContactId]) -> String {
    let mut hash = Sha256::new_with_prefix(b"debrief note 1\n");
    let mut field = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_be_bytes());
        hash.update(bytes);
    };
    field(subject.as_bytes());
    field(body.as_bytes());
    // One field with a mark, so that no language is not the same as an empty one.
    field(&language.map_or_else(Vec::new, |tag| [b"=", tag.as_bytes()].concat()));
    let mut contacts = contact_ids.to_vec();
    contacts.sort_unstable();
    contacts.dedup();
    for contact in contacts {
        field(contact.uuid().as_bytes());
    }
    format!("{:x}", hash.finalize())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use strum::VariantArray;
    use uuid::Uuid;

    use super::*;
    use crate::domain::state;

    #[test]
    fn the_whole_table() {
        insta::assert_snapshot!(state::table::<NoteState>(), @r"
        draft: submit -> submitted, edit -> draft
        submitted: approve -> approved, request_changes -> changes_requested, reject -> rejected, edit -> submitted
        changes_requested: submit -> submitted, edit -> changes_requested
        approved: queue -> queued, recall -> recalled, edit -> submitted
        rejected: final
        queued: recall -> recalled, edit -> submitted
        recalled: final
        ");
    }

    #[test]
    fn an_approved_note_is_queued_without_being_asked() {
        assert_eq!(NoteState::Approved.allowed(), ["recall", "edit"]);
    }

    #[test]
    fn a_note_is_live_until_it_came_to_nothing() {
        for state in NoteState::VARIANTS {
            assert_eq!(state.is_live(), !state.allowed().is_empty(), "{state}");
        }
    }

    proptest! {
        #[test]
        fn nothing_is_queued_whose_text_changed_after_its_approval(
            walk in proptest::collection::vec(proptest::sample::select(NoteTransition::VARIANTS), 0..40),
        ) {
            let (mut state, mut approved) = (NoteState::Draft, false);
            for transition in walk {
                let Some(next) = state.next(transition) else { continue };
                state = next;
                match transition {
                    NoteTransition::Approve => approved = true,
                    NoteTransition::Edit => approved = false,
                    _ => {}
                }
                prop_assert!(state != NoteState::Queued || approved);
            }
        }
    }

    fn contact(number: u128) -> ContactId {
        ContactId::from_uuid(Uuid::from_u128(number))
    }

    /// Stored hashes are compared with fresh ones: the encoding must never drift.
    #[test]
    fn the_encoding_is_fixed() {
        let hash = content_hash("Thank you", "Dear Ann,\n\nthank you.", Some("en"), &[contact(1)]);
        insta::assert_snapshot!(hash, @"0ce3b0554e0327284bc7d8bebed0c2e923f26239c5ba5936efe4c80dc8c6c67b");
    }

    #[test]
    fn text_cannot_slide_from_one_field_to_the_next() {
        let one = [contact(1)];
        let base = content_hash("ab", "c", None, &one);
        assert_ne!(base, content_hash("a", "bc", None, &one));
        assert_ne!(base, content_hash("ab", "c", Some(""), &one));
        assert_ne!(base, content_hash("ab", "c", None, &[]));
        assert_ne!(base, content_hash("ab", "c ", None, &one));
    }

    #[test]
    fn the_order_of_contacts_does_not_count() {
        let hash = |contacts: &[ContactId]| content_hash("s", "b", None, contacts);
        assert_eq!(hash(&[contact(1), contact(2)]), hash(&[contact(2), contact(1), contact(2)]));
        assert_ne!(hash(&[contact(1), contact(2)]), hash(&[contact(1)]));
    }
}
