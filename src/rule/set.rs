//! A directory of rule files to a valid rule set: embedded in the binary or read from `--rules DIR`.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::sync::OnceLock;

use include_dir::{Dir, include_dir};
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::check::{self, CheckFailure};
use super::guard::Guard;
use super::inventory::{self, InventoryExamples, InventoryRule, InventoryVocabulary};
use super::matcher::{self, Matcher};
use super::syntax::{Document, DocumentRef, Example, Examples, GuardFile, Rule, RuleSubject};
use super::words::Words;
use crate::ledger::Policy;
use crate::model::{Basis, Scope, TargetKind, hex};

static EMBEDDED: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/rules");

/// The same as `build.rs` has read it: a tenth of the time, and no examples.
static PREPARED: Dir<'static> = include_dir!("$OUT_DIR/rules");

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
    texts: Vec<Cow<'static, str>>,
    inventory: Vec<InventoryRule>,
    inventory_texts: Vec<Cow<'static, str>>,
    vocabulary: InventoryVocabulary,
    pub(super) guard: Guard,
    /// One for each of [`Scope::ALL`], made when a target of the scope is first judged.
    matchers: [OnceLock<Matcher>; Scope::ALL.len()],
}

/// Rule files by name: `app/check-in.yaml`.
type Files = BTreeMap<String, Cow<'static, str>>;

/// Where files are read from, and how closely they are looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    /// Of the program: a test and `rules check` look at them, so that no scan has to.
    Embedded,
    /// Of the user: everything is checked before anything is judged.
    Folder,
}

impl RuleSet {
    /// The rules embedded in the program.
    pub fn embedded() -> Result<RuleSet, RuleError> {
        let mut files = Files::new();
        collect_embedded(&EMBEDDED, &mut files);
        RuleSet::from_files(&files, Source::Embedded)
    }

    /// The rules of a directory laid out like `rules/` of this project.
    pub fn load(dir: &Path) -> Result<RuleSet, RuleError> {
        let mut files = Files::new();
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
                files.insert(name, text.into());
            }
        }
        RuleSet::from_files(&files, Source::Folder)
    }

    fn from_files(files: &Files, source: Source) -> Result<RuleSet, RuleError> {
        let thorough = source == Source::Folder;
        let mut digest = Sha256::new();
        for (name, text) in files {
            digest.update(format!("{name}\0{}\0", text.len()));
            digest.update(text.as_bytes());
        }
        let mut documents = BTreeMap::new();
        for document in read::<Vec<Document>>(files, source, "documents.yaml")? {
            if let Some(twice) = documents.insert(document.key.clone(), document) {
                return Err(error("documents.yaml", format!("key {} occurs twice", twice.key)));
            }
        }
        let guard: GuardFile = read(files, source, "guard.yaml")?;
        let guard = Guard::new(&guard, thorough).map_err(|cause| error("guard.yaml", cause))?;
        let policy: Policy = read(files, source, "policy.yaml")?;
        if thorough {
            policy.validate().map_err(|cause| error("policy.yaml", cause))?;
        }

        let words: Words = match files.contains_key("words.yaml") {
            true => read(files, source, "words.yaml")?,
            false => Words::default(),
        };
        let inside = |folder: &'static str| {
            files
                .iter()
                .filter(move |(name, _)| name.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/')))
        };
        let mut set = RuleSet {
            rules: Vec::new(),
            files: Vec::new(),
            documents,
            policy,
            digest: hex(&digest.finalize()),
            texts: Vec::new(),
            inventory: Vec::new(),
            inventory_texts: Vec::new(),
            vocabulary: InventoryVocabulary::default(),
            guard,
            matchers: [const { OnceLock::new() }; Scope::ALL.len()],
        };
        let mut ids = HashSet::new();
        let mut first = |name: &str, id: &String| match ids.insert(id.clone()) {
            true => Ok(()),
            false => Err(error(name, format!("id {id} occurs twice"))),
        };
        for scope in Scope::ALL {
            for (name, text) in inside(scope.folder()) {
                let mut rule = Rule { scope, ..read(files, source, name)? };
                words.fill(&mut rule).map_err(|cause| error(name, cause))?;
                if thorough {
                    let checked = validate(&rule, &set.documents).and_then(|()| matcher::check(&rule));
                    checked.and_then(|()| some_examples(text)).map_err(|cause| error(name, cause))?;
                }
                first(name, &rule.id)?;
                set.rules.push(rule);
                set.files.push(name.clone());
                set.texts.push(text.clone());
            }
        }
        if set.rules.is_empty() {
            return Err(error("app", "no rules"));
        }
        if files.contains_key("inventory.yaml") {
            set.vocabulary = read(files, source, "inventory.yaml")?;
        }
        for (name, text) in inside(INVENTORY) {
            let rule = InventoryRule { file: name.clone(), ..read(files, source, name)? };
            if thorough {
                let checked = inventory::validate(&rule, &set.documents);
                checked.and_then(|()| some_inventory_examples(text)).map_err(|cause| error(name, cause))?;
            }
            first(name, &rule.id)?;
            set.inventory.push(rule);
            set.inventory_texts.push(text.clone());
        }
        Ok(set)
    }

    /// The signals of the rules of a scope, ready to match.
    pub(super) fn matcher(&self, scope: Scope) -> &Matcher {
        self.matchers[scope as usize].get_or_init(|| Matcher::new(&self.rules, scope))
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
        let parse = |(text, rule): (&Cow<'_, str>, &InventoryRule)| {
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
        let parse = |(text, file): (&Cow<'_, str>, &String)| {
            examples(text).and_then(checked).map_err(|cause| error(file, cause))
        };
        self.texts.iter().zip(&self.files).map(parse).collect()
    }

    /// Runs the examples inside every rule; an empty list means that all hold.
    pub fn check(&self) -> Vec<CheckFailure> {
        check::check(self)
    }
}

fn collect_embedded(dir: &Dir<'static>, files: &mut Files) {
    for file in dir.files() {
        if file.path().extension().is_some_and(|ext| ext == "yaml")
            && let Some(text) = file.contents_utf8()
        {
            files.insert(file.path().to_string_lossy().replace('\\', "/"), text.into());
        }
    }
    for folder in dir.dirs() {
        collect_embedded(folder, files);
    }
}

/// The policy alone: of a directory of rules, or the embedded one.
pub fn policy(dir: Option<&Path>) -> Result<Policy, RuleError> {
    const FILE: &str = "policy.yaml";
    let Some(dir) = dir else { return prepared(FILE) };
    let path = dir.join(FILE);
    let name = path.display().to_string();
    let text = std::fs::read_to_string(&path).map_err(|e| error(&name, e))?;
    Policy::parse(&text).map_err(|cause| error(name, cause))
}

/// What a file says, less its examples.
fn read<T: DeserializeOwned>(files: &Files, source: Source, name: &str) -> Result<T, RuleError> {
    if source == Source::Embedded {
        return prepared(name);
    }
    let text = files.get(name).ok_or_else(|| error(name, "missing"))?;
    let head = match name.contains('/') {
        true => split(text).ok_or_else(|| error(name, "the last key of a rule must be `examples:`"))?.0,
        false => text,
    };
    serde_saphyr::from_str(head).map_err(|e| error(name, e))
}

fn prepared<T: DeserializeOwned>(name: &str) -> Result<T, RuleError> {
    let file = PREPARED.get_file(Path::new(name).with_extension("json"));
    let text = file.ok_or_else(|| error(name, "missing"))?.contents();
    serde_json::from_slice(text).map_err(|e| error(name, e))
}

/// A rule file in two: what a scan needs, and the examples, which are more than half of it.
fn split(text: &str) -> Option<(&str, &str)> {
    let at = text.find("\nexamples:")? + 1;
    Some((&text[..at], &text[at..]))
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

fn some_examples(text: &str) -> Result<(), String> {
    examples(text).and_then(checked).and_then(|e| both(e.positive.is_empty(), e.negative.is_empty()))
}

fn some_inventory_examples(text: &str) -> Result<(), String> {
    examples::<InventoryExamples>(text).and_then(|e| both(e.positive.is_empty(), e.negative.is_empty()))
}

fn both(no_positive: bool, no_negative: bool) -> Result<(), String> {
    match no_positive || no_negative {
        true => Err("a rule has examples that match and examples that do not".into()),
        false => Ok(()),
    }
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
