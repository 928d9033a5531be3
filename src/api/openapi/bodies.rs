//! The schemas of bodies, as a client may fill them in: what need not be there may be null, and a
//! merge patch is a whole of which nothing need be there.

use std::collections::BTreeSet;

use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::{ArrayItems, Object, Schema, SchemaType};
use utoipa::openapi::{Content, ObjectBuilder, OneOfBuilder, OpenApi, Ref, RefOr, Type};

use super::headers::{Schemas, named};

/// Lets every field of a body that need not be there be null, which means the same; but for the fields
/// of a patch that stand for something that must be there.
pub(super) fn allow_nulls(document: &mut OpenApi) {
    let mut names = BTreeSet::new();
    let Some(components) = &mut document.components else { return };
    for item in document.paths.paths.values_mut() {
        let operations = [&mut item.post, &mut item.put, &mut item.patch];
        for content in operations.into_iter().flatten().flat_map(contents) {
            if let Some(schema) = &content.schema {
                reach(schema, &components.schemas, &mut names);
            }
        }
    }
    for name in names {
        if let Some(RefOr::T(Schema::Object(object))) = components.schemas.get_mut(&name) {
            let Object { properties, required, .. } = object;
            let optional = properties.iter_mut().filter(|(name, _)| !required.contains(name));
            optional.for_each(|(_, property)| allow_null(property));
        }
    }
}

/// Gives the patch of each kind of record a schema of its own.
pub(super) fn add_patches(document: &mut OpenApi) {
    let Some(components) = &mut document.components else { return };
    for item in document.paths.paths.values_mut() {
        for content in item.patch.iter_mut().flat_map(contents) {
            let Some(RefOr::Ref(reference)) = &content.schema else { continue };
            let whole = named(&reference.ref_location);
            let patch = format!("{}Patch", whole.trim_end_matches("Input"));
            if let Some(RefOr::T(Schema::Object(object))) = components.schemas.get(whole) {
                let mut object = object.clone();
                object.required.clear();
                components.schemas.insert(patch.clone(), RefOr::T(Schema::Object(object)));
                content.schema = Some(Ref::from_schema_name(patch).into());
            }
        }
    }
}

fn contents(operation: &mut Operation) -> impl Iterator<Item = &mut Content> {
    let body = operation.request_body.iter_mut().filter_map(|body| match body {
        RefOr::T(body) => Some(body),
        RefOr::Ref(_) => None,
    });
    body.flat_map(|body| body.content.values_mut()).filter_map(|content| match content {
        RefOr::T(content) => Some(content),
        RefOr::Ref(_) => None,
    })
}

/// The names of the schemas that a schema is made of.
fn reach(schema: &RefOr<Schema>, schemas: &Schemas, names: &mut BTreeSet<String>) {
    match schema {
        RefOr::Ref(reference) => {
            let name = named(&reference.ref_location);
            if names.insert(name.to_owned())
                && let Some(schema) = schemas.get(name)
            {
                reach(schema, schemas, names);
            }
        }
        RefOr::T(Schema::Object(object)) => {
            object.properties.values().for_each(|property| reach(property, schemas, names));
        }
        RefOr::T(Schema::Array(array)) => {
            if let ArrayItems::RefOrSchema(items) = &array.items {
                reach(items, schemas, names);
            }
        }
        RefOr::T(Schema::OneOf(forms)) => forms.items.iter().for_each(|form| reach(form, schemas, names)),
        RefOr::T(Schema::AllOf(parts)) => parts.items.iter().for_each(|part| reach(part, schemas, names)),
        RefOr::T(_) => {}
    }
}

fn allow_null(property: &mut RefOr<Schema>) {
    let kind = match property {
        RefOr::T(Schema::Object(object)) => &mut object.schema_type,
        RefOr::T(Schema::Array(array)) => &mut array.schema_type,
        RefOr::T(_) => return,
        RefOr::Ref(reference) => {
            let null = ObjectBuilder::new().schema_type(Type::Null);
            let forms = OneOfBuilder::new().item(RefOr::Ref(reference.clone())).item(null).build();
            *property = RefOr::T(Schema::OneOf(forms));
            return;
        }
    };
    if let SchemaType::Type(only) = kind {
        *kind = SchemaType::Array(vec![only.clone(), Type::Null]);
    }
}
