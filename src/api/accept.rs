//! `Accept`: in which of several forms an answer is wanted (RFC 9110, section 12.5.1).

use std::cmp::Reverse;

use actix_web::HttpRequest;
use actix_web::http::header::{Accept, Header, Quality};
use actix_web::mime::Mime;

use super::error::{ApiError, Code};

/// The form that the caller likes best, each with its media type; the first one for a caller who does not say, or
/// likes several as much.
///
/// # Errors
/// 406 with `detail` if the caller likes none.
pub fn preferred<T: Copy>(request: &HttpRequest, forms: &[(&str, T)], detail: &str) -> Result<T, ApiError> {
    let Accept(mut ranges) = Accept::parse(request).unwrap_or(Accept(Vec::new()));
    if ranges.is_empty() {
        ranges = Accept::star().0;
    }
    // The most specific range decides about a form, and a form that is named goes before one that is merely included.
    let liking = |form: &str| {
        let of = ranges.iter().enumerate().filter_map(|(place, range)| {
            Some((specificity(&range.item, form)?, range.quality, Reverse(place)))
        });
        let (specificity, quality, place) = of.max()?;
        (quality > Quality::ZERO).then_some((quality, specificity, place))
    };
    let liked = forms.iter().rev().filter_map(|(form, value)| Some((liking(form)?, *value)));
    let best = liked.max_by_key(|(liking, _)| *liking);
    best.map(|(_, value)| value).ok_or_else(|| ApiError::new(Code::NotAcceptable, detail))
}

/// How closely a range fits a media type, if it includes it.
fn specificity(range: &Mime, form: &str) -> Option<u8> {
    let kind = form.split('/').next()?;
    match (range.type_().as_str(), range.subtype().as_str()) {
        ("*", "*") => Some(0),
        (of, "*") if of == kind => Some(1),
        _ if range.essence_str() == form => Some(2),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn the_form_that_is_liked_best_is_chosen() {
        let forms = [("application/x-ndjson", 'n'), ("text/csv", 'c')];
        for (accept, chosen) in [
            ("", Some('n')),
            ("*/*", Some('n')),
            ("text/*", Some('c')),
            ("text/csv, application/x-ndjson", Some('c')),
            ("text/csv;q=0.5, application/x-ndjson", Some('n')),
            ("*/*, text/csv", Some('c')),
            ("application/x-ndjson;q=0, */*", Some('c')),
            ("text/csv;q=0, */*;q=0.1", Some('n')),
            ("*/*;q=0", None),
            ("text/html", None),
        ] {
            let request = TestRequest::get().insert_header(("Accept", accept)).to_http_request();
            assert_eq!(preferred(&request, &forms, "").ok(), chosen, "{accept}");
        }
    }
}
