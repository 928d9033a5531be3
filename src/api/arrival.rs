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
use tokio::time::{Instant, Sleep};

/// How long a body may take to arrive.
#[derive(Clone, Copy)]
pub struct BodyTimeout {
    /// The whole of an ordinary one; and the longest pause in a file.
    pub body: Duration,
    /// The whole of a file that is imported.
    pub file: Duration,
}

/// Where files are imported.
const FILES: &str = "/v1/imports";

/// A body on its way in.
type Arriving = Rc<RefCell<Payload>>;

/// A body that breaks off when its time is over.
struct Timely {
    payload: Arriving,
    deadline: Pin<Box<Sleep>>,
    pause: Option<Pause>,
}

/// The longest time without a byte.
struct Pause {
    longest: Duration,
    end: Pin<Box<Sleep>>,
}

impl Stream for Timely {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let arrived = Pin::new(&mut *self.payload.borrow_mut()).poll_next(cx);
        if arrived.is_ready() {
            if let Some(pause) = &mut self.pause {
                pause.end.as_mut().reset(Instant::now() + pause.longest);
            }
            return arrived;
        }
        let too_late = |()| Some(Err(PayloadError::Io(io::ErrorKind::TimedOut.into())));
        let paused = self.pause.as_mut().map_or(Poll::Pending, |pause| pause.end.as_mut().poll(cx));
        if paused.is_ready() { paused } else { self.deadline.as_mut().poll(cx) }.map(too_late)
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
    let is_file = request.path() == FILES;
    let sleep = |time| Box::pin(tokio::time::sleep(time));
    let deadline = sleep(if is_file { timeout.file } else { timeout.body });
    let pause = is_file.then(|| Pause { longest: timeout.body, end: sleep(timeout.body) });
    let timely = Timely { payload: payload.clone(), deadline, pause };
    request.set_payload(Payload::Stream { payload: Box::pin(timely) });
    let response = next.call(request).await?;
    let hold = |_: &mut _, answer| EitherBody::right(Holding { answer: Box::pin(answer), _request: payload });
    Ok(response.map_body(hold))
}
