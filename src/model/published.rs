//! The JSON Schemas of the documents that other programs read.

use schemars::JsonSchema;
use serde_json::{Value, json};

/// The schema of a document whose field `schema` always says the same: `zhijian.report/1`.
pub fn published<T: JsonSchema>(name: &str) -> Value {
    let mut schema = schemars::schema_for!(T).to_value();
    if let Some(root) = schema.as_object_mut() {
        root.insert("$id".into(), json!(format!("urn:{}", name.replace(['.', '/'], ":"))));
        root.insert("title".into(), json!(name));
    }
    if let Some(version) = schema.pointer_mut("/properties/schema").and_then(Value::as_object_mut) {
        version.insert("const".into(), json!(name));
    }
    schema
}
