//! What is made of the records that a domain has: whether they do what ours would.

use super::Found;

pub(super) fn with_version<'a>(records: &'a [String], version: &str) -> Vec<&'a str> {
    let is_one = |text: &&str| {
        let head = text.get(..version.len());
        let next = text.get(version.len()..).and_then(|rest| rest.chars().next());
        head.is_some_and(|head| head.eq_ignore_ascii_case(version))
            && next.is_none_or(|c| c == ' ' || c == ';')
    };
    records.iter().map(|record| record.trim()).filter(is_one).collect()
}

/// Good is a record by which a verifier takes our key (RFC 6376, section 3.6.1).
pub(super) fn judge_dkim(records: &[String], wanted: &str) -> Found {
    let keys: Vec<_> = records.iter().map(|record| key_tags(record)).filter(|tags| has(tags, "p")).collect();
    let wanted = key_tags(wanted);
    let other = |what: &str| Found::Other(what.to_owned());
    let [found] = keys.as_slice() else {
        // Which of them a verifier takes is up to it.
        return if keys.is_empty() { Found::Missing } else { other("several keys") };
    };
    let lists = |name, word| tag(found, name).is_none_or(|list| list.split(':').any(|item| item == word));
    if has(found, "v") && found.first().is_none_or(|(name, value)| name != "v" || value != "DKIM1") {
        other("a record of another version")
    } else if tag(found, "p") == Some("") {
        other("a revoked key")
    } else if tag(found, "k").unwrap_or("rsa") != tag(&wanted, "k").unwrap_or("rsa") {
        other("a key of another kind")
    } else if tag(found, "p") != tag(&wanted, "p") {
        other("another key")
    } else if !lists("h", "sha256") || !(lists("s", "*") || lists("s", "email")) {
        other("a key that is not for what it signs")
    } else if tag(found, "t").is_some_and(|flags| flags.split(':').any(|flag| flag == "y")) {
        other("a key under test, whose signatures count for nothing")
    } else {
        Found::Good
    }
}

/// The tags of a key's record, in its order, without white space.
fn key_tags(record: &str) -> Vec<(String, String)> {
    let bare = |text: &str| text.split_whitespace().collect::<String>();
    record
        .split(';')
        .filter_map(|tag| tag.split_once('='))
        .map(|(name, value)| (bare(name), bare(value)))
        .collect()
}

fn tag<'a>(tags: &'a [(String, String)], name: &str) -> Option<&'a str> {
    tags.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
}

fn has(tags: &[(String, String)], name: &str) -> bool {
    tag(tags, name).is_some()
}

/// Good is a record that allows all that ours does, whatever else it allows and wherever it ends.
pub(super) fn judge_spf(records: &[String], wanted: &str) -> Found {
    match with_version(records, "v=spf1").as_slice() {
        [] => Found::Missing,
        [one] => {
            let allowed = allowed_by(one);
            if allowed_by(wanted).iter().all(|term| allowed.contains(term)) {
                Found::Good
            } else {
                Found::Other((*one).to_owned())
            }
        }
        // An error, which every receiver takes for one (RFC 7208, section 4.5).
        several => Found::Other(several.join(" and ")),
    }
}

/// The terms of an SPF record that let somebody send. The first one that is about a sender decides, and
/// `all` is about everybody: behind it nothing counts, and beside it no `redirect` does (RFC 7208,
/// sections 4.6.2, 5.1 and 6.1).
fn allowed_by(record: &str) -> Vec<String> {
    let terms: Vec<String> = record.split_whitespace().skip(1).map(str::to_ascii_lowercase).collect();
    let end = terms.iter().position(|term| qualified(term).1 == "all");
    let mut allowed: Vec<String> = Vec::new();
    let mut decided = Vec::new();
    for (passes, mechanism) in terms[..end.unwrap_or(terms.len())].iter().map(|term| qualified(term)) {
        let counts = !mechanism.starts_with("redirect=") || end.is_none();
        if counts && passes && !decided.contains(&mechanism) {
            allowed.push(mechanism.to_owned());
        }
        decided.push(mechanism);
    }
    allowed
}

/// Whether whoever the term is about passes, and the term without its qualifier.
fn qualified(term: &str) -> (bool, &str) {
    match term.strip_prefix(['-', '~', '?']) {
        Some(mechanism) => (false, mechanism),
        None => (true, term.strip_prefix('+').unwrap_or(term)),
    }
}

pub(super) fn judge_exchangers(records: &[String], wanted: &str) -> Found {
    let host = |record: &str| {
        let host = record.split_whitespace().next_back().unwrap_or_default();
        host.trim_end_matches('.').to_ascii_lowercase()
    };
    if records.is_empty() {
        Found::Missing
    } else if records.iter().all(|record| host(record) == host(wanted)) {
        Found::Good
    } else {
        Found::Other(records.join(" and "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_looked_for_in_any_text() {
        let texts = [
            "abcde\u{FC}\u{FC}".to_owned(),
            "v=spf1".to_owned(),
            "V=SPF1 -all".to_owned(),
            "v=spf12".to_owned(),
        ];
        assert_eq!(with_version(&texts, "v=spf1"), ["v=spf1", "V=SPF1 -all"]);
    }

    #[test]
    fn a_key_is_good_if_a_verifier_takes_it() {
        let other = |text: &str| Found::Other(text.to_owned());
        let judge = |records: &[String]| judge_dkim(records, "v=DKIM1; k=ed25519; p=AAAA");
        for (texts, found) in [
            (vec!["p=AAAA;k=ed25519;"], Found::Good),
            (vec!["v=DKIM1; h=sha1:sha256; k=ed25519; s=email; t=s; p=AAAA", "hello"], Found::Good),
            (vec!["v=DKIM1; k=ed25519; p=BBBB"], other("another key")),
            (vec!["v=DKIM1; k=ed25519; p="], other("a revoked key")),
            (vec!["v=DKIM1; p=AAAA"], other("a key of another kind")),
            (vec!["v=DKIM1; k=rsa; p=AAAA"], other("a key of another kind")),
            (vec!["v=DKIM2; k=ed25519; p=AAAA"], other("a record of another version")),
            (vec!["k=ed25519; v=DKIM1; p=AAAA"], other("a record of another version")),
            (vec!["v=DKIM1; k=ed25519; h=sha1; p=AAAA"], other("a key that is not for what it signs")),
            (vec!["v=DKIM1; k=ed25519; s=tlsrpt; p=AAAA"], other("a key that is not for what it signs")),
            (
                vec!["v=DKIM1; k=ed25519; t=y; p=AAAA"],
                other("a key under test, whose signatures count for nothing"),
            ),
            (vec!["v=DKIM1; k=ed25519; p=AAAA", "v=DKIM1; k=ed25519; p=AAAA"], other("several keys")),
        ] {
            let texts: Vec<String> = texts.into_iter().map(str::to_owned).collect();
            assert_eq!(judge(&texts), found, "{texts:?}");
        }
    }

    #[test]
    fn an_spf_record_is_good_if_its_first_word_on_us_is_yes() {
        let judge = |wanted: &str, there: &str| judge_spf(&[there.to_owned()], wanted) == Found::Good;
        let ours = "v=spf1 include:spf.debrief.example ip4:192.0.2.1 ~all";
        for good in [
            ours,
            "v=spf1 -ip4:198.51.100.1 ip4:192.0.2.1 mx include:spf.debrief.example -all",
            "v=spf1 include:spf.overall ip4:192.0.2.1 include:spf.debrief.example redirect=b.example",
        ] {
            assert!(judge(ours, good), "{good}");
        }
        for bad in [
            "v=spf1 -all include:spf.debrief.example ip4:192.0.2.1",
            "v=spf1 include:spf.debrief.example ?all ip4:192.0.2.1",
            "v=spf1 ip4:192.0.2.1 -include:spf.debrief.example include:spf.debrief.example",
            "v=spf1 ip4:192.0.2.1 redirect=spf.debrief.example",
        ] {
            assert!(!judge(ours, bad), "{bad}");
        }
        let elsewhere = "v=spf1 redirect=spf.debrief.example";
        assert!(judge(elsewhere, "v=spf1 mx redirect=spf.debrief.example"));
        assert!(!judge(elsewhere, "v=spf1 mx redirect=spf.debrief.example -all"), "`all` is before it");
    }
}
