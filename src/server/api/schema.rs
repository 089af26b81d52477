//! The description of the API (OpenAPI 3.1): the routes as they describe themselves, and the nouns of the model, whose
//! JSON Schema is that of the documents the program writes.

use std::borrow::Cow;

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};
use utoipa::PartialSchema;
use utoipa::openapi::{RefOr, Schema};

use crate::server::Problem;
use crate::{ledger, model, roster, rule};

/// A place for the schema of a noun, and its name.
macro_rules! nouns {
    ($($name:ident => $noun:ty),* $(,)?) => {
        $(
            #[doc = concat!("Stands for [`", stringify!($noun), "`].")]
            pub(super) struct $name;

            impl PartialSchema for $name {
                fn schema() -> RefOr<Schema> {
                    utoipa::openapi::Object::new().into()
                }
            }

            impl utoipa::ToSchema for $name {
                fn name() -> Cow<'static, str> {
                    Cow::Borrowed(stringify!($name))
                }
            }
        )*

        /// The nouns by name.
        #[cfg(test)]
        const NOUNS: &[&str] = &[$(stringify!($name)),*];

        /// Every noun with its schema, and what those refer to.
        fn described() -> Map<String, Value> {
            let settings = SchemaSettings::draft2020_12().with(|settings| {
                settings.definitions_path = "/components/schemas".into();
                settings.meta_schema = None;
            });
            let mut generator = settings.for_serialize().into_generator();
            let mut names: Vec<(&str, String)> = Vec::new();
            $(
                let reference = generator.subschema_for::<$noun>();
                let reference = reference.get("$ref").and_then(Value::as_str).unwrap_or_default();
                names.push((stringify!($name), reference.rsplit('/').next().unwrap_or_default().to_owned()));
            )*
            let mut schemas = generator.take_definitions(true);
            for (name, own) in names {
                if name != own {
                    schemas.insert(name.to_owned(), json!({ "$ref": format!("#/components/schemas/{own}") }));
                }
            }
            schemas
        }
    };
}

nouns! {
    Change => roster::Change,
    CodeDocument => model::CodeDocument,
    Coded => ledger::Coded,
    ColorCode => model::ColorCode,
    Count => ledger::Count,
    Decision => ledger::Decision,
    Event => model::Event,
    Listed => ledger::Listed,
    OfficeLevel => model::OfficeLevel,
    OpenFinding => ledger::OpenFinding,
    Rectification => model::Rectification,
    Rejected => model::Rejected,
    Report => model::Report,
    TargetKind => model::TargetKind,
    Titled => rule::Titled,
}

/// The description as a document.
pub(super) fn document(routes: utoipa::openapi::OpenApi) -> Value {
    let mut document = serde_json::to_value(routes).unwrap_or_default();
    document["info"] = json!({
        "title": "指尖质检 zhijian",
        "description": "Targets, codes, findings and reports of zhijian. Log in for a cookie (changes need the header \
                        X-CSRF-Token) or send a token as Authorization: Bearer. Lists go on by `after`, which is the \
                        `next` of the page before. Changes take an Idempotency-Key: the same key and body give the same \
                        answer for a day. Errors are problem details (RFC 9457).",
        "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        "version": "1",
    });
    document["servers"] = json!([{ "url": "/api/v1" }]);
    document["security"] = json!([{ "token": [] }, { "session": [] }]);
    let components = &mut document["components"];
    components["securitySchemes"] = json!({
        "token": { "type": "http", "scheme": "bearer" },
        "session": { "type": "apiKey", "in": "cookie", "name": "zhijian" },
    });
    components["schemas"]["Problem"] = serde_json::to_value(Problem::schema()).unwrap_or_default();
    if let Some(schemas) = components["schemas"].as_object_mut() {
        schemas.extend(described());
    }
    let problem = json!({
        "description": "What went wrong",
        "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } },
    });
    let key = json!({
        "name": "Idempotency-Key", "in": "header", "required": false, "schema": { "type": "string", "maxLength": 200 },
        "description": "The same key and body give the same answer",
    });
    for (path, item) in document["paths"].as_object_mut().into_iter().flatten() {
        for (method, operation) in item.as_object_mut().into_iter().flatten() {
            operation["responses"]["default"] = problem.clone();
            if method != "get" && path != "/session" {
                let parameters = &mut operation["parameters"];
                match parameters.as_array_mut() {
                    Some(parameters) => parameters.push(key.clone()),
                    None => *parameters = json!([key]),
                }
            }
        }
    }
    document
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_means_two_things() {
        let routes = super::super::described()
            .merge(super::super::rosters())
            .merge(super::super::streamed())
            .into_openapi();
        let routes = serde_json::to_value(routes).unwrap();
        let described = described();
        for name in routes["components"]["schemas"].as_object().unwrap().keys() {
            assert!(NOUNS.contains(&&**name) || !described.contains_key(name), "{name}");
        }
        assert!(NOUNS.iter().all(|name| described.contains_key(*name)));
    }
}
