//! Contacts: the people at the hiring companies.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::AppError;
use super::events::Happening;
use super::faults::Faults;
use super::notes::decisions::Reason;
use super::records::{
    Common, Company, Expected, HasRefs, Input, Record, common_query, expect_version, expect_written,
    row_methods,
};
use crate::app::clients::check_client;
use crate::auth::caller::Caller;
use crate::domain::ids::{AgencyId, ClientId, ContactId, Id, kinds};
use crate::domain::mailbox;
use crate::domain::people::{ContactRole, EmailStatus};
use crate::domain::record::{ExternalRef, RecordKind};
use crate::domain::search::NamePart;
use crate::domain::timestamp::Timestamp;
use crate::store::connection::DbConn;
use crate::store::contacts::{self, Contact, ContactFilters};
use crate::store::notes::{self, Named};
use crate::store::pool::Tx;
use crate::store::record::ListOptions;
use crate::store::types::Json;

/// What makes or changes a contact.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContactInput {
    /// Where the person works; fixed once the contact was asked to an interview or heard about one.
    client_id: ClientId,
    /// What the person is called.
    #[schema(min_length = 1, max_length = 200, format = "line-not-blank", example = "Ines Okafor")]
    name: String,
    /// Where notes go. A new address is taken to be good until mail comes back.
    #[schema(max_length = 254, format = "idn-email", example = "ines.okafor@nordwind.example")]
    email: Option<String>,
    /// Where the recruiter calls.
    #[schema(max_length = 50, format = "line", example = "+49 30 1234567")]
    phone: Option<String>,
    /// What the person is at the client: as before if absent, at first `other`.
    role: Option<ContactRole>,
    /// True if the agency must not write to the person: as before if absent, at first false.
    off_limits: Option<bool>,
    /// What other systems call it. With an id of another system, what it is called stays as it was if
    /// this is absent.
    #[schema(max_items = 20)]
    external_refs: Option<Vec<ExternalRef>>,
}

/// Which contacts are wanted.
#[derive(Debug, Clone, Default, Deserialize, ToSchema, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ContactQuery {
    /// Only those whose name has this part; case and accents do not count.
    q: Option<NamePart>,
    /// Only those of this client.
    client_id: Option<ClientId>,
    /// Only those changed at this time or later, oldest change first.
    updated_since: Option<Timestamp>,
    /// Tombstones too.
    include_deleted: Option<bool>,
}
common_query!(ContactQuery);

impl ContactQuery {
    const fn filters(&self) -> ContactFilters {
        ContactFilters { client_id: self.client_id }
    }
}

impl Input for ContactInput {
    fn keep(&mut self, present: Self) {
        self.role = self.role.or(present.role);
        self.off_limits = self.off_limits.or(present.off_limits);
    }
}

/// Says that mail to a contact arrives again, so that notes can go there.
///
/// # Errors
/// [`AppError::Transition`] unless mail came back.
pub fn lift_bounce(
    tx: &mut Tx<'_>,
    caller: &Caller,
    id: ContactId,
    expected: Expected,
    reason: &Reason,
) -> Result<Contact, AppError> {
    let found = contacts::lock(tx, caller.agency, id)?.filter(|contact| contact.deleted_at.is_none());
    let mut contact = found.ok_or(AppError::NotFound)?;
    expect_version(expected, contact.version)?;
    if contact.email_status != EmailStatus::Bounced {
        return Err(AppError::impossible("contact's address", contact.email_status, "lift_bounce"));
    }
    contact.email_status = EmailStatus::Ok;
    let former = tx.renew(&mut contact.version, &mut contact.updated_at);
    expect_written(contacts::update(tx, &contact, former)?, contact.version)?;
    Happening::to("contact.bounce_lifted", contact.id)
        .because(Some(&reason.reason))
        .with("version", contact.version)
        .record(tx, caller);
    Ok(contact)
}

impl HasRefs for ContactInput {
    fn refs_mut(&mut self) -> &mut Option<Vec<ExternalRef>> {
        &mut self.external_refs
    }
}

impl Record for Contact {
    type Kind = kinds::Contact;
    type Input = ContactInput;
    type Query = ContactQuery;
    const KIND: RecordKind = Self::KIND;
    const NOUN: &'static str = "contact";

    fn build(
        tx: &mut Tx<'_>,
        common: Common<kinds::Contact>,
        input: ContactInput,
        former: Option<&Self>,
        faults: &mut Faults,
    ) -> Result<Self, AppError> {
        if former.is_none_or(|former| former.client_id != input.client_id) {
            check_client(tx, common.agency_id, input.client_id, faults)?;
            if let Some(former) = former
                && contacts::was_needed(tx, former.client_id, common.id)?
            {
                faults.immutable("/client_id", "the contact took part in interviews of another client");
            }
        }
        let same_address = former.filter(|former| match (&former.email, &input.email) {
            (Some(former), Some(email)) => mailbox::is_same(former, email),
            (former, email) => former == email,
        });
        Ok(Self {
            id: common.id,
            agency_id: common.agency_id,
            client_id: input.client_id,
            name: input.name,
            email: input.email,
            phone: input.phone,
            role: input.role.unwrap_or(ContactRole::Other),
            off_limits: input.off_limits.unwrap_or(false),
            email_status: same_address.map_or(EmailStatus::Ok, |former| former.email_status),
            external_refs: Json(input.external_refs.unwrap_or_default()),
            version: common.version,
            created_at: common.created_at,
            updated_at: common.updated_at,
            deleted_at: common.deleted_at,
        })
    }

    fn input(&self) -> ContactInput {
        ContactInput {
            client_id: self.client_id,
            name: self.name.clone(),
            email: self.email.clone(),
            phone: self.phone.clone(),
            role: Some(self.role),
            off_limits: Some(self.off_limits),
            external_refs: Some(self.external_refs.0.clone()),
        }
    }

    fn known_as(&self) -> Option<&str> {
        Some(&self.name)
    }

    fn in_use(&self, conn: &mut DbConn) -> Result<Option<&'static str>, AppError> {
        let used = contacts::is_needed(conn, self.client_id, self.id)?;
        Ok(used.then_some(
            "the contact takes part in interviews, was heard about one, is asked for another, or has a note",
        ))
    }

    fn follow(&mut self, tx: &mut Tx<'_>, _: &Caller, former: Option<&Self>) -> Result<(), AppError> {
        let is_another = |former: &Self| (&former.name, &former.email) != (&self.name, &self.email);
        if former.is_some_and(is_another) {
            let now = tx.now();
            notes::renew_unapproved_naming(tx, self.agency_id, Named::Contact(self.id), now)?;
        }
        Ok(())
    }

    /// Their debriefs, as everybody does. A file of contacts does not: it has a hundred of them in one transaction,
    /// most of them as they were, and would wait in a circle with whoever is at work in one of their debriefs.
    fn lock_before(
        conn: &mut DbConn,
        agency: AgencyId,
        id: ContactId,
        company: Company,
    ) -> Result<(), AppError> {
        match company {
            Company::Alone => Ok(notes::lock_debriefs_naming(conn, agency, Named::Contact(id))?),
            Company::Rows => Ok(()),
        }
    }

    row_methods!(contacts);
}
