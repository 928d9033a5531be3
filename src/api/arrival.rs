//! A body must arrive in time, whoever reads it and whether or not anybody does.

use std::cell::RefCell;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::HttpMessage;
use actix_web::body::{BodySize, EitherBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::error::PayloadError;
use actix_web::middleware::Next;
use actix_web::web::{self, Bytes};
use futures_core::Stream;
use tokio::time::Sleep;

/// How long a body may take to arrive.
#[derive(Clone, Copy)]
pub struct BodyTimeout(pub Duration);

/// A body on its way in.
type Arriving = Rc<RefCell<Payload>>;

/// A body that breaks off when its time is over.
struct Timely {
    payload: Arriving,
    deadline: Pin<Box<Sleep>>,
}

impl Stream for Timely {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let arrived = Pin::new(&mut *self.payload.borrow_mut()).poll_next(cx);
        if arrived.is_ready() {
            return arrived;
        }
        let too_late = |()| Some(Err(PayloadError::Io(io::ErrorKind::TimedOut.into())));
        self.deadline.as_mut().poll(cx).map(too_late)
    }
}

/// An answer that holds on to the body of its request. A body in chunks that nobody holds is read to
/// its end, however long that takes; one that is held ends with the connection.
struct Holding<B> {
    answer: Pin<Box<B>>,
    _request: Arriving,
}

impl<B: MessageBody> MessageBody for Holding<B> {
    type Error = B::Error;

    fn size(&self) -> BodySize {
        self.answer.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        self.answer.as_mut().poll_next(cx)
    }
}

/// Gives the request's body, if there is one, its deadline.
pub async fn layer(
    timeout: web::Data<BodyTimeout>,
    mut request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<EitherBody<impl MessageBody, impl MessageBody>>, actix_web::Error> {
    let payload = match request.take_payload() {
        Payload::None => return Ok(next.call(request).await?.map_into_left_body()),
        payload => Rc::new(RefCell::new(payload)),
    };
    let deadline = Box::pin(tokio::time::sleep(timeout.0));
    let timely = Timely { payload: payload.clone(), deadline };
    request.set_payload(Payload::Stream { payload: Box::pin(timely) });
    let response = next.call(request).await?;
    let hold = |_: &mut _, answer| EitherBody::right(Holding { answer: Box::pin(answer), _request: payload });
    Ok(response.map_body(hold))
}
