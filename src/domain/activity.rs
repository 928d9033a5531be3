//! What is done around a debrief besides the accounts themselves: the calls, the messages, and who
//! put in a word.

use super::words::words;

words! {
    /// What kind of activity it was.
    pub enum ActivityKind {
        /// Somebody was reached by telephone.
        Call,
        /// A message was left on a machine.
        Voicemail,
        /// A message was written.
        Message,
        /// Somebody answered a note by email.
        Reply,
        /// A machine answered a note by email, as while somebody is away.
        AutoReply,
        /// Somebody inside the client's company put in a word for the candidate.
        Advocate,
        /// The candidate and the client wrote or spoke to each other past the recruiter.
        DirectContact,
    }
}
