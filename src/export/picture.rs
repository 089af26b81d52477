//! The code as a card to be shown or printed: SVG 1.1, and PNG drawn from it. The colour is never alone: there is its
//! word, and a sign that is told from the others in black and white. The QR code (ISO/IEC 18004, correction level Q)
//! leads to the report.
//!
//! The SVG refers to nothing outside itself, and its bytes follow from the code and the address alone.

use std::fmt::{self, Write as _};
use std::ops::RangeInclusive;

use qrcode::{Color, EcLevel, QrCode};
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{self, Node, Tree};
use thiserror::Error;
use unicode_width::UnicodeWidthChar;
use url::Url;

use crate::model::{CodeDocument, ColorCode, Lang, Wording, beijing_day};
use crate::report::{escape, visible};

const WIDTH: u32 = 600;
const HEIGHT: u32 = 840;

/// Modules of white around a QR code.
const QUIET: usize = 4;

/// Fonts with Chinese that systems have, the free ones first.
const FONTS: [&str; 8] = [
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "PingFang SC",
    "Microsoft YaHei",
    "SimHei",
];

/// Widths of a PNG that are possible, in pixels: narrower ones cannot be scanned.
const WIDTHS: RangeInclusive<u32> = 100..=4800;

/// Why a code cannot be drawn.
#[derive(Debug, Error)]
pub enum PictureError {
    /// The address is none of the web.
    Address(String),
    /// The address is too long for a QR code: its length in bytes.
    TooLong(usize),
    /// Not a width that is possible, in pixels.
    Width(u32),
    /// The picture could not be drawn.
    Drawing(String),
}

impl PictureError {
    /// What happened, in a language.
    pub fn words(&self, lang: Lang) -> String {
        let (least, most) = (WIDTHS.start(), WIDTHS.end());
        match (self, lang) {
            (PictureError::Address(text), Lang::Zh) => format!("{text}：不是网址"),
            (PictureError::Address(text), Lang::En) => format!("{text}: no web address"),
            (PictureError::TooLong(bytes), Lang::Zh) => format!("地址有 {bytes} 字节，二维码放不下"),
            (PictureError::TooLong(bytes), Lang::En) => {
                format!("an address of {bytes} bytes is too long for a QR code")
            }
            (PictureError::Width(width), Lang::Zh) => {
                format!("宽度 {width} 像素不在 {least} 至 {most} 之间")
            }
            (PictureError::Width(width), Lang::En) => {
                format!("a width of {width} pixels is not between {least} and {most}")
            }
            (PictureError::Drawing(cause), Lang::Zh) => format!("图片无法绘制（{cause}）"),
            (PictureError::Drawing(cause), Lang::En) => format!("the picture cannot be drawn ({cause})"),
        }
    }
}

impl fmt::Display for PictureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words(Lang::En))
    }
}

/// A picture, and what is missing in it.
#[derive(Debug, Clone)]
pub struct Png {
    /// The file.
    pub bytes: Vec<u8>,
    /// What is missing in the picture: writing for which no font was found.
    pub warning: Option<Wording>,
}

struct Look {
    fill: &'static str,
    /// Of the QR code: the colour, so dark that scanners tell it from white.
    dark: &'static str,
    /// Inside a circle around 0, 0 with radius 36: strokes of the sign.
    sign: &'static str,
}

fn look(code: ColorCode) -> Look {
    match code {
        ColorCode::Green => Look { fill: "#16803a", dark: "#0a4a20", sign: "M-17 1L-5 13L17 -12" },
        // The letter i, as signs of information have it.
        ColorCode::Blue => Look { fill: "#1a56c4", dark: "#0d2f70", sign: "M0 -4L0 18M0 -18L0 -17" },
        ColorCode::Red => Look { fill: "#c5221f", dark: "#6e1210", sign: "M-13 -13L13 13M13 -13L-13 13" },
        ColorCode::None => Look { fill: "#5f6368", dark: "#2b2d30", sign: "M-16 0L16 0" },
    }
}

/// Draws a code whose report is at an address.
pub fn svg(code: &CodeDocument, address: &str, lang: Lang) -> Result<String, PictureError> {
    let Look { fill, dark, sign } = look(code.code);
    let word = lang.pick(code.code.zh(), code.code.en());
    let state = lang.pick(&code.state, &code.state_en);
    let name = code.name.as_deref().unwrap_or(&code.target);
    let title = format!("{word} {name}");
    let fonts = FONTS.map(|font| format!("'{font}'")).join(",");
    let (modules, size) = qr(address)?;
    // Letters are wider than they are thought to be.
    let word_size = if lang == Lang::Zh { 62 } else { 46 };
    let mut out = String::new();
    // Writing to a string does not fail.
    let _ = write!(
        out,
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" font-family="{fonts},sans-serif" text-anchor="middle">
<title>{}</title>
<rect x="8" y="8" width="584" height="824" rx="28" fill="#fff" stroke="{fill}" stroke-width="16"/>
<path d="M8 136V36A28 28 0 0 1 36 8H564A28 28 0 0 1 592 36V136Z" fill="{fill}"/>
<circle cx="76" cy="72" r="36" fill="#fff"/>
<path transform="translate(76 72)" d="{sign}" fill="none" stroke="{fill}" stroke-width="10" stroke-linecap="round" stroke-linejoin="round"/>
<text x="134" y="92" font-size="{word_size}" font-weight="700" fill="#fff" text-anchor="start">{}</text>
{}<svg x="90" y="146" width="420" height="420" viewBox="0 0 {size} {size}" shape-rendering="crispEdges">
<path d="{modules}" fill="{dark}"/>
</svg>
"##,
        escaped(&cut(&title, 160)),
        escaped(word),
        beside(state),
    );
    let mut line = |y: u32, size: u32, style: &str, text: &str| {
        let text = escaped(text);
        let _ = writeln!(out, r#"<text x="300" y="{y}" font-size="{size}" {style}>{text}</text>"#);
    };
    let [first, second] = two_lines(name, 30);
    let bold = r##"font-weight="700" fill="#202124""##;
    if second.is_empty() {
        line(628, 36, bold, &first);
    } else {
        line(606, 36, bold, &first);
        line(650, 36, bold, &second);
    }
    let plain = r##"fill="#3c4043""##;
    if let Some(owner) = &code.owner {
        line(692, 22, plain, &cut(owner, 48));
    }
    let filing = match &code.filing {
        Some(number) => format!("{}{}", lang.pick("备案编号：", "Filing number: "), cut(number, 36)),
        None => lang.pick("备案编号：无", "Not filed").to_owned(),
    };
    line(726, 22, plain, &filing);
    let (since, as_of) = (beijing_day(code.since), beijing_day(code.as_of));
    let days = match lang {
        Lang::Zh => format!("自 {since} 起，截至 {as_of}"),
        Lang::En => format!("since {since}, as of {as_of}"),
    };
    line(758, 22, plain, &days);
    line(794, 16, r##"fill="#5f6368""##, &cut(&code.target, 64));
    out.push_str("</svg>\n");
    Ok(out)
}

/// The state at the right of the word, on one line or two.
fn beside(state: &str) -> String {
    let line = |y: u32, size: u32, text: &str| {
        let text = escaped(text);
        format!(
            "<text x=\"566\" y=\"{y}\" font-size=\"{size}\" fill=\"#fff\" text-anchor=\"end\">{text}</text>\n"
        )
    };
    match (state, two_lines(state, 12), two_lines(state, 18)) {
        ("", ..) => String::new(),
        (_, [whole, rest], _) if rest.is_empty() => line(84, 34, &whole),
        (_, _, [first, second]) if second.is_empty() => line(82, 24, &first),
        (_, _, [first, second]) => line(64, 24, &first) + &line(98, 24, &second),
    }
}

/// The dark modules of a QR code as a path, and the size with the quiet zone.
fn qr(address: &str) -> Result<(String, usize), PictureError> {
    let web = Url::parse(address).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
    if !web {
        return Err(PictureError::Address(address.chars().take(80).collect()));
    }
    let code = QrCode::with_error_correction_level(address, EcLevel::Q)
        .map_err(|_| PictureError::TooLong(address.len()))?;
    let width = code.width();
    let colours = code.to_colors();
    let mut path = String::new();
    for (y, row) in colours.chunks(width).enumerate() {
        let mut x = 0;
        for run in row.chunk_by(|a, b| a == b) {
            if run.first() == Some(&Color::Dark) {
                let _ = write!(path, "M{} {}h{}v1h-{}z", x + QUIET, y + QUIET, run.len(), run.len());
            }
            x += run.len();
        }
    }
    Ok((path, width + 2 * QUIET))
}

/// How wide a character is, in halves of a Chinese one. Capitals are wider than half of one.
fn width(ch: char) -> usize {
    ch.width().unwrap_or(0)
}

/// The beginning of a text that is so wide, and the rest. Marks without width are not without limit.
fn split(text: &str, most: usize) -> (&str, &str) {
    let (mut wide, mut count) = (0, 0);
    let end = text.char_indices().find(|(_, ch)| {
        wide += width(*ch);
        count += 1;
        wide > most || count > 2 * most
    });
    text.split_at(end.map_or(text.len(), |(at, _)| at))
}

/// A text that is at most so wide, cut where it is wider.
fn cut(text: &str, most: usize) -> String {
    let text = visible(text);
    match split(&text, most) {
        (whole, "") => whole.to_owned(),
        _ => format!("{}…", split(&text, most.saturating_sub(2)).0),
    }
}

/// A text on one line or two of such width.
fn two_lines(text: &str, most: usize) -> [String; 2] {
    let text = visible(text);
    let (first, rest) = split(&text, most);
    // Half and half looks better than all and one.
    let whole: usize = text.chars().map(width).sum();
    let (first, rest) =
        if rest.is_empty() || whole > 2 * most { (first, rest) } else { split(&text, whole.div_ceil(2)) };
    // No line begins with what belongs to the end of the one before.
    let closing = rest.len() - rest.trim_start_matches(['，', '。', '、', '；', '：', '）', '”', '》']).len();
    let (first, rest) = text.split_at(first.len() + closing);
    [first.trim().to_owned(), cut(rest.trim(), most)]
}

/// For XML: markup as entities, and what XML 1.0 cannot hold as the replacement character.
fn escaped(text: &str) -> String {
    let barred = |ch: char| matches!(ch, '\u{fffe}' | '\u{ffff}') || ch.is_control();
    escape(&visible(text)).replace(barred, "\u{fffd}")
}

fn chinese(fonts: &usvg::fontdb::Database) -> Option<&'static str> {
    let has = |name: &str| fonts.faces().any(|face| face.families.iter().any(|(family, _)| family == name));
    FONTS.into_iter().find(|name| has(name))
}

/// Draws pictures with the fonts of the system.
#[derive(Debug)]
pub struct Painter(usvg::Options<'static>);

impl Painter {
    /// Looks for the fonts of the system, which takes a moment.
    pub fn new() -> Self {
        let mut options = usvg::Options::default();
        options.fontdb_mut().load_system_fonts();
        Painter::with(options)
    }

    /// Without any font.
    #[cfg(test)]
    fn without_fonts() -> Self {
        Painter::with(usvg::Options::default())
    }

    fn with(mut options: usvg::Options<'static>) -> Self {
        let fonts = options.fontdb_mut();
        let family = chinese(fonts).map(str::to_owned);
        let any = fonts.faces().find_map(|face| face.families.first().map(|(family, _)| family.clone()));
        // What the picture falls back to when it finds none of its own.
        if let Some(family) = family.or(any) {
            fonts.set_serif_family(family.clone());
            fonts.set_sans_serif_family(family);
        }
        Painter(options)
    }

    /// The font for Chinese; `None` where the system has none that we know.
    pub fn chinese(&self) -> Option<&'static str> {
        chinese(&self.0.fontdb)
    }

    /// Draws an SVG of [`svg`] so many pixels wide.
    pub fn png(&self, svg: &str, width: u32) -> Result<Png, PictureError> {
        if !WIDTHS.contains(&width) {
            return Err(PictureError::Width(width));
        }
        let drawing = |error: &dyn std::fmt::Display| PictureError::Drawing(error.to_string());
        let tree = Tree::from_str(svg, &self.0).map_err(|error| drawing(&error))?;
        let scale = width as f32 / tree.size().width();
        let height = (tree.size().height() * scale).round() as u32;
        let mut pixels = Pixmap::new(width, height).ok_or_else(|| drawing(&"no memory"))?;
        resvg::render(&tree, Transform::from_scale(scale, scale), &mut pixels.as_mut());
        let bytes = pixels.encode_png().map_err(|error| drawing(&error))?;
        Ok(Png { bytes, warning: missing(&tree) })
    }
}

impl Default for Painter {
    fn default() -> Self {
        Painter::new()
    }
}

/// The writing for which no font has a glyph.
fn missing(tree: &Tree) -> Option<Wording> {
    let (mut drawn, mut lost) = (false, String::new());
    // Groups and nested pictures are as deep as this file makes them.
    let mut groups = vec![tree.root()];
    while let Some(group) = groups.pop() {
        for node in group.children() {
            match node {
                Node::Group(group) => groups.push(group),
                Node::Text(text) => {
                    drawn = true;
                    let glyphs = text.layouted().iter().flat_map(|span| &span.positioned_glyphs);
                    lost.extend(glyphs.filter(|glyph| glyph.id.0 == 0).map(|glyph| glyph.text.as_str()));
                }
                _ => {}
            }
        }
    }
    // Without any font there is no text left in the tree.
    if !drawn {
        let zh = "系统中没有字体，图中的文字均未绘出（可安装 fonts-noto-cjk）";
        let en = "this system has no font; all writing is missing in the picture (install fonts-noto-cjk)";
        return Some(Wording::from((zh, en)));
    }
    if lost.is_empty() {
        return None;
    }
    let lost = cut(&lost, 80);
    let zh = format!("系统中没有含这些文字的字体，图中未能绘出：{lost}（可安装 fonts-noto-cjk）");
    let en = format!(
        "no font of this system has these characters, which are missing in the picture: {lost} (install fonts-noto-cjk)"
    );
    Some(Wording { zh, en })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_font_there_is_still_a_code_and_a_word_about_it() {
        let svg = "<svg xmlns='http://www.w3.org/2000/svg' width='600' height='840'><rect width='9' height='9'/><text x='1' y='20'>绿码</text></svg>";
        let png = Painter::without_fonts().png(svg, 100).unwrap();
        let warning = png.warning.unwrap();
        assert!(warning.zh.contains("均未绘出") && warning.en.contains("no font"), "{warning:?}");
        assert_eq!(image::load_from_memory(&png.bytes).unwrap().to_rgba8().get_pixel(0, 0).0, [0, 0, 0, 255]);
    }

    #[test]
    fn the_qr_code_can_be_told_from_white_and_the_word_from_its_ground() {
        // WCAG 2.1, relative luminance.
        let luminance = |colour: &str| {
            let part = |at: usize| {
                let value = f64::from(u8::from_str_radix(&colour[at..at + 2], 16).unwrap()) / 255.0;
                if value <= 0.03928 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
            };
            0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5)
        };
        let against_white = |colour: &str| 1.05 / (luminance(colour) + 0.05);
        for code in [ColorCode::Green, ColorCode::Blue, ColorCode::Red, ColorCode::None] {
            let Look { fill, dark, .. } = look(code);
            assert!(against_white(fill) >= 4.5, "{fill} {}", against_white(fill));
            assert!(against_white(dark) >= 7.0, "{dark} {}", against_white(dark));
        }
    }

    #[test]
    fn texts_are_split_where_they_are_wide_enough() {
        assert_eq!(split("一二三", 4), ("一二", "三"));
        assert_eq!(split("a一b", 3), ("a一", "b"));
        assert_eq!(cut("一二三", 6), "一二三");
        assert_eq!(cut("一二三四", 6), "一二…");
        assert_eq!(two_lines("一二三四五六", 8), ["一二三", "四五六"]);
        assert_eq!(two_lines("再次检出，提醒整改", 12), ["再次检出，", "提醒整改"]);
        assert_eq!(two_lines("", 8), ["", ""]);
    }
}
