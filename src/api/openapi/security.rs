//! Who may call an operation, as the document tells it: the scope that `Access` needs.

use serde_json::json;
use strum::{EnumMessage, VariantArray};
use utoipa::openapi::OpenApi;
use utoipa::openapi::RefOr;
use utoipa::openapi::extensions::Extensions;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::security::{
    ClientCredentials, Flow, HttpAuthScheme, HttpBuilder, OAuth2, Scopes, SecurityRequirement, SecurityScheme,
};
use utoipa::{IntoParams, Modify};

use crate::api::access::{Access, Needs};
use crate::domain::people::Scope;

/// An integration's token, which has the scopes that it asked for.
const OAUTH2: &str = "oauth2";
/// A user's token, whose scopes follow from the role.
const BEARER: &str = "bearer";
/// Where an operation's scope stands until it becomes a requirement.
const MARK: &str = "x-scope";

/// How a caller shows who they are.
pub(super) struct Schemes;

impl Modify for Schemes {
    fn modify(&self, document: &mut OpenApi) {
        let components = document.components.get_or_insert_default();
        let meaning =
            |scope: &Scope| (scope.to_string(), scope.get_documentation().unwrap_or_default().to_owned());
        let scopes = Scopes::from_iter(Scope::VARIANTS.iter().map(meaning));
        let grant = Flow::ClientCredentials(ClientCredentials::new("/oauth/token", scopes));
        let integration = OAuth2::with_description([grant], "An API client signs in with its secret.");
        components.add_security_scheme(OAUTH2, SecurityScheme::OAuth2(integration));
        let user = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("JWT")
            .description(Some(
                "A user's access token (`POST /v1/auth/login`). It has the scopes of the user's role.",
            ))
            .build();
        components.add_security_scheme(BEARER, SecurityScheme::Http(user));
        let key = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("opaque").build();
        components.add_security_scheme("inbound_key", SecurityScheme::Http(key));
    }
}

/// `Access` among the parameters of an operation says what the operation needs.
impl<S: Needs> IntoParams for Access<S> {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let scope = S::SCOPE.map(|scope| scope.to_string());
        let mark = Extensions::builder().add(MARK, json!(scope)).build();
        let parameter = ParameterBuilder::new().name("Authorization").parameter_in(ParameterIn::Header);
        vec![parameter.extensions(Some(mark)).build()]
    }
}

/// Makes the requirement of what `Access` left among an operation's parameters. An operation without
/// it keeps what the whole document says: a good token.
pub(super) fn require(operation: &mut Operation) {
    let Some(parameters) = &mut operation.parameters else { return };
    let marked = parameters.iter().position(|parameter| mark(parameter).is_some());
    let Some(scope) = marked.and_then(|at| mark(&parameters.remove(at)).cloned()) else { return };
    let scopes: Vec<&str> = scope.as_str().into_iter().collect();
    let either = [OAUTH2, BEARER].map(|scheme| SecurityRequirement::new(scheme, scopes.clone()));
    operation.security = Some(either.into());
}

fn mark(parameter: &RefOr<Parameter>) -> Option<&serde_json::Value> {
    match parameter {
        RefOr::T(parameter) => parameter.extensions.as_ref()?.get(MARK),
        RefOr::Ref(_) => None,
    }
}
