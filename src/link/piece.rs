//! Labels written a character a widget, all of which do the same when pressed: `签` beside `到` is `签到` to whoever
//! sees it. Words of two characters beside each other are words of their own.

use crate::model::{Role, UiText};
use crate::text::is_cjk;

/// More characters in a row are the keys of a keyboard, or a calendar.
const MAX_LABEL: usize = 6;

/// Adds what neighbouring characters say together, in the place of the first of them.
pub(crate) fn add_whole_labels(texts: &mut Vec<UiText>) {
    let runs = texts.chunk_by(|one, next| is_piece(one) && is_piece(next) && do_the_same(one, next));
    let labels: Vec<UiText> = runs.filter(|run| (2..=MAX_LABEL).contains(&run.len())).map(label).collect();
    texts.extend(labels);
}

fn is_piece(text: &UiText) -> bool {
    let mut chars = text.text.trim().chars();
    text.role == Role::Control && chars.next().is_some_and(is_cjk) && chars.next().is_none()
}

fn do_the_same(one: &UiText, next: &UiText) -> bool {
    one.screen.is_some()
        && one.screen == next.screen
        && one.locale == next.locale
        && handler(one).is_some()
        && handler(one) == handler(next)
}

fn handler(text: &UiText) -> Option<&str> {
    text.widget.as_ref()?.handler.as_deref()
}

fn label(run: &[UiText]) -> UiText {
    let pieces = || run.iter().map(|piece| piece.text.trim());
    let mut label = run[0].clone();
    label.text = pieces().collect();
    label.chain.insert(0, pieces().collect::<Vec<_>>().join(" + "));
    label
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Place, Screen, Widget};

    fn pressed(text: &str, handler: Option<&str>) -> UiText {
        let mut piece = UiText::new(text, Role::Control, Place::entry("res/layout/main.xml"));
        let screen = Screen { name: "cn.gov.example.MainActivity".into(), title: None, reachable: true };
        piece.screen = Some(screen);
        let handler = handler.map(str::to_owned);
        piece.widget = Some(Widget { class: "TextView".into(), id: None, handler, operable: true });
        piece
    }

    fn whole(pieces: &[(&str, Option<&str>)]) -> Vec<String> {
        let mut texts: Vec<UiText> = pieces.iter().map(|&(text, handler)| pressed(text, handler)).collect();
        add_whole_labels(&mut texts);
        texts.split_off(pieces.len()).into_iter().map(|label| label.text).collect()
    }

    #[test]
    fn characters_that_do_the_same_are_one_label() {
        let to = |handler| Some(handler);
        assert_eq!(whole(&[("首页", to("home")), ("签", to("sign")), ("到", to("sign"))]), ["签到"]);
        assert_eq!(
            whole(&[("打", to("a")), (" 卡 ", to("a")), ("排", to("b")), ("行", to("b"))]),
            ["打卡", "排行"]
        );
        // Other handlers, none, words, and the keys of a keyboard.
        assert_eq!(whole(&[("是", to("yes")), ("否", to("no"))]), [""; 0]);
        assert_eq!(whole(&[("签", None), ("到", None)]), [""; 0]);
        assert_eq!(whole(&[("学习", to("tab")), ("积分", to("tab"))]), [""; 0]);
        assert_eq!(whole(&[("一", to("key")); 7]), [""; 0]);
    }

    #[test]
    fn the_chain_says_of_what_a_label_is_made() {
        let mut texts = vec![pressed("签", Some("sign")), pressed("到", Some("sign"))];
        add_whole_labels(&mut texts);
        assert_eq!(texts[2].chain, ["签 + 到"]);
        assert_eq!(texts[2].place, texts[0].place);
    }
}
