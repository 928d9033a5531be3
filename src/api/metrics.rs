//! What Prometheus reads: requests by method, route and status, how long they take, SQL statements, and how the
//! relay stands.

mod relay;

use actix_web::http::Method;
use actix_web::{HttpResponse, get, web};
use prometheus::{
    Encoder, HistogramOpts, HistogramVec, IntCounterVec, IntGauge, Opts, Registry, TextEncoder,
};

use self::relay::RelayGauges;
use crate::app::Context;

/// The service's metrics.
#[derive(Clone)]
pub struct Metrics {
    registry: Registry,
    requests: IntCounterVec,
    seconds: HistogramVec,
    statements: IntGauge,
    relay: RelayGauges,
}

impl Metrics {
    /// Registers the metrics.
    pub fn new() -> Result<Self, prometheus::Error> {
        let registry = Registry::new_custom(Some("debrief".to_owned()), None)?;
        let requests = IntCounterVec::new(
            Opts::new("http_requests_total", "Requests answered."),
            &["method", "route", "status"],
        )?;
        let seconds = HistogramVec::new(
            HistogramOpts::new("http_request_seconds", "Time from a request to its answer."),
            &["method", "route"],
        )?;
        let statements = IntGauge::new("sql_statements", "SQL statements run since the start.")?;
        registry.register(Box::new(requests.clone()))?;
        registry.register(Box::new(seconds.clone()))?;
        registry.register(Box::new(statements.clone()))?;
        let relay = RelayGauges::register(&registry)?;
        Ok(Self { registry, requests, seconds, statements, relay })
    }

    /// Counts a request. `route` is a pattern and never a path, so that labels stay few and tell
    /// nothing of anybody.
    pub fn answered(&self, method: &Method, route: &str, status: u16, seconds: f64) {
        let method = label(method);
        self.requests.with_label_values(&[method, route, &status.to_string()]).inc();
        self.seconds.with_label_values(&[method, route]).observe(seconds);
    }

    async fn render(&self, context: &Context) -> Result<Vec<u8>, prometheus::Error> {
        self.relay.look(context).await;
        self.statements.set(i64::try_from(context.store.statements()).unwrap_or(i64::MAX));
        let mut text = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut text)?;
        Ok(text)
    }
}

/// The method of a request as a label. A caller can make methods up without end, with anything in them, and
/// every label that is new is kept for good.
pub(super) fn label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// The metrics in the text format of Prometheus.
#[get("/metrics")]
pub async fn metrics(metrics: web::Data<Metrics>, context: web::Data<Context>) -> HttpResponse {
    match metrics.render(&context).await {
        Ok(text) => HttpResponse::Ok().content_type("text/plain; version=0.0.4").body(text),
        Err(_) => HttpResponse::InternalServerError().finish(),
    }
}
