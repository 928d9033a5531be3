//! `/v1/job-orders`: the vacancies that clients want filled.

use super::records::record_routes;
use crate::app::job_orders::{JobOrderInput, JobOrderQuery};
use crate::domain::ids::JobOrderId;
use crate::store::job_orders::JobOrder;

record_routes!(
    JobOrder,
    JobOrderInput,
    JobOrderQuery,
    JobOrderId,
    "job-orders",
    "/v1/job-orders",
    "/v1/job-orders/{id}",
    "/v1/job-orders/by-external-id/{system}/{external_id}"
);
