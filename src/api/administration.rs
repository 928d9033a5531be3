//! `/v1/agency`, `/v1/competencies`, `/v1/users` and `/v1/api-clients`: what administrators keep.

mod agency;
mod api_clients;
mod users;

use utoipa_actix_web::service_config::ServiceConfig;

/// Registers the routes.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.configure(agency::routes).configure(users::routes).configure(api_clients::routes);
}
