//! What the tests share: a running service, its databases, and callers.

mod app;
mod caller;
mod command;
mod database;
mod document;
pub mod name_server;
mod notes;
pub mod receiver;
mod scene;
pub mod smtp_peer;
pub mod webhooks;

pub use app::{INBOUND_KEY, TestApp};
pub use caller::{Answer, Caller};
pub use command::run;
pub use database::Database;
pub use document::{Document, Ids, Operation};
pub use notes::{Desk, happenings, history, relay, relay_settings, relay_with};
pub use scene::{Scene, id};

/// Two tests, each given a database: of SQLite, and of PostgreSQL where there is a server.
macro_rules! both {
    (|$database:ident| $body:block) => {
        #[actix_web::test]
        async fn sqlite() {
            let $database = $crate::support::Database::sqlite();
            $body
        }

        #[actix_web::test]
        async fn postgres() {
            if let Some($database) = $crate::support::Database::postgres() $body
        }
    };
}
pub(crate) use both;

/// Makes two tests of one: on SQLite and on PostgreSQL, each with a service and a database of its
/// own.
macro_rules! on_both {
    ($($(#[$meta:meta])* async fn $name:ident($app:ident: TestApp) $body:block)+) => {$(
        $(#[$meta])*
        async fn $name($app: $crate::support::TestApp) $body

        mod $name {
            $crate::support::both!(|database| {
                super::$name($crate::support::TestApp::start(database).await).await;
            });
        }
    )+};
}
pub(crate) use on_both;
