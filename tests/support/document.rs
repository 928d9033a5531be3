//! The served OpenAPI document, as a client reads it.

use std::collections::BTreeMap;

use actix_web::http::Method;
use serde_json::{Map, Value, json};

use super::Caller;

/// The document.
pub struct Document(pub Value);

/// One operation of it.
pub struct Operation {
    pub method: Method,
    pub path: String,
    content: Value,
}

/// Ids by their prefix, to be put where the document asks for one.
pub type Ids = BTreeMap<String, String>;

impl Document {
    /// Asks for the document.
    pub async fn of(caller: &Caller) -> Self {
        Self(caller.get("/v1/openapi.json").await.expect(200))
    }

    /// All operations, path by path.
    pub fn operations(&self) -> Vec<Operation> {
        let paths = self.0["paths"].as_object().unwrap();
        let each = paths.iter().flat_map(|(path, item)| {
            item.as_object().unwrap().iter().map(|(method, content)| Operation {
                method: Method::from_bytes(method.to_uppercase().as_bytes()).unwrap(),
                path: path.clone(),
                content: content.clone(),
            })
        });
        each.collect()
    }

    /// The references of the document that lead nowhere.
    pub fn dangling(&self) -> Vec<String> {
        let mut dangling = Vec::new();
        let mut to_see = vec![&self.0];
        while let Some(value) = to_see.pop() {
            match value {
                Value::Array(items) => to_see.extend(items),
                Value::Object(fields) => {
                    let reference = fields.get("$ref").and_then(Value::as_str);
                    let leads_nowhere = |r: &&str| self.0.pointer(r.trim_start_matches('#')).is_none();
                    dangling.extend(reference.filter(leads_nowhere).map(str::to_owned));
                    to_see.extend(fields.values());
                }
                _ => {}
            }
        }
        dangling
    }

    /// The smallest body that the operation's schema allows. What needs an id has one of `ids`.
    pub fn body(&self, operation: &Operation, ids: &Ids) -> Option<Value> {
        operation.body_schema().map(|schema| self.sample(schema, ids))
    }

    /// The body with `id` where `pointer` points to.
    pub fn with_id(
        &self,
        operation: &Operation,
        mut body: Value,
        ids: &Ids,
        pointer: &str,
        id: &str,
    ) -> Value {
        let path: Vec<&str> = pointer.split('/').skip(1).collect();
        self.put(operation.body_schema().unwrap(), &mut body, &path, ids, id);
        body
    }

    fn put(&self, schema: &Value, into: &mut Value, path: &[&str], ids: &Ids, id: &str) {
        let Some((name, rest)) = path.split_first() else {
            *into = json!(id);
            return;
        };
        let schema = self.form(schema);
        let (schema, place) = match into {
            Value::Array(items) => (&schema["items"], items.first_mut().unwrap()),
            other => (&schema["properties"][name], &mut other[*name]),
        };
        if place.is_null() && !rest.is_empty() {
            *place = self.sample(schema, ids);
        }
        self.put(schema, place, rest, ids, id);
    }

    /// The schema, or of several forms the one that is not null.
    fn form<'a>(&'a self, schema: &'a Value) -> &'a Value {
        let schema = self.resolve(schema);
        let forms = schema["oneOf"].as_array().or(schema["anyOf"].as_array());
        let form = forms.and_then(|forms| forms.iter().find(|form| form["type"] != "null"));
        form.map_or(schema, |form| self.form(form))
    }

    /// The prefix of the ids that a schema takes; none if it takes something else.
    pub fn prefix(&self, schema: &Value) -> Option<String> {
        let prefix = self.resolve(schema)["pattern"].as_str()?.strip_prefix('^')?.split('_').next()?;
        (prefix.len() == 3).then(|| prefix.to_owned())
    }

    /// A value that a schema allows.
    pub fn sample(&self, schema: &Value, ids: &Ids) -> Value {
        if let Some(prefix) = self.prefix(schema) {
            return json!(ids[&prefix]);
        }
        let schema = self.resolve(schema);
        if let Some(example) = schema.get("example").or(schema["examples"].get(0)) {
            return example.clone();
        }
        let words = schema["enum"].get(0).or(schema.get("const")).or(schema.get("default"));
        if let Some(word) = words {
            return word.clone();
        }
        if let Some(parts) = schema["allOf"].as_array() {
            let mut whole = json!({});
            parts.iter().for_each(|part| json_patch::merge(&mut whole, &self.sample(part, ids)));
            return whole;
        }
        let form = self.form(schema);
        if !std::ptr::eq(form, schema) {
            return self.sample(form, ids);
        }
        match kind(schema) {
            "object" => {
                let required = schema["required"].as_array().into_iter().flatten();
                let field = |name: &Value| {
                    let name = name.as_str().unwrap();
                    (name.to_owned(), self.sample(&schema["properties"][name], ids))
                };
                Value::Object(required.map(field).collect::<Map<_, _>>())
            }
            "array" => {
                let count = schema["minItems"].as_u64().unwrap_or(1);
                (0..count).map(|_| self.sample(&schema["items"], ids)).collect()
            }
            "integer" => schema.get("minimum").cloned().unwrap_or(json!(1)),
            "boolean" => json!(false),
            _ => json!("x".repeat(schema["minLength"].as_u64().unwrap_or(1).max(1) as usize)),
        }
    }

    /// Where ids stand in a body that the schema describes, optional ones too: by JSON pointer.
    pub fn id_pointers(&self, operation: &Operation) -> Vec<(String, String)> {
        let mut found = Vec::new();
        if let Some(schema) = operation.body_schema() {
            self.find_ids(schema, String::new(), &mut found);
        }
        found
    }

    fn find_ids(&self, schema: &Value, pointer: String, found: &mut Vec<(String, String)>) {
        if let Some(prefix) = self.prefix(schema) {
            found.push((pointer, prefix));
            return;
        }
        let schema = self.resolve(schema);
        for form in ["oneOf", "anyOf", "allOf"].iter().filter_map(|word| schema[word].as_array()).flatten() {
            self.find_ids(form, pointer.clone(), found);
        }
        if let Some(items) = schema.get("items") {
            self.find_ids(items, format!("{pointer}/0"), found);
        }
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            self.find_ids(property, format!("{pointer}/{name}"), found);
        }
    }

    fn resolve<'a>(&'a self, schema: &'a Value) -> &'a Value {
        match schema["$ref"].as_str() {
            Some(reference) => self.0.pointer(reference.trim_start_matches('#')).unwrap(),
            None => schema,
        }
    }
}

impl Operation {
    /// The method and the path.
    pub fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// The scope that a token needs: none if the document asks for no token at all, an empty one if any
    /// token will do.
    pub fn scope(&self) -> Option<String> {
        let ways = self.content["security"].as_array();
        let ways = ways.unwrap_or_else(|| panic!("{} does not tell whom it is for", self.name()));
        let other = |way: &Value| Some(way.as_object()?.keys().next()?.clone());
        if let Some(scheme) =
            ways.first().and_then(other).filter(|scheme| !["oauth2", "bearer"].contains(&scheme.as_str()))
        {
            return Some(scheme);
        }
        let mut scopes = ways.iter().flat_map(|way| way.as_object().unwrap().values());
        let scope = scopes.next()?;
        assert!(scopes.all(|other| other == scope), "{}: {ways:?}", self.name());
        Some(scope.as_array().unwrap().iter().map(|scope| scope.as_str().unwrap()).collect())
    }

    /// What its body is sent as; none if it takes none.
    pub fn content_type(&self) -> Option<&str> {
        self.bodies().next().map(|(content_type, _)| content_type.as_str())
    }

    fn body_schema(&self) -> Option<&Value> {
        self.bodies().next().map(|(_, content)| &content["schema"])
    }

    fn bodies(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.content["requestBody"]["content"].as_object().into_iter().flatten()
    }

    /// Its parameters of one place: `path`, `query` or `header`.
    pub fn parameters<'a>(&'a self, place: &'a str) -> impl Iterator<Item = &'a Value> {
        let all = self.content["parameters"].as_array().into_iter().flatten();
        all.filter(move |parameter| parameter["in"] == place)
    }
}

fn kind(schema: &Value) -> &str {
    match &schema["type"] {
        Value::String(kind) => kind,
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null").unwrap(),
        _ => "string",
    }
}
