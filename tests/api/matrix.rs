//! Every operation of the served document, called by everybody, on everybody's records.
//!
//! What each operation needs stands in [`rows`]. An operation without its row fails the suite, and so
//! does a row without its operation: whoever adds a route says here who may call it.

mod rows;
mod stage;
mod world;

use std::collections::BTreeSet;

use debrief::domain::people::Role;

use self::rows::Needs;
use self::stage::{Stage, completed};
use crate::support::{Answer, Ids};

/// An id that never was, but for its prefix.
const UNKNOWN: &str = "01h2xcejqtf2nbrexx3vqjhp41";

/// What an answer says, but for the request's id, and with `unknown` wherever it says `id`.
fn said(answer: &Answer, id: &str, unknown: &str) -> (u16, String, String) {
    let mut body = answer.body.clone();
    if let Some(problem) = body.as_object_mut() {
        problem.remove("request_id");
    }
    let passing = ["date", "x-request-id", "content-length"];
    let headers = answer.headers.iter().filter(|(name, _)| !passing.contains(&name.as_str()));
    let mut headers: Vec<String> = headers.map(|(name, value)| format!("{name}: {value:?}")).collect();
    headers.sort();
    (answer.status.as_u16(), headers.join("\n"), body.to_string().replace(id, unknown))
}

macro_rules! on_stage {
    ($($(#[$meta:meta])* async fn $name:ident($stage:ident: Stage) $body:block)+) => {$(
        $(#[$meta])*
        async fn $name($stage: Stage) $body

        mod $name {
            $crate::support::both!(|database| {
                super::$name(super::Stage::set(database).await).await;
            });
        }
    )+};
}

on_stage! {
    async fn every_operation_is_for_whom_its_row_says(stage: Stage) {
        assert_eq!(stage.document.dangling(), Vec::<String>::new());
        let operations = stage.document.operations();
        let told = operations.iter().map(|operation| (operation.name(), Needs::told(operation)));
        let told: BTreeSet<_> = told.map(|(name, needs)| format!("{name} {needs:?}")).collect();
        let wanted = stage.rows.iter().map(|(name, row)| format!("{name} {:?}", row.needs)).collect();
        let differences: Vec<_> = told.symmetric_difference(&wanted).collect();
        assert!(differences.is_empty(), "{differences:#?}");
        let mut wrong = Vec::new();
        for operation in &operations {
            let row = stage.rows[&operation.name()];
            for visitor in &stage.visitors {
                for world in [&stage.own, &stage.colleague] {
                    let at = format!("{} by {} on {}'s", operation.name(), visitor.name, world.ids["external"]);
                    let mut path_ids = world.ids.clone();
                    let named = stage.named(operation);
                    let may = match row.needs {
                        Needs::NoToken => true,
                        Needs::Key => false,
                        Needs::AnyToken => visitor.scopes.is_some(),
                        Needs::Scope(scope) => visitor.scopes.is_some_and(|scopes| scopes.contains(scope)),
                    };
                    let is_colleagues = world.ids["external"] == "colleague";
                    let refused = row.own && is_colleagues && visitor.role == Some(Role::Recruiter);
                    if operation.method == "DELETE" && may && !refused {
                        let prefix = named.last().unwrap();
                        path_ids.insert(prefix.clone(), world.fresh(prefix).await);
                    }
                    let answer = stage.call(&visitor.caller, operation, &path_ids, &world.ids).await;
                    let (status, code) = (answer.status.as_u16(), answer.body["code"].as_str().unwrap_or_default());
                    let is_right = match (status, code) {
                        _ if row.needs == Needs::NoToken => status != 403,
                        (401, "unauthorized") => (visitor.scopes.is_none() || row.needs == Needs::Key) && answer.header("www-authenticate").starts_with("Bearer "),
                        (403, "forbidden") => visitor.scopes.is_some() && (!may || refused),
                        (200..=204 | 409, _) => may && !refused,
                        _ => false,
                    };
                    if !is_right {
                        wrong.push(format!("{at}: {status} {:#}", answer.body));
                    }
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    async fn what_is_not_the_callers_is_like_what_never_was(stage: Stage) {
        let mut wrong = Vec::new();
        for operation in &stage.document.operations() {
            let named = stage.named(operation);
            for visitor in stage.visitors.iter().filter(|visitor| visitor.scopes.is_some()) {
                for name in &named {
                    let own = &stage.own.ids;
                    let with = |id: &str| Ids::from_iter(own.clone().into_iter().chain([(name.clone(), id.to_owned())]));
                    let unknown = format!("{name}_{UNKNOWN}");
                    let answer = stage.call(&visitor.caller, operation, &with(&unknown), own).await;
                    let at = format!("{} by {} with the {name}", operation.name(), visitor.name);
                    if !matches!(answer.status.as_u16(), 403 | 404) {
                        wrong.push(format!("{at} of nothing: {:#}", answer.body));
                    }
                    let never_was = said(&answer, &unknown, &unknown);
                    let others = [("another agency", &stage.foreign.ids), ("the deleted", &stage.deleted)];
                    for (whose, ids) in others {
                        let Some(id) = ids.get(name) else { continue };
                        let answer = stage.call(&visitor.caller, operation, &with(id), own).await;
                        if said(&answer, id, &unknown) != never_was {
                            wrong.push(format!("{at} of {whose}: {:#}", answer.body));
                        }
                    }
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    async fn what_is_anothers_is_refused_in_bodies_and_queries_like_what_never_was(stage: Stage) {
        let mut wrong = Vec::new();
        let (own, foreign) = (&stage.own.ids, &stage.foreign.ids);
        let caller = &stage.own.admin;
        for operation in &stage.document.operations() {
            for (pointer, prefix) in stage.document.id_pointers(operation) {
                let unknown = format!("{prefix}_{UNKNOWN}");
                let mut answers = Vec::new();
                for id in [&unknown, &foreign[&prefix]] {
                    let body = completed(operation, stage.document.body(operation, own).unwrap(), own);
                    let body = stage.document.with_id(operation, body, own, &pointer, id);
                    let answer = stage.send(caller, operation, own, own, Some(body)).await;
                    answers.push(said(&answer, id, &unknown));
                }
                if answers[0] != answers[1] || answers[0].0 < 400 {
                    wrong.push(format!("{} {pointer}: {answers:#?}", operation.name()));
                }
            }
            for parameter in operation.parameters("query") {
                let Some(prefix) = stage.document.prefix(&parameter["schema"]) else { continue };
                let mut answers = Vec::new();
                let unknown = format!("{prefix}_{UNKNOWN}");
                for id in [&unknown, &foreign[&prefix]] {
                    let path = stage.path(operation, own, own);
                    let path = path.split('?').next().unwrap();
                    let answer = caller.get(&format!("{path}?{}={id}", parameter["name"].as_str().unwrap())).await;
                    answers.push(said(&answer, id, &unknown));
                }
                if answers[0] != answers[1] {
                    wrong.push(format!("{} {}: {answers:#?}", operation.name(), parameter["name"]));
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}
