//! Whether the service lives, and whether it can work.

use actix_web::{HttpResponse, get, web};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::Context;
use crate::store::migrations;

/// Whether the service can work.
#[derive(Debug, Serialize, ToSchema)]
pub struct Readiness {
    /// `ready`, or `not_ready`.
    status: &'static str,
    /// What is not as it should be.
    faults: Vec<String>,
}

/// The process lives.
#[utoipa::path(tag = "operations", security(()), responses((status = 200, body = str, content_type = "text/plain")))]
#[get("/healthz")]
pub async fn healthz() -> &'static str {
    "ok"
}

/// The database answers and its migrations have run.
#[utoipa::path(tag = "operations", security(()),
    responses((status = 200, body = Readiness), (status = 503, body = Readiness)))]
#[get("/readyz")]
pub async fn readyz(context: web::Data<Context>) -> HttpResponse {
    let faults = match context.read(|conn| Ok(migrations::pending(conn))).await {
        Ok(Ok(pending)) if pending.is_empty() => Vec::new(),
        Ok(Ok(pending)) => vec![format!("migrations have not run: {}", pending.join(", "))],
        Ok(Err(_)) | Err(_) => vec!["the database cannot be read".to_owned()],
    };
    if faults.is_empty() {
        HttpResponse::Ok().json(Readiness { status: "ready", faults })
    } else {
        HttpResponse::ServiceUnavailable().json(Readiness { status: "not_ready", faults })
    }
}
