//! Addresses, numbers and links by which the recruiter would be passed over, in any language. What
//! is said in words ("call me directly") stands in the lexicon.

use std::ops::Range;

use super::text::Text;
use super::{Hit, Rule};
use crate::domain::text::check_email;

/// Ends of host names that are links even without a path; others are as often names of tools.
const HOSTS: [&str; 9] = ["com", "org", "de", "uk", "fr", "eu", "info", "biz", "me"];

/// Looks for contact details.
pub(super) fn look(text: &Text, hits: &mut Vec<Hit>) {
    let mut add = |span: Range<usize>, what: &str| {
        let suggestion = format!("Take the {what} out: the client answers through the recruiter.");
        hits.push(Hit { rule: Rule::ContactDetails, span, suggestion });
    };
    for (start, piece) in pieces(text.raw) {
        let what = if check_email(piece).is_ok() || is_mailto(piece) {
            "address"
        } else if is_link(piece) {
            "link"
        } else if is_handle(piece) {
            "name"
        } else {
            continue;
        };
        add(start..start + piece.len(), what);
    }
    for span in numbers(text.raw) {
        add(span, "number");
    }
}

/// What stands between white space, without the marks around it.
pub(super) fn pieces(raw: &str) -> impl Iterator<Item = (usize, &str)> {
    let around = |c: char| ".,;:!?()[]{}<>\"'\u{2018}\u{2019}\u{201C}\u{201D}\u{201E}*".contains(c);
    raw.split_whitespace().filter_map(move |piece| {
        let start = piece.as_ptr() as usize - raw.as_ptr() as usize;
        let trimmed = piece.trim_start_matches(around);
        let start = start + piece.len() - trimmed.len();
        Some((start, trimmed.trim_end_matches(around))).filter(|(_, piece)| !piece.is_empty())
    })
}

fn is_mailto(piece: &str) -> bool {
    starts_with(piece, "mailto:")
}

/// Whether it leads somewhere: `https://...`, `www....`, `linkedin.com/in/...`.
pub(super) fn is_link(piece: &str) -> bool {
    if ["http://", "https://", "ftp://", "www.", "tel:"].iter().any(|scheme| starts_with(piece, scheme)) {
        return true;
    }
    let (host, path) = piece.split_once('/').map_or((piece, None), |(host, path)| (host, Some(path)));
    let Some((name, end)) = host.rsplit_once('.') else { return false };
    let is_host = name.contains(|c: char| c.is_ascii_alphabetic())
        && host
            .split('.')
            .all(|label| !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '-'));
    // "Booking.com" is what a company is called; "Node.js/React" is two tools.
    let is_lower = !name.starts_with(char::is_uppercase);
    is_host && HOSTS.contains(&end) && (path.is_some() || is_lower)
}

/// Whether it is somebody's name on a network: `@tomas_h`.
fn is_handle(piece: &str) -> bool {
    piece.strip_prefix('@').is_some_and(|name| {
        name.chars().count() >= 3 && name.chars().all(|c| c.is_alphanumeric() || "_.-".contains(c))
    })
}

fn starts_with(piece: &str, beginning: &str) -> bool {
    piece.get(..beginning.len()).is_some_and(|start| start.eq_ignore_ascii_case(beginning))
}

/// Telephone numbers: digits with what is written between them.
fn numbers(raw: &str) -> Vec<Range<usize>> {
    let of_number = |c: char| c.is_ascii_digit() || "+() -./\u{a0}\u{2011}\u{2013}".contains(c);
    let mut found = Vec::new();
    let mut start = 0;
    while start < raw.len() {
        let Some(next) = raw[start..].find(of_number) else { break };
        let from = start + next;
        let run = &raw[from..];
        let run = &run[..run.find(|c| !of_number(c)).unwrap_or(run.len())];
        start = from + run.len();
        let lead =
            run.len() - run.trim_start_matches(|c: char| !c.is_ascii_digit() && c != '+' && c != '(').len();
        let number = run[lead..].trim_end_matches(|c: char| !c.is_ascii_digit());
        let touches = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        let is_apart = lead > 0 || !touches(raw[..from].chars().next_back());
        let end = from + lead + number.len();
        if is_apart && !touches(raw[end..].chars().next()) && is_number(number) {
            found.push(from + lead..end);
        }
    }
    found
}

/// Whether digits are a telephone number, rather than a date or an amount.
fn is_number(text: &str) -> bool {
    let groups: Vec<usize> =
        text.split(|c: char| !c.is_ascii_digit()).map(str::len).filter(|n| *n > 0).collect();
    let digits: usize = groups.iter().sum();
    let is_date =
        matches!(groups[..], [1 | 2, 1 | 2, 2 | 4, ..] | [4, 1 | 2, 1 | 2, ..]) && !text.starts_with('+');
    let is_american = matches!(groups[..], [3, 3, 4] | [1, 3, 3, 4]);
    let begins = text.starts_with(['+', '0', '(']) || is_american;
    (8..=15).contains(&digits) && begins && !is_date
}
