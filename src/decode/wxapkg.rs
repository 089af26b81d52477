//! The container of WeChat mini programs: an index of names, offsets and sizes, then the files as they are.
//!
//! Layout, big-endian: `BE`, 4 unknown bytes, length of the index, length of the data, `ED`, number of files,
//! then for each the length of its name, the name, its offset from the start and its size. Seen in real
//! packages and described in the issues of wxappUnpacker (#34, #45).

use std::borrow::Cow;
use std::ops::Range;

use thiserror::Error;

use super::{Decoder, Issue};

/// What this file reads.
pub const DECODER: Decoder = Decoder {
    name: "wxapkg",
    version: 1,
    reads: ("微信小程序包 wxapkg", "packages of WeChat mini programs"),
    limits: &[],
};

const HEADER: usize = 14;
/// Issues of one kind that are listed one by one.
const MAX_ISSUES: usize = 16;

/// Why nothing could be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum WxapkgError {
    /// As the PC client stores packages: AES and XOR by the appid.
    #[error("encrypted by the PC client (V1MMWX)")]
    Encrypted,
    /// The marks of the header are not there.
    #[error("not a wxapkg container")]
    NotWxapkg,
}

/// One file of the container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File<'a> {
    /// Name without the leading slash.
    pub name: Cow<'a, str>,
    /// Where its bytes are.
    pub range: Range<usize>,
}

/// Whether the bytes begin as one of the two forms of the container.
pub fn is_wxapkg(head: &[u8]) -> bool {
    head.starts_with(b"V1MMWX") || (head.first() == Some(&0xBE) && head.get(HEADER - 1) == Some(&0xED))
}

/// Reads the index.
pub fn read(bytes: &[u8]) -> Result<(Vec<File<'_>>, Vec<Issue>), WxapkgError> {
    if bytes.starts_with(b"V1MMWX") {
        return Err(WxapkgError::Encrypted);
    }
    if !is_wxapkg(bytes) {
        return Err(WxapkgError::NotWxapkg);
    }
    let mut issues = Vec::new();
    let mut lossy = |code, at: usize, detail: String| {
        if issues.len() < MAX_ISSUES {
            issues.push(Issue::lossy(code, at as u64, detail));
        }
    };
    let count = u32_at(bytes, HEADER).unwrap_or_default();
    // The smallest record has an empty name.
    let room = bytes.len().saturating_sub(HEADER + 4) / 12;
    let mut files: Vec<File<'_>> = Vec::with_capacity((count as usize).min(room));
    let mut at = HEADER + 4;
    for index in 0..count {
        let name = u32_at(bytes, at).and_then(|length| bytes.get(at + 4..)?.get(..length as usize));
        let Some(name) = name else {
            lossy("wxapkg.truncated-index", at, format!("{index} of {count} files are listed"));
            break;
        };
        at += 4 + name.len();
        let (Some(offset), Some(size)) = (u32_at(bytes, at), u32_at(bytes, at + 4)) else {
            lossy("wxapkg.truncated-index", at, format!("{index} of {count} files are listed"));
            break;
        };
        at += 8;
        let name = String::from_utf8_lossy(name);
        let name = match name {
            Cow::Borrowed(name) => Cow::Borrowed(name.trim_start_matches('/')),
            Cow::Owned(name) => Cow::Owned(name.trim_start_matches('/').to_owned()),
        };
        let (offset, size) = (offset as usize, size as usize);
        let end = offset.saturating_add(size);
        if end > bytes.len() {
            lossy(
                "wxapkg.truncated-file",
                at,
                format!("{name}: {size} bytes at {offset:#x} are beyond the end"),
            );
        }
        files.push(File { name, range: offset.min(bytes.len())..end.min(bytes.len()) });
    }
    let mut starts: Vec<(usize, usize)> =
        files.iter().map(|file| (file.range.start, file.range.end)).collect();
    starts.sort_unstable();
    let overlapping = starts.windows(2).filter(|pair| pair[0].1 > pair[1].0).count();
    if overlapping > 0 {
        issues.push(Issue::odd(
            "wxapkg.overlapping-files",
            None,
            format!("{overlapping} files overlap the next"),
        ));
    }
    let mut names: Vec<&str> = files.iter().map(|file| &*file.name).collect();
    names.sort_unstable();
    if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
        issues.push(Issue::odd("wxapkg.duplicate-names", None, format!("{} occurs more than once", pair[0])));
    }
    if let Some(name) = names.iter().find(|name| name.split('/').any(|part| part == "..")) {
        issues.push(Issue::odd("wxapkg.unsafe-name", None, format!("{name} leads out of the package")));
    }
    Ok((files, issues))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.get(..4)?.try_into().ok().map(u32::from_be_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::res_chunk::tests::flips;

    /// A container written from the layout above.
    fn pack(files: &[(&str, &[u8])]) -> Vec<u8> {
        let index: usize = files.iter().map(|(name, _)| 12 + name.len()).sum::<usize>() + 4;
        let mut out = vec![0xBE, 0, 0, 0, 0];
        out.extend((index as u32).to_be_bytes());
        out.extend((files.iter().map(|(_, data)| data.len()).sum::<usize>() as u32).to_be_bytes());
        out.push(0xED);
        out.extend((files.len() as u32).to_be_bytes());
        let mut offset = HEADER + index;
        for (name, data) in files {
            out.extend((name.len() as u32).to_be_bytes());
            out.extend(name.as_bytes());
            out.extend((offset as u32).to_be_bytes());
            out.extend((data.len() as u32).to_be_bytes());
            offset += data.len();
        }
        files.iter().for_each(|(_, data)| out.extend(*data));
        out
    }

    #[test]
    fn files_are_listed_with_their_bytes() {
        let bytes = pack(&[("/app-config.json", b"{}"), ("/pages/签到.js", "打卡".as_bytes())]);
        let (files, issues) = read(&bytes).unwrap();
        let found: Vec<(&str, &[u8])> = files.iter().map(|f| (&*f.name, &bytes[f.range.clone()])).collect();
        assert_eq!(found, [("app-config.json", &b"{}"[..]), ("pages/签到.js", "打卡".as_bytes())]);
        assert_eq!(issues, []);
    }

    #[test]
    fn cut_and_lying_containers_keep_what_is_there() {
        let bytes = pack(&[("/a", b"one"), ("/b", b"two")]);
        for cut in 0..bytes.len() {
            match read(&bytes[..cut]) {
                Ok((files, issues)) => {
                    assert!(files.len() <= 2);
                    assert!(cut < HEADER + 4 || issues.iter().any(|issue| issue.lossy), "{cut}");
                }
                Err(error) => assert_eq!(error, WxapkgError::NotWxapkg),
            }
        }
        let mut lying = bytes.clone();
        lying[HEADER..HEADER + 4].copy_from_slice(&u32::MAX.to_be_bytes());
        assert!(read(&lying).unwrap().1.iter().any(|issue| issue.code == "wxapkg.truncated-index"));
        assert_eq!(read(b"V1MMWX\0\0"), Err(WxapkgError::Encrypted));
    }

    #[test]
    fn names_that_lead_outside_are_told() {
        let bytes = pack(&[("/../../etc/passwd", b"x"), ("/a", b""), ("/a", b"")]);
        let codes: Vec<&str> = read(&bytes).unwrap().1.iter().map(|issue| issue.code).collect();
        assert_eq!(codes, ["wxapkg.duplicate-names", "wxapkg.unsafe-name"]);
    }

    fn inside(bytes: &[u8]) {
        for file in read(bytes).map(|(files, _)| files).unwrap_or_default() {
            assert!(bytes.get(file.range).is_some());
        }
    }

    #[test]
    fn flipped_bytes_do_no_harm() {
        flips(&pack(&[("/app-config.json", b"{}"), ("/pages/签到.js", "打卡".as_bytes())]), 5_000, inside);
    }

    proptest::proptest! {
        #[test]
        fn any_index_is_read(tail in proptest::collection::vec(0u8..40, 0..200)) {
            inside(&[&[0xBE, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xED][..], &tail].concat());
        }
    }
}
