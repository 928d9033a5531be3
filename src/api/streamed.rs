//! Answers that are made while they are sent. The next piece is made once the last one is on its way,
//! so an answer of any length takes no more memory than a piece, and a slow reader holds nothing.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use actix_web::body::{BodySize, MessageBody};
use actix_web::web::Bytes;

use super::request;
use crate::app::AppError;

/// A piece, and where the next one begins, if there is one.
pub type Piece<S> = (Vec<u8>, Option<S>);

type Making<S> = Pin<Box<dyn Future<Output = Result<Piece<S>, AppError>>>>;

/// An answer that is made while it is sent. If a piece cannot be made the connection ends, so that
/// nobody takes what they have for the whole.
pub struct Streamed<S> {
    make: Box<dyn FnMut(S) -> Making<S>>,
    first: Vec<u8>,
    next: Option<Making<S>>,
    request_id: String,
}

impl<S> Streamed<S> {
    /// An answer from `start` on. Its first piece is made at once.
    ///
    /// # Errors
    /// What the first piece fails with: it can still be answered with a problem.
    pub async fn begin<F>(start: S, mut make: impl FnMut(S) -> F + 'static) -> Result<Self, AppError>
    where
        F: Future<Output = Result<Piece<S>, AppError>> + 'static,
    {
        let mut make = move |place| Box::pin(make(place)) as Making<S>;
        let (first, next) = make(start).await?;
        let next = next.map(&mut make);
        Ok(Self { make: Box::new(make), first, next, request_id: request::id() })
    }
}

impl<S: Unpin> MessageBody for Streamed<S> {
    type Error = AppError;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, AppError>>> {
        if !self.first.is_empty() {
            return Poll::Ready(Some(Ok(std::mem::take(&mut self.first).into())));
        }
        while let Some(making) = &mut self.next {
            match ready!(making.as_mut().poll(cx)) {
                Ok((piece, next)) => {
                    self.next = next.map(|place| (self.make)(place));
                    // An empty piece would be taken for the end.
                    if !piece.is_empty() {
                        return Poll::Ready(Some(Ok(piece.into())));
                    }
                }
                Err(error) => {
                    self.next = None;
                    tracing::error!(request_id = self.request_id, %error, "an answer broke off");
                    return Poll::Ready(Some(Err(error)));
                }
            }
        }
        Poll::Ready(None)
    }
}
