//! JSON in its canonical form: RFC 8785 (JSON Canonicalization Scheme) over I-JSON (RFC 7493), so that two texts have
//! one form exactly when they say the same. What two readers could read differently has no such form and is refused:
//! a name twice in one object, a number that no IEEE 754 double can hold as it is written.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::model::Lang;

/// Longest document, in bytes.
pub const LONGEST: u64 = 256 << 20;

/// No double tells more decimal digits apart.
const MOST_DIGITS: usize = 17;

/// Why a text has no canonical form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotCanonical {
    /// It is no JSON, or a name is twice in one object: what is wrong, with line and column.
    Json(String),
    /// A number that a double cannot hold as it is written.
    Number {
        /// The number, its beginning if it is long.
        text: String,
        /// Its line, from 1.
        line: usize,
    },
}

impl NotCanonical {
    /// What is wrong, in a language.
    pub fn words(&self, lang: Lang) -> String {
        match (self, lang) {
            (NotCanonical::Json(cause), Lang::Zh) => format!("不是规范的 JSON（{cause}）"),
            (NotCanonical::Json(cause), Lang::En) => format!("no sound JSON ({cause})"),
            (NotCanonical::Number { text, line }, Lang::Zh) => {
                format!("第 {line} 行的数字 {text} 超出双精度浮点数的范围或精度")
            }
            (NotCanonical::Number { text, line }, Lang::En) => {
                format!("line {line}: number {text} is beyond the range or precision of a double")
            }
        }
    }
}

/// Reads a JSON text that has a canonical form.
pub(super) fn parse(json: &[u8]) -> Result<Value, NotCanonical> {
    let error = |error: serde_json::Error| NotCanonical::Json(error.to_string());
    let Strict(value) = serde_json::from_slice(json).map_err(error)?;
    numbers(json)?;
    Ok(value)
}

/// The canonical form of a value.
pub(super) fn of_value(value: &Value) -> Result<Vec<u8>, NotCanonical> {
    serde_json_canonicalizer::to_vec(value).map_err(|error| NotCanonical::Json(error.to_string()))
}

/// The canonical form of a JSON text.
pub fn canonical(json: &[u8]) -> Result<Vec<u8>, NotCanonical> {
    of_value(&parse(json)?)
}

/// A value none of whose objects has a name twice.
struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Strict)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("number out of range"))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut all = Vec::new();
        while let Some(Strict(item)) = items.next_element()? {
            all.push(item);
        }
        Ok(Value::Array(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut all = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if all.contains_key(&name) {
                return Err(A::Error::custom(format_args!("the name {name:?} is twice in one object")));
            }
            let Strict(value) = members.next_value()?;
            all.insert(name, value);
        }
        Ok(Value::Object(all))
    }
}

/// Checks every number of a text that is JSON: outside of strings only numbers begin with a digit or a minus.
fn numbers(json: &[u8]) -> Result<(), NotCanonical> {
    let (mut at, mut line, mut in_string) = (0, 1, false);
    while let Some(&byte) = json.get(at) {
        match byte {
            b'\n' => line += 1,
            b'"' => in_string = !in_string,
            b'\\' if in_string => at += 1,
            b'-' | b'0'..=b'9' if !in_string => {
                let rest = json.get(at..).unwrap_or_default();
                let end = rest
                    .iter()
                    .position(|byte| !matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E'));
                let length = end.unwrap_or(rest.len());
                let text = std::str::from_utf8(rest.get(..length).unwrap_or_default()).unwrap_or_default();
                if !holds(text) {
                    let text = text.chars().take(40).collect();
                    return Err(NotCanonical::Number { text, line });
                }
                at += length;
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    Ok(())
}

/// Whether a double says the same as a number in JSON. Integers beyond 2^53 have to be written as the canonical form
/// writes them; of others so many digits count as doubles can tell apart.
fn holds(text: &str) -> bool {
    let Ok(double) = text.parse::<f64>() else { return false };
    let mantissa = text.split(['e', 'E']).next().unwrap_or_default();
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let significant = digits.trim_matches('0');
    if !double.is_finite() || (double == 0.0 && !significant.is_empty()) {
        return false;
    }
    let whole = mantissa.len() == text.len() && !mantissa.contains('.');
    if whole && double.abs() >= 9_007_199_254_740_992.0 {
        return serde_json_canonicalizer::to_string(&double).is_ok_and(|canonical| canonical == text);
    }
    significant.len() <= MOST_DIGITS
}
