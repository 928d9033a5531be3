//! The routes that every record has which a CRM knows too.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use utoipa::IntoParams;

use super::access::{Access, Read, Write};
use super::error::{Answer, ApiError};
use super::etag;
use super::idempotency_keys::Once;
use super::input::{Given, Listing, Merge, parameter};
use super::page;
use crate::app::records::{self, Expected, Record, View, Wanted};
use crate::app::{AppError, Context};
use crate::domain::ids::Id;
use crate::domain::record::ExternalRef;
use crate::store::pool::Tx;

/// Where a page of records ended: the time of its last change, and its id.
pub type Key<K> = (crate::domain::timestamp::Timestamp, Id<K>);

/// Another system and the id of a record there.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct ExternalPath {
    /// The other system, such as `bullhorn`.
    #[param(min_length = 1, max_length = 64)]
    pub system: String,
    /// The record's id there.
    #[param(min_length = 1, max_length = 255)]
    pub external_id: String,
}

/// Lists records.
pub async fn list<R: Record>(
    request: HttpRequest,
    context: web::Data<Context>,
    access: Access<Read>,
    listing: Listing<R::Query, Key<R::Kind>>,
) -> Answer
where
    R::Query: Clone,
{
    let (agency, filters, after, limit) =
        (access.agency, listing.filters.clone(), listing.after, listing.limit + 1);
    let rows = context.read(move |conn| records::list::<R>(conn, agency, &filters, after, limit)).await?;
    page::answer(&request, &context, &listing, rows, |row| (row.updated_at(), row.id()))
}

/// Makes a record.
pub async fn create<R: Record>(
    collection: &'static str,
    access: Access<Write>,
    once: Once,
    given: Given<R::Input>,
) -> Answer {
    let caller = access.caller();
    let work = move |tx: &mut Tx<'_>| {
        let made = given.look_further(|input| records::create::<R>(tx, &caller, input, None))?;
        etag::created(made.version(), format!("{collection}/{}", made.id()), &made)
    };
    once.write(work).await
}

/// Shows a record.
pub async fn get<R: Record>(
    request: HttpRequest,
    context: web::Data<Context>,
    access: Access<Read>,
    id: Id<R::Kind>,
) -> Answer {
    let agency = access.agency;
    let found = context.read(move |conn| records::get::<R>(conn, agency, id)).await?;
    Ok(etag::fresh(&request, &etag::of(found.version()), &found))
}

/// Changes a record.
pub async fn patch<R: Record>(
    context: web::Data<Context>,
    access: Access<Write>,
    id: Id<R::Kind>,
    expected: Expected,
    patch: Merge<R::Input>,
) -> Answer {
    let caller = access.caller();
    let work = move |tx: &mut Tx<'_>| {
        patch.look_further(|edit| {
            records::change::<R>(tx, &caller, id, expected, |present| edit.apply(&present))
        })
    };
    let changed = context.write(work).await?;
    Ok(etag::changed(changed.version(), &changed)?.into())
}

/// Makes or changes the record of another system's id.
pub async fn upsert<R: Record>(
    collection: &str,
    context: web::Data<Context>,
    access: Access<Write>,
    path: ExternalPath,
    wanted: Wanted,
    given: Result<Given<R::Input>, ApiError>,
) -> Answer {
    let caller = access.caller();
    let external = ExternalRef { system: path.system, id: path.external_id };
    if let Err(wrong) = records::check_ref(&external) {
        let parts = [("system", wrong.system), ("external_id", wrong.id)].into_iter();
        let named = |(name, _)| parameter(name, "invalid_reference", wrong.to_string());
        let faults = parts.filter(|(_, is_wrong)| *is_wrong).map(named).collect();
        let of_body =
            given.map_or_else(|error| error, |given| AppError::Invalid(given.into_parts().1).into());
        return Err(of_body.after(faults));
    }
    let given = given?;
    let work = move |tx: &mut Tx<'_>| {
        given.look_further(|input| records::upsert::<R>(tx, &caller, external, wanted, input))
    };
    let (record, is_new) = context.write(work).await?;
    let reply = if is_new {
        etag::created(record.version(), format!("{collection}/{}", record.id()), &record)?
    } else {
        etag::changed(record.version(), &record)?
    };
    Ok(reply.into())
}

/// Deletes a record.
pub async fn delete<R: Record>(
    context: web::Data<Context>,
    access: Access<Write>,
    id: Id<R::Kind>,
    expected: Expected,
) -> Answer {
    let caller = access.caller();
    context.write(move |tx| records::delete::<R>(tx, &caller, id, expected)).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// The six routes of a kind of record, with their place in the document.
macro_rules! record_routes {
    ($record:ty, $input:ty, $query:ty, $id:ty, $tag:literal, $collection:literal, $item:literal, $external:literal) => {
        use actix_web::{HttpRequest, delete, get, patch, post, put, web};
        use $crate::api::access::{Access, Read, Write};
        use $crate::api::error::{Answer, ApiError};
        use $crate::api::etag::{Condition, IfMatch};
        use $crate::api::idempotency_keys::Once;
        use $crate::api::input::{Given, Listing, Merge};
        use $crate::api::page::{Page, Paging};
        use $crate::api::records::{self, ExternalPath, Key};
        use $crate::app::Context;

        /// Registers the routes.
        pub fn routes(routes: &mut impl $crate::api::registration::Routes) {
            // What is more special comes first.
            routes.service(upsert).service(list).service(create).service(show).service(change).service(remove);
        }

        /// Lists the records: newest first, or with `updated_since` in the order of their changes.
        #[utoipa::path(tag = $tag, params(Access<Read>, $query, Paging),
            responses((status = 200, body = Page<$record>)))]
        #[get($collection)]
        async fn list(
            request: HttpRequest,
            context: web::Data<Context>,
            access: Access<Read>,
            listing: Listing<$query, Key<<$id as $crate::store::record::IdKind>::Kind>>,
        ) -> Answer {
            records::list::<$record>(request, context, access, listing).await
        }

        /// Makes a record.
        #[utoipa::path(tag = $tag, params(Access<Write>), request_body = $input,
            responses((status = 201, body = $record)))]
        #[post($collection)]
        async fn create(access: Access<Write>, once: Once, body: Given<$input>) -> Answer {
            records::create::<$record>($collection, access, once, body).await
        }

        /// Shows a record.
        #[utoipa::path(tag = $tag, params(Access<Read>, ("id" = $id, Path)), responses((status = 200, body = $record)))]
        #[get($item)]
        async fn show(
            request: HttpRequest,
            context: web::Data<Context>,
            access: Access<Read>,
            id: web::Path<$id>,
        ) -> Answer {
            records::get::<$record>(request, context, access, id.into_inner()).await
        }

        /// Changes a record by a merge patch.
        #[utoipa::path(tag = $tag, params(Access<Write>, ("id" = $id, Path), IfMatch),
            request_body(content(($input = "application/merge-patch+json"), ($input = "application/json"))),
            responses((status = 200, body = $record)))]
        #[patch($item)]
        async fn change(
            context: web::Data<Context>,
            access: Access<Write>,
            id: web::Path<$id>,
            expected: IfMatch,
            body: Merge<$input>,
        ) -> Answer {
            records::patch::<$record>(context, access, id.into_inner(), expected.0, body).await
        }

        /// Makes the record of another system's id, or changes it to what the body says.
        #[utoipa::path(tag = $tag, params(Access<Write>, ExternalPath, Condition), request_body = $input,
            responses((status = 201, body = $record), (status = 200, body = $record)))]
        #[put($external)]
        async fn upsert(
            context: web::Data<Context>,
            access: Access<Write>,
            path: web::Path<ExternalPath>,
            condition: Condition,
            body: Result<Given<$input>, ApiError>,
        ) -> Answer {
            records::upsert::<$record>($collection, context, access, path.into_inner(), condition.0, body).await
        }

        /// Deletes a record; a tombstone stays for those who sync.
        #[utoipa::path(tag = $tag, params(Access<Write>, ("id" = $id, Path), IfMatch), responses((status = 204)))]
        #[delete($item)]
        async fn remove(
            context: web::Data<Context>,
            access: Access<Write>,
            id: web::Path<$id>,
            expected: IfMatch,
        ) -> Answer {
            records::delete::<$record>(context, access, id.into_inner(), expected.0).await
        }
    };
}
pub(crate) use record_routes;
