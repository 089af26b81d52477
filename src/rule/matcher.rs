//! Texts and names to hits: one pass finds the literals of all rules, regular expressions and other-sense checks run
//! only where there are some.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::OnceLock;

use foldhash::fast::RandomState;
use regex_lite::Regex;
use regex_syntax::hir::{Hir, HirKind};

use super::filter::Filter;
use super::ident;
use super::syntax::{NameKind, Rule, Signal, SignalKind, Strength};
use crate::model::{Fact, FactKind, MeasureKind, Role, Scope};
use crate::text::{Folded, fold};

/// A pattern compiled when it is first needed: most patterns never are.
#[derive(Debug)]
pub(super) struct LazyRegex {
    source: String,
    compiled: OnceLock<Option<Regex>>,
}

impl LazyRegex {
    pub(super) fn new(source: &str) -> Self {
        LazyRegex { source: source.to_owned(), compiled: OnceLock::new() }
    }

    pub(super) fn get(&self) -> Option<&Regex> {
        self.compiled.get_or_init(|| Regex::new(&self.source).ok()).as_ref()
    }

    pub(super) fn check(&self) -> Result<(), String> {
        Regex::new(&self.source).map(drop).map_err(|error| error.to_string())
    }
}

/// Where a signal stands: index of the rule, index of the signal in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct SignalAt {
    pub(super) rule: usize,
    pub(super) signal: usize,
}

#[derive(Debug)]
struct Compiled {
    at: SignalAt,
    kind: SignalKind,
    strength: Strength,
    roles: Vec<Role>,
    kinds: Vec<NameKind>,
    max_chars: usize,
    patterns: Vec<LazyRegex>,
    unless: Vec<LazyRegex>,
}

#[derive(Debug, Clone, Copy)]
enum Need {
    Phrase,
    Exact,
    Pattern(usize),
    Word,
    Substring,
}

/// A set of literals with what each stands for.
#[derive(Debug)]
struct Literals {
    filter: Filter,
    /// Sorted by the literal.
    needs: Vec<(String, usize, Need)>,
    /// Where those that begin with two characters stand in `needs`; of a single character the second is [`ALONE`].
    begin: HashMap<(char, char), Range<usize>, RandomState>,
}

/// Stands for the second character of a literal of one.
const ALONE: char = '\0';

impl Literals {
    /// An automaton would match faster and take longer to build than most packages take to be matched: the filter
    /// leaves little to match.
    fn build(mut needs: Vec<(String, usize, Need)>) -> Self {
        needs.sort_by(|a, b| a.0.cmp(&b.0));
        let mut begin = HashMap::<_, Range<usize>, _>::with_hasher(RandomState::default());
        for (at, (literal, _, _)) in needs.iter().enumerate() {
            let mut chars = literal.chars();
            if let Some(first) = chars.next() {
                begin.entry((first, chars.next().unwrap_or(ALONE))).or_insert(at..at).end = at + 1;
            }
        }
        let filter = Filter::new(needs.iter().map(|(literal, _, _)| literal.as_str()));
        Literals { filter, needs, begin }
    }

    fn find<'a>(&'a self, text: &'a str) -> impl Iterator<Item = (usize, Need, Range<usize>, &'a str)> {
        text.char_indices().flat_map(move |(at, first)| {
            let rest = &text[at..];
            let second = rest.chars().nth(1);
            second
                .into_iter()
                .chain([ALONE])
                .filter_map(move |second| self.begin.get(&(first, second)))
                .flat_map(move |range| {
                    let begun = self.needs[range.clone()].iter();
                    begun.filter(move |(literal, _, _)| rest.starts_with(literal.as_str())).map(
                        move |(literal, signal, need)| {
                            (*signal, *need, at..at + literal.len(), literal.as_str())
                        },
                    )
                })
        })
    }
}

/// One match of a signal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hit {
    pub(super) at: SignalAt,
    pub(super) strength: Strength,
    pub(super) kind: SignalKind,
    /// Bytes of the folded text or of the name.
    pub(super) range: Range<usize>,
}

/// All signals of a rule set, ready to match.
#[derive(Debug)]
pub(super) struct Matcher {
    signals: Vec<Compiled>,
    texts: Literals,
    names: Literals,
    /// Roles in which some signal looks for a text without ideographs, as bits.
    ascii_roles: u16,
}

/// At most this many occurrences of one signal in one text are weighed.
const MAX_OCCURRENCES: usize = 4;

fn role_bit(role: Role) -> u16 {
    1 << (role as u16)
}

/// Refuses a rule with a signal that could not be matched as it is written.
pub(super) fn check(rule: &Rule) -> Result<(), String> {
    for signal in &rule.signals {
        let fail = |cause: String| format!("signal {}: {cause}", signal.id);
        validate(signal).map_err(fail)?;
        if let Some(empty) = signal.phrases.iter().chain(&signal.exact).find(|text| fold(text).is_empty()) {
            return Err(fail(format!("{empty:?} is empty")));
        }
        for pattern in &signal.patterns {
            required_literals(pattern).map_err(fail)?;
        }
        for pattern in signal.patterns.iter().chain(&signal.unless) {
            LazyRegex::new(pattern).check().map_err(fail)?;
        }
    }
    Ok(())
}

impl Matcher {
    /// Compiles the signals of the rules of a scope, which [`check`] has let pass.
    pub(super) fn new(rules: &[Rule], scope: Scope) -> Self {
        let mut signals: Vec<Compiled> = Vec::new();
        let mut texts: Vec<(String, usize, Need)> = Vec::new();
        let mut names: Vec<(String, usize, Need)> = Vec::new();
        for (rule_index, rule) in rules.iter().enumerate().filter(|(_, rule)| rule.scope == scope) {
            for (signal_index, signal) in rule.signals.iter().enumerate() {
                let index = signals.len();
                for phrase in signal.phrases.iter().filter(|_| signal.evidence == SignalKind::Text) {
                    texts.push((fold(phrase), index, Need::Phrase));
                }
                for exact in &signal.exact {
                    texts.push((fold(exact), index, Need::Exact));
                }
                for (i, pattern) in signal.patterns.iter().enumerate() {
                    for literal in required_literals(pattern).unwrap_or_default() {
                        texts.push((literal, index, Need::Pattern(i)));
                    }
                }
                for word in &signal.words {
                    names.push((ident::letters(word), index, Need::Word));
                }
                for substring in &signal.substrings {
                    names.push((ident::letters(substring), index, Need::Substring));
                }
                signals.push(Compiled {
                    at: SignalAt { rule: rule_index, signal: signal_index },
                    kind: signal.evidence,
                    strength: signal.strength,
                    roles: signal.roles.iter().map(|role| role.role()).collect(),
                    kinds: signal.kinds.clone(),
                    max_chars: signal.max_chars.unwrap_or(usize::MAX),
                    patterns: signal.patterns.iter().map(|p| LazyRegex::new(p)).collect(),
                    unless: signal.unless.iter().map(|p| LazyRegex::new(p)).collect(),
                });
            }
        }
        let mut ascii_roles = 0;
        for (_, signal, _) in texts.iter().filter(|(literal, _, _)| literal.is_ascii()) {
            let roles = &signals[*signal].roles;
            ascii_roles |=
                if roles.is_empty() { u16::MAX } else { roles.iter().fold(0, |b, &r| b | role_bit(r)) };
        }
        Matcher { signals, texts: Literals::build(texts), names: Literals::build(names), ascii_roles }
    }

    /// Whether a text can hold a hit at all.
    pub(super) fn may_hit(&self, raw: &str, role: Role) -> bool {
        (self.ascii_roles & role_bit(role) != 0 || !raw.is_ascii()) && self.texts.filter.may_hold(raw)
    }

    /// Hits in a text of a role, at most [`MAX_OCCURRENCES`] for each signal, in the order of the rules.
    pub(super) fn text(&self, folded: &Folded, role: Role) -> Vec<Hit> {
        let text = folded.as_str();
        let mut hits: Vec<(usize, Range<usize>)> = Vec::new();
        let mut chars = None;
        // A pattern is tried once, however many of its literals the text holds.
        let mut tried: Vec<(usize, usize)> = Vec::new();
        for (index, need, range, literal) in self.texts.find(text) {
            let signal = &self.signals[index];
            if !(signal.roles.is_empty() || signal.roles.contains(&role))
                || hits.iter().filter(|&&(i, _)| i == index).count() >= MAX_OCCURRENCES
            {
                continue;
            }
            if signal.max_chars < usize::MAX
                && *chars.get_or_insert_with(|| text.chars().count()) > signal.max_chars
            {
                continue;
            }
            let mut add = |range: Range<usize>| {
                if !signal.means_other(text, &range) && !hits.iter().any(|(i, r)| *i == index && *r == range)
                {
                    hits.push((index, range));
                }
            };
            match need {
                Need::Phrase if is_whole(text, &range) => add(range),
                Need::Exact if trimmed(text) == literal => add(range),
                Need::Pattern(i) if !tried.contains(&(index, i)) => {
                    tried.push((index, i));
                    let found = signal.patterns[i].get().into_iter().flat_map(|regex| regex.find_iter(text));
                    found.take(MAX_OCCURRENCES).for_each(|found| add(found.range()));
                }
                _ => {}
            }
        }
        self.hits(hits)
    }

    /// Hits in a name, an endpoint or an asset path.
    pub(super) fn name(&self, fact: &Fact, buffer: &mut String) -> Vec<Hit> {
        let kind = match fact.kind {
            FactKind::Component
            | FactKind::Class
            | FactKind::Function
            | FactKind::Layout
            | FactKind::WidgetId
            | FactKind::Route => SignalKind::Name,
            FactKind::Endpoint if is_page_or_file(&fact.value) => return Vec::new(),
            FactKind::Endpoint => SignalKind::Endpoint,
            FactKind::Asset => SignalKind::Asset,
            FactKind::Permission | FactKind::Sdk | FactKind::Api | FactKind::QrCode | FactKind::Link => {
                return Vec::new();
            }
        };
        let at = own_part(fact);
        let name = &fact.value[at..];
        if !self.names.filter.may_hold_letters(name) {
            return Vec::new();
        }
        ident::letters_into(name, buffer);
        let mut hits: Vec<(usize, Range<usize>)> = Vec::new();
        for (index, need, _, literal) in self.names.find(buffer.as_str()) {
            let signal = &self.signals[index];
            let wanted = signal.kind == kind
                && (signal.kinds.is_empty() || signal.kinds.iter().any(|k| k.fact() == fact.kind));
            if !wanted || hits.iter().any(|&(i, _)| i == index) {
                continue;
            }
            let range = match need {
                Need::Word => ident::find_word(name, literal),
                Need::Substring => Some(0..name.len()),
                _ => None,
            };
            if let Some(range) = range {
                let lower = name.to_lowercase();
                if !signal.unless.iter().any(|u| u.get().is_some_and(|regex| regex.is_match(&lower))) {
                    hits.push((index, at + range.start..at + range.end));
                }
            }
        }
        self.hits(hits)
    }

    fn hits(&self, mut found: Vec<(usize, Range<usize>)>) -> Vec<Hit> {
        found.sort_by_key(|&(index, _)| index);
        let hit = |(index, range): (usize, Range<usize>)| {
            let signal = &self.signals[index];
            Hit { at: signal.at, strength: signal.strength, kind: signal.kind, range }
        };
        found.into_iter().map(hit).collect()
    }
}

impl Compiled {
    /// Whether a hit overlaps another sense of the word.
    fn means_other(&self, text: &str, hit: &Range<usize>) -> bool {
        self.unless.iter().filter_map(LazyRegex::get).any(|regex| {
            regex.find_iter(text).any(|other| other.start() < hit.end && hit.start < other.end())
        })
    }
}

/// Whether Latin letters do not go on beyond a literal's own: `check in` is not in `check internet`.
fn is_whole(text: &str, range: &Range<usize>) -> bool {
    let inner = &text.as_bytes()[range.clone()];
    let alnum = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let before = range.start.checked_sub(1).and_then(|at| text.as_bytes().get(at));
    let goes_on = (alnum(inner.first()) && alnum(before))
        || (alnum(inner.last()) && alnum(text.as_bytes().get(range.end)));
    !goes_on
}

/// Where the part of a name begins that is about the thing named: a class without its package, a function with
/// its class. A package called `attendance` does not make every class in it one.
fn own_part(fact: &Fact) -> usize {
    let dots = match fact.kind {
        FactKind::Component | FactKind::Class => 0,
        FactKind::Function => 1,
        _ => return 0,
    };
    fact.value.rmatch_indices(['.', '/']).nth(dots).map_or(0, |(at, _)| at + 1)
}

/// Whether an address is a page of the package itself, which counts as a route already, or a picture or style:
/// neither is an interface that code calls.
fn is_page_or_file(address: &str) -> bool {
    let path = address.split(['?', '#']).next().unwrap_or(address);
    let local = !path.contains("://");
    let page = local && (path.starts_with("pages/") || path.contains("/pages/"));
    let file = [".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp", ".css", ".wxml", ".wxss"];
    page || file.iter().any(|ending| path.ends_with(ending)) || (local && path.ends_with(".js"))
}

/// A folded text less what stands around a label: punctuation, brackets, digits' dots.
fn trimmed(text: &str) -> &str {
    text.trim_matches(|ch: char| !ch.is_alphanumeric())
}

/// Whether a signal over permissions names nothing but interfaces that code calls and elements of templates.
/// Other kinds of signals pass.
fn is_api(signal: &Signal) -> bool {
    let mut named = signal.all.iter().flatten();
    signal.evidence != SignalKind::Permission
        || named.all(|name| name.starts_with("wx.") || name.starts_with('<'))
}

/// Refuses fields that do not belong to the kind of evidence.
fn validate(signal: &Signal) -> Result<(), String> {
    let text = !signal.phrases.is_empty() || !signal.exact.is_empty() || !signal.patterns.is_empty();
    let name = !signal.words.is_empty() || !signal.substrings.is_empty();
    let (text_ok, name_ok, all_ok, prefix_ok) = match signal.evidence {
        SignalKind::Text => (true, false, false, false),
        SignalKind::Name | SignalKind::Endpoint | SignalKind::Asset => (false, true, false, false),
        SignalKind::Permission => (false, false, true, false),
        SignalKind::Sdk => (false, false, false, true),
        SignalKind::QrCode => (true, false, false, true),
        SignalKind::State => (false, false, false, false),
    };
    let of_state = signal.days.is_some() || signal.count.is_some() || signal.state.is_some();
    if (of_state || !signal.note.is_empty()) && signal.evidence != SignalKind::State {
        return Err("state, days, count and note belong to states".into());
    }
    let all = !signal.all.is_empty();
    let prefixes = !signal.prefixes.is_empty();
    if (text && !text_ok) || (name && !name_ok) || (all && !all_ok) || (prefixes && !prefix_ok) {
        return Err("has fields of another kind of evidence".into());
    }
    if signal.evidence == SignalKind::State {
        return state(signal);
    }
    if !(text || name || all || prefixes) {
        return Err("looks for nothing".into());
    }
    if !signal.kinds.is_empty() && signal.evidence != SignalKind::Name {
        return Err("kinds belong to names".into());
    }
    if signal.evidence == SignalKind::QrCode
        && !(signal.exact.is_empty() && signal.patterns.is_empty() && signal.unless.is_empty())
    {
        return Err("codes have phrases and prefixes only".into());
    }
    if (signal.max_chars.is_some() || !signal.roles.is_empty()) && signal.evidence != SignalKind::Text {
        return Err("roles and max_chars belong to texts".into());
    }
    if let Some(word) =
        signal.words.iter().chain(&signal.substrings).find(|w| ident::letters(w) != **w || w.len() < 3)
    {
        return Err(format!("{word:?}: words are three or more lower-case letters"));
    }
    if signal.strength == Strength::Strong && (signal.evidence == SignalKind::Asset || !is_api(signal)) {
        return Err("permissions and file names are common to many apps: strength must be weak".into());
    }
    if signal.all.iter().any(Vec::is_empty) {
        return Err("a group in `all` is empty".into());
    }
    Ok(())
}

/// Refuses a state without its threshold and without the words that say what it means.
fn state(signal: &Signal) -> Result<(), String> {
    let name = signal.state.ok_or("names no state")?;
    let wanted = match name.measured() {
        MeasureKind::Plain => (false, false),
        MeasureKind::Since => (true, false),
        MeasureKind::Count => (false, true),
    };
    if (signal.days.is_some(), signal.count.is_some()) != wanted {
        return Err("a moment has `days`, a number has `count`, anything else neither".into());
    }
    if signal.note.is_empty() || signal.note_en.is_empty() {
        return Err("note and note_en have to say what the state means".into());
    }
    Ok(())
}

/// Literals one of which stands in every match of a pattern, already folded.
fn required_literals(pattern: &str) -> Result<Vec<String>, String> {
    let hir = regex_syntax::parse(pattern).map_err(|error| format!("{pattern:?}: {error}"))?;
    let literals = required(&hir).ok_or_else(|| {
        format!("{pattern:?}: every match must hold a fixed text of at least one ideograph or three letters")
    })?;
    if let Some(odd) = literals.iter().find(|literal| fold(literal) != **literal) {
        return Err(format!(
            "{pattern:?}: {odd:?} is not folded text (lower case, simplified, no spaces between ideographs)"
        ));
    }
    Ok(literals)
}

fn required(hir: &Hir) -> Option<Vec<String>> {
    match hir.kind() {
        HirKind::Literal(literal) => {
            let text = std::str::from_utf8(&literal.0).ok()?.trim().to_owned();
            (text.len() >= 3).then(|| vec![text])
        }
        HirKind::Capture(capture) => required(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => required(&repetition.sub),
        HirKind::Concat(parts) => {
            // The longest piece, and of equals the one with the fewest spellings.
            let key =
                |literals: &Vec<String>| (literals.iter().map(String::len).min(), Reverse(literals.len()));
            parts.iter().filter_map(required).max_by_key(key)
        }
        HirKind::Alternation(parts) => {
            let all: Option<Vec<Vec<String>>> = parts.iter().map(required).collect();
            all.map(|lists| lists.concat())
        }
        HirKind::Class(class) => {
            // Short classes of ideographs stand for an alternation.
            let regex_syntax::hir::Class::Unicode(class) = class else { return None };
            let mut all = Vec::new();
            for range in class.iter() {
                if range.len() + all.len() > 16 || !crate::text::is_cjk(range.start()) {
                    return None;
                }
                all.extend((range.start()..=range.end()).map(String::from));
            }
            Some(all)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_must_hold_fixed_text() {
        assert_eq!(required_literals("连续(签到|打卡)\\d+天").unwrap(), ["连续"]);
        assert_eq!(required_literals("(未|没)?打卡").unwrap(), ["打卡"]);
        assert_eq!(required_literals("[补签]卡").unwrap().len(), 1);
        assert!(required_literals("\\d+").is_err());
        assert!(required_literals("(打卡)?").is_err());
        assert!(required_literals("簽到").is_err());
    }

    #[test]
    fn labels_are_trimmed_of_decoration() {
        assert_eq!(trimmed("【签到】!"), "签到");
        assert_eq!(trimmed("・"), "");
    }
}
