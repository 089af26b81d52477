//! Which strings are addresses that code calls.

/// The HTTP verb of a client annotation (`retrofit2.http.POST`).
pub fn verb(annotation: &str) -> Option<&'static str> {
    ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "HTTP"].into_iter().find(|verb| *verb == annotation)
}

/// The address in a string literal of code: a URL, an absolute path, or a relative path with a slash.
pub fn in_code(text: &str) -> Option<&str> {
    if !(4..=400).contains(&text.len()) || !text.is_ascii() {
        return None;
    }
    let rest = ["http://", "https://", "ws://", "wss://"].iter().find_map(|scheme| text.strip_prefix(scheme));
    if let Some(rest) = rest {
        return (rest.len() > 3 && !rest.contains(' ')).then_some(text);
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/_-.{}:?=&%~@$".contains(&byte);
    if !text.bytes().all(plain) {
        return None;
    }
    let path = text.split('?').next().unwrap_or(text);
    let mut segments = path.split('/').filter(|segment| !segment.is_empty());
    let first = segments.next()?;
    let letters = |segment: &str| segment.bytes().filter(u8::is_ascii_alphabetic).count();
    if let Some(action) = path.rsplit('/').next().and_then(|last| last.rsplit_once('.'))
        && matches!(action.1, "do" | "action" | "json" | "php" | "aspx" | "ashx" | "asmx" | "jsp" | "svc")
    {
        return (letters(action.0) >= 3).then_some(text);
    }
    if !path.contains('/') || NOT_SERVERS.contains(&first) || path.ends_with(is_file) || path.contains("//") {
        return None;
    }
    let enough =
        letters(first) >= 2 && (path.starts_with('/') || segments.next().is_some_and(|s| letters(s) >= 3));
    enough.then_some(text)
}

/// First segments of paths on the device, media types and class names.
const NOT_SERVERS: &[&str] = &[
    "system",
    "data",
    "proc",
    "sys",
    "dev",
    "sdcard",
    "mnt",
    "storage",
    "etc",
    "vendor",
    "sbin",
    "bin",
    "usr",
    "su",
    "tmp",
    "apex",
    "product",
    "android_asset",
    "application",
    "image",
    "video",
    "audio",
    "text",
    "font",
    "multipart",
    "yyyy",
    "MM",
    "dd",
    "HH",
    "assets",
    "res",
    "java",
    "javax",
    "android",
    "androidx",
    "kotlin",
    "META-INF",
    "lib",
    "cache",
    "Android",
    "root",
    "cust",
    "acct",
    "config",
    "model",
    "message",
    "chemical",
    "inode",
    "vnd.android.cursor.dir",
    "vnd.android.cursor.item",
];

fn is_file(ch: char) -> bool {
    ch == '/'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_from_other_paths() {
        for text in [
            "/api/mobile/patrol/checkin",
            "https://www.example.gov.cn/app/sign",
            "patrol/checkin",
            "app/user/{id}/score?type=1",
            "saveSign.do",
            "/rank",
        ] {
            assert_eq!(in_code(text), Some(text), "{text}");
        }
        for text in [
            "application/json",
            "image/png",
            "/system/bin/su",
            "yyyy/MM/dd",
            "a/b",
            "http://",
            "N/A",
            "and/or",
            "km/h",
            "/",
            "hello world",
            "1/2",
            "/data/local/tmp",
        ] {
            assert_eq!(in_code(text), None, "{text}");
        }
    }
}
