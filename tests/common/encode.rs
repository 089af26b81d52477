//! Fixtures are kept as UTF-8; the bytes that they stand for may be of another encoding.

/// The bytes of a text in an encoding by its label, which has to have all of its characters; else UTF-8.
pub(crate) fn encoded(text: String, label: Option<&str>) -> Vec<u8> {
    let Some(label) = label else { return text.into_bytes() };
    let encoding = encoding_rs::Encoding::for_label(label.as_bytes()).unwrap();
    let (bytes, _, lost) = encoding.encode(&text);
    assert!(!lost, "{label} lacks a character of {text}");
    bytes.into_owned()
}
