//! `/v1/exports`: all records of a kind as a file.

use actix_web::http::header::{self, ContentDisposition, DispositionParam, DispositionType};
use actix_web::{HttpRequest, HttpResponse, get, web};

use super::accept::preferred;
use super::access::{Access, Read};
use super::error::{Answer, ApiError};
use super::input::{Filters, parameter};
use super::registration::Routes;
use super::streamed::Streamed;
use crate::app::Context;
use crate::app::exports::{self, ExportQuery};
use crate::domain::exchange::{Collection, FileFormat};

/// Registers the routes.
pub fn routes(routes: &mut impl Routes) {
    routes.service(export);
}

/// Sends all records of a kind as a file: CSV, or a JSON object on each line. It is made while it is
/// sent, oldest record first. An export is no snapshot: each row is as it was when its part of the file
/// was read; to be sure of what changed meanwhile, ask again with `updated_since`. If something goes
/// wrong on the way the connection ends before the file does (a chunk is missing), so a file that
/// arrived is whole. Of feedback it shows every account that was begun or given.
///
/// A file can be imported again as it is. In CSV, what a spreadsheet would run as a formula has an apostrophe
/// before it, at the beginning of a cell and after a semicolon, a tab or a line's end within it; an import takes
/// it off.
#[utoipa::path(tag = "exports", params(Access<Read>, ("kind" = Collection, Path, description = "What is exported."), ExportQuery),
    responses(
        (status = 200, description = "The file.", content((String = "text/csv"), (String = "application/x-ndjson"))),
        (status = 404, description = "There is no such kind of record.", content_type = "application/problem+json", body = super::error::Problem),
        (status = 406, description = "The file cannot be made as the caller accepts it.", content_type = "application/problem+json", body = super::error::Problem),
    ))]
#[get("/v1/exports/{kind}")]
async fn export(
    request: HttpRequest,
    context: web::Data<Context>,
    access: Access<Read>,
    kind: web::Path<Collection>,
    filters: Filters<ExportQuery>,
) -> Answer {
    let (agency, collection, query) = (access.agency, kind.into_inner(), filters.0);
    if collection == Collection::Feedback && query.include_deleted == Some(true) {
        let detail = "an account is never deleted, so there are no tombstones".to_owned();
        return Err(ApiError::invalid(vec![parameter("include_deleted", "not_allowed", detail)]));
    }
    let format = query.format.map_or_else(|| accepted(&request), Ok)?;
    let make = move |after| {
        let (context, query) = (context.clone(), query.clone());
        async move {
            let work = move |conn: &mut _| {
                let piece = exports::read(conn, agency, collection, &query, after)?;
                let mut text =
                    if after.is_none() { exports::head(collection, format, &query)? } else { Vec::new() };
                text.append(&mut exports::text(collection, format, &query, &piece.rows)?);
                Ok((text, piece.end.map(Some)))
            };
            // A row and what belongs to it are read one after the other, and must agree.
            context.snapshot(work).await
        }
    };
    let file = Streamed::begin(None, make).await?;
    let name = format!("{collection}.{}", <&str>::from(format));
    let disposition = ContentDisposition {
        disposition: DispositionType::Attachment,
        parameters: vec![DispositionParam::Filename(name)],
    };
    let mut response = HttpResponse::Ok();
    response.insert_header((header::CONTENT_TYPE, format!("{}; charset=utf-8", format.media_type())));
    response.insert_header((header::CACHE_CONTROL, "no-store"));
    response.insert_header((header::VARY, "Accept"));
    Ok(response.insert_header(disposition).body(file))
}

/// The format that the caller would have, by `Accept`.
fn accepted(request: &HttpRequest) -> Result<FileFormat, ApiError> {
    let forms = [FileFormat::Ndjson, FileFormat::Csv].map(|format| (format.media_type(), format));
    preferred(request, &forms, "an export is text/csv or application/x-ndjson")
}
