//! `/v1/mail/inbound`: what comes back, handed on by a mail server.

use std::future::{Future, Ready, ready};
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest, post, web};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::error::{Answer, ApiError, Code, unauthorized};
use super::idempotency_keys::Once;
use super::input::{Filters, Whole};
use super::registration::Routes;
use super::reply::Reply;
use crate::app::Context;
use crate::app::inbound::{self, NotTaken, Taken};
use crate::domain::delivery::DeliveryState;
use crate::domain::ids::{ActivityId, DeliveryId};
use crate::store::pool::Tx;

const MESSAGE: &str = "message/rfc822";

/// Registers the routes.
pub fn routes(routes: &mut impl Routes) {
    routes.service(take);
}

/// Whom the message came to.
#[derive(Debug, Deserialize, ToSchema, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Recipient {
    /// The address in the envelope (`RCPT TO`).
    #[schema(max_length = 320)]
    #[param(
        max_length = 320,
        example = "b.dlv_01h2xcejqtf2nbrexx3vqjhp41.4f2d0a6b8c1e3f5a7b9d0c2e@bounces.agency.example"
    )]
    recipient: String,
}

/// A mail server that has shown the key.
struct MailServer;

impl FromRequest for MailServer {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let given = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let given = given.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
        let context = request.app_data::<web::Data<Context>>();
        let is_known = context.is_some_and(|context| context.mail.is_inbound_key(given));
        let refused = || unauthorized("this is not the key for inbound mail", ", error=\"invalid_token\"");
        ready(if is_known { Ok(Self) } else { Err(refused()) })
    }
}

/// The bytes of a message.
struct Letter(web::Bytes);

impl FromRequest for Letter {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let kind = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default().trim();
        let is_message = kind.eq_ignore_ascii_case(MESSAGE);
        let reading = Whole::from_request(request, payload);
        Box::pin(async move {
            if !is_message {
                return Err(ApiError::new(Code::UnsupportedMediaType, format!("the body must be {MESSAGE}")));
            }
            Ok(Self(reading.await?.0))
        })
    }
}

/// What became of the message.
#[derive(Debug, Serialize, ToSchema)]
struct Inbound {
    /// Whether it was for a delivery of this service; if not, it changed nothing.
    taken: bool,
    /// The delivery.
    #[serde(skip_serializing_if = "Option::is_none")]
    delivery_id: Option<DeliveryId>,
    /// Where the delivery stands now, if the message moved it on.
    #[serde(skip_serializing_if = "Option::is_none")]
    delivery_state: Option<DeliveryState>,
    /// The activity that it was filed as, if somebody answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    activity_id: Option<ActivityId>,
}

impl Inbound {
    const NOT_TAKEN: Self = Self { taken: false, delivery_id: None, delivery_state: None, activity_id: None };
}

impl From<Taken> for Inbound {
    fn from(taken: Taken) -> Self {
        let (delivery, delivery_state, activity_id) = match taken {
            Taken::Moved(delivery, state) => (delivery, Some(state), None),
            Taken::Filed(delivery, activity) => (delivery, None, Some(activity)),
            Taken::Known(delivery) => (delivery, None, None),
        };
        Self { taken: true, delivery_id: Some(delivery), delivery_state, activity_id }
    }
}

/// Takes a message that came back: a bounce or another notice (RFC 3464), a complaint (RFC 5965), or an
/// answer. It is for a mail server that holds the key of `mail.inbound.key_file`, as a bearer token. A
/// message that is for no delivery, or whose tag is wrong, changes nothing. What comes again counts
/// once. 503 with `Retry-After` while the delivery is being sent: hand it over again later.
#[utoipa::path(tag = "mail", security(("inbound_key" = [])), params(Recipient),
    request_body(content((String = "message/rfc822"))),
    responses((status = 200, body = Inbound)))]
#[post("/v1/mail/inbound")]
async fn take(
    once: Once,
    _: MailServer,
    context: web::Data<Context>,
    query: Filters<Recipient>,
    body: Letter,
) -> Answer {
    let tags = context.tokens.keys().tags();
    match inbound::read(tags, &[&query.0.recipient], &body.0) {
        Ok(arrived) => {
            let work = move |tx: &mut Tx<'_>| {
                Reply::json(StatusCode::OK, &Inbound::from(inbound::take(tx, arrived)?))
            };
            once.write(work).await
        }
        Err(NotTaken::NotOurs) => once.answer(Reply::json(StatusCode::OK, &Inbound::NOT_TAKEN)?).await,
        Err(NotTaken::NotAMessage) => {
            Err(ApiError::new(Code::MalformedBody, "this is not a message (RFC 5322)"))
        }
    }
}
