//! `/v1/reviews`: what is to be looked at again in a text that is not kept.

use actix_web::http::StatusCode;
use actix_web::{post, web};

use super::access::{Access, Read};
use super::error::Answer;
use super::idempotency_keys::Once;
use super::input::Body;
use super::registration::Routes;
use super::reply::Reply;
use crate::app::AppError;
use crate::app::reviews::{self, WordingInput};
use crate::domain::wording::WordingReview;

/// Registers the routes.
pub fn routes(routes: &mut impl Routes) {
    routes.service(review_wording);
}

/// Reviews the wording of a text: what to look at again, where, and why. Nothing is kept or changed.
#[utoipa::path(tag = "reviews", params(Access<Read>), request_body = WordingInput,
    responses((status = 200, body = WordingReview)))]
#[post("/v1/reviews/wording")]
async fn review_wording(_: Access<Read>, once: Once, body: Body<WordingInput>) -> Answer {
    // A long text takes milliseconds, which no other request should wait for.
    let review = web::block(move || reviews::wording(&body.0)).await;
    let review = review.map_err(|e| AppError::Internal(format!("a review stopped half-way: {e}")))?;
    once.answer(Reply::json(StatusCode::OK, &review)?).await
}
