//! The headers of answers, by rule: a record with a version has an `ETag`, one that was made a
//! `Location` too, and a page of a list a `Link` to the next one.

use std::collections::BTreeMap;

use utoipa::openapi::header::Header;
use utoipa::openapi::path::{Operation, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::Schema;
use utoipa::openapi::{ObjectBuilder, RefOr, Required, Response, ResponseBuilder, Type};

/// The schemas of a document, by name.
pub(super) type Schemas = BTreeMap<String, RefOr<Schema>>;

/// What a `GET` shows with a tag and without a version of its own: the tag has that of the debrief or note.
const TAGGED_BY_ANOTHER: [&str; 3] = ["CallSheet", "Comparison", "WordingReview"];

/// Tells of the headers of an operation's answers.
pub(super) fn add(operation: &mut Operation, is_get: bool, schemas: &Schemas) {
    let mut has_tag = false;
    for (status, response) in &mut operation.responses.responses {
        let RefOr::T(response) = response else { continue };
        let Some(schema) = shown(response) else { continue };
        if has_field(schema, "next_cursor", schemas) {
            let next = "Where the next page is, as `rel=\"next\"` (RFC 8288); not on the last one.";
            response.headers.insert("Link".to_owned(), RefOr::T(header(next)));
        } else if is_tagged(schema, is_get, schemas) {
            has_tag = true;
            response.headers.insert("ETag".to_owned(), RefOr::T(etag()));
            if status == "201" {
                let place = header("The path of the record that was made.");
                response.headers.insert("Location".to_owned(), RefOr::T(place));
            }
        }
    }
    if has_tag && is_get {
        let known = ResponseBuilder::new().description("The caller has this already.");
        let known = RefOr::T(known.header("ETag", etag()).build());
        operation.responses.responses.insert("304".to_owned(), known);
        let seen = ParameterBuilder::new()
            .name("If-None-Match")
            .parameter_in(ParameterIn::Header)
            .required(Required::False)
            .description(Some("ETags that the caller has; with one of them the answer is 304."))
            .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
            .example(Some("\"3\"".into()))
            .build();
        operation.parameters.get_or_insert_default().push(RefOr::T(seen));
    }
}

fn etag() -> Header {
    header("The version of the record as it is shown, to be sent as If-Match or If-None-Match.")
}

/// A header with a text.
pub(super) fn header(description: &str) -> Header {
    let schema = ObjectBuilder::new().schema_type(Type::String).build();
    let mut header = Header::new(Schema::Object(schema));
    header.description = Some(description.to_owned());
    header
}

/// The schema of the JSON that a response shows.
pub(super) fn shown(response: &Response) -> Option<&RefOr<Schema>> {
    match response.content.get("application/json")? {
        RefOr::T(content) => content.schema.as_ref(),
        RefOr::Ref(_) => None,
    }
}

fn is_tagged(schema: &RefOr<Schema>, is_get: bool, schemas: &Schemas) -> bool {
    let by_another = |reference: &str| is_get && TAGGED_BY_ANOTHER.contains(&named(reference));
    matches!(schema, RefOr::Ref(reference) if by_another(&reference.ref_location))
        || has_field(schema, "version", schemas)
}

/// Whether a schema, or one that it is made of, has a field.
fn has_field(schema: &RefOr<Schema>, field: &str, schemas: &Schemas) -> bool {
    match schema {
        RefOr::Ref(reference) => schemas
            .get(named(&reference.ref_location))
            .is_some_and(|schema| has_field(schema, field, schemas)),
        RefOr::T(Schema::Object(object)) => object.properties.contains_key(field),
        RefOr::T(Schema::AllOf(parts)) => parts.items.iter().any(|part| has_field(part, field, schemas)),
        RefOr::T(_) => false,
    }
}

pub(super) fn named(reference: &str) -> &str {
    reference.rsplit('/').next().unwrap_or_default()
}
