//! Reading what a caller sends. The JSON schema that the OpenAPI document shows is the one that
//! inputs are checked against, so every fault is named, all at once, and the document is true.

mod body;
mod query;

pub use crate::app::schema::Given;
pub use body::{Body, Brought, Merge, NoBody, OptionalBody, Whole};
pub use query::{Filters, Listing, NoFilters};
pub(super) use query::{expect_no_parameters, parameter};
