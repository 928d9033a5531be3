//! `/v1/interviews`: the meetings.

use super::records::record_routes;
use crate::app::interviews::{InterviewInput, InterviewQuery};
use crate::domain::ids::InterviewId;
use crate::store::interviews::Interview;

record_routes!(
    Interview,
    InterviewInput,
    InterviewQuery,
    InterviewId,
    "interviews",
    "/v1/interviews",
    "/v1/interviews/{id}",
    "/v1/interviews/by-external-id/{system}/{external_id}"
);
