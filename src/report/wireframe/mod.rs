//! A screen drawn again from the layout that was read, with the widget in question marked: SVG that needs nothing else.
//!
//! A surface lists the elements of a screen by name, so positions are schematic.

use std::fmt::Write;

use super::prose::{escape, excerpt, width};
use crate::model::{Control, Evidence, Lang, Shown, Surface};

/// Width of the picture.
const WIDTH: usize = 240;
/// Where the first element begins.
const TOP: usize = 58;
/// Height of an element with the space below it.
const ROW: usize = 38;
/// Elements that are drawn; the rest are counted.
const MOST: usize = 9;
/// Columns of text in an element.
const COLUMNS: usize = 24;

/// What an element of a screen looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    Button,
    Field,
    Text,
}

struct Element<'a> {
    look: Look,
    name: &'a str,
    label: &'a str,
    /// The address that a press leads to.
    calls: &'a str,
}

/// The screen of a row of evidence. `None` where the row names no screen, or the surface has nothing on it that could be
/// marked.
pub(super) fn wireframe(surface: &Surface, row: &Evidence, lang: Lang) -> Option<String> {
    let screen = row.screen_name()?;
    let elements = elements(surface, screen);
    let marked = marked(&elements, row)?;
    let title =
        surface.screens.iter().find(|shown| shown.name == screen).and_then(|shown| shown.label.as_deref());
    let title = title.unwrap_or_else(|| screen.rsplit(['.', '/']).next().unwrap_or(screen));
    // Those around the marked one.
    let from = (marked + 1).saturating_sub(MOST / 2 + 1).min(elements.len().saturating_sub(MOST));
    let shown = &elements[from..elements.len().min(from + MOST)];
    Some(draw(title, shown, marked - from, elements.len() - shown.len(), lang))
}

fn elements<'a>(surface: &'a Surface, screen: &str) -> Vec<Element<'a>> {
    let on = |of: &Option<String>| of.as_deref() == Some(screen);
    let fields: Vec<&Shown> = surface.fields.iter().filter(|field| on(&field.screen)).collect();
    let is_field = |id: &str| fields.iter().any(|field| field.name == id);
    let of = |look: Look| {
        move |control: &'a Control| Element {
            look,
            name: control.id.as_deref().unwrap_or_default(),
            label: control.label.as_deref().unwrap_or_default(),
            calls: control.calls.as_deref().unwrap_or_default(),
        }
    };
    let other = |control: &&Control| on(&control.screen) && !control.id.as_deref().is_some_and(is_field);
    let texts =
        surface.widgets.iter().filter(other).filter(|widget| widget.label.is_some()).map(of(Look::Text));
    let input = |field: &&'a Shown| Element {
        look: Look::Field,
        name: &field.name,
        label: field.label.as_deref().unwrap_or_default(),
        calls: "",
    };
    let buttons = surface.controls.iter().filter(other).map(of(Look::Button));
    texts.chain(fields.iter().map(input)).chain(buttons).collect()
}

/// The element that a row is about: by its id, else by what it says, else by the address it calls.
fn marked(elements: &[Element<'_>], row: &Evidence) -> Option<usize> {
    let id = row.widget.as_deref().and_then(|widget| widget.split_once(' ')).map(|(_, id)| id);
    let text = Surface::cut(&row.text);
    let says = |element: &Element<'_>| !text.is_empty() && element.label == text;
    let named = |element: &Element<'_>| id.is_some_and(|id| element.name == id);
    elements
        .iter()
        .position(|element| named(element) && says(element))
        .or_else(|| elements.iter().position(says))
        .or_else(|| elements.iter().position(named))
        .or_else(|| elements.iter().position(|element| !text.is_empty() && element.calls == text))
}

fn draw(title: &str, elements: &[Element<'_>], marked: usize, more: usize, lang: Lang) -> String {
    let rest = if more > 0 { 22 } else { 0 };
    let height = TOP + elements.len() * ROW + rest + 14;
    let label = |element: &Element<'_>| {
        let said = if element.label.trim().is_empty() { element.name } else { element.label };
        escape(&excerpt(said, "", COLUMNS).after)
    };
    let told = format!(
        "{}{}",
        lang.pick("界面重绘，已框出：", "The screen drawn again; framed: "),
        elements.get(marked).map(label).unwrap_or_default()
    );
    let mut svg = format!(
        "<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{told}\" font-size=\"13\" \
         font-family=\"sans-serif\" fill=\"#1c2530\">\
         <rect x=\"1\" y=\"1\" width=\"{}\" height=\"{}\" rx=\"16\" fill=\"#fff\" stroke=\"#54606e\" stroke-width=\"2\"/>\
         <path d=\"M2 44H{}\" stroke=\"#98a3af\"/><text x=\"{}\" y=\"29\" text-anchor=\"middle\" \
         font-weight=\"600\" font-size=\"14\">{}</text>",
        WIDTH - 2,
        height - 2,
        WIDTH - 2,
        WIDTH / 2,
        escape(&excerpt(title, "", COLUMNS).after),
    );
    for (index, element) in elements.iter().enumerate() {
        let y = TOP + index * ROW;
        let is_marked = index == marked;
        let room = WIDTH - 40;
        let text = label(element);
        // `write!` to a string does not fail.
        let _ = match element.look {
            Look::Button => write!(
                svg,
                "<rect x=\"20\" y=\"{y}\" width=\"{room}\" height=\"30\" rx=\"6\" fill=\"#e4e8ec\" stroke=\"#98a3af\"/>\
                 <text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{text}</text>",
                WIDTH / 2,
                y + 20
            ),
            Look::Field => write!(
                svg,
                "<rect x=\"20\" y=\"{y}\" width=\"{room}\" height=\"30\" fill=\"#fff\" stroke=\"#98a3af\"/>\
                 <text x=\"28\" y=\"{}\" fill=\"#54606e\">{text}</text>",
                y + 20
            ),
            Look::Text => write!(svg, "<text x=\"22\" y=\"{}\">{text}</text>", y + 20),
        };
        if is_marked {
            let tag = lang.pick("检出", "found");
            let wide = width(tag) * 7 + 10;
            let _ = write!(
                svg,
                "<rect x=\"14\" y=\"{}\" width=\"{}\" height=\"38\" rx=\"4\" fill=\"none\" stroke=\"#7a4f00\" \
                 stroke-width=\"3\"/><rect x=\"{}\" y=\"{}\" width=\"{wide}\" height=\"17\" rx=\"3\" fill=\"#7a4f00\"/>\
                 <text x=\"{}\" y=\"{}\" fill=\"#fff\" font-size=\"11\" text-anchor=\"middle\">{tag}</text>",
                y - 4,
                WIDTH - 28,
                WIDTH - 20 - wide,
                y - 12,
                WIDTH - 20 - wide / 2,
                y
            );
        }
    }
    if more > 0 {
        let said = match lang {
            Lang::Zh => format!("另有 {more} 项未画出"),
            Lang::En => format!("{more} more not drawn"),
        };
        let y = TOP + elements.len() * ROW + 12;
        let _ = write!(
            svg,
            "<text x=\"{}\" y=\"{y}\" text-anchor=\"middle\" font-size=\"11\" fill=\"#54606e\">{said}</text>",
            WIDTH / 2
        );
    }
    svg.push_str("</svg>");
    svg
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{EvidenceKind, Level};

    fn row(text: &str, screen: &str, widget: &str) -> Evidence {
        Evidence {
            kind: EvidenceKind::Text,
            level: Level::Confirmed,
            text: text.into(),
            matched: text.into(),
            place: String::new(),
            screen: Some(screen.into()),
            widget: Some(widget.into()),
            chain: Vec::new(),
            locale: None,
            library: None,
            note: String::new(),
            note_en: String::new(),
        }
    }

    fn control(id: &str, label: &str) -> Control {
        Control {
            screen: Some("a.Patrol".into()),
            id: Some(id.into()),
            label: Some(label.into()),
            ..Control::default()
        }
    }

    #[test]
    fn the_widget_is_marked_and_nothing_in_it_is_markup() {
        let surface = Surface {
            screens: vec![Shown { name: "a.Patrol".into(), label: Some("巡查<b>".into()), screen: None }],
            controls: (0..20).map(|n| control(&format!("btn_{n:02}"), &format!("<script>{n}"))).collect(),
            fields: vec![Shown {
                name: "et_name".into(),
                label: Some("姓名\u{202e}".into()),
                screen: Some("a.Patrol".into()),
            }],
            ..Surface::default()
        };
        let svg =
            wireframe(&surface, &row("<script>13", "巡查（a.Patrol）", "Button btn_13"), Lang::Zh).unwrap();
        let tree = texts_of(&svg);
        assert!(tree.contains(&"巡查<b>".to_owned()), "{tree:?}");
        assert!(tree.contains(&"<script>13".to_owned()));
        assert!(tree.contains(&"检出".to_owned()));
        // 21 elements, of which 9 are drawn.
        assert!(tree.contains(&"另有 12 项未画出".to_owned()), "{tree:?}");
        assert!(!svg.contains("<script") && !svg.contains('\u{202e}'));
        // What calls the address of the evidence is the widget, whatever it says.
        let button = Control { calls: Some("/patrol/checkin".into()), ..control("btn_x", "工作留痕") };
        let renamed = Surface { controls: vec![control("btn_a", "返回"), button], ..Surface::default() };
        let svg = wireframe(&renamed, &row("/patrol/checkin", "a.Patrol", ""), Lang::En).unwrap();
        assert!(svg.contains("framed: 工作留痕"), "{svg}");
        // A screen of which nothing is known, or a widget that is not on it, is not drawn.
        assert!(wireframe(&surface, &row("x", "other", "Button btn_13"), Lang::Zh).is_none());
        assert!(wireframe(&surface, &row("x", "a.Patrol", "Button other"), Lang::Zh).is_none());
    }

    /// The texts of a drawing.
    fn texts_of(svg: &str) -> Vec<String> {
        use quick_xml::escape::unescape;
        svg.split("<text")
            .skip(1)
            .map(|part| {
                let body = part.split_once('>').unwrap().1.split_once("</text>").unwrap().0;
                unescape(body).unwrap().into_owned()
            })
            .collect()
    }
}
