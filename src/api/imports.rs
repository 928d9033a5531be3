//! `/v1/imports`: files of records, taken in.

use std::future::poll_fn;
use std::io::ErrorKind;
use std::pin::Pin;
use std::time::Duration;

use actix_web::dev::Decompress;
use actix_web::error::PayloadError;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::web::Bytes;
use actix_web::{HttpMessage, HttpRequest, HttpResponse, get, post, web};
use futures_core::Stream;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use utoipa::{IntoParams, ToSchema};

use super::access::{Access, Read, Write};
use super::error::{Answer, ApiError, Code, internal};
use super::idempotency_keys::Once;
use super::input::{Brought, Filters, Listing, NoFilters};
use super::page::{self, Page, Paging};
use super::registration::Routes;
use super::reply::Reply;
use super::streamed::{Piece, Streamed};
use crate::app::error::ConflictCode;
use crate::app::imports::{self, ImportQuery, RowResult, Upload};
use crate::app::{AppError, Context};
use crate::auth::caller::Caller;
use crate::domain::exchange::{FileFormat, ImportState};
use crate::domain::ids::{AgencyId, ImportId};
use crate::store::imports::Import;
use crate::store::pool::Tx;

/// How much of a file is in memory before it is kept, in bytes.
const KEPT_AT_ONCE: usize = 1024 * 1024;

/// How long it is waited before it is looked again for what somebody else works off.
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(200);

/// The largest file that is taken, in bytes.
#[derive(Clone, Copy)]
pub struct FileLimit(pub u64);

const PREFER: &str = "Prefer";
const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");
const RESPOND_ASYNC: &str = "respond-async";

/// Registers the routes.
pub fn routes(routes: &mut impl Routes) {
    routes.service(list_results).service(cancel).service(create).service(list).service(show);
}

/// Takes in a file of records of one kind: CSV with a header, or a JSON object on each line.
///
/// Each row makes a record, or changes one: the one that `id` names; or else the one to which the system
/// `external_system` gave `external_id`, or which one of its `external_refs` names. Columns that the file
/// does not have are left as they are, an empty cell (in NDJSON null) clears. Other records are named by
/// our id (`client_id`) or by the other system's (`client_external_id`). Columns that the service finds
/// out by itself, such as `created_at`, are passed over, so an export can be imported as it is; with `id`
/// and `version` a row is refused if the record has changed since. A row of feedback is the account of one
/// person (`side`, `contact_id`) about one interview; whoever has given one revises it. There `version` counts
/// without `id` too, but not beside the `id` of another account.
///
/// A row that cannot be taken is told with its faults, as the record's own route would name them, and
/// does not keep the others from being taken. The answer has a line for each row, written as they are worked
/// off once the file has arrived. It breaks off if the import is cancelled or fails. With `Prefer:
/// respond-async` it is 202 at once, and the rows are worked off meanwhile: see
/// `GET /v1/imports/{id}`. What was begun is finished even if nobody waits for it.
///
/// The answer to a repeated `Idempotency-Key` tells of the first import, from its first row on.
#[utoipa::path(tag = "imports",
    params(Access<Write>, ImportQuery, ("Prefer" = Option<String>, Header, description = "`respond-async`: do not wait for the rows (RFC 7240).")),
    request_body(content((String = "text/csv"), (String = "application/x-ndjson"))),
    responses(
        (status = 200, description = "What came of each row, a line of JSON each.", content_type = "application/x-ndjson", body = RowResult,
            headers(("Location" = String, description = "The import."))),
        (status = 202, description = "The import, which is worked off from now on.", body = Import,
            headers(("Location" = String, description = "The import."), ("Preference-Applied" = String, description = "`respond-async`"))),
    ))]
#[post("/v1/imports")]
async fn create(
    request: HttpRequest,
    context: web::Data<Context>,
    limit: web::Data<FileLimit>,
    access: Access<Write>,
    once: Once,
    filters: Filters<ImportQuery>,
    payload: web::Payload,
) -> Answer {
    let (caller, query) = (access.caller(), filters.0);
    let upload = Upload::new(format(&request)?, query.kind, query.external_system.is_some());
    let mut arriving = Arriving { context: &context, caller, query: &query, upload, id: None };
    let arrived = arriving.receive(&request, payload, limit.0).await;
    let Arriving { mut upload, id, .. } = arriving;
    let answered = match arrived {
        Ok(()) => {
            let query = query.clone();
            let work = move |tx: &mut Tx<'_>| {
                let import = imports::queue(tx, &caller, id, &query, &mut upload)?;
                let reply = Reply::json(StatusCode::ACCEPTED, &import)?;
                Ok(reply.with(&header::LOCATION, format!("/v1/imports/{}", import.id)))
            };
            once.write(work).await
        }
        Err(error) => Err(error),
    };
    if let Some(id) = id {
        // It is no import if it did not arrive whole, or was sent before.
        imports::clear(&context, caller.agency, id).await?;
    }
    let mut answer = answered?;
    if prefers_not_to_wait(&request) {
        answer.headers_mut().insert(PREFERENCE_APPLIED, HeaderValue::from_static(RESPOND_ASYNC));
        return Ok(answer);
    }
    follow(&context, caller.agency, answer).await
}

/// The import's results, as they are written, instead of the import.
async fn follow(context: &web::Data<Context>, agency: AgencyId, answer: HttpResponse) -> Answer {
    let location = answer.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
    let id = location.and_then(|path| path.rsplit('/').next()).and_then(|id| id.parse::<ImportId>().ok());
    let id = id.ok_or_else(|| internal(&"an import has no id"))?;
    let context = context.clone();
    let results = Streamed::begin(0, move |after| next_results(context.clone(), agency, id, after)).await?;
    let mut response = HttpResponse::Ok();
    for header in answer.headers() {
        response.append_header(header);
    }
    response.insert_header((header::CONTENT_TYPE, FileFormat::Ndjson.media_type()));
    Ok(response.body(results))
}

/// What came of the next rows: worked off here, unless somebody else is at it.
async fn next_results(
    context: web::Data<Context>,
    agency: AgencyId,
    id: ImportId,
    after: i64,
) -> Result<Piece<i64>, AppError> {
    loop {
        let read = move |conn: &mut _| imports::progress(conn, agency, id, after);
        let (import, portions) = context.snapshot(read).await?;
        if let Some((last, _)) = portions.last() {
            let next = Some(*last);
            let text: String = portions.into_iter().map(|(_, lines)| lines + "\n").collect();
            return Ok((text.into_bytes(), next));
        }
        match import.state {
            ImportState::Done => return Ok((Vec::new(), None)),
            ImportState::Cancelled | ImportState::Failed => {
                // Where results were sent already, what was begun breaks off: it is not the whole answer.
                return Err(AppError::conflict(
                    ConflictCode::ImportOver,
                    format!("the import is {}", import.state),
                ));
            }
            ImportState::Receiving | ImportState::Queued | ImportState::Running => {}
        }
        if !imports::advance(&context, agency, id).await? {
            tokio::time::sleep(LOOK_AGAIN_AFTER).await;
        }
    }
}

/// A file on its way in.
struct Arriving<'a> {
    context: &'a web::Data<Context>,
    caller: Caller,
    query: &'a ImportQuery,
    upload: Upload,
    /// The import, once something of it was kept.
    id: Option<ImportId>,
}

impl Arriving<'_> {
    /// Takes the file in, and keeps all but the end of it.
    async fn receive(
        &mut self,
        request: &HttpRequest,
        payload: web::Payload,
        limit: u64,
    ) -> Result<(), ApiError> {
        let mut payload = Decompress::from_headers(payload.into_inner(), request.headers());
        let (mut digest, mut length) = (Sha256::new(), 0);
        while let Some(piece) = poll_fn(|cx| Pin::new(&mut payload).poll_next(cx)).await {
            let piece: Bytes = piece.map_err(broken_off)?;
            length += piece.len() as u64;
            if length > limit {
                let detail = format!("a file can have at most {limit} bytes");
                return Err(ApiError::new(Code::PayloadTooLarge, detail));
            }
            digest.update(&piece);
            self.upload.push(&piece)?;
            if self.upload.waiting() >= KEPT_AT_ONCE {
                self.keep().await?;
            }
        }
        self.upload.finish()?;
        // A repeated request is known by its body, which nobody has in one piece.
        request.extensions_mut().insert(Brought(Bytes::copy_from_slice(&digest.finalize())));
        Ok(())
    }

    async fn keep(&mut self) -> Result<(), AppError> {
        let (caller, id, query, chunks) = (self.caller, self.id, self.query.clone(), self.upload.take());
        let (format, columns) = (self.upload.format(), self.upload.columns().to_vec());
        let work = move |tx: &mut Tx<'_>| imports::keep(tx, &caller, id, &query, format, columns, chunks);
        self.id = Some(self.context.write(work).await?.id);
        Ok(())
    }
}

fn broken_off(error: PayloadError) -> ApiError {
    match error {
        PayloadError::Io(cause) if cause.kind() == ErrorKind::TimedOut => {
            ApiError::new(Code::RequestTimeout, "the body took too long to arrive")
        }
        _ => ApiError::new(Code::MalformedBody, "the body ended early"),
    }
}

fn format(request: &HttpRequest) -> Result<FileFormat, ApiError> {
    match request.content_type() {
        "text/csv" => Ok(FileFormat::Csv),
        "application/x-ndjson" => Ok(FileFormat::Ndjson),
        _ => {
            let detail = "the body must be text/csv or application/x-ndjson";
            Err(ApiError::new(Code::UnsupportedMediaType, detail))
        }
    }
}

fn prefers_not_to_wait(request: &HttpRequest) -> bool {
    let wishes = request.headers().get_all(PREFER).filter_map(|value| value.to_str().ok());
    let mut wishes = wishes.flat_map(|value| value.split([',', ';']));
    wishes.any(|wish| wish.trim().eq_ignore_ascii_case(RESPOND_ASYNC))
}

/// Lists imports, newest first.
#[utoipa::path(tag = "imports", params(Access<Read>, Paging), responses((status = 200, body = Page<Import>)))]
#[get("/v1/imports")]
async fn list(
    request: HttpRequest,
    context: web::Data<Context>,
    access: Access<Read>,
    listing: Listing<NoFilters, ImportId>,
) -> Answer {
    let (agency, after, limit) = (access.agency, listing.after, listing.limit + 1);
    let rows = context.read(move |conn| imports::list(conn, agency, after, limit)).await?;
    page::answer(&request, &context, &listing, rows, |import| import.id)
}

/// Shows how an import stands. It is forgotten some time after it has come to its end.
#[utoipa::path(tag = "imports", params(Access<Read>, ("id" = ImportId, Path)),
    responses((status = 200, body = Import)))]
#[get("/v1/imports/{id}")]
async fn show(context: web::Data<Context>, access: Access<Read>, id: web::Path<ImportId>) -> Answer {
    let agency = access.agency;
    let import = context.read(move |conn| imports::get(conn, agency, *id)).await?;
    Ok(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(import))
}

/// Which results are wanted.
#[derive(Debug, Clone, Deserialize, ToSchema, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ResultQuery {
    /// Only those of rows that failed.
    pub failed: Option<bool>,
}

/// Lists what came of the rows that were worked off, in their order.
#[utoipa::path(tag = "imports", params(Access<Read>, ("id" = ImportId, Path), ResultQuery, Paging),
    responses((status = 200, body = Page<RowResult>)))]
#[get("/v1/imports/{id}/results")]
async fn list_results(
    request: HttpRequest,
    context: web::Data<Context>,
    access: Access<Read>,
    id: web::Path<ImportId>,
    listing: Listing<ResultQuery, i64>,
) -> Answer {
    let (agency, after) = (access.agency, listing.after.unwrap_or_default());
    let (failed, limit) = (listing.filters.failed.unwrap_or_default(), listing.limit + 1);
    let limit = usize::try_from(limit).unwrap_or_default();
    let read = move |conn: &mut _| imports::results(conn, agency, *id, after, failed, limit);
    let rows = context.read(read).await?;
    page::answer(&request, &context, &listing, rows, |result| result.row)
}

/// Stops an import. What was worked off by then stands; the other rows are forgotten. Whoever may write may
/// stop a colleague's import too.
#[utoipa::path(tag = "imports", params(Access<Write>, ("id" = ImportId, Path)), responses((status = 200, body = Import)))]
#[post("/v1/imports/{id}/cancel")]
async fn cancel(
    context: web::Data<Context>,
    access: Access<Write>,
    once: Once,
    id: web::Path<ImportId>,
) -> Answer {
    let (agency, id) = (access.agency, *id);
    let answer = once.write(move |tx| Reply::json(StatusCode::OK, &imports::cancel(tx, agency, id)?)).await?;
    // It is cancelled, whatever comes of this; the rest goes when the import is forgotten.
    if let Err(error) = imports::clear(&context, agency, id).await {
        tracing::warn!(import = %id, %error, "the rows of a cancelled import stay for now");
    }
    Ok(answer)
}
