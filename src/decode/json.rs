//! JSON (RFC 8259) of unknown origin, of which no more than so many values are made: `[[],[],…]` takes dozens of
//! times its own size in memory.

use serde_json::Value;

/// Longer documents are not made values of by those who count none: a value takes up to sixteen times its bytes in
/// memory.
pub const MAX_BYTES: usize = 32 << 20;

/// More values than any list of posts has.
const MAX_VALUES: usize = 2_000_000;

/// Reads a document. Every value but the first comes behind a comma or an opening bracket; those inside strings are
/// counted too, which is why the limit is generous.
pub fn bounded(bytes: &[u8]) -> Result<Value, String> {
    let marks = memchr::memchr3_iter(b',', b'[', b'{', bytes).count();
    if marks > MAX_VALUES {
        return Err(format!("more than {MAX_VALUES} values"));
    }
    serde_json::from_slice(bytes).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_values_are_not_made() {
        assert_eq!(bounded(b"{\"a\":[1,2]}").unwrap()["a"][1], 2);
        assert!(bounded(format!("[{}0]", "[],".repeat(MAX_VALUES)).as_bytes()).is_err());
        assert!(bounded(&b"[".repeat(100_000)).is_err());
        assert!(bounded(b"{\"a\":\xff}").is_err());
    }
}
