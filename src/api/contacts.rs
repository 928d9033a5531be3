//! `/v1/contacts`: the people at the hiring companies.

use super::etag;
use super::input::Body;
use super::records::record_routes;
use crate::app::contacts::{self, ContactInput, ContactQuery};
use crate::app::notes::decisions::Reason;
use crate::domain::ids::ContactId;
use crate::store::contacts::Contact;
use crate::store::pool::Tx;

record_routes!(
    Contact,
    ContactInput,
    ContactQuery,
    ContactId,
    "contacts",
    "/v1/contacts",
    "/v1/contacts/{id}",
    "/v1/contacts/by-external-id/{system}/{external_id}"
);

/// Registers what can be done with a contact besides changing it.
pub fn transitions(routes: &mut impl super::registration::Routes) {
    routes.service(lift_bounce);
}

/// Says that mail to the contact arrives again, after it came back once: notes can go there. A new
/// address is taken to be good anyway.
#[utoipa::path(tag = "contacts", params(Access<Write>, ("id" = ContactId, Path), IfMatch), request_body = Reason,
    responses((status = 200, body = Contact)))]
#[post("/v1/contacts/{id}/lift-bounce")]
async fn lift_bounce(
    access: Access<Write>,
    once: Once,
    id: web::Path<ContactId>,
    expected: IfMatch,
    body: Body<Reason>,
) -> Answer {
    let caller = access.caller();
    let work = move |tx: &mut Tx<'_>| {
        let contact = contacts::lift_bounce(tx, &caller, id.into_inner(), expected.0, &body.0)?;
        etag::changed(contact.version, &contact)
    };
    once.write(work).await
}
