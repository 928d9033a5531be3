//! From a note to the message that carries it to one contact.

use std::sync::Arc;

use chrono::TimeDelta;
use subtle::ConstantTimeEq;

use super::AppError;
use super::error::ConflictCode;
use super::faults::Faults;
use super::mail_domains::{self, Sending};
use crate::auth::caller::Caller;
use crate::auth::token::Tokens;
use crate::domain::frame::{self, Names};
use crate::domain::ids::{AgencyId, ContactId, DeliveryId};
use crate::domain::mail_domain::{DnsPolicy, parse_domain};
use crate::domain::people::EmailStatus;
use crate::domain::timestamp::Timestamp;
use crate::mail::{self, Author, ComposeError, Letter};
use crate::store::agencies::MailIdentity;
use crate::store::connection::DbConn;
use crate::store::correspondents::{self, Recipient, Sender};
use crate::store::debriefs::Debrief;
use crate::store::notes::Note;

/// The language of a note that names none.
const DEFAULT_LANGUAGE: &str = "en";

/// How the service presents itself in mail, and how long a note can be taken back.
pub struct MailPolicy {
    /// What the service calls itself.
    pub service_name: String,
    /// The domain of the sender and of every Message-ID, where an agency has none of its own.
    pub from_domain: String,
    /// What the DNS of an agency's own domain has to say.
    pub dns: DnsPolicy,
    /// Lets a mail server hand on what comes back; without one, none may.
    pub inbound_key: Option<String>,
    /// Opens the keys that sign mail, and tags where it bounces to.
    pub tokens: Arc<Tokens>,
    /// How long an approved note waits before it leaves.
    pub undo_window: TimeDelta,
}

impl MailPolicy {
    /// Whether it is the key with which a mail server hands on what comes back. Compared in constant time.
    #[must_use]
    pub fn is_inbound_key(&self, given: &str) -> bool {
        self.inbound_key.as_ref().is_some_and(|key| key.as_bytes().ct_eq(given.as_bytes()).into())
    }

    /// Where a delivery bounces to: an address that nobody else can make (`b.<id>.<tag>`).
    fn bounce_address(&self, name: &str, domain: &str) -> String {
        format!("b.{name}.{}@{domain}", self.tokens.keys().tags().tag(name.as_bytes()))
    }
}

/// Who a debrief's letters are from and about.
pub struct Parties {
    agency_name: String,
    mail: MailIdentity,
    candidate_name: String,
    recruiter: Sender,
    /// The agency's own domain, if it has one.
    sending: Option<Sending>,
}

impl Parties {
    /// The parties of a debrief. The letter is from the debrief's own recruiter, so that it does
    /// not depend on who looks at it or approves it; where there is none, from the caller.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] if no user is left whom an answer could reach.
    pub fn of(
        conn: &mut DbConn,
        caller: &Caller,
        policy: &MailPolicy,
        debrief: &Debrief,
    ) -> Result<Self, AppError> {
        let mut recruiter = None;
        for user in [debrief.recruiter_id, caller.user()].into_iter().flatten() {
            if recruiter.is_none() {
                recruiter = correspondents::sender(conn, caller.agency, user)?;
            }
        }
        let recruiter = recruiter.ok_or(AppError::Forbidden(
            "the debrief has no recruiter whom an answer could reach: a user has to approve its notes",
        ))?;
        let (agency_name, mail, candidate_name) = correspondents::names(conn, caller.agency, debrief.id)?;
        let seals = policy.tokens.keys().seals();
        let sending = mail_domains::sending(conn, seals, caller.agency, &recruiter.email)?;
        Ok(Self { agency_name, mail, candidate_name, recruiter, sending })
    }

    /// The letter that carries an approved note for good: what [`draft`](Self::draft) shows, under the
    /// delivery's name, and signed.
    ///
    /// # Errors
    /// [`ConflictCode::ContactBlocked`] if the contact's address cannot be written to.
    pub fn letter(
        &self,
        policy: &MailPolicy,
        note: &Note,
        recipient: &Recipient,
        delivery: DeliveryId,
        date: Timestamp,
    ) -> Result<Letter, AppError> {
        let mut letter = self.draft(policy, note, recipient, &delivery.to_string(), date)?;
        if let Some(sending) = &self.sending {
            letter.sign(&sending.signers, date).map_err(|error| AppError::Internal(error.to_string()))?;
        }
        Ok(letter)
    }

    /// The letter that would carry `note` to `recipient`. `name` becomes the Message-ID's own part and
    /// the MIME boundary; the same arguments make the same bytes. It is not signed: the signature is
    /// the agency's word for a text that somebody approved.
    ///
    /// # Errors
    /// [`ConflictCode::ContactBlocked`] if the contact's address cannot be written to.
    pub fn draft(
        &self,
        policy: &MailPolicy,
        note: &Note,
        recipient: &Recipient,
        name: &str,
        date: Timestamp,
    ) -> Result<Letter, AppError> {
        let domain = self.sending.as_ref().map_or(&policy.from_domain, |sending| &sending.domain);
        let bounces = self.sending.as_ref().map_or(&policy.from_domain, |sending| &sending.bounce_domain);
        let notes = format!("notes@{domain}");
        let author = match &self.sending {
            None => Author::Service { name: &policy.service_name, address: &notes },
            Some(sending) if is_at(&self.recruiter.email, &sending.domain) => Author::Recruiter,
            Some(_) => Author::Agency { address: &notes },
        };
        let language = note.language.as_deref().unwrap_or(DEFAULT_LANGUAGE);
        let names = Names {
            contact: &recipient.name,
            candidate: &self.candidate_name,
            recruiter: &self.recruiter.name,
            agency: &self.agency_name,
        };
        let frame = self.mail.frame(language);
        let filled = |text: &Option<String>| text.as_deref().map(|text| frame::fill(text, names));
        let greeting = frame.and_then(|frame| filled(&frame.greeting));
        let signature = frame.and_then(|frame| filled(&frame.signature));
        let composed = mail::compose(&mail::Note {
            recruiter_name: &self.recruiter.name,
            recruiter_address: &self.recruiter.email,
            agency_name: &self.agency_name,
            author,
            bounce_address: &policy.bounce_address(name, bounces),
            contact_name: &recipient.name,
            contact_address: recipient.email.as_deref().unwrap_or_default(),
            candidate_name: &self.candidate_name,
            subject: &note.subject,
            body: &note.body,
            language,
            greeting: greeting.as_deref(),
            signature: signature.as_deref(),
            message_id: name,
            boundary_seed: name,
            date: *date,
        });
        composed.map_err(|error| match error {
            ComposeError::Address { whose: "contact", .. } => {
                blocked(recipient.id, "has an address that no mail can be sent to")
            }
            ComposeError::Address { whose, .. } => {
                let detail = format!("the address of the {whose} is not one that mail can be sent from");
                AppError::conflict(ConflictCode::ContactBlocked, detail)
            }
            ComposeError::LineTooLong => {
                AppError::fault("/subject", "too_long", "has a word that is too long for a line of mail")
            }
            other => AppError::Internal(other.to_string()),
        })
    }
}

/// Whether an address is one of the domain itself.
fn is_at(address: &str, domain: &str) -> bool {
    let own = address.rsplit_once('@').and_then(|(_, own)| parse_domain(own).ok());
    own.is_some_and(|own| own == domain)
}

/// The contacts of these ids; a fault for each that is not the client's, or has the address of one before:
/// one mailbox would get the same twice.
pub fn recipients(
    conn: &mut DbConn,
    agency: AgencyId,
    debrief: &Debrief,
    contacts: &[ContactId],
    faults: &mut Faults,
) -> Result<Vec<Recipient>, AppError> {
    let mut found = Vec::with_capacity(contacts.len());
    for (i, id) in contacts.iter().enumerate() {
        match correspondents::recipient(conn, agency, *id)? {
            Some(recipient) if recipient.client_id == debrief.client_id => {
                if has_address_of(&recipient, &found) {
                    faults.add(format!("/contact_ids/{i}"), "duplicate", SHARED);
                }
                found.push(recipient);
            }
            _ => faults.unknown(format!("/contact_ids/{i}"), "contact at the debrief's client"),
        }
    }
    Ok(found)
}

/// What is wrong with the second of two contacts of a note.
pub const SHARED: &str = "has the same email address as another contact of the note";

/// Whether a contact has the address of another of these.
pub fn has_address_of(recipient: &Recipient, others: &[Recipient]) -> bool {
    others.iter().any(|other| other.id != recipient.id && recipient.is_at(other.email.as_deref()))
}

/// Fails unless every one of these contacts may be written to, and can be.
///
/// # Errors
/// [`ConflictCode::ContactBlocked`], naming the first who may not.
pub fn reachable(recipients: &[Recipient]) -> Result<(), AppError> {
    let hindrance = |recipient: &Recipient| {
        if recipient.off_limits {
            Some("is off-limits")
        } else if recipient.email.is_none() {
            Some("has no email address")
        } else if recipient.email_status == EmailStatus::Bounced {
            Some("has an email address from which mail came back")
        } else {
            None
        }
    };
    let first = recipients.iter().find_map(|recipient| Some((recipient, hindrance(recipient)?)));
    first.map_or(Ok(()), |(recipient, why)| Err(blocked(recipient.id, why)))
}

/// A contact may not be written to.
pub fn blocked(contact: ContactId, why: &str) -> AppError {
    AppError::Conflict {
        code: ConflictCode::ContactBlocked,
        detail: format!("the contact {contact} {why}"),
        existing: Some(contact.to_string()),
    }
}
