//! Where a route takes no parameters, any is refused, and so is a body where none is taken. The OpenAPI
//! document says what each route takes. Where parameters are taken, [`super::input`] tells of unknown ones.

use std::collections::{BTreeMap, HashMap};

use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header;
use actix_web::middleware::Next;
use actix_web::web;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::encoded;
use super::error::ApiError;
use super::input::{NoBody, expect_no_parameters};

/// What every route takes, by the pattern of its path: the routes themselves find which one fits.
pub struct Contract(HashMap<String, BTreeMap<&'static str, Takes>>);

/// What one method of a path takes.
struct Takes {
    parameters: bool,
    body: bool,
}

/// As much of a document as the contract is about.
#[derive(Deserialize)]
struct Described {
    paths: HashMap<String, Methods>,
}

/// What the document says of one path.
#[derive(Deserialize)]
struct Methods {
    get: Option<Operation>,
    post: Option<Operation>,
    put: Option<Operation>,
    patch: Option<Operation>,
    delete: Option<Operation>,
}

/// What the document says of one method of a path.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Operation {
    #[serde(default)]
    parameters: Vec<Parameter>,
    request_body: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Parameter {
    r#in: String,
}

impl Contract {
    /// The contract that a document describes, as it is written.
    pub fn of(document: &str) -> serde_json::Result<Self> {
        let Described { paths } = serde_json::from_str(document)?;
        let rows = paths.into_iter().map(|(path, methods)| {
            let methods = [
                ("GET", methods.get),
                ("POST", methods.post),
                ("PUT", methods.put),
                ("PATCH", methods.patch),
                ("DELETE", methods.delete),
            ];
            let methods = methods.into_iter().filter_map(|(name, method)| Some((name, Takes::of(method?))));
            (path, methods.collect())
        });
        Ok(Self(rows.collect()))
    }

    /// The same with pages that are no part of the document, and take no parameter.
    #[must_use]
    pub fn with_pages(mut self, paths: &[&str]) -> Self {
        let takes = || BTreeMap::from([("GET", Takes { parameters: false, body: false })]);
        self.0.extend(paths.iter().map(|path| ((*path).to_owned(), takes())));
        self
    }

    /// The methods that the path of a pattern knows, as `Allow` lists them; none if there is no such path.
    #[must_use]
    pub fn allowed(&self, pattern: &str) -> Option<String> {
        let methods = self.0.get(pattern)?.keys().copied();
        // HEAD is answered wherever GET is.
        let methods: Vec<&str> = methods.map(|name| if name == "GET" { "GET, HEAD" } else { name }).collect();
        Some(methods.join(", "))
    }

    async fn check(&self, request: &mut ServiceRequest) -> Result<(), ApiError> {
        // Most requests have neither, and need not be looked up.
        if request.query_string().is_empty() && !has_body(request) {
            return Ok(());
        }
        let methods = request.match_pattern().and_then(|pattern| self.0.get(&pattern));
        let Some(route) = methods.and_then(|methods| methods.get(request.method().as_str())) else {
            return Ok(());
        };
        if !route.parameters {
            expect_no_parameters(request.query_string())?;
        }
        encoded::expect_readable(request.headers())?;
        if !route.body {
            request.extract::<NoBody>().await?;
        }
        Ok(())
    }
}

impl Takes {
    fn of(operation: Operation) -> Self {
        let mut parameters = operation.parameters.iter();
        Self {
            parameters: parameters.any(|parameter| parameter.r#in == "query"),
            body: operation.request_body.is_some(),
        }
    }
}

fn has_body(request: &ServiceRequest) -> bool {
    let length = request.headers().get(header::CONTENT_LENGTH);
    length.is_some_and(|length| length != "0") || request.headers().contains_key(header::TRANSFER_ENCODING)
}

/// Answers a request that brings what its route does not take; passes on every other one.
pub async fn layer(
    contract: web::Data<Contract>,
    mut request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<EitherBody<impl MessageBody, BoxBody>>, actix_web::Error> {
    match contract.check(&mut request).await {
        Ok(()) => Ok(next.call(request).await?.map_into_left_body()),
        Err(error) => Ok(request.error_response(error).map_into_right_body()),
    }
}
