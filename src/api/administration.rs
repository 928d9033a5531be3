//! `/v1/agency`, `/v1/competencies`, `/v1/users` and `/v1/api-clients`: what administrators keep.

mod agency;
mod api_clients;
mod users;

use super::routes::Routes;

/// Registers the routes.
pub fn routes(routes: &mut impl Routes) {
    routes.configure(agency::routes).configure(users::routes).configure(api_clients::routes);
}
