//! `Accept`: in which of several forms an answer is wanted (RFC 9110, section 12.5.1).

use actix_web::HttpRequest;
use actix_web::http::header::{Accept, Header, Quality};
use actix_web::mime::Mime;

use super::error::{ApiError, Code};

/// The form that the caller likes best. `offered` tells which one is meant by a range; `otherwise` is the one for a
/// caller who says nothing.
///
/// # Errors
/// 406 with `detail` if the caller likes none.
pub fn preferred<T>(
    request: &HttpRequest,
    otherwise: T,
    offered: impl Fn(&Mime) -> Option<T>,
    detail: &str,
) -> Result<T, ApiError> {
    let Ok(Accept(mut ranges)) = Accept::parse(request) else { return Ok(otherwise) };
    if ranges.is_empty() {
        return Ok(otherwise);
    }
    ranges.retain(|range| range.quality > Quality::ZERO);
    let liked = Accept(ranges).ranked();
    liked.iter().find_map(offered).ok_or_else(|| ApiError::new(Code::NotAcceptable, detail))
}
