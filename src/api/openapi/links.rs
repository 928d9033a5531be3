//! Where an answer leads: from a record that was made to everything that can be done with it.

use std::collections::BTreeMap;

use utoipa::openapi::link::Link;
use utoipa::openapi::path::{Operation, ParameterIn};
use utoipa::openapi::schema::Schema;
use utoipa::openapi::{OpenApi, RefOr};

use super::headers::{Schemas, named, shown};

/// An operation on one record.
struct Target {
    operation_id: String,
    takes_if_match: bool,
}

/// Adds the links to every answer that tells of a new record.
pub(super) fn add(document: &mut OpenApi, schemas: &Schemas) {
    let targets = targets(document);
    for item in document.paths.paths.values_mut() {
        for operation in [&mut item.post, &mut item.put].into_iter().flatten() {
            if let Some(RefOr::T(made)) = operation.responses.responses.get_mut("201") {
                let Some(fields) = shown(made).and_then(|schema| fields(schema, schemas)) else { continue };
                let ids = ["id", "debrief_id"].into_iter().filter_map(|name| Some((name, fields.get(name)?)));
                for (name, field) in ids {
                    for target in kind(field).and_then(|kind| targets.get(kind)).into_iter().flatten() {
                        made.links.insert(target.operation_id.clone(), RefOr::T(link(target, name)));
                    }
                }
            }
        }
    }
}

/// The operations whose path has one id and nothing else to fill in, by what the id names.
fn targets(document: &OpenApi) -> BTreeMap<String, Vec<Target>> {
    let mut targets: BTreeMap<String, Vec<Target>> = BTreeMap::new();
    for item in document.paths.paths.values() {
        let all = [&item.get, &item.post, &item.put, &item.patch, &item.delete];
        for operation in all.into_iter().flatten() {
            if let (Some(kind), Some(operation_id)) = (only_id(operation), &operation.operation_id) {
                let takes_if_match = super::problems::if_match(operation).is_some();
                let target = Target { operation_id: operation_id.clone(), takes_if_match };
                targets.entry(kind.to_owned()).or_default().push(target);
            }
        }
    }
    targets
}

/// What the id in an operation's path names, if it has one and nothing else.
fn only_id(operation: &Operation) -> Option<&str> {
    let mut in_path = operation.parameters.iter().flatten().filter_map(|parameter| match parameter {
        RefOr::T(parameter) if parameter.parameter_in == ParameterIn::Path => Some(parameter),
        _ => None,
    });
    let only = in_path.next().filter(|_| in_path.next().is_none())?;
    only.schema.as_ref().filter(|_| only.name == "id").and_then(kind)
}

fn link(target: &Target, field: &str) -> Link {
    let mut link = Link::builder()
        .operation_id(target.operation_id.clone())
        .parameter("path.id", format!("$response.body#/{field}"));
    if target.takes_if_match && field == "id" {
        link = link.parameter("header.If-Match", "$response.header.ETag");
    }
    link.build()
}

/// The name of the schema that a field is of.
fn kind(field: &RefOr<Schema>) -> Option<&str> {
    match field {
        RefOr::Ref(reference) => Some(named(&reference.ref_location)).filter(|name| name.ends_with("Id")),
        RefOr::T(_) => None,
    }
}

/// The fields that a schema has, those of its parts too.
fn fields(schema: &RefOr<Schema>, schemas: &Schemas) -> Option<BTreeMap<String, RefOr<Schema>>> {
    match schema {
        RefOr::Ref(reference) => fields(schemas.get(named(&reference.ref_location))?, schemas),
        RefOr::T(Schema::Object(object)) => Some(object.properties.clone().into_iter().collect()),
        RefOr::T(Schema::AllOf(parts)) => {
            let parts = parts.items.iter().filter_map(|part| fields(part, schemas));
            Some(parts.flatten().collect())
        }
        RefOr::T(_) => None,
    }
}
