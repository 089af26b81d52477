//! What a rule about a whole inventory says (`rules/inventory/*.yaml`), and what such rules share
//! (`rules/inventory.yaml`), exactly as written. `rules/README.md` explains each field to rule authors.

use std::collections::{BTreeMap, HashSet};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::syntax::{Document, DocumentRef};
use crate::model::{Audience, Exception, Level, OfficeLevel, RosterEntry, RosterStatus, TargetKind};

/// One rule file, less its last key `examples`, which [`super::RuleSet::inventory_examples`] gives.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InventoryRule {
    /// Its file within the rules directory.
    #[serde(skip)]
    pub file: String,
    /// Stable id: `inventory.quota`.
    pub id: String,
    /// Title in Chinese.
    pub title: String,
    /// Title in English.
    pub title_en: String,
    /// What is looked for, in Chinese.
    pub what: String,
    /// What is looked for, in English.
    pub what_en: String,
    /// Why it is prohibited or required, in Chinese.
    pub why: String,
    /// Why it is prohibited or required, in English.
    pub why_en: String,
    /// Kinds of target the rule speaks of.
    pub targets: Vec<TargetKind>,
    /// Clauses the rule rests on, each for some kinds of target.
    pub basis: Vec<DocumentRef>,
    /// When it is allowed.
    #[serde(default)]
    pub exceptions: Vec<Exception>,
    /// What is counted or compared, and the thresholds.
    pub check: InventoryCheck,
    /// Where the thresholds come from, in Chinese.
    pub note: String,
    /// Where the thresholds come from, in English.
    pub note_en: String,
    /// What the owner has to do, in Chinese.
    pub remediation: String,
    /// What the owner has to do, in English.
    pub remediation_en: String,
}

/// What a rule counts or compares.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InventoryCheck {
    /// At most so many.
    Quota(Quota),
    /// Fields of the roster that are not filled in.
    Missing(Missing),
    /// In use without a filing number after a day.
    FilingDeadline(FilingDeadline),
    /// Another number in the field of the filing number.
    FilingNumber(FilingNumber),
    /// One target under two rows, two targets under one name.
    Duplicate(Duplicate),
    /// Apps with the same functions.
    Overlap(Overlap),
    /// Forms of several apps that ask for the same.
    RepeatedFields(Overlap),
}

impl InventoryCheck {
    /// The spelling in rule files.
    pub fn name(&self) -> &'static str {
        match self {
            InventoryCheck::Quota(_) => "quota",
            InventoryCheck::Missing(_) => "missing",
            InventoryCheck::FilingDeadline(_) => "filing-deadline",
            InventoryCheck::FilingNumber(_) => "filing-number",
            InventoryCheck::Duplicate(_) => "duplicate",
            InventoryCheck::Overlap(_) => "overlap",
            InventoryCheck::RepeatedFields(_) => "repeated-fields",
        }
    }
}

/// At most so many targets that are in use.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quota {
    /// Of owners of these levels; empty: of all, known or not.
    #[serde(default)]
    pub levels: Vec<OfficeLevel>,
    /// Only what faces the grass roots counts. What may face them, as the roster does not say, suspects.
    #[serde(default)]
    pub grassroots: bool,
    /// What is counted together.
    pub per: Per,
    /// How many are allowed.
    pub max: usize,
    /// An app and a mini program of one name are one service in two forms: where only the forms exceed the number,
    /// it is suspected.
    #[serde(default)]
    pub forms_together: bool,
    /// Level of what exceeds the number.
    pub level: Level,
    /// Level where what has no filing number would not exceed it alone: the filing authority has let the others pass.
    pub filed: Option<Level>,
}

/// What is counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Per {
    /// What one unit is responsible for.
    Owner,
    /// What the units of one level have in one region.
    Region,
    /// What one unit has on one platform.
    OwnerPlatform,
}

/// Fields that have to be filled in.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Missing {
    /// Each with the kinds of target that need it.
    pub fields: Vec<FieldDuty>,
}

/// A field that has to be filled in.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldDuty {
    /// Which one.
    pub field: RosterField,
    /// The kinds of target that need it; empty: all of the rule.
    #[serde(default)]
    pub targets: Vec<TargetKind>,
    /// Level of its lack.
    pub level: Level,
}

/// Fields of a roster entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "each is the field of the same name")]
pub enum RosterField {
    Id,
    Name,
    Owner,
    Level,
    Region,
    Audience,
    Grassroots,
    Platform,
    Filing,
    Icp,
    Contact,
}

impl RosterField {
    /// The heading in Chinese.
    pub fn zh(self) -> &'static str {
        match self {
            RosterField::Id => "标识",
            RosterField::Name => "名称",
            RosterField::Owner => "主办单位",
            RosterField::Level => "层级",
            RosterField::Region => "地区",
            RosterField::Audience => "服务对象",
            RosterField::Grassroots => "是否面向基层",
            RosterField::Platform => "平台",
            RosterField::Filing => "备案编号",
            RosterField::Icp => "ICP备案号",
            RosterField::Contact => "联系人",
        }
    }

    /// The heading in English.
    pub fn en(self) -> &'static str {
        match self {
            RosterField::Id => "id",
            RosterField::Name => "name",
            RosterField::Owner => "owner",
            RosterField::Level => "level",
            RosterField::Region => "region",
            RosterField::Audience => "audience",
            RosterField::Grassroots => "grassroots",
            RosterField::Platform => "platform",
            RosterField::Filing => "filing number",
            RosterField::Icp => "ICP number",
            RosterField::Contact => "contact",
        }
    }
}

/// In use without a filing number.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FilingDeadline {
    /// Day of issue of the measures: what goes online after it is filed first.
    pub issued: Date,
    /// The last day for what was online by then.
    pub deadline: Date,
    /// Level for targets of these audiences.
    pub audiences: BTreeMap<Audience, Level>,
    /// Level where the roster does not say the audience.
    pub unknown: Level,
}

/// Another number in the field of the filing number; `not_filing` of [`InventoryVocabulary`] knows them.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FilingNumber {
    /// Its level.
    pub level: Level,
}

/// One target under two rows, two targets under one name.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Duplicate {
    /// One id of the platform under two names or two owners.
    pub names_differ: Level,
    /// One id of the platform in several rows with the same name and owner.
    pub repeated: Level,
    /// Two ids of one kind and one unit under one name.
    pub same_name: Level,
}

/// How alike two lists of labels are. Labels weigh the more the fewer targets have them.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Overlap {
    /// Shared labels there must be.
    pub min_shared: usize,
    /// From this share of the weight of the smaller list in the larger one it is suspected; above 0, at most 1.
    pub suspected: f64,
    /// From this share it is mentioned.
    pub mention: f64,
}

/// `rules/inventory.yaml`: what rules about inventories share.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct InventoryVocabulary {
    /// Values that say that a field is empty: 无, 待办.
    pub blanks: Vec<String>,
    /// Numbers that are no filing number of the Cyberspace Administration, by what they contain.
    pub not_filing: Vec<NotFiling>,
    /// Platforms by one name, with their other names.
    pub platforms: BTreeMap<String, Vec<String>>,
    /// What is added to a name without making it another: 客户端, 新版.
    pub name_suffixes: Vec<String>,
    /// How many parts of the region (`某省/某市/某县`) make the region within which functions are compared and
    /// consolidated; 0: all of them.
    pub region_parts: usize,
    /// Labels of functions.
    pub functions: Labels,
    /// Labels of what is filled in.
    pub fields: Labels,
    /// The platforms that consolidation leads to, by audience.
    pub consolidate_into: BTreeMap<Audience, String>,
}

/// A number that is another.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NotFiling {
    /// What it contains, folded: `icp`.
    pub contains: String,
    /// What it is, in Chinese.
    pub means: String,
    /// What it is, in English.
    pub means_en: String,
}

/// Which labels are compared.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Labels {
    /// What every app has: 首页, 我的. Such labels count nothing.
    pub common: Vec<String>,
    /// What a label may begin with without being another: 请输入.
    pub prefixes: Vec<String>,
    /// What a label may end with without being another.
    pub suffixes: Vec<String>,
    /// Labels of more characters are running text.
    pub max_chars: usize,
}

/// A rule's own tests.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InventoryExamples {
    /// Must come out as suspected or confirmed (or as `expect` says).
    #[serde(rename = "match")]
    pub positive: Vec<InventoryExample>,
    /// Must give nothing, or only a mention.
    #[serde(rename = "no_match")]
    pub negative: Vec<InventoryExample>,
}

/// A small inventory.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InventoryExample {
    /// What it shows.
    pub about: String,
    /// The day it is judged on; 2026-11-26 if not given.
    pub as_of: Option<Date>,
    /// The level it must have.
    pub expect: Option<Level>,
    /// The rows.
    pub rows: Vec<ExampleRow>,
}

/// A row of a small inventory.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(
    missing_docs,
    reason = "each is the field of the same name of a roster entry, but for those with a text"
)]
pub struct ExampleRow {
    pub kind: TargetKind,
    pub id: Option<String>,
    pub name: Option<String>,
    pub owner: Option<String>,
    pub level: Option<OfficeLevel>,
    pub region: Option<String>,
    pub audience: Option<Audience>,
    pub grassroots: Option<bool>,
    pub platform: Option<String>,
    pub filing: Option<String>,
    pub icp: Option<String>,
    pub contact: Option<String>,
    pub status: Option<RosterStatus>,
    #[serde(default)]
    pub addresses: Vec<String>,
    /// First day it was seen online.
    pub online_since: Option<Date>,
    /// Labels of the controls that a scan saw.
    #[serde(default)]
    pub functions: Vec<String>,
    /// Labels of the fields that a scan saw, by screen.
    #[serde(default)]
    pub forms: BTreeMap<String, Vec<String>>,
}

impl ExampleRow {
    /// The roster entry it stands for.
    pub fn entry(&self) -> RosterEntry {
        let row = self.clone();
        RosterEntry {
            id: row.id,
            name: row.name,
            owner: row.owner,
            level: row.level,
            region: row.region,
            audience: row.audience,
            grassroots: row.grassroots,
            platform: row.platform,
            filing: row.filing,
            icp: row.icp,
            contact: row.contact,
            status: row.status,
            addresses: row.addresses,
            ..RosterEntry::new(self.kind)
        }
    }
}

/// Whether a rule says something that can be judged.
pub(super) fn validate(rule: &InventoryRule, documents: &BTreeMap<String, Document>) -> Result<(), String> {
    if rule.targets.is_empty() {
        return Err("targets is empty: the rule speaks of nothing".into());
    }
    super::set::cited(&rule.basis, documents, &rule.targets)?;
    match &rule.check {
        InventoryCheck::Quota(quota) => {
            if quota.filed.is_some_and(|filed| filed > quota.level) {
                return Err("filed is above level: a filing number excuses and does not accuse".into());
            }
            let accounts = [TargetKind::Account, TargetKind::AccountPage, TargetKind::Group];
            if quota.per == Per::OwnerPlatform && rule.targets.iter().any(|kind| !accounts.contains(kind)) {
                return Err("per owner-platform: apps have no platform".into());
            }
        }
        InventoryCheck::Missing(missing) => {
            let mut seen = HashSet::new();
            for duty in &missing.fields {
                let name = duty.field.en();
                if !seen.insert(name) {
                    return Err(format!("the field {name} is there twice"));
                }
                if let Some(kind) = duty.targets.iter().find(|kind| !rule.targets.contains(kind)) {
                    return Err(format!(
                        "{name} is asked of {}, of which the rule does not speak",
                        kind.en()
                    ));
                }
            }
            if seen.is_empty() {
                return Err("fields is empty".into());
            }
        }
        InventoryCheck::FilingDeadline(filing) if filing.deadline < filing.issued => {
            return Err(format!("the deadline {} is before the issue {}", filing.deadline, filing.issued));
        }
        InventoryCheck::Overlap(overlap) | InventoryCheck::RepeatedFields(overlap) => {
            let Overlap { min_shared, suspected, mention } = *overlap;
            // Written so that NaN is refused too.
            if !(mention > 0.0 && mention <= suspected && suspected <= 1.0) {
                return Err("shares are above 0 and at most 1, mention at most suspected".into());
            }
            if min_shared == 0 {
                return Err("min_shared is 0: targets that share nothing do not overlap".into());
            }
        }
        _ => {}
    }
    Ok(())
}
