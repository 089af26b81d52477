//! The guard: what turns a hit into a mention whatever the rule — negation, quotation, documents.

use std::ops::Range;

use aho_corasick::AhoCorasick;

use super::matcher::LazyRegex;
use super::syntax::GuardFile;
use crate::text::fold;

/// Why a hit is no more than a mention.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Guarded {
    /// A word of denial stands near it.
    Negated,
    /// It stands inside quotation marks within a longer text.
    Quoted,
    /// The text is of a policy, an agreement or news.
    Document,
    /// The text is of the complaint page about formalism.
    ComplaintPage,
}

/// A text longer than this is prose.
pub(super) const PROSE_CHARS: usize = 60;

pub(super) struct Guard {
    negation: AhoCorasick,
    window: usize,
    quotes: Vec<(char, char)>,
    affirmation: Vec<LazyRegex>,
    document_titles: Vec<LazyRegex>,
    report_titles: Vec<LazyRegex>,
    complaint_page: Vec<LazyRegex>,
}

impl std::fmt::Debug for Guard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Guard").field("window", &self.window).finish_non_exhaustive()
    }
}

fn any(patterns: &[LazyRegex], text: &str) -> bool {
    patterns.iter().filter_map(LazyRegex::get).any(|regex| regex.is_match(text))
}

impl Guard {
    /// `thorough` compiles the regular expressions now, so that an error is found when the rules are loaded.
    pub(super) fn new(file: &GuardFile, thorough: bool) -> Result<Self, String> {
        let compile = |patterns: &[String]| -> Result<Vec<LazyRegex>, String> {
            let all: Vec<LazyRegex> = patterns.iter().map(|pattern| LazyRegex::new(pattern)).collect();
            if thorough {
                all.iter().try_for_each(LazyRegex::check)?;
            }
            Ok(all)
        };
        let negation: Vec<String> = file.negation.iter().map(|word| fold(word)).collect();
        if let Some(at) = negation.iter().position(String::is_empty) {
            return Err(format!("negation word {} is empty", at + 1));
        }
        let mut quotes = Vec::new();
        for pair in &file.quotes {
            let mut chars = pair.chars();
            match (chars.next(), chars.next(), chars.next()) {
                (Some(open), Some(close), None) => quotes.push((open, close)),
                _ => return Err(format!("quotes: {pair:?} is not an opening and a closing mark")),
            }
        }
        Ok(Guard {
            negation: AhoCorasick::new(&negation).map_err(|error| error.to_string())?,
            window: file.window,
            quotes,
            affirmation: compile(&file.affirmation)?,
            document_titles: compile(&file.document_titles)?,
            report_titles: compile(&file.report_titles)?,
            complaint_page: compile(&file.complaint_page)?,
        })
    }

    /// Whether a title or file name is that of an agreement, a policy or news.
    pub(super) fn is_document_title(&self, folded: &str) -> bool {
        any(&self.document_titles, folded)
    }

    /// Whether a title of an article says that it is about the campaign, about rules, or about others' deeds.
    pub(super) fn is_report_title(&self, folded: &str) -> bool {
        any(&self.report_titles, folded)
    }

    /// Whether a title is that of the page where people complain about formalism.
    pub(super) fn is_complaint_page(&self, folded: &str) -> bool {
        any(&self.complaint_page, folded)
    }

    /// What guards a hit at a byte range of a folded text of an interface.
    pub(super) fn check(&self, folded: &str, hit: Range<usize>) -> Option<Guarded> {
        let long = folded.chars().count() > PROSE_CHARS;
        if long && self.is_document_title(folded) && !self.is_complaint_page(folded) {
            return Some(Guarded::Document);
        }
        self.check_wording(folded, hit)
    }

    /// What guards a hit by the words around it alone.
    pub(super) fn check_wording(&self, folded: &str, hit: Range<usize>) -> Option<Guarded> {
        if self.is_complaint_page(folded) {
            return Some(Guarded::ComplaintPage);
        }
        let sentence = sentence(folded, &hit);
        let near = window(folded, &hit, self.window);
        let near = near.start.max(sentence.start)..near.end.min(sentence.end);
        let affirmed: Vec<Range<usize>> = (self.affirmation.iter().filter_map(LazyRegex::get))
            .flat_map(|regex| regex.find_iter(folded).map(|found| found.range()))
            .collect();
        let affirmed = |from: usize, to: usize| affirmed.iter().any(|r| r.start < to && from < r.end);
        // A word of denial inside the hit belongs to the phrase itself.
        let base = near.start;
        let denied = self.negation.find_iter(&folded[near]).any(|found| {
            let (from, to) = (base + found.start(), base + found.end());
            (from < hit.start || to > hit.end) && !affirmed(from, to)
        });
        if denied {
            return Some(Guarded::Negated);
        }
        let quoted = self.quotes.iter().any(|&(open, close)| {
            let before = &folded[sentence.start..hit.start];
            let after = &folded[hit.end..sentence.end];
            // Between equal marks the hit is inside when an odd number of them stands before it.
            let opened = before.rfind(open).filter(|&at| match open == close {
                true => before.matches(open).count() % 2 == 1,
                false => !before[at + open.len_utf8()..].contains(close),
            });
            opened.is_some_and(|at| {
                let at = sentence.start + at;
                after.contains(close)
                    && !affirmed(at, at + open.len_utf8())
                    && folded.chars().count() > hit_chars(folded, &hit) + 6
            })
        });
        quoted.then_some(Guarded::Quoted)
    }
}

fn hit_chars(text: &str, hit: &Range<usize>) -> usize {
    text[hit.clone()].chars().count()
}

/// The sentence around a hit. A full stop between digits or letters ends none.
fn sentence(text: &str, hit: &Range<usize>) -> Range<usize> {
    let ends = |(at, ch): &(usize, char)| match ch {
        '。' | '!' | '?' | ';' | '\n' => true,
        '.' => !text.as_bytes().get(at + 1).is_some_and(u8::is_ascii_alphanumeric),
        _ => false,
    };
    let start = text[..hit.start].char_indices().rev().find(ends).map_or(0, |(at, ch)| at + ch.len_utf8());
    let after = text[hit.end..].char_indices().map(|(at, ch)| (hit.end + at, ch)).find(ends);
    start..after.map_or(text.len(), |(at, _)| at)
}

/// The range `chars` characters around a hit.
fn window(text: &str, hit: &Range<usize>, chars: usize) -> Range<usize> {
    let start = text[..hit.start].char_indices().rev().nth(chars.saturating_sub(1)).map_or(0, |(at, _)| at);
    let end = text[hit.end..].char_indices().nth(chars).map_or(text.len(), |(at, _)| hit.end + at);
    start..end
}
