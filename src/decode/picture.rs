//! Pictures (PNG, JPEG, WebP, GIF, BMP) as grey levels, and the QR codes in them (ISO/IEC 18004).
//!
//! Two crates of others do the decoding; both have limits set here, and a panic in them is an error here.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use image::{DynamicImage, ImageReader, Limits};
use rqrr::PreparedImage;

use super::{Decoder, Limit, Unit};

/// Longer sides are not decoded: no screen is so large.
pub const MAX_SIDE: u32 = 4096;
/// Pixels of one picture.
pub const MAX_PIXELS: u64 = 4 << 20;
/// Bytes a picture may take while it is decoded.
const MAX_ALLOC: u64 = 64 << 20;
/// Smaller codes cannot be scanned off a screen.
pub const MIN_SIDE: u32 = 80;
/// Rows looked at for the corner marks of a code.
const ROWS: usize = 192;
/// Grey levels between the modules of a code and what is between them.
const CONTRAST: u8 = 64;
/// Crossings of the three corner marks: each is crossed by one of the rows looked at, or it is too small to be read.
const MARKS: usize = 3;
/// More than this are a pattern, or made to keep a reader busy.
const MAX_MARKS: usize = 4096;

/// What is read, and how far.
pub const DECODER: Decoder = Decoder {
    name: "picture",
    version: 2,
    reads: ("图片中的二维码", "QR codes in pictures"),
    limits: &[Limit {
        what: ("单张图片的像素", "pixels of one picture"),
        amount: MAX_PIXELS,
        unit: Unit::Count,
    }],
};

/// Width and height from the head of a picture; `None` for what is no picture of a kind that is read.
pub fn size(bytes: &[u8]) -> Option<(u32, u32)> {
    let reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().ok()?;
    catch_unwind(AssertUnwindSafe(|| reader.into_dimensions().ok())).ok().flatten()
}

/// A picture in grey levels, on white where it is transparent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grey {
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// Rows from the top, 0 black to 255 white.
    pub pixels: Vec<u8>,
}

/// Decodes a picture (of an animation the first frame). The error says why not, in English.
pub fn grey(bytes: &[u8]) -> Result<Grey, String> {
    let decode = || {
        let mut reader =
            ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|e| e.to_string())?;
        let mut limits = Limits::default();
        (limits.max_image_width, limits.max_image_height) = (Some(MAX_SIDE), Some(MAX_SIDE));
        limits.max_alloc = Some(MAX_ALLOC);
        reader.limits(limits);
        let picture = reader.decode().map_err(|error| error.to_string())?;
        let (width, height) = (picture.width() as usize, picture.height() as usize);
        let on_white = |grey: u32, alpha: u8| {
            let alpha = u32::from(alpha);
            ((grey * alpha + 255 * (255 - alpha)) / 255) as u8
        };
        // By hand where pictures are as most are: the library's conversion knows of colour spaces, and takes as long
        // as decoding.
        let luma = |[red, green, blue]: [u8; 3]| {
            (299 * u32::from(red) + 587 * u32::from(green) + 114 * u32::from(blue)) / 1000
        };
        let pixels = match picture {
            DynamicImage::ImageLuma8(shades) => shades.into_raw(),
            DynamicImage::ImageRgb8(pixels) => {
                pixels.as_raw().as_chunks().0.iter().map(|&pixel| luma(pixel) as u8).collect()
            }
            DynamicImage::ImageRgba8(pixels) => {
                let pixels = pixels.as_raw().as_chunks().0.iter();
                pixels.map(|&[red, green, blue, alpha]| on_white(luma([red, green, blue]), alpha)).collect()
            }
            other => {
                let shades = other.into_luma_alpha8().into_raw();
                shades.as_chunks().0.iter().map(|&[grey, alpha]| on_white(grey.into(), alpha)).collect()
            }
        };
        Ok(Grey { width, height, pixels })
    };
    catch_unwind(AssertUnwindSafe(decode)).unwrap_or_else(|_| Err("the decoder failed".to_owned()))
}

impl Grey {
    /// Whether the three corner marks of a code seem to be there: dark and light in the ratio 1:1:3:1:1 along a row, and
    /// along the column through its middle.
    pub fn may_hold_code(&self) -> bool {
        let step = (self.height / ROWS).max(1);
        let (mut marks, mut rows) = (0, 0);
        for (y, row) in self.pixels.chunks_exact(self.width.max(1)).enumerate().step_by(step) {
            let found = marks_in(row).filter(|&(x, middle)| self.is_mark_in_column(x, y, middle)).count();
            marks += found;
            rows += usize::from(found > 0);
        }
        rows >= 2 && (MARKS..=MAX_MARKS).contains(&marks)
    }

    /// Whether the column through a dark pixel alternates around it as a corner mark does.
    fn is_mark_in_column(&self, x: usize, y: usize, middle: u8) -> bool {
        let is_dark = |y: usize| self.pixels.get(y * self.width + x).map(|&shade| shade <= middle);
        let (up, down) = (runs((0..=y).rev().map_while(is_dark)), runs((y..self.height).map_while(is_dark)));
        is_mark(&[up[2], up[1], (up[0] + down[0]).saturating_sub(1), down[1], down[2]])
    }

    /// The contents of the codes that can be read, in the order they are found.
    pub fn codes(&self) -> Vec<String> {
        let read = || {
            let shade = |x, y| self.pixels.get(y * self.width + x).copied().unwrap_or(255);
            let mut prepared = PreparedImage::prepare_from_greyscale(self.width, self.height, shade);
            let grids = prepared.detect_grids();
            grids.iter().filter_map(|grid| grid.decode().ok()).map(|(_, content)| content).collect()
        };
        catch_unwind(AssertUnwindSafe(read)).unwrap_or_default()
    }
}

/// The lengths of the first three runs, of which the first is dark.
fn runs(dark: impl Iterator<Item = bool>) -> [usize; 3] {
    let mut lengths = [0; 3];
    let mut at = 0;
    for dark in dark {
        at += usize::from(dark != (at % 2 == 0));
        let Some(length) = lengths.get_mut(at) else { break };
        *length += 1;
    }
    lengths
}

/// Where dark and light alternate along a row as they do across a corner mark: the middle of each, and the level up to
/// which the row is dark.
fn marks_in(row: &[u8]) -> impl Iterator<Item = (usize, u8)> {
    let (dark, light) = row.iter().fold((u8::MAX, 0), |(dark, light), &at| (dark.min(at), light.max(at)));
    let middle = dark + light.saturating_sub(dark) / 2;
    let row = if light.saturating_sub(dark) < CONTRAST { &[][..] } else { row };
    let mut runs = [0_usize; 5];
    let mut is_dark = false;
    row.iter().chain([&255, &0]).enumerate().filter_map(move |(at, &shade)| {
        if (shade <= middle) == is_dark {
            runs[4] += 1;
            return None;
        }
        // A dark run has just ended.
        let mark =
            (is_dark && is_mark(&runs)).then(|| (at - runs[4] - runs[3] - runs[2].div_ceil(2), middle));
        runs.rotate_left(1);
        runs[4] = 1;
        is_dark = !is_dark;
        mark
    })
}

/// Whether five runs are as long as 1, 1, 3, 1 and 1 modules, give or take half a module.
fn is_mark(runs: &[usize; 5]) -> bool {
    let total: usize = runs.iter().sum();
    if total < 7 || runs.contains(&0) {
        return false;
    }
    // In sevenths of the whole.
    runs.iter()
        .zip([1, 1, 3, 1, 1])
        .all(|(run, modules)| (run * 7).abs_diff(modules * total) * 2 <= total.max(14))
}

impl Grey {
    /// Spread of the grey levels in bits: 0 for one level, over 6 for most photographs.
    pub fn levels(&self) -> f64 {
        super::entropy::bits_per_byte(&self.pixels)
    }

    /// Difference between the lightest and the darkest pixel.
    pub fn contrast(&self) -> u8 {
        let (dark, light) = (self.pixels.iter().min(), self.pixels.iter().max());
        light.copied().unwrap_or_default() - dark.copied().unwrap_or_default()
    }

    /// The same as black on white, `factor` times as large, with a white margin: as readers of text want it.
    pub fn for_reading(&self, factor: usize, margin: usize) -> Grey {
        let dark = self.pixels.iter().min().copied().unwrap_or_default();
        let range = u32::from(self.contrast().max(1));
        let sum: u64 = self.pixels.iter().map(|&pixel| u64::from(pixel)).sum();
        let inverted = sum < self.pixels.len() as u64 * 128;
        let stretched = self.pixels.iter().map(|&pixel| {
            let shade = (u32::from(pixel - dark) * 255 / range) as u8;
            if inverted { 255 - shade } else { shade }
        });
        let small = image::GrayImage::from_raw(self.width as u32, self.height as u32, stretched.collect());
        let (inner_width, inner_height) = (self.width * factor, self.height * factor);
        let (width, height) = (inner_width + 2 * margin, inner_height + 2 * margin);
        let mut pixels = vec![255; width * height];
        if let Some(small) = small {
            let filter = image::imageops::FilterType::Triangle;
            let large = image::imageops::resize(&small, inner_width as u32, inner_height as u32, filter);
            for (y, row) in large.as_raw().chunks_exact(inner_width.max(1)).enumerate() {
                let start = (y + margin) * width + margin;
                pixels.iter_mut().skip(start).zip(row).for_each(|(to, &from)| *to = from);
            }
        }
        Grey { width, height, pixels }
    }

    /// As a PNG file; empty when it has no pixels.
    pub fn png(&self) -> Vec<u8> {
        use image::ImageEncoder;
        let mut out = Vec::new();
        let encoder = image::codecs::png::PngEncoder::new(&mut out);
        let (width, height) = (self.width as u32, self.height as u32);
        match encoder.write_image(&self.pixels, width, height, image::ExtendedColorType::L8) {
            Ok(()) => out,
            Err(_) => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::res_chunk::tests::flips;

    /// A code in a 4-bit palette, made by Python's `qrcode`: `https://a.app.qq.com/o/simple.jsp?pkgname=cn.gov.example`.
    const CODE: &[u8] = include_bytes!("../../fixtures/decode/picture/code.png");
    const CONTENT: &str = "https://a.app.qq.com/o/simple.jsp?pkgname=cn.gov.example";

    #[test]
    fn a_code_is_found_and_read() {
        let picture = grey(CODE).unwrap();
        assert_eq!(size(CODE), Some((picture.width as u32, picture.height as u32)));
        assert!(picture.may_hold_code());
        assert_eq!(picture.codes(), [CONTENT]);
    }

    #[test]
    fn a_code_on_a_poster_is_read_in_every_encoding() {
        for (name, bytes) in [
            ("jpg", include_bytes!("../../fixtures/decode/picture/poster.jpg").as_slice()),
            ("webp", include_bytes!("../../fixtures/decode/picture/poster.webp")),
            ("gif", include_bytes!("../../fixtures/decode/picture/poster.gif")),
            ("transparent", include_bytes!("../../fixtures/decode/picture/transparent.png")),
        ] {
            let picture = grey(bytes).unwrap();
            assert!(picture.may_hold_code(), "{name}");
            assert_eq!(picture.codes(), [CONTENT], "{name}");
        }
    }

    #[test]
    fn what_is_no_code_is_not_taken_for_one() {
        let plain = Grey { width: 200, height: 200, pixels: vec![200; 40_000] };
        assert!(!plain.may_hold_code());
        let stripes: Vec<u8> = (0..40_000).map(|at| if at / 4 % 2 == 0 { 0 } else { 255 }).collect();
        assert!(!Grey { width: 200, height: 200, pixels: stripes }.may_hold_code());
        assert!(!Grey { width: 0, height: 0, pixels: Vec::new() }.may_hold_code());
        assert_eq!(Grey { width: 0, height: 0, pixels: Vec::new() }.codes(), Vec::<String>::new());
    }

    #[test]
    fn broken_pictures_are_errors() {
        let read = |bytes: &[u8]| drop((size(bytes), grey(bytes).map(|picture| picture.codes())));
        (0..CODE.len()).for_each(|end| read(&CODE[..end]));
        flips(CODE, 200, read);
        assert!(grey(b"").is_err());
        assert_eq!(size(b"GIF89a"), None);
    }

    #[test]
    fn text_is_made_ready_to_be_read() {
        let dark = Grey { width: 4, height: 2, pixels: vec![10, 10, 10, 250, 10, 10, 10, 250] };
        let ready = dark.for_reading(2, 3);
        assert_eq!((ready.width, ready.height), (14, 10));
        assert_eq!(ready.pixels[0], 255);
        assert_eq!(ready.pixels[3 * 14 + 3], 255);
        assert_eq!(ready.pixels[3 * 14 + 10], 0);
        assert_eq!(grey(&ready.png()).unwrap(), ready);
        assert_eq!(dark.contrast(), 240);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_end(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..400), kind in 0usize..6) {
            let heads: [&[u8]; 6] = [b"", b"\x89PNG\r\n\x1a\n", b"\xFF\xD8\xFF\xE0", b"GIF89a", b"BM", b"RIFF\x40\0\0\0WEBPVP8L"];
            let mut all = heads[kind].to_vec();
            all.extend(bytes);
            let _ = (size(&all), grey(&all).map(|picture| picture.codes()));
        }

        #[test]
        fn any_pixels_end(pixels in proptest::collection::vec(proptest::sample::select(vec![0u8, 255]), 32 * 32)) {
            let picture = Grey { width: 32, height: 32, pixels };
            let _ = (picture.may_hold_code(), picture.codes());
        }
    }
}
