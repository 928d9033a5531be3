//! Job orders: the vacancies that clients want filled.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::AppError;
use super::faults::Faults;
use super::records::{Common, HasRefs, Input, Record, common_query, row_methods};
use crate::app::clients::check_client;
use crate::domain::ids::{AgencyId, ClientId, Id, kinds};
use crate::domain::people::JobOrderStatus;
use crate::domain::record::{ExternalRef, RecordKind};
use crate::domain::search::NamePart;
use crate::domain::timestamp::Timestamp;
use crate::store::connection::DbConn;
use crate::store::job_orders::{self, JobOrder, JobOrderFilters};
use crate::store::pool::Tx;
use crate::store::record::ListOptions;
use crate::store::types::Json;

/// What makes or changes a job order.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct JobOrderInput {
    /// Who has the vacancy; fixed once there was an interview.
    client_id: ClientId,
    /// What the job is called.
    #[schema(min_length = 1, max_length = 200, format = "line-not-blank", example = "Warehouse shift lead")]
    title: String,
    /// Where the vacancy stands: as before if absent, at first `open`.
    status: Option<JobOrderStatus>,
    /// What the agency should know.
    #[schema(max_length = 10_000, format = "text")]
    notes: Option<String>,
    /// What other systems call it. With an id of another system, what it is called stays as it was if
    /// this is absent.
    #[schema(max_items = 20)]
    external_refs: Option<Vec<ExternalRef>>,
}

/// Which job orders are wanted.
#[derive(Debug, Clone, Default, Deserialize, ToSchema, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct JobOrderQuery {
    /// Only those whose title has this part; case and accents do not count.
    q: Option<NamePart>,
    /// Only those of this client.
    client_id: Option<ClientId>,
    /// Only those that stand so.
    status: Option<JobOrderStatus>,
    /// Only those changed at this time or later, oldest change first.
    updated_since: Option<Timestamp>,
    /// Tombstones too.
    include_deleted: Option<bool>,
}
common_query!(JobOrderQuery);

impl JobOrderQuery {
    const fn filters(&self) -> JobOrderFilters {
        JobOrderFilters { client_id: self.client_id, status: self.status }
    }
}

impl Input for JobOrderInput {
    fn keep(&mut self, present: Self) {
        self.status = self.status.or(present.status);
    }
}

impl HasRefs for JobOrderInput {
    fn refs_mut(&mut self) -> &mut Option<Vec<ExternalRef>> {
        &mut self.external_refs
    }
}

impl Record for JobOrder {
    type Kind = kinds::JobOrder;
    type Input = JobOrderInput;
    type Query = JobOrderQuery;
    const KIND: RecordKind = Self::KIND;
    const NOUN: &'static str = "job_order";

    fn build(
        tx: &mut Tx<'_>,
        common: Common<kinds::JobOrder>,
        input: JobOrderInput,
        former: Option<&Self>,
        faults: &mut Faults,
    ) -> Result<Self, AppError> {
        if former.is_none_or(|former| former.client_id != input.client_id) {
            check_client(tx, common.agency_id, input.client_id, faults)?;
            if former.is_some() && job_orders::had_interviews(tx, common.id)? {
                faults.immutable("/client_id", "there were interviews at another client");
            }
        }
        Ok(Self {
            id: common.id,
            agency_id: common.agency_id,
            client_id: input.client_id,
            title: input.title,
            status: input.status.unwrap_or(JobOrderStatus::Open),
            notes: input.notes,
            external_refs: Json(input.external_refs.unwrap_or_default()),
            version: common.version,
            created_at: common.created_at,
            updated_at: common.updated_at,
            deleted_at: common.deleted_at,
        })
    }

    fn input(&self) -> JobOrderInput {
        JobOrderInput {
            client_id: self.client_id,
            title: self.title.clone(),
            status: Some(self.status),
            notes: self.notes.clone(),
            external_refs: Some(self.external_refs.0.clone()),
        }
    }

    fn known_as(&self) -> Option<&str> {
        Some(&self.title)
    }

    fn in_use(&self, conn: &mut DbConn) -> Result<Option<&'static str>, AppError> {
        let used = job_orders::has_interviews(conn, self.id)?;
        Ok(used.then_some("the job order still has interviews"))
    }

    row_methods!(job_orders);
}
