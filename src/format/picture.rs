//! The pictures of a package, whatever its format: their names, the QR codes in them, and on request the text that
//! button-like ones show.
//!
//! Which pictures are looked at depends on names, sizes and counts only, so the same package gives the same report.

use std::collections::BTreeMap;
use std::sync::Arc;

use rayon::prelude::*;

use super::Options;
use super::ocr::{self, Ocr};
use super::unit::note_images;
use crate::decode::archive::{Archive, Entry};
use crate::decode::picture::{self, Grey, MAX_PIXELS, MAX_SIDE, MIN_SIDE};
use crate::link::library;
use crate::model::{Fact, FactKind, GapReason, Inspection, PartName, Place, UiText};

/// Endings of pictures.
const ENDINGS: &[&str] =
    &["png", "jpg", "jpeg", "webp", "gif", "svg", "bmp", "heif", "heic", "ico", "astc", "sut", "avif"];
/// Endings of those that are decoded.
const DECODED: &[&str] = &["png", "jpg", "jpeg", "webp", "gif", "bmp"];

/// Pictures searched for codes.
const MAX_SEARCHED: usize = 256;
/// Bytes of them.
const MAX_BYTES: u64 = 16 << 20;
/// Pixels of them: decoding is what takes time.
const MAX_PIXELS_SEARCHED: u64 = 12 << 20;
/// Pixels of those among them that hold a code beside other things, if any.
const MAX_PIXELS_OF_POSTERS: u64 = 2 << 20;
/// A code alone is compressed well.
const BYTES_PER_PIXEL: f64 = 0.4;
/// Sides of a picture that has room for a code beside other things.
const POSTER_SIDE: u32 = 300;
/// Characters kept of what a code says.
const MAX_CONTENT: usize = 400;

/// Whether an entry is a picture, by the lower-case ending of its name.
pub(super) fn is_picture(extension: &str) -> bool {
    ENDINGS.contains(&extension)
}

/// Where the bytes of a picture are.
#[derive(Debug, Clone, Copy)]
enum Source<'a> {
    Entry(&'a Archive, &'a Entry),
    Bytes(&'a [u8]),
}

/// One picture.
#[derive(Debug, Clone)]
struct Picture<'a> {
    path: Arc<str>,
    source: Source<'a>,
}

impl<'a> Picture<'a> {
    /// Size in the package, in bytes.
    fn size(&self) -> u64 {
        match self.source {
            Source::Entry(_, entry) => entry.size,
            Source::Bytes(bytes) => bytes.len() as u64,
        }
    }

    fn read(&self) -> Option<Vec<u8>> {
        match self.source {
            Source::Entry(archive, entry) => archive.read(entry).ok().map(|(bytes, _)| bytes),
            Source::Bytes(bytes) => Some(bytes.to_vec()),
        }
    }

    fn file(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    fn extension(&self) -> String {
        self.file().rsplit_once('.').map_or(String::new(), |(_, extension)| extension.to_ascii_lowercase())
    }

    /// The same for all densities and languages of one picture.
    fn subject(&self) -> String {
        let mut parts: Vec<&str> = self.path.split('/').collect();
        if let Some(folder) = parts.len().checked_sub(2).and_then(|at| parts.get_mut(at))
            && (folder.starts_with("drawable") || folder.starts_with("mipmap"))
        {
            *folder = folder.split('-').next().unwrap_or(folder);
        }
        parts.join("/")
    }

    /// Whether it is one of a library's, or drawn to be stretched.
    fn is_foreign(&self) -> bool {
        let file = self.file();
        file.contains(".9.") || file.starts_with("ic_launcher") || library::of_resource(file).is_some()
    }

    fn place(&self) -> Place {
        Place::entry(self.path.clone())
    }
}

/// The pictures of a package.
#[derive(Debug, Default)]
pub(super) struct Pictures<'a>(Vec<Picture<'a>>);

impl<'a> Pictures<'a> {
    /// Adds an entry of an archive, which places name by `path`.
    pub(super) fn add(&mut self, path: Arc<str>, archive: &'a Archive, entry: &'a Entry) {
        self.0.push(Picture { path, source: Source::Entry(archive, entry) });
    }

    /// Adds a picture whose bytes are at hand.
    pub(super) fn add_bytes(&mut self, path: Arc<str>, bytes: &'a [u8]) {
        self.0.push(Picture { path, source: Source::Bytes(bytes) });
    }

    /// Counts all, tells names and codes, and returns the texts that were recognised, which the caller may link
    /// to widgets. `folder` is where most of them are.
    pub(super) fn read(self, folder: &str, options: &Options, inspection: &mut Inspection) -> Vec<UiText> {
        // Of the densities of one picture the largest, which shows most.
        let mut subjects: BTreeMap<String, Picture<'a>> = BTreeMap::new();
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        for picture in self.0 {
            let subject = picture.subject();
            *counts.entry(subject.clone()).or_default() += 1;
            let key = |picture: &Picture<'_>| (picture.size(), std::cmp::Reverse(picture.path.clone()));
            match subjects.get(&subject) {
                Some(known) if key(known) >= key(&picture) => {}
                _ => _ = subjects.insert(subject, picture),
            }
        }
        let own = || subjects.values().filter(|picture| !picture.is_foreign());
        let named = own().map(|picture| Fact::new(FactKind::Asset, &*picture.path, picture.place()));
        inspection.facts.extend(named);
        let decoded: Vec<&Picture<'_>> =
            own().filter(|picture| DECODED.contains(&picture.extension().as_str())).collect();
        search(&decoded, folder, inspection);
        let (mut texts, mut recognised) = (Vec::new(), 0);
        if options.ocr {
            match Ocr::find() {
                Ok(ocr) => {
                    for (picture, found) in recognise(&decoded, &ocr, folder, inspection) {
                        recognised += counts.get(&picture.subject()).copied().unwrap_or_default();
                        texts.extend(found);
                    }
                }
                Err(missing) => {
                    inspection.note(PartName::Images, &Place::entry(folder), GapReason::Failed, missing)
                }
            }
        }
        let all: u64 = counts.values().sum();
        inspection.count(PartName::Images, recognised, all.saturating_sub(recognised));
        note_images(inspection, folder);
        texts
    }
}

/// Looks for QR codes. What they say is a fact, and what they lead to was not seen.
fn search(pictures: &[&Picture<'_>], folder: &str, inspection: &mut Inspection) {
    let mut wanted: Vec<&Picture<'_>> = pictures
        .iter()
        .copied()
        .filter(|picture| picture.size() >= 200 && picture.size() <= 2 << 20)
        .collect();
    wanted.sort_by_key(|picture| (!names_code(picture.file()), picture.path.clone()));
    let mut room = MAX_BYTES;
    let before = wanted.len();
    wanted.truncate(MAX_SEARCHED);
    wanted.retain(|picture| {
        let fits = picture.size() <= room;
        room = room.saturating_sub(picture.size());
        fits
    });
    let many = before - wanted.len();
    let read: Vec<Option<(Vec<u8>, u64, Likeness)>> = wanted
        .par_iter()
        .map(|picture| {
            let bytes = picture.read()?;
            let (width, height) = picture::size(&bytes)?;
            let pixels = u64::from(width) * u64::from(height);
            let likeness = likeness(picture.file(), width, height, bytes.len())?;
            Some((bytes, pixels, likeness))
        })
        .collect();
    let found = wanted.into_iter().zip(read);
    let mut found: Vec<_> = found.filter_map(|(picture, read)| read.map(|read| (picture, read))).collect();
    found.sort_by_key(|(picture, (_, _, likeness))| (*likeness, picture.path.clone()));
    let (mut room, mut for_posters) = (MAX_PIXELS_SEARCHED, MAX_PIXELS_OF_POSTERS);
    let mut chosen: Vec<(&Picture<'_>, Vec<u8>)> = Vec::new();
    let mut large = 0;
    for (picture, (bytes, pixels, likeness)) in found {
        let poster = if likeness == Likeness::Poster { pixels } else { 0 };
        // The last of the posters may be larger than what is left, so that one alone is searched whatever its size.
        match room.checked_sub(pixels).filter(|_| poster == 0 || for_posters > 0) {
            Some(rest) => {
                (room, for_posters) = (rest, for_posters.saturating_sub(poster));
                chosen.push((picture, bytes));
            }
            None => large += 1,
        }
    }
    let codes: Vec<Vec<String>> = chosen
        .par_iter()
        .map(|(_, bytes)| match picture::grey(bytes) {
            Ok(grey) if grey.may_hold_code() => grey.codes(),
            _ => Vec::new(),
        })
        .collect();
    for ((picture, _), codes) in chosen.iter().zip(codes) {
        for code in codes.iter().map(|code| code.trim()).filter(|code| !code.is_empty()) {
            let code: String = code.chars().take(MAX_CONTENT).collect();
            let detail = (
                format!("图片中的二维码，指向的内容未检视：{code}"),
                format!("a QR code; what it leads to is not read: {code}"),
            );
            inspection.note(PartName::Images, &picture.place(), GapReason::Remote, detail);
            inspection.facts.push(Fact::new(FactKind::QrCode, code, picture.place()));
        }
    }
    let mut left = |count: usize, (zh, en): (&str, &str)| {
        if count > 0 {
            let detail =
                (format!("{zh}，{count} 张未查二维码"), format!("{en}; {count} not searched for QR codes"));
            inspection.note(PartName::Images, &Place::entry(folder), GapReason::LimitReached, detail);
        }
    };
    left(many, ("图片过多", "many pictures"));
    left(large, ("图片的像素总数超过上限", "pictures of more pixels than are decoded"));
}

/// Whether the name of a picture says that a code is on it.
fn names_code(file: &str) -> bool {
    let lower = file.to_ascii_lowercase();
    let words = ["qr", "erweima", "ewm", "code", "gzh", "gongzhong", "weixin", "wechat", "follow", "guanzhu"];
    words.iter().any(|word| lower.contains(word))
}

/// How likely a picture holds a code, the likeliest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Likeness {
    /// Its name says so.
    Named,
    /// Square, and compressed like a drawing.
    Code,
    /// Large enough for a code beside other things.
    Poster,
}

/// Whether a code that people can scan may be on a picture of that size.
fn likeness(file: &str, width: u32, height: u32, bytes: usize) -> Option<Likeness> {
    let (short, long) = (width.min(height), width.max(height));
    let pixels = u64::from(width) * u64::from(height);
    if short < MIN_SIDE || long > MAX_SIDE || pixels > MAX_PIXELS || long > short.saturating_mul(8) {
        return None;
    }
    if names_code(file) {
        return Some(Likeness::Named);
    }
    if long * 4 <= short * 5 && bytes as f64 <= pixels as f64 * BYTES_PER_PIXEL {
        return Some(Likeness::Code);
    }
    (short >= POSTER_SIDE).then_some(Likeness::Poster)
}

/// Recognises the text of pictures that look like buttons, titles or banners. Comes with the pictures that were read.
fn recognise<'p, 'a>(
    pictures: &[&'p Picture<'a>],
    ocr: &Ocr,
    folder: &str,
    inspection: &mut Inspection,
) -> Vec<(&'p Picture<'a>, Option<UiText>)> {
    let fitting = pictures.iter().copied().filter(|picture| picture.size() <= 1 << 20);
    let mut wanted: Vec<&Picture<'_>> = fitting.collect();
    wanted.sort_by_key(|picture| (!names_button(picture.file()), picture.path.clone()));
    let results: Vec<ocr::Outcome> = wanted
        .par_iter()
        .map(|picture| {
            match picture.read().and_then(|bytes| Some((readable(picture.file(), &bytes)?, bytes))) {
                Some((grey, bytes)) => ocr.read(&bytes, &grey),
                None => ocr::Outcome::Unfit,
            }
        })
        .collect();
    let (mut late, mut failed, mut read) = (0_u64, 0_u64, Vec::new());
    for (picture, result) in wanted.into_iter().zip(results) {
        match result {
            ocr::Outcome::Read(found) => {
                let text = found.map(|found| {
                    let mut text = UiText::new(found.text, crate::model::Role::Label, picture.place());
                    text.chain = vec![picture.path.to_string(), ocr.step(found.confidence)];
                    text
                });
                read.push((picture, text));
            }
            ocr::Outcome::Late => late += 1,
            ocr::Outcome::Failed => failed += 1,
            ocr::Outcome::Unfit => {}
        }
    }
    let place = Place::entry(folder);
    if late > 0 {
        let detail = (
            format!("识读图片文字的时间用尽，{late} 张未识读；再次检测会从缓存继续"),
            format!(
                "out of time for recognising text; {late} pictures are left, the next scan goes on from there"
            ),
        );
        inspection.note(PartName::Images, &place, GapReason::LimitReached, detail);
    }
    if failed > 0 {
        let detail = (
            format!("{failed} 张图片识读失败或超时"),
            format!("recognising text failed or took too long on {failed} pictures"),
        );
        inspection.note(PartName::Images, &place, GapReason::Failed, detail);
    }
    read
}

/// Whether the name of a picture says that it is pressed or read.
fn names_button(file: &str) -> bool {
    let lower = file.to_ascii_lowercase();
    ["btn", "button", "tab", "title", "menu", "text", "txt", "banner"].iter().any(|word| lower.contains(word))
}

/// The picture in grey when it may hold a line or two of text: as large as a button or a title, and no photograph.
fn readable(file: &str, bytes: &[u8]) -> Option<Grey> {
    let (width, height) = picture::size(bytes)?;
    // Icons are as high as they are wide, and have no letters; buttons are wider, or say that they are one.
    let wide = width * 5 >= height * 6 || (names_button(file) && width * 5 >= height * 4);
    if !(24..=320).contains(&height) || !(32..=1440).contains(&width) || !wide {
        return None;
    }
    let grey = picture::grey(bytes).ok()?;
    (grey.contrast() >= 48 && (0.2..=6.6).contains(&grey.levels())).then_some(grey)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::TargetKind;

    const CODE: &[u8] = include_bytes!("../../fixtures/decode/picture/code.png");

    #[test]
    fn pictures_that_cannot_hold_a_code_are_not_tried() {
        assert_eq!(likeness("erweima.png", 300, 300, 90_000), Some(Likeness::Named));
        assert_eq!(likeness("pic_02.png", 300, 300, 4_000), Some(Likeness::Code));
        assert_eq!(likeness("welcome.jpg", 750, 1334, 200_000), Some(Likeness::Poster));
        assert_eq!(likeness("avatar.png", 200, 200, 39_000), None);
        assert_eq!(likeness("qr.png", 48, 48, 400), None);
        assert_eq!(likeness("qr.png", 60_000, 60_000, 400), None);
        assert_eq!(likeness("line_code.png", 4000, 80, 400), None);
    }

    #[test]
    fn densities_are_one_picture_and_codes_are_told_once() {
        let mut pictures = Pictures::default();
        for path in
            ["res/drawable-hdpi-v4/pic.png", "res/drawable-xhdpi-v4/pic.png", "res/drawable/abc_ic_a.png"]
        {
            pictures.add_bytes(Arc::from(path), CODE);
        }
        let mut inspection = Inspection::new(TargetKind::App, "apk");
        assert!(pictures.read("res", &Options::default(), &mut inspection).is_empty());
        let of = |kind| inspection.facts.iter().filter(move |fact| fact.kind == kind);
        assert_eq!(of(FactKind::QrCode).count(), 1);
        let code = of(FactKind::QrCode).next().unwrap();
        assert_eq!(code.value, "https://a.app.qq.com/o/simple.jsp?pkgname=cn.gov.example");
        assert_eq!(code.place.to_string(), "res/drawable-hdpi-v4/pic.png");
        // What libraries bring along names nothing of the app.
        assert_eq!(of(FactKind::Asset).count(), 1);
        assert_eq!(inspection.unread_count(PartName::Images), 3);
    }

    /// The head of a bitmap, which tells its size, and noise in the place of the picture.
    fn poster(width: i32, height: i32) -> Vec<u8> {
        let mut bytes = b"BM".to_vec();
        [400_000_u32, 0, 54, 40].iter().for_each(|field| bytes.extend(field.to_le_bytes()));
        [width, height].iter().for_each(|side| bytes.extend(side.to_le_bytes()));
        [1_u16, 24].iter().for_each(|field| bytes.extend(field.to_le_bytes()));
        bytes.resize(54, 0);
        bytes.resize(400_000, 7);
        bytes
    }

    #[test]
    fn few_large_pictures_are_not_said_to_be_many() {
        let left = |sizes: &[(i32, i32)]| -> Vec<String> {
            let bytes: Vec<Vec<u8>> = sizes.iter().map(|&(width, height)| poster(width, height)).collect();
            let mut pictures = Pictures::default();
            for (at, bytes) in bytes.iter().enumerate() {
                pictures.add_bytes(Arc::from(format!("images/p{at}.bmp")), bytes);
            }
            let mut inspection = Inspection::new(TargetKind::MiniProgram, "wxapkg");
            pictures.read("", &Options::default(), &mut inspection);
            let gaps = inspection.coverage().gaps.into_iter();
            gaps.filter(|gap| gap.reason == GapReason::LimitReached).map(|gap| gap.detail).collect()
        };
        // One picture is within the budget however it is cut; of two large ones the second is not.
        assert_eq!(left(&[(2011, 1072)]), Vec::<String>::new());
        assert_eq!(left(&[(2011, 1072), (2000, 1100)]), ["图片的像素总数超过上限，1 张未查二维码"]);
    }

    #[test]
    fn what_is_left_out_is_counted() {
        let mut pictures = Pictures::default();
        for at in 0..MAX_SEARCHED + 5 {
            pictures.add_bytes(Arc::from(format!("images/p{at}.png")), CODE);
        }
        let mut inspection = Inspection::new(TargetKind::MiniProgram, "wxapkg");
        pictures.read("", &Options::default(), &mut inspection);
        let gaps = inspection.coverage().gaps;
        let left = gaps.iter().find(|gap| gap.reason == GapReason::LimitReached).unwrap();
        assert!(left.detail_en.starts_with("many pictures"), "{left:?}");
        assert!(!left.material);
    }
}
