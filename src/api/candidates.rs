//! `/v1/candidates`: the people who are interviewed.

use super::records::record_routes;
use crate::app::candidates::{CandidateInput, CandidateQuery};
use crate::domain::ids::CandidateId;
use crate::store::candidates::Candidate;

record_routes!(
    Candidate,
    CandidateInput,
    CandidateQuery,
    CandidateId,
    "candidates",
    "/v1/candidates",
    "/v1/candidates/{id}",
    "/v1/candidates/by-external-id/{system}/{external_id}"
);
