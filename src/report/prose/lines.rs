//! Lines of a fixed width with Chinese characters counted as two columns, and their colours.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use unicode_width::UnicodeWidthChar;

/// Columns that a text takes.
pub(in crate::report) fn width(text: &str) -> usize {
    text.chars().map(|ch| ch.width().unwrap_or(0)).sum()
}

/// What a piece of a line is; colours follow from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::report) enum Tone {
    Plain,
    Strong,
    Faint,
    Match,
    Good,
    Notice,
    Warning,
    Grave,
}

impl Tone {
    fn style(self) -> Style {
        let colour = |colour: AnsiColor| Style::new().bold().fg_color(Some(colour.into()));
        match self {
            Tone::Plain => Style::new(),
            Tone::Strong => Style::new().bold(),
            Tone::Faint => Style::new().dimmed(),
            Tone::Match => Style::new().bold().underline(),
            Tone::Good => colour(AnsiColor::Green),
            Tone::Notice => colour(AnsiColor::Cyan),
            Tone::Warning => colour(AnsiColor::Yellow),
            Tone::Grave => colour(AnsiColor::Red),
        }
    }
}

/// A text whose pieces have tones.
#[derive(Debug, Clone, Default)]
pub(in crate::report) struct Rich(Vec<(char, Tone)>);

impl Rich {
    /// A text of one tone. The caller has made it safe to show.
    pub(in crate::report) fn new(text: &str, tone: Tone) -> Self {
        Rich::default().with(text, tone)
    }

    /// The text with another piece at its end.
    pub(in crate::report) fn with(mut self, text: &str, tone: Tone) -> Self {
        self.push(text, tone);
        self
    }

    /// Adds a piece.
    pub(in crate::report) fn push(&mut self, text: &str, tone: Tone) {
        self.0.extend(text.chars().map(|ch| (ch, tone)));
    }

    /// Columns it takes on one line.
    pub(in crate::report) fn width(&self) -> usize {
        columns(&self.0)
    }

    /// The text in lines of at most `width` columns.
    pub(in crate::report) fn wrap(self, width: usize) -> Vec<Rich> {
        let mut lines = Vec::new();
        let mut line: Vec<(char, Tone)> = Vec::new();
        let mut used = 0;
        let mut last_break = None;
        for (ch, tone) in self.0 {
            let columns_of_ch = ch.width().unwrap_or(0);
            if line.last().is_some_and(|(before, _)| may_break(*before, ch)) {
                last_break = Some(line.len());
            }
            while used + columns_of_ch > width && !line.is_empty() {
                let at = if ch == ' ' { line.len() } else { last_break.unwrap_or(line.len()) };
                let mut rest = line.split_off(at);
                let spaces = rest.iter().take_while(|(ch, _)| *ch == ' ').count();
                rest.drain(..spaces);
                lines.push(trimmed(line));
                line = rest;
                used = columns(&line);
                last_break = None;
            }
            // A line that was broken does not begin with the space at which it was broken.
            if ch == ' ' && line.is_empty() && !lines.is_empty() {
                continue;
            }
            line.push((ch, tone));
            used += columns_of_ch;
        }
        if !line.is_empty() || lines.is_empty() {
            lines.push(trimmed(line));
        }
        lines
    }

    /// Writes it without a line end.
    pub(in crate::report) fn write(&self, out: &mut dyn Write, colour: bool) -> io::Result<()> {
        for run in self.0.chunk_by(|a, b| a.1 == b.1) {
            let text: String = run.iter().map(|(ch, _)| ch).collect();
            let style = run.first().map_or(Style::new(), |(_, tone)| tone.style());
            if colour && style != Style::new() {
                write!(out, "{style}{text}{style:#}")?;
            } else {
                out.write_all(text.as_bytes())?;
            }
        }
        Ok(())
    }
}

/// A label in a column of its own and a text wrapped beside it, in lines of at most `width` columns.
pub(in crate::report) fn beside(
    out: &mut dyn Write,
    colour: bool,
    width: usize,
    indent: usize,
    (label, column): (Rich, usize),
    text: Rich,
) -> io::Result<()> {
    let hang = indent + column;
    let label_width = label.width();
    for (index, line) in text.wrap(width.saturating_sub(hang)).into_iter().enumerate() {
        let lead = if index == 0 { indent } else { hang };
        write!(out, "{:lead$}", "")?;
        if index == 0 {
            label.write(out, colour)?;
            write!(out, "{:1$}", "", column.saturating_sub(label_width))?;
        }
        line.write(out, colour)?;
        writeln!(out)?;
    }
    Ok(())
}

fn columns(line: &[(char, Tone)]) -> usize {
    line.iter().map(|(ch, _)| ch.width().unwrap_or(0)).sum()
}

fn trimmed(mut line: Vec<(char, Tone)>) -> Rich {
    while line.last().is_some_and(|(ch, _)| *ch == ' ') {
        line.pop();
    }
    Rich(line)
}

/// Where a line may end: at spaces, between ideographs, and behind the joints of paths and class names.
fn may_break(before: char, after: char) -> bool {
    const NEVER_FIRST: &str = "\u{ff0c}。、\u{ff1b}\u{ff1a}\u{ff1f}\u{ff01}\u{ff09}》〉」』】〕”’…%)],.;:";
    const NEVER_LAST: &str = "\u{ff08}《〈「『【〔“‘([";
    if after == ' ' || NEVER_FIRST.contains(after) || NEVER_LAST.contains(before) {
        return false;
    }
    let wide = |ch: char| ch.width() == Some(2) || "“”‘’…".contains(ch);
    before == ' ' || wide(before) || wide(after) || "/.-_→|&=$!@#".contains(before)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrap(text: &str, width: usize) -> Vec<String> {
        let lines = Rich::new(text, Tone::Plain).wrap(width);
        lines.into_iter().map(|line| line.0.into_iter().map(|(ch, _)| ch).collect()).collect()
    }

    #[test]
    fn chinese_counts_two_and_no_line_begins_with_a_stop() {
        assert_eq!(width("打卡 ok"), 7);
        assert_eq!(wrap("取消定时定点打卡。", 16), ["取消定时定点打", "卡。"]);
        assert_eq!(wrap("见《办法》第二条", 6), ["见《办", "法》第", "二条"]);
    }

    #[test]
    fn paths_break_at_their_joints_and_anything_breaks_at_last() {
        assert_eq!(wrap("res/layout/activity.xml", 12), ["res/layout/", "activity.xml"]);
        assert_eq!(wrap("abcdefghij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("", 7), [""]);
    }

    #[test]
    fn nothing_but_spaces_is_lost() {
        let text = "证据 “巡查打卡” Button btn_patrol @ 巡查（cn.gov.example.PatrolActivity） → POST /patrol/checkin";
        for columns in 2..100 {
            let lines = wrap(text, columns);
            assert!(lines.iter().all(|line| width(line) <= columns), "{lines:?}");
            assert_eq!(lines.concat().replace(' ', ""), text.replace(' ', ""));
        }
    }
}
