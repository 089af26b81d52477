//! The guard: what turns a hit into a mention whatever the rule — negation, quotation, documents.

use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use regex::RegexSet;

use super::syntax::GuardFile;
use crate::text::Folded;

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
    document_titles: LazyLock<RegexSet, Box<dyn FnOnce() -> RegexSet + Send>>,
    complaint_page: LazyLock<RegexSet, Box<dyn FnOnce() -> RegexSet + Send>>,
}

impl std::fmt::Debug for Guard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Guard").field("window", &self.window).finish_non_exhaustive()
    }
}

fn lazy_set(patterns: Vec<String>) -> LazyLock<RegexSet, Box<dyn FnOnce() -> RegexSet + Send>> {
    // `Guard::new` has compiled each pattern before unless the set is the embedded one, which a test checks.
    LazyLock::new(Box::new(move || RegexSet::new(&patterns).unwrap_or_else(|_| RegexSet::empty())))
}

impl Guard {
    pub(super) fn new(file: &GuardFile) -> Result<Self, String> {
        for pattern in file.document_titles.iter().chain(&file.complaint_page) {
            regex::Regex::new(pattern).map_err(|error| error.to_string())?;
        }
        let negation: Vec<String> =
            file.negation.iter().map(|word| Folded::new(word).as_str().to_owned()).collect();
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
            document_titles: lazy_set(file.document_titles.clone()),
            complaint_page: lazy_set(file.complaint_page.clone()),
        })
    }

    /// Whether a title or file name is that of an agreement, a policy or news.
    pub(super) fn is_document_title(&self, folded: &str) -> bool {
        self.document_titles.is_match(folded)
    }

    /// What guards a hit at a byte range of a folded text.
    pub(super) fn check(&self, folded: &str, hit: Range<usize>) -> Option<Guarded> {
        if self.complaint_page.is_match(folded) {
            return Some(Guarded::ComplaintPage);
        }
        if folded.chars().count() > PROSE_CHARS && self.document_titles.is_match(folded) {
            return Some(Guarded::Document);
        }
        let sentence = sentence(folded, &hit);
        let near = window(folded, &hit, self.window);
        let near = near.start.max(sentence.start)..near.end.min(sentence.end);
        // A word of denial inside the hit belongs to the phrase itself.
        let base = near.start;
        let denied = self
            .negation
            .find_iter(&folded[near])
            .any(|found| base + found.end() <= hit.start || base + found.start() >= hit.end);
        if denied {
            return Some(Guarded::Negated);
        }
        let quoted = self.quotes.iter().any(|&(open, close)| {
            let before = &folded[sentence.start..hit.start];
            let after = &folded[hit.end..sentence.end];
            let opened = before.rfind(open).is_some_and(|at| {
                open == close || !before[at + open.len_utf8()..].contains(close)
            });
            opened && after.contains(close) && folded.chars().count() > hit_chars(folded, &hit) + 6
        });
        quoted.then_some(Guarded::Quoted)
    }
}

fn hit_chars(text: &str, hit: &Range<usize>) -> usize {
    text[hit.clone()].chars().count()
}

/// The sentence around a hit.
fn sentence(text: &str, hit: &Range<usize>) -> Range<usize> {
    let ends = |ch: char| matches!(ch, '。' | '!' | '?' | ';' | '\n' | '.' | '…');
    let start = text[..hit.start].rfind(ends).map_or(0, |at| at + text[at..].chars().next().map_or(1, char::len_utf8));
    let end = text[hit.end..].find(ends).map_or(text.len(), |at| hit.end + at);
    start..end
}

/// The range `chars` characters around a hit.
fn window(text: &str, hit: &Range<usize>, chars: usize) -> Range<usize> {
    let start = text[..hit.start].char_indices().rev().nth(chars.saturating_sub(1)).map_or(0, |(at, _)| at);
    let end = text[hit.end..].char_indices().nth(chars).map_or(text.len(), |(at, _)| hit.end + at);
    start..end
}
