//! Classes of words that rules share: `<unit>` in a pattern stands for the alternation of that name in `words.yaml`.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::syntax::Rule;

/// The classes, each a regular expression on folded text.
#[derive(Debug, Default, Deserialize)]
#[serde(transparent)]
pub(super) struct Words(BTreeMap<String, String>);

impl Words {
    /// Puts the classes into the patterns of a rule. An error names the signal and the class that is not there.
    pub(super) fn fill(&self, rule: &mut Rule) -> Result<(), String> {
        for signal in &mut rule.signals {
            for pattern in signal.patterns.iter_mut().chain(&mut signal.unless) {
                if let Some(filled) =
                    self.filled(pattern).map_err(|e| format!("signal {}: {e}", signal.id))?
                {
                    *pattern = filled;
                }
            }
        }
        Ok(())
    }

    /// A pattern with its classes put in; `None` if it names none.
    fn filled(&self, pattern: &str) -> Result<Option<String>, String> {
        let mut filled = String::new();
        let mut rest = pattern;
        while let Some((before, name, after)) = next_class(rest) {
            let class =
                self.0.get(name).ok_or_else(|| format!("{pattern:?}: no class of words is called {name}"))?;
            filled.push_str(before);
            filled.extend(["(?:", class.as_str(), ")"]);
            rest = after;
        }
        Ok((rest.len() < pattern.len()).then(|| filled + rest))
    }
}

/// What stands before the first `<name>`, the name, and what stands behind it.
fn next_class(pattern: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = pattern.split_once('<')?;
    let (name, after) = rest.split_once('>')?;
    Some((before, name, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_stand_in_patterns_by_name() {
        let words: Words = serde_saphyr::from_str("unit: 单位|支部\nnum: '[0-9]+'\n").unwrap();
        let filled = words.filled("<unit>第<num>名").unwrap();
        assert_eq!(filled.as_deref(), Some("(?:单位|支部)第(?:[0-9]+)名"));
        assert_eq!(words.filled("打卡").unwrap(), None);
        assert!(words.filled("<units>排名").unwrap_err().contains("units"));
    }
}
