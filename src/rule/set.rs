//! A directory of rule files to a valid rule set: embedded in the binary or read from `--rules DIR`.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use include_dir::{Dir, include_dir};
use rayon::prelude::*;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::check::{self, CheckFailure};
use super::guard::Guard;
use super::inventory::{self, InventoryExamples, InventoryRule, InventoryVocabulary};
use super::matcher::Matcher;
use super::syntax::{Document, DocumentRef, Example, Examples, GuardFile, Rule, RuleSubject};
use super::words::Words;
use crate::ledger::Policy;
use crate::model::{Basis, Scope, TargetKind, hex};

static EMBEDDED: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/rules");

/// A rule file is a page of text; anything larger is a mistake.
const MAX_FILE: u64 = 1 << 20;

/// The folder of the rules about an inventory as a whole.
const INVENTORY: &str = "inventory";

/// Why rules could not be loaded: the file, and what is wrong in it.
#[derive(Debug, Error)]
#[error("{file}: {cause}")]
pub struct RuleError {
    /// Path of the file within the rules directory.
    pub file: String,
    /// What is wrong, with line and column where the YAML itself is.
    pub cause: String,
}

fn error(file: impl Into<String>, cause: impl ToString) -> RuleError {
    RuleError { file: file.into(), cause: cause.to_string() }
}

/// Valid rules, with their documents, guard and policy.
#[derive(Debug)]
pub struct RuleSet {
    rules: Vec<Rule>,
    files: Vec<String>,
    documents: BTreeMap<String, Document>,
    policy: Policy,
    digest: String,
    /// The text of each rule file, for the examples.
    texts: Vec<String>,
    inventory: Vec<InventoryRule>,
    inventory_texts: Vec<String>,
    vocabulary: InventoryVocabulary,
    pub(super) guard: Guard,
    /// One for each of [`Scope::ALL`].
    matchers: Vec<Matcher>,
}

impl RuleSet {
    /// The rules embedded in the program.
    pub fn embedded() -> Result<RuleSet, RuleError> {
        let mut files = BTreeMap::new();
        collect_embedded(&EMBEDDED, &mut files);
        // Its patterns are compiled by a test and by `rules check`; compiling them in every scan is waste.
        RuleSet::from_files(&files, false)
    }

    /// The rules of a directory laid out like `rules/` of this project.
    pub fn load(dir: &Path) -> Result<RuleSet, RuleError> {
        let mut files = BTreeMap::new();
        for folder in ["", INVENTORY].into_iter().chain(Scope::ALL.map(Scope::folder)) {
            let path = dir.join(folder);
            if !folder.is_empty() && !path.exists() {
                continue;
            }
            let entries = std::fs::read_dir(&path).map_err(|e| error(path.display().to_string(), e))?;
            for entry in entries {
                let entry = entry.map_err(|e| error(path.display().to_string(), e))?;
                let file = entry.path();
                if file.extension().is_none_or(|ext| ext != "yaml") {
                    continue;
                }
                let name = file.strip_prefix(dir).unwrap_or(&file).to_string_lossy().replace('\\', "/");
                let size = entry.metadata().map_err(|e| error(&name, e))?.len();
                if size > MAX_FILE {
                    return Err(error(name, format!("{size} bytes; a rule file has at most {MAX_FILE}")));
                }
                let text = std::fs::read_to_string(&file).map_err(|e| error(&name, e))?;
                files.insert(name, text);
            }
        }
        RuleSet::from_files(&files, true)
    }

    fn from_files(files: &BTreeMap<String, String>, thorough: bool) -> Result<RuleSet, RuleError> {
        let mut digest = Sha256::new();
        for (name, text) in files {
            digest.update(format!("{name}\0{}\0", text.len()));
            digest.update(text);
        }
        let documents: Vec<Document> = read(files, "documents.yaml")?;
        let mut by_key = BTreeMap::new();
        for document in documents {
            if let Some(twice) = by_key.insert(document.key.clone(), document) {
                return Err(error("documents.yaml", format!("key {} occurs twice", twice.key)));
            }
        }
        let guard: GuardFile = read(files, "guard.yaml")?;
        let guard = Guard::new(&guard, thorough).map_err(|cause| error("guard.yaml", cause))?;
        let policy: Policy = read(files, "policy.yaml")?;
        if thorough {
            policy.validate().map_err(|cause| error("policy.yaml", cause))?;
        }

        let words: Words = match files.contains_key("words.yaml") {
            true => read(files, "words.yaml")?,
            false => Words::default(),
        };
        let inside = |folder: &'static str| {
            files
                .iter()
                .filter(move |(name, _)| name.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/')))
        };
        let in_folder: Vec<(Scope, &String, &String)> = Scope::ALL
            .iter()
            .flat_map(|scope| inside(scope.folder()).map(|(name, text)| (*scope, name, text)))
            .collect();
        let parsed: Vec<Result<Rule, RuleError>> = in_folder
            .par_iter()
            .map(|(scope, name, text)| parse(*scope, name, text, &by_key, &words, thorough))
            .collect();
        let mut rules: Vec<Rule> = Vec::new();
        let mut ids = HashSet::new();
        for ((_, name, _), rule) in in_folder.iter().zip(parsed) {
            let rule = rule?;
            if !ids.insert(rule.id.clone()) {
                return Err(error(*name, format!("id {} occurs twice", rule.id)));
            }
            rules.push(rule);
        }
        let vocabulary = match files.contains_key("inventory.yaml") {
            true => read(files, "inventory.yaml")?,
            false => InventoryVocabulary::default(),
        };
        let mut inventory = Vec::new();
        let mut inventory_texts = Vec::new();
        for (name, text) in inside(INVENTORY) {
            let rule = parse_inventory(name, text, &by_key, thorough)?;
            if !ids.insert(rule.id.clone()) {
                return Err(error(name, format!("id {} occurs twice", rule.id)));
            }
            inventory.push(rule);
            inventory_texts.push(text.clone());
        }
        let names: Vec<String> = in_folder.iter().map(|(_, name, _)| (*name).clone()).collect();
        let texts = in_folder.iter().map(|(_, _, text)| (*text).clone()).collect();
        if rules.is_empty() {
            return Err(error("app", "no rules"));
        }
        let compile = |scope: &Scope| Matcher::new(&rules, *scope, thorough);
        let matchers: Result<Vec<Matcher>, (usize, String)> = Scope::ALL.par_iter().map(compile).collect();
        let matchers = matchers.map_err(|(rule, cause)| error(&names[rule], cause))?;
        Ok(RuleSet {
            rules,
            files: names,
            documents: by_key,
            policy,
            digest: hex(&digest.finalize()),
            texts,
            inventory,
            inventory_texts,
            vocabulary,
            guard,
            matchers,
        })
    }

    /// The signals of the rules of a scope, ready to match.
    pub(super) fn matcher(&self, scope: Scope) -> &Matcher {
        &self.matchers[scope as usize]
    }

    /// The rules: those of apps, of accounts, of groups, each in the order of their file names.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The file of the rule at an index of [`RuleSet::rules`].
    pub fn file(&self, index: usize) -> &str {
        self.files.get(index).map_or("", String::as_str)
    }

    /// SHA-256 over all files in name order, lower-case hex.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The documents that rules may cite, by key.
    pub fn documents(&self) -> impl Iterator<Item = &Document> {
        self.documents.values()
    }

    /// The rule of an id: `app.check-in`, with its file.
    pub fn find(&self, id: &str) -> Option<(&Rule, &str)> {
        let index = self.rules.iter().position(|rule| rule.id == id)?;
        Some((&self.rules[index], self.file(index)))
    }

    /// The rules about an inventory as a whole, in the order of their file names.
    pub fn inventory(&self) -> &[InventoryRule] {
        &self.inventory
    }

    /// What the rules about inventories share.
    pub fn vocabulary(&self) -> &InventoryVocabulary {
        &self.vocabulary
    }

    /// The examples of each rule, in the order of [`RuleSet::inventory`]. They are parsed only when asked for.
    pub fn inventory_examples(&self) -> Result<Vec<InventoryExamples>, RuleError> {
        let parse = |(text, rule): (&String, &InventoryRule)| {
            examples(text).map_err(|cause| error(&rule.file, cause))
        };
        self.inventory_texts.iter().zip(&self.inventory).map(parse).collect()
    }

    /// The policy of the colour code.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The clauses a rule rests on for one kind of target, with the documents' full names.
    pub fn basis(&self, rule: &Rule, kind: TargetKind) -> Vec<Basis> {
        self.clauses(&rule.basis, &[kind])
    }

    /// Those of some clauses that hold for any of these kinds of target, with the documents' full names.
    pub fn clauses(&self, clauses: &[DocumentRef], kinds: &[TargetKind]) -> Vec<Basis> {
        let applies = |r: &&DocumentRef| r.targets.iter().any(|kind| kinds.contains(kind));
        let named = |r: &DocumentRef| {
            let document = self.documents.get(&r.document)?;
            Some(Basis {
                document: document.name.clone(),
                clause: r.clause.clone(),
                text: r.text.clone(),
                document_en: document.name_en.clone(),
                clause_en: r.clause_en.clone(),
                text_en: r.text_en.clone(),
                scope: document.scope.clone(),
                scope_en: document.scope_en.clone(),
            })
        };
        clauses.iter().filter(applies).filter_map(named).collect()
    }

    /// The examples of each rule, in the order of [`RuleSet::rules`]. They are parsed only when asked for.
    pub fn examples(&self) -> Result<Vec<Examples>, RuleError> {
        let parse = |(text, file): (&String, &String)| {
            examples(text).and_then(checked).map_err(|cause| error(file, cause))
        };
        self.texts.iter().zip(&self.files).map(parse).collect()
    }

    /// Runs the examples inside every rule; an empty list means that all hold.
    pub fn check(&self) -> Vec<CheckFailure> {
        check::check(self)
    }
}

fn collect_embedded(dir: &Dir<'_>, files: &mut BTreeMap<String, String>) {
    for file in dir.files() {
        if file.path().extension().is_some_and(|ext| ext == "yaml")
            && let Some(text) = file.contents_utf8()
        {
            files.insert(file.path().to_string_lossy().replace('\\', "/"), text.to_owned());
        }
    }
    for folder in dir.dirs() {
        collect_embedded(folder, files);
    }
}

/// The policy alone: of a directory of rules, or the embedded one.
pub fn policy(dir: Option<&Path>) -> Result<Policy, RuleError> {
    const FILE: &str = "policy.yaml";
    let Some(dir) = dir else {
        let text = EMBEDDED.get_file(FILE).and_then(|file| file.contents_utf8());
        // It is validated by a test.
        return serde_saphyr::from_str(text.unwrap_or_default()).map_err(|e| error(FILE, e));
    };
    let path = dir.join(FILE);
    let name = path.display().to_string();
    let text = std::fs::read_to_string(&path).map_err(|e| error(&name, e))?;
    Policy::parse(&text).map_err(|cause| error(name, cause))
}

fn read<T: DeserializeOwned>(files: &BTreeMap<String, String>, name: &str) -> Result<T, RuleError> {
    let text = files.get(name).ok_or_else(|| error(name, "missing"))?;
    serde_saphyr::from_str(text).map_err(|e| error(name, e))
}

fn parse(
    scope: Scope,
    name: &str,
    text: &str,
    documents: &BTreeMap<String, Document>,
    words: &Words,
    thorough: bool,
) -> Result<Rule, RuleError> {
    let (head, _) = split(text).ok_or_else(|| error(name, "the last key of a rule must be `examples:`"))?;
    let rule: Rule = serde_saphyr::from_str(head).map_err(|e| error(name, e))?;
    let mut rule = Rule { scope, ..rule };
    words.fill(&mut rule).map_err(|cause| error(name, cause))?;
    validate(&rule, documents).map_err(|cause| error(name, cause))?;
    if thorough {
        let examples = examples(text).and_then(checked).map_err(|cause| error(name, cause))?;
        if examples.positive.is_empty() || examples.negative.is_empty() {
            return Err(error(name, "a rule has examples that match and examples that do not"));
        }
    }
    Ok(rule)
}

/// A rule file in two: what a scan needs, and the examples, which are more than half of it.
fn split(text: &str) -> Option<(&str, &str)> {
    let at = text.find("\nexamples:")? + 1;
    Some((&text[..at], &text[at..]))
}

/// A rule about inventories.
fn parse_inventory(
    name: &str,
    text: &str,
    documents: &BTreeMap<String, Document>,
    thorough: bool,
) -> Result<InventoryRule, RuleError> {
    let (head, _) = split(text).ok_or_else(|| error(name, "the last key of a rule must be `examples:`"))?;
    let mut rule: InventoryRule = serde_saphyr::from_str(head).map_err(|e| error(name, e))?;
    rule.file = name.to_owned();
    inventory::validate(&rule, documents).map_err(|cause| error(name, cause))?;
    if thorough {
        let examples: InventoryExamples = examples(text).map_err(|cause| error(name, cause))?;
        if examples.positive.is_empty() || examples.negative.is_empty() {
            return Err(error(name, "a rule has examples that match and examples that do not"));
        }
    }
    Ok(rule)
}

/// The examples of a rule file. Errors give the line in the whole file.
fn examples<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Tail<T> {
        examples: T,
    }
    let (head, tail) = split(text).ok_or("examples are missing")?;
    // Empty lines in place of the head keep the line numbers.
    let padded = "\n".repeat(head.matches('\n').count()) + tail;
    serde_saphyr::from_str::<Tail<T>>(&padded).map(|tail| tail.examples).map_err(|e| e.to_string())
}

fn checked(examples: Examples) -> Result<Examples, String> {
    for example in examples.positive.iter().chain(&examples.negative) {
        let Example::Case(case) = example else { continue };
        if let Some(odd) = case.state.iter().find(|state| state.measure().is_none()) {
            return Err(format!("state {:?} has the measure of another", odd.name));
        }
    }
    Ok(examples)
}

/// Whether clauses are there for all of these kinds of target, of documents that are known.
pub(super) fn cited(
    basis: &[DocumentRef],
    documents: &BTreeMap<String, Document>,
    kinds: &[TargetKind],
) -> Result<(), String> {
    if basis.is_empty() {
        return Err("basis is empty: a rule without a legal basis accuses nobody".into());
    }
    if let Some(unknown) = basis.iter().find(|basis| !documents.contains_key(&basis.document)) {
        return Err(format!("document {} is not in documents.yaml", unknown.document));
    }
    let cited = |kind: &&TargetKind| basis.iter().any(|basis| basis.targets.contains(kind));
    match kinds.iter().find(|kind| !cited(kind)) {
        Some(bare) => Err(format!("no basis applies to {}: the rule would accuse it without one", bare.en())),
        None => Ok(()),
    }
}

fn validate(rule: &Rule, documents: &BTreeMap<String, Document>) -> Result<(), String> {
    rule.subject().ok_or("a rule has either category or duty")?;
    cited(&rule.basis, documents, rule.scope.kinds())?;
    let mut ids = HashSet::new();
    if let Some(twice) = rule.signals.iter().find(|signal| !ids.insert(signal.id.as_str())) {
        return Err(format!("signal {} occurs twice", twice.id));
    }
    if let Some(unknown) = rule.needs.iter().find(|need| !ids.contains(need.as_str())) {
        return Err(format!("needs names {unknown}, which is no signal"));
    }
    if (!rule.needs.is_empty() || rule.absence_is_unknown) && rule.duty.is_none() {
        return Err("needs and absence_is_unknown belong to duties".into());
    }
    Ok(())
}

impl Rule {
    /// What the rule looks for; `None` when it names neither or both.
    pub fn subject(&self) -> Option<RuleSubject> {
        match (self.category, self.duty) {
            (Some(category), None) => Some(RuleSubject::Prohibition(category)),
            (None, Some(duty)) => Some(RuleSubject::Duty(duty)),
            _ => None,
        }
    }
}
