//! What a rule file says, exactly as written. `rules/README.md` explains each field to rule authors.

use std::fmt;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{self, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::model::{
    Category, DutyCategory, Exception, FactKind, Level, Measure, MeasureKind, Role, Scope, StateName,
    TargetKind,
};

/// One rule file (`rules/app/*.yaml`, `rules/account/*.yaml`, `rules/group/*.yaml`), less its last key `examples`, which [`super::RuleSet::examples`] gives.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The targets it speaks of: the folder of its file.
    #[serde(skip)]
    pub scope: Scope,
    /// Stable id: `app.check-in`.
    pub id: String,
    /// The prohibition the rule looks for; a rule has either this or `duty`.
    pub category: Option<Category>,
    /// The duty the rule looks for.
    pub duty: Option<DutyCategory>,
    /// Title in Chinese.
    pub title: String,
    /// Title in English.
    pub title_en: String,
    /// What the function is, in Chinese.
    pub what: String,
    /// What the function is, in English.
    pub what_en: String,
    /// Why it is prohibited or required, in Chinese.
    pub why: String,
    /// Why it is prohibited or required, in English.
    pub why_en: String,
    /// Clauses the rule rests on, each for some kinds of target.
    pub basis: Vec<DocumentRef>,
    /// When the function is allowed.
    #[serde(default)]
    pub exceptions: Vec<Exception>,
    /// What counts as evidence.
    pub signals: Vec<Signal>,
    /// The rule speaks only of targets of which one of these states was observed.
    #[serde(default)]
    pub when: Vec<StateName>,
    /// Duties only: that nothing was seen does not show that there is nothing.
    #[serde(default)]
    pub absence_is_unknown: bool,
    /// Duties only: signals that must all be seen.
    #[serde(default)]
    pub needs: Vec<String>,
    /// What the owner has to do, in Chinese.
    pub remediation: String,
    /// What the owner has to do, in English.
    pub remediation_en: String,
}

/// What a rule looks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RuleSubject {
    /// A prohibited function.
    Prohibition(Category),
    /// A required function.
    Duty(DutyCategory),
}

/// A clause of a document of `rules/documents.yaml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DocumentRef {
    /// Key in `rules/documents.yaml`.
    pub document: String,
    /// Clause as cited, in Chinese.
    pub clause: String,
    /// Clause as cited, in English.
    pub clause_en: String,
    /// What the clause says, in Chinese.
    pub text: String,
    /// What the clause says, in English.
    pub text_en: String,
    /// Kinds of target it applies to.
    pub targets: Vec<TargetKind>,
}

/// One entry of `rules/documents.yaml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// Key used by the rules.
    pub key: String,
    /// Full name with number, in Chinese.
    pub name: String,
    /// Full name with number, in English.
    pub name_en: String,
    /// Date of issue as far as known: `2026-01-25`.
    pub issued: String,
    /// Whom it covers, in Chinese.
    pub scope: String,
    /// Whom it covers, in English.
    pub scope_en: String,
    /// Where its text was seen.
    pub source: String,
}

/// How much a signal says on its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Strength {
    /// Counts only beside other evidence, even as the label of a widget: 立即转发 on the page of a task.
    Slight,
    /// Counts beside other evidence, or as the label of a widget or a title.
    Weak,
    /// The function's own word.
    Strong,
}

/// Kinds of signal; each gives evidence of the kind of the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignalKind {
    /// Text of the user interface.
    Text,
    /// Names of components, classes, layouts, widgets, routes, functions.
    Name,
    /// Addresses that the code calls.
    Endpoint,
    /// A set of permissions or APIs.
    Permission,
    /// Third-party SDKs by prefix.
    Sdk,
    /// Names of pictures and other assets.
    Asset,
    /// What QR codes in pictures say.
    QrCode,
    /// What is observed of an account or a group as a whole.
    State,
}

/// One signal of a rule. Which fields apply depends on `evidence`; [`super::RuleSet`] refuses the others.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signal {
    /// Name within the rule.
    pub id: String,
    /// Kind of evidence it gives.
    pub evidence: SignalKind,
    /// How much it says on its own.
    pub strength: Strength,
    /// Part of the rule's subject it speaks of (`ad` and `shop` of commerce); only evidence of the same facet
    /// bears each other out. Empty: the subject as a whole.
    #[serde(default)]
    pub facet: String,
    /// Text: literal substrings. QR code: pieces of the address, in lower case.
    #[serde(default)]
    pub phrases: Vec<String>,
    /// Text: the whole text, less punctuation at its ends.
    #[serde(default)]
    pub exact: Vec<String>,
    /// Text: regular expressions, each with a piece of fixed text.
    #[serde(default)]
    pub patterns: Vec<String>,
    /// Text: only in these roles.
    #[serde(default)]
    pub roles: Vec<RoleName>,
    /// Text: only texts of at most this many characters.
    pub max_chars: Option<usize>,
    /// Text: other senses of the word. Names: identifiers that mean something else.
    #[serde(default)]
    pub unless: Vec<String>,
    /// Name, endpoint, asset: lower-case words matched on the parts of an identifier.
    #[serde(default)]
    pub words: Vec<String>,
    /// Name, endpoint, asset: distinctive spellings matched anywhere in an identifier.
    #[serde(default)]
    pub substrings: Vec<String>,
    /// Name: only these kinds of identifier.
    #[serde(default)]
    pub kinds: Vec<NameKind>,
    /// Permission: groups, each of which must have a member present.
    #[serde(default)]
    pub all: Vec<Vec<String>>,
    /// SDK: dotted prefixes. QR code: how the address begins, after its scheme.
    #[serde(default)]
    pub prefixes: Vec<String>,
    /// State: which one.
    pub state: Option<StateName>,
    /// State: at least so many days after the moment it is measured from.
    pub days: Option<u32>,
    /// State: at least so many.
    pub count: Option<u64>,
    /// State: what it means and where the threshold comes from, in Chinese.
    #[serde(default)]
    pub note: String,
    /// State: the same in English.
    #[serde(default)]
    pub note_en: String,
}

/// Roles as rule files name them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "each is the role of the same name")]
pub enum RoleName {
    Control,
    Title,
    Label,
    Hint,
    Message,
    Item,
    Code,
    Resource,
    Body,
    Document,
    Log,
    Comment,
}

impl RoleName {
    /// The role it names.
    pub fn role(self) -> Role {
        match self {
            RoleName::Control => Role::Control,
            RoleName::Title => Role::Title,
            RoleName::Label => Role::Label,
            RoleName::Hint => Role::Hint,
            RoleName::Message => Role::Message,
            RoleName::Item => Role::Item,
            RoleName::Code => Role::Code,
            RoleName::Resource => Role::Resource,
            RoleName::Body => Role::Body,
            RoleName::Document => Role::Document,
            RoleName::Log => Role::Log,
            RoleName::Comment => Role::Comment,
        }
    }
}

/// Kinds of identifier as rule files name them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "each is the fact kind of the same name")]
pub enum NameKind {
    Component,
    Class,
    Layout,
    Route,
    WidgetId,
    Function,
}

impl NameKind {
    /// The fact kind it names.
    pub fn fact(self) -> FactKind {
        match self {
            NameKind::Component => FactKind::Component,
            NameKind::Class => FactKind::Class,
            NameKind::Layout => FactKind::Layout,
            NameKind::Route => FactKind::Route,
            NameKind::WidgetId => FactKind::WidgetId,
            NameKind::Function => FactKind::Function,
        }
    }
}

/// A rule's own tests.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Examples {
    /// Must come out as suspected or confirmed (or as `expect` says).
    #[serde(rename = "match")]
    pub positive: Vec<Example>,
    /// Must give nothing, or only a mention.
    #[serde(rename = "no_match")]
    pub negative: Vec<Example>,
}

/// One example: a bare string is the strongest place that a text can have.
#[derive(Debug, Clone)]
pub enum Example {
    /// The label of a button on a reachable screen; of accounts, a sentence of an article; of groups, a message.
    Text(String),
    /// Anything else.
    Case(Box<Case>),
}

// Written out, as a derived untagged enum would hide which field of a case is wrong.
impl<'de> Deserialize<'de> for Example {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Example;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a mapping (text, role, component, endpoint, ...)")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Example, E> {
                Ok(Example::Text(text.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Example, A::Error> {
                let case = Case::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Example::Case(Box::new(case)))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// An example spelled out.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Case {
    /// Texts.
    pub text: OneOrMany,
    /// Their role; that of a bare string if not given.
    pub role: Option<RoleName>,
    /// Title of the page the texts are on.
    pub page: Option<String>,
    /// Component names.
    pub component: OneOrMany,
    /// Class names.
    pub class: OneOrMany,
    /// Layout names.
    pub layout: OneOrMany,
    /// Page paths.
    pub route: OneOrMany,
    /// Widget ids.
    #[serde(rename = "widget-id")]
    pub widget_id: OneOrMany,
    /// Function names.
    pub function: OneOrMany,
    /// Endpoints.
    pub endpoint: OneOrMany,
    /// Permissions and APIs.
    pub permission: OneOrMany,
    /// SDK prefixes.
    pub sdk: OneOrMany,
    /// Asset paths.
    pub asset: OneOrMany,
    /// Contents of QR codes.
    #[serde(rename = "qr-code")]
    pub qr_code: OneOrMany,
    /// States, each with its measure.
    pub state: Vec<StateCase>,
    /// The level it must have; for duties `confirmed` and `suspected` both mean met.
    pub expect: Option<Level>,
}

impl Case {
    /// What it names: the kind, its spelling in rule files, the name.
    pub fn names(&self) -> impl Iterator<Item = (FactKind, &'static str, &str)> {
        let all = [
            (FactKind::Component, "component", &self.component),
            (FactKind::Class, "class", &self.class),
            (FactKind::Layout, "layout", &self.layout),
            (FactKind::Route, "route", &self.route),
            (FactKind::WidgetId, "widget-id", &self.widget_id),
            (FactKind::Function, "function", &self.function),
            (FactKind::Endpoint, "endpoint", &self.endpoint),
            (FactKind::Permission, "permission", &self.permission),
            (FactKind::Sdk, "sdk", &self.sdk),
            (FactKind::Asset, "asset", &self.asset),
            (FactKind::QrCode, "qr-code", &self.qr_code),
        ];
        all.into_iter().flat_map(|(kind, spelling, names)| {
            names.as_slice().iter().map(move |name| (kind, spelling, name.as_str()))
        })
    }
}

/// A state in an example.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StateCase {
    /// Which one.
    pub name: StateName,
    /// Days since the moment it is measured from.
    pub days: Option<u32>,
    /// How many.
    pub count: Option<u64>,
}

/// The day that examples are judged on, in seconds since 1970: 2026-06-30.
pub(super) const TODAY: i64 = 1_782_777_600;

impl fmt::Display for StateCase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.name.serialize(&mut *f)?;
        match self.days.map(u64::from).or(self.count) {
            Some(measure) => write!(f, " {measure}"),
            None => Ok(()),
        }
    }
}

impl StateCase {
    /// Its measure; `None` when it is not one of the state.
    pub(super) fn measure(&self) -> Option<Measure> {
        match (self.name.measured(), self.days, self.count) {
            (MeasureKind::Plain, None, None) => Some(Measure::Plain),
            (MeasureKind::Count, None, Some(count)) => Some(Measure::Count(count)),
            (MeasureKind::Since, Some(days), None) => {
                jiff::Timestamp::from_second(TODAY - i64::from(days) * 86_400).ok().map(Measure::Since)
            }
            _ => None,
        }
    }
}

/// A string or a list of strings.
#[derive(Debug, Clone)]
pub enum OneOrMany {
    /// One.
    One(String),
    /// Several.
    Many(Vec<String>),
}

impl Default for OneOrMany {
    fn default() -> Self {
        OneOrMany::Many(Vec::new())
    }
}

impl<'de> Deserialize<'de> for OneOrMany {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = OneOrMany;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a list of texts")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<OneOrMany, E> {
                Ok(OneOrMany::One(text.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<OneOrMany, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(seq)).map(OneOrMany::Many)
            }
        }
        deserializer.deserialize_any(Either)
    }
}

impl OneOrMany {
    /// The strings.
    pub fn as_slice(&self) -> &[String] {
        match self {
            OneOrMany::One(one) => std::slice::from_ref(one),
            OneOrMany::Many(many) => many,
        }
    }
}

/// `rules/guard.yaml`: what turns any hit into a mention.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GuardFile {
    /// Words that deny or fight the function (取消, 严禁).
    pub(super) negation: Vec<String>,
    /// Regular expressions of wordings in which such a word or a quotation mark denies nothing (不要忘记, 点击“).
    pub(super) affirmation: Vec<String>,
    /// How many characters around a hit such a word acts.
    pub(super) window: usize,
    /// Pairs of quotation marks: `“”`.
    pub(super) quotes: Vec<String>,
    /// Regular expressions that show that a text or file is an agreement, a policy or news.
    pub(super) document_titles: Vec<String>,
    /// Regular expressions of titles of articles about the campaign, about rules, or about the deeds of others.
    pub(super) report_titles: Vec<String>,
    /// Regular expressions of texts that belong to a complaint page about formalism.
    pub(super) complaint_page: Vec<String>,
}
