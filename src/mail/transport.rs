//! The ways a message can leave, behind one method.

use super::file::Folder;
use super::letter::Letter;
use super::outcome::Outcome;
use super::smtp::SmtpRelay;
use crate::domain::delivery::Reply;

/// Where messages go.
pub enum Transport {
    /// To a mail server.
    Smtp(Box<SmtpRelay>),
    /// Into a folder.
    File(Folder),
    /// Nowhere: for measurements.
    Discard,
}

impl Transport {
    /// Hands over one message.
    ///
    /// `commit_point` is called at most once, at the last moment at which the message has
    /// certainly not left. It must make durable that from here on it may arrive, and return
    /// whether it still should.
    /// A caller that drops the returned future after that has to take the outcome for unknown.
    pub async fn relay<F, C>(&self, letter: &Letter, commit_point: C) -> Outcome
    where
        C: FnOnce() -> F,
        F: Future<Output = bool>,
    {
        match self {
            Self::Smtp(relay) => relay.relay(letter, commit_point).await,
            Self::File(folder) => folder.relay(letter, commit_point).await,
            Self::Discard if commit_point().await => Outcome::Accepted(Reply::new(250, "2.0.0 discarded")),
            Self::Discard => Outcome::Revoked,
        }
    }

    /// What an attempt is recorded under: `host:port`, or the kind of transport.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Smtp(relay) => relay.name(),
            Self::File(_) => "file".to_owned(),
            Self::Discard => "discard".to_owned(),
        }
    }

    /// Ends what is open, politely; for an orderly shutdown.
    pub async fn close(&self) {
        if let Self::Smtp(relay) = self {
            relay.close().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::Envelope;

    #[tokio::test]
    async fn even_what_is_thrown_away_is_committed_first() {
        let envelope = Envelope { sender: "b@a.example".into(), recipient: "c@d.example".into() };
        let letter = Letter { message_id: "1@a.example".into(), envelope, bytes: Vec::new() };
        assert_eq!(Transport::Discard.relay(&letter, async || false).await, Outcome::Revoked);
        let outcome = Transport::Discard.relay(&letter, async || true).await;
        assert!(matches!(outcome, Outcome::Accepted(_)));
    }

    /// Workers spawn the future, so it must be able to move between threads.
    #[test]
    fn relaying_can_be_spawned() {
        const fn spawnable(_: &impl Send) {}
        let envelope = Envelope { sender: "b@a.example".into(), recipient: "c@d.example".into() };
        let letter = Letter { message_id: "1@a.example".into(), envelope, bytes: Vec::new() };
        spawnable(&Transport::Discard.relay(&letter, || std::future::ready(true)));
    }
}
