//! Candidates: the people who are interviewed.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::AppError;
use super::debriefs::meeting;
use super::faults::Faults;
use super::records::{Common, Company, HasRefs, Input, Record, common_query, row_methods};
use crate::auth::caller::Caller;
use crate::domain::ids::{AgencyId, Id, kinds};
use crate::domain::record::{ExternalRef, RecordKind};
use crate::domain::search::NamePart;
use crate::domain::timestamp::Timestamp;
use crate::store::candidates::{self, Candidate};
use crate::store::connection::DbConn;
use crate::store::notes::{self, Named};
use crate::store::pool::Tx;
use crate::store::record::ListOptions;
use crate::store::types::Json;
use crate::store::{agencies, debriefs};

/// What makes or changes a candidate.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CandidateInput {
    /// What the person is called.
    #[schema(min_length = 1, max_length = 200, format = "line-not-blank", example = "Tomás Herrera")]
    name: String,
    /// The person's own address; never shown to a client.
    #[schema(max_length = 254, format = "idn-email", example = "tomas@example.org")]
    email: Option<String>,
    /// Where the recruiter calls.
    #[schema(max_length = 50, format = "line", example = "+34 600 000 000")]
    phone: Option<String>,
    /// The person's language, as a tag of BCP 47.
    #[schema(max_length = 35, format = "language-tag", example = "es-ES")]
    locale: Option<String>,
    /// The time zone of the IANA database in which the person's days begin and end: as before if
    /// absent, at first the agency's.
    #[schema(max_length = 64, format = "time-zone", example = "Europe/Madrid")]
    time_zone: Option<String>,
    /// What other systems call it. With an id of another system, what it is called stays as it was if
    /// this is absent.
    #[schema(max_items = 20)]
    external_refs: Option<Vec<ExternalRef>>,
}

/// Which candidates are wanted.
#[derive(Debug, Clone, Default, Deserialize, ToSchema, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CandidateQuery {
    /// Only those whose name has this part; case and accents do not count.
    q: Option<NamePart>,
    /// Only those changed at this time or later, oldest change first.
    updated_since: Option<Timestamp>,
    /// Tombstones too.
    include_deleted: Option<bool>,
}
common_query!(CandidateQuery);

impl CandidateQuery {
    #[expect(clippy::unused_self, reason = "other kinds read theirs from it")]
    const fn filters(&self) {}
}

impl Input for CandidateInput {
    fn keep(&mut self, present: Self) {
        self.time_zone = self.time_zone.take().or(present.time_zone);
    }
}

impl HasRefs for CandidateInput {
    fn refs_mut(&mut self) -> &mut Option<Vec<ExternalRef>> {
        &mut self.external_refs
    }
}

impl Record for Candidate {
    type Kind = kinds::Candidate;
    type Input = CandidateInput;
    type Query = CandidateQuery;
    const KIND: RecordKind = Self::KIND;
    const NOUN: &'static str = "candidate";

    fn build(
        tx: &mut Tx<'_>,
        common: Common<kinds::Candidate>,
        input: CandidateInput,
        _: Option<&Self>,
        _: &mut Faults,
    ) -> Result<Self, AppError> {
        let time_zone = match input.time_zone {
            Some(zone) => zone,
            None => agencies::find(tx, common.agency_id)?.ok_or(AppError::NotFound)?.time_zone,
        };
        Ok(Self {
            id: common.id,
            agency_id: common.agency_id,
            name: input.name,
            email: input.email,
            phone: input.phone,
            locale: input.locale,
            time_zone,
            external_refs: Json(input.external_refs.unwrap_or_default()),
            version: common.version,
            created_at: common.created_at,
            updated_at: common.updated_at,
            deleted_at: common.deleted_at,
        })
    }

    fn input(&self) -> CandidateInput {
        CandidateInput {
            name: self.name.clone(),
            email: self.email.clone(),
            phone: self.phone.clone(),
            locale: self.locale.clone(),
            time_zone: Some(self.time_zone.clone()),
            external_refs: Some(self.external_refs.0.clone()),
        }
    }

    fn known_as(&self) -> Option<&str> {
        Some(&self.name)
    }

    fn in_use(&self, conn: &mut DbConn) -> Result<Option<&'static str>, AppError> {
        let used = candidates::has_interviews(conn, self.id)?;
        Ok(used.then_some("the candidate still has interviews"))
    }

    fn follow(&mut self, tx: &mut Tx<'_>, caller: &Caller, former: Option<&Self>) -> Result<(), AppError> {
        if former.is_some_and(|former| former.time_zone != self.time_zone) {
            meeting::redate(tx, caller, self)?;
        }
        if former.is_some_and(|former| former.name != self.name) {
            let now = tx.now();
            notes::renew_unapproved_naming(tx, self.agency_id, Named::Candidate(self.id), now)?;
        }
        Ok(())
    }

    /// Their debriefs: the due times follow the time zone, and notes name them. Most rows of a file change no name,
    /// so a row leaves out those that only have notes.
    fn lock_before(
        conn: &mut DbConn,
        agency: AgencyId,
        id: Id<Self::Kind>,
        company: Company,
    ) -> Result<(), AppError> {
        match company {
            Company::Alone => Ok(debriefs::lock_bound_to(conn, agency, id)?),
            Company::Rows => Ok(debriefs::lock_undone_of(conn, agency, id).map(drop)?),
        }
    }

    row_methods!(candidates);
}
