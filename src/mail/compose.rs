//! From a note to the bytes that are sent. The same note makes the same bytes, always: what is
//! random elsewhere (Message-ID, boundary) and what time changes (Date) is given.

use askama::Template;
use chrono::{DateTime, Utc};
use lettre::Address;
use lettre::message::header::{self, ContentTransferEncoding, ContentType, Header, HeaderValue, Headers};
use lettre::message::{Mailbox, Mailboxes, Message, MultiPart, SinglePart};

use super::footer::{People, footer};
use super::letter::{Envelope, Letter};

/// RFC 5322, section 2.1.1: a line has at most so many octets without its end.
const LONGEST_LINE: usize = 998;

/// A header that would be longer than about this is folded.
const SHORT_LINE: usize = 70;

/// Everything that goes into the message that carries a candidate's note to one contact.
#[derive(Debug, Clone, Copy)]
pub struct Note<'a> {
    /// The recruiter who passes the note on.
    pub recruiter_name: &'a str,
    /// Where a reply goes.
    pub recruiter_address: &'a str,
    /// The recruiter's agency.
    pub agency_name: &'a str,
    /// Who stands in `From`; the domain of that address is the domain of the Message-ID too.
    pub author: Author<'a>,
    /// The envelope sender: where bounces go.
    pub bounce_address: &'a str,
    /// The one recipient.
    pub contact_name: &'a str,
    /// The one recipient's address.
    pub contact_address: &'a str,
    /// Whose words these are. The candidate's address is not asked for and cannot leak.
    pub candidate_name: &'a str,
    /// One line.
    pub subject: &'a str,
    /// Plain text; a blank line ends a paragraph.
    pub body: &'a str,
    /// What the agency says before it, if anything.
    pub greeting: Option<&'a str>,
    /// What the agency says below it; if nothing, a sentence that says whose words these are.
    pub signature: Option<&'a str>,
    /// The language of the note, a BCP 47 tag.
    pub language: &'a str,
    /// The part of the Message-ID before the `@`: ASCII letters, digits, `.`, `_` and `-`.
    pub message_id: &'a str,
    /// What the MIME boundary is made of: up to 60 of the same characters.
    pub boundary_seed: &'a str,
    /// The `Date` of the message.
    pub date: DateTime<Utc>,
}

/// Who stands in `From`.
#[derive(Debug, Clone, Copy)]
pub enum Author<'a> {
    /// The recruiter, whose address is in a domain that may be signed for.
    Recruiter,
    /// The agency, at an address in a domain that may be signed for.
    Agency {
        /// The address.
        address: &'a str,
    },
    /// This service, on the agency's behalf.
    Service {
        /// What it calls itself.
        name: &'a str,
        /// Its address.
        address: &'a str,
    },
}

/// Why no message could be made.
#[derive(Debug, thiserror::Error)]
pub enum ComposeError {
    /// Not an address that mail can be sent to or from.
    #[error("the address of the {whose} is not usable")]
    Address {
        /// Whose address: recruiter, agency, service, contact, bounces.
        whose: &'static str,
        /// The address as it was given.
        address: String,
    },
    /// The Message-ID or the seed of the boundary has other characters than it may have.
    #[error("{0:?} cannot be part of an identifier")]
    Identifier(String),
    /// A word is too long to be folded into lines that every server takes.
    #[error("a line of the header would be longer than 998 octets")]
    LineTooLong,
    /// The template failed.
    #[error(transparent)]
    Template(#[from] askama::Error),
    /// The message was refused when it was put together.
    #[error(transparent)]
    Message(#[from] lettre::error::Error),
}

#[derive(Template)]
#[template(path = "note.txt", config = "src/mail/askama.toml")]
struct TextPart<'a> {
    paragraphs: &'a [Vec<String>],
    signature: &'a [String],
}

#[derive(Template)]
#[template(path = "note.html", config = "src/mail/askama.toml")]
struct HtmlPart<'a> {
    language: &'a str,
    subject: &'a str,
    paragraphs: &'a [Vec<String>],
    signature: &'a [String],
}

/// Composes the message.
///
/// Line breaks and control characters in names and subjects are refused when a record is written;
/// should one get here all the same, it becomes a space and starts no header.
pub fn compose(note: &Note<'_>) -> Result<Letter, ComposeError> {
    let contact = address("contact", note.contact_address)?;
    let recruiter = address("recruiter", note.recruiter_address)?;
    let bounces = address("bounces", note.bounce_address)?;
    let names = [note.recruiter_name, note.agency_name, note.contact_name, note.subject];
    let [recruiter_name, agency, contact_name, subject] = names.map(one_line);
    let (author_name, author) = match note.author {
        Author::Recruiter => (recruiter_name.clone(), recruiter.clone()),
        Author::Agency { address: agency_address } => {
            (format!("{recruiter_name} ({agency})"), address("agency", agency_address)?)
        }
        Author::Service { name, address: service_address } => {
            let name = format!("{recruiter_name} ({agency}) via {}", one_line(name));
            (name, address("service", service_address)?)
        }
    };
    let message_id = format!("{}@{}", identifier(note.message_id)?, author.domain());

    let envelope = lettre::address::Envelope::new(Some(bounces.clone()), vec![contact.clone()])?;
    let mut message = Message::builder()
        .envelope(envelope)
        .from(Mailbox::new(None, author.clone()))
        .reply_to(Mailbox::new(None, recruiter.clone()))
        .to(Mailbox::new(None, contact.clone()))
        .subject(subject)
        .date(note.date.into())
        .message_id(Some(format!("<{message_id}>")))
        .multipart(parts(note)?)?;
    let headers = message.headers_mut();
    set_mailbox::<header::From>(headers, &author_name, &author);
    set_mailbox::<header::ReplyTo>(headers, &recruiter_name, &recruiter);
    set_mailbox::<header::To>(headers, &contact_name, &contact);

    let bytes = message.formatted();
    if bytes.split(|b| *b == b'\n').any(|line| line.len() > LONGEST_LINE + 1) {
        return Err(ComposeError::LineTooLong);
    }
    let envelope = Envelope { sender: bounces.to_string(), recipient: contact.to_string() };
    Ok(Letter { message_id, envelope, bytes })
}

fn parts(note: &Note<'_>) -> Result<MultiPart, ComposeError> {
    let [candidate, recruiter, agency] =
        [note.candidate_name, note.recruiter_name, note.agency_name].map(one_line);
    let signature = match note.signature {
        Some(signature) => lines(signature),
        None => {
            let people = People { candidate: &candidate, recruiter: &recruiter, agency: &agency };
            vec![footer(note.language, people)]
        }
    };
    let mut paragraphs = paragraphs(note.greeting.unwrap_or_default());
    paragraphs.extend(self::paragraphs(note.body));
    let (paragraphs, signature) = (&*paragraphs, &*signature);
    let text = TextPart { paragraphs, signature }.render()?;
    let (language, subject) = (&one_line(note.language), &one_line(note.subject));
    let html = HtmlPart { language, subject, paragraphs, signature }.render()?;

    // Quoted-printable never contains "=_", so no text can end its part early (RFC 2045, section 6.7).
    let boundary = format!("=_{}", identifier(note.boundary_seed)?);
    let part = |kind: ContentType, body: String| {
        SinglePart::builder().header(kind).header(ContentTransferEncoding::QuotedPrintable).body(body)
    };
    Ok(MultiPart::alternative()
        .boundary(boundary)
        .singlepart(part(ContentType::TEXT_PLAIN, text))
        .singlepart(part(ContentType::TEXT_HTML, html)))
}

/// The lines of a text, without spaces at their ends.
fn lines(text: &str) -> Vec<String> {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    text.trim_end().lines().map(|line| spaced(line).trim_end().to_owned()).collect()
}

/// The lines of every paragraph; blank lines part the paragraphs.
fn paragraphs(body: &str) -> Vec<Vec<String>> {
    lines(body).split(String::is_empty).filter(|paragraph| !paragraph.is_empty()).map(<[_]>::to_vec).collect()
}

/// Sets a header with one mailbox. A name in plain ASCII is quoted and stays readable in the
/// source, where lettre would encode every name that has more than letters in it.
fn set_mailbox<H: Header + From<Mailboxes>>(headers: &mut Headers, name: &str, address: &Address) {
    let mailbox = Mailbox::new((!name.is_empty()).then(|| name.to_owned()), address.clone());
    if name.is_empty() || !name.is_ascii() {
        headers.set(H::from(mailbox.into()));
        return;
    }
    let quoted = format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""));
    let length = H::name().len() + quoted.len() + address.to_string().len();
    let line_break = if length > SHORT_LINE { "\r\n" } else { "" };
    let encoded = format!("{quoted}{line_break} <{address}>");
    headers.insert_raw(HeaderValue::dangerous_new_pre_encoded(H::name(), mailbox.to_string(), encoded));
}

/// Reads an address and turns its domain into A-labels (RFC 5890), which every server takes.
fn address(whose: &'static str, text: &str) -> Result<Address, ComposeError> {
    let fault = || ComposeError::Address { whose, address: text.to_owned() };
    let (local, domain) = text.rsplit_once('@').ok_or_else(fault)?;
    let domain = idna::domain_to_ascii(domain).map_err(|_| fault())?;
    if text.contains(|c: char| c.is_control() || c.is_whitespace() || matches!(c, '<' | '>')) {
        return Err(fault());
    }
    Address::new(local, domain).map_err(|_| fault())
}

fn identifier(text: &str) -> Result<&str, ComposeError> {
    let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let dots = text.starts_with('.') || text.ends_with('.') || text.contains("..");
    if (1..=60).contains(&text.len()) && text.chars().all(fine) && !dots {
        Ok(text)
    } else {
        Err(ComposeError::Identifier(text.to_owned()))
    }
}

/// One line without control characters, and without what a reader could take for an encoded word
/// (RFC 2047) and decode into something else.
fn one_line(text: &str) -> String {
    spaced(text).split_whitespace().collect::<Vec<_>>().join(" ").replace("=?", "= ?")
}

fn spaced(text: &str) -> String {
    text.replace(|c: char| c.is_control() && c != '\t', " ")
}

#[cfg(test)]
mod tests;
