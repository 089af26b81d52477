//! Labelled phrases: one file a rule, each phrase judged as a scan would judge it.
//!
//! Texts and names of an app are what reading a package would have given, and go to the judge; an element of a page
//! (`html`) is read and linked as a page of an app is; what an account says is an article, and what a group says a
//! message of an export, and both are scanned as those are.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Cursor, Write};
use std::path::Path;

use anyhow::{Context, anyhow, bail};
use serde::Deserialize;
use serde_json::{Value, json};
use zhijian::model::{DutyStatus, Lang, Level, Role, Scope, Verdict};
use zhijian::rule::{Case, Rule, RuleSubject, judge};
use zhijian::scan::{Scanner, Subject};

use super::{Judged, of_report};

/// A file of phrases.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Phrases {
    /// Id of the rule.
    rule: String,
    /// What it must find.
    #[serde(rename = "match")]
    positive: Vec<Phrase>,
    /// What it must not.
    #[serde(rename = "no_match")]
    negative: Vec<Phrase>,
}

#[derive(Debug, Deserialize)]
struct Phrase {
    #[serde(flatten)]
    case: Case,
    /// An element of a page; also where the words of one label stand in several.
    html: Option<String>,
    /// Walk of life.
    #[serde(default)]
    walk: String,
    /// Why the label is what it is.
    #[serde(default)]
    why: String,
    /// Keys that are none.
    #[serde(flatten)]
    unknown: BTreeMap<String, Value>,
}

/// Judges every phrase of a file.
pub(super) fn judge_file(scanner: &Scanner, path: &Path, lang: Lang) -> anyhow::Result<Vec<Judged>> {
    let named = || path.display().to_string();
    let text = fs::read_to_string(path).with_context(named)?;
    let phrases: Phrases = serde_saphyr::from_str(&text).with_context(named)?;
    let rules = scanner.rules().rules();
    let Some(index) = rules.iter().position(|rule| rule.id == phrases.rule) else {
        bail!("{}: {} {}", named(), lang.pick("没有这条规则：", "no such rule:"), phrases.rule);
    };
    let Some(rule) = rules.get(index) else { return Ok(Vec::new()) };
    let positive = phrases.positive.iter().map(|phrase| (phrase, true));
    let negative = phrases.negative.iter().map(|phrase| (phrase, false));
    let mut judged = Vec::new();
    for (phrase, truth) in positive.chain(negative) {
        phrase.check(rule.scope, lang).map_err(|cause| anyhow!("{}: {cause}", named()))?;
        let level = phrase.level(scanner, rule).with_context(named)?;
        let why = [phrase.walk.as_str(), &phrase.why].into_iter().filter(|part| !part.is_empty());
        let why = why.collect::<Vec<_>>().join(lang.pick("：", ": "));
        judged.push(Judged { rule: index, of: phrase.shown(), truth, level, why });
    }
    Ok(judged)
}

impl Phrase {
    /// Whether it says something that can be judged.
    fn check(&self, scope: Scope, lang: Lang) -> Result<(), String> {
        if let Some(key) = self.unknown.keys().next() {
            return Err(format!("{}{key}", lang.pick("没有这个键：", "no such key: ")));
        }
        if self.case.expect.is_some() {
            return Err(lang.pick("短语没有 expect", "a phrase has no expect").to_owned());
        }
        let says = self.html.is_some() || !self.case.text.as_slice().is_empty();
        let traces = self.case.names().next().is_some() || !self.case.state.is_empty();
        match scope {
            Scope::App if says || traces => Ok(()),
            Scope::Account | Scope::Group if says && !traces && self.html.is_none() => Ok(()),
            Scope::App => Err(lang.pick("短语是空的", "a phrase is empty").to_owned()),
            _ => Err(lang
                .pick("账号和群组的短语只有文字", "phrases of accounts and groups are texts alone")
                .to_owned()),
        }
    }

    fn level(&self, scanner: &Scanner, rule: &Rule) -> anyhow::Result<Option<Level>> {
        let bytes = match (rule.scope, &self.html) {
            (Scope::App, None) => return Ok(self.judged(scanner, rule)),
            (Scope::App, Some(html)) => page(html)?,
            (Scope::Account, _) => self.article().into_bytes(),
            (Scope::Group, _) => self.export().into_bytes(),
        };
        let reports =
            scanner.scan_bytes(bytes, Subject { name: "phrase".to_owned(), ..Subject::default() })?;
        Ok(reports.iter().filter_map(|report| of_report(report, rule)).max())
    }

    fn judged(&self, scanner: &Scanner, rule: &Rule) -> Option<Level> {
        let judgement = judge(scanner.rules(), &self.case.inspection(rule.scope), Verdict::Full);
        match rule.subject()? {
            RuleSubject::Prohibition(_) => {
                judgement.findings.iter().find(|finding| finding.rule == rule.id).map(|finding| finding.level)
            }
            RuleSubject::Duty(_) => {
                let duty = judgement.duties.iter().find(|duty| duty.rule == rule.id)?;
                (duty.status == DutyStatus::Met).then_some(Level::Confirmed)
            }
        }
    }

    /// An article of a public account, in the shape of the real ones.
    fn article(&self) -> String {
        let texts = self.case.text.as_slice();
        let is_title = self.case.role.is_some_and(|role| role.role() == Role::Title);
        let title = match is_title {
            true => texts.first().map(String::as_str),
            false => self.case.page.as_deref(),
        };
        let title = escaped(title.unwrap_or("最新消息"));
        let body: String = match is_title {
            true => "<p>详见正文。</p>".to_owned(),
            false => texts.iter().map(|text| format!("<p><span>{}</span></p>", escaped(text))).collect(),
        };
        let variable = title.replace('\\', "\\\\").replace('\'', "\\'");
        format!(
            "<!DOCTYPE html><html><body><div id=\"js_article\"><h1 id=\"activity-name\">{title}</h1>\
             <div id=\"js_content\">{body}</div></div>\
             <script>var user_name = \"gh_0123456789ab\"; var msg_title = '{variable}'.html(false);</script>\
             </body></html>"
        )
    }

    /// An export of a group with one message a text.
    fn export(&self) -> String {
        let message = |text: &String| json!({"time": "2026-11-02 09:00:00", "sender": "示例成员", "type": "text", "content": text});
        let messages: Vec<Value> = self.case.text.as_slice().iter().map(message).collect();
        let name = self.case.page.as_deref().unwrap_or("示例群");
        json!({"群名称": name, "平台": "微信", "messages": messages}).to_string()
    }

    /// What it says, as errors name it.
    fn shown(&self) -> String {
        let texts = self.case.text.as_slice().iter().map(|text| format!("“{text}”"));
        let role = self.case.role.map(|role| format!("{role:?}").to_lowercase());
        let page = self.case.page.as_ref().map(|page| format!("page “{page}”"));
        let names = self.case.names().map(|(_, kind, name)| format!("{kind} {name}"));
        texts.chain(role).chain(page).chain(names).chain(self.html.clone()).collect::<Vec<_>>().join(" ")
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A page with an element, in an archive as it is handed in.
fn page(element: &str) -> anyhow::Result<Vec<u8>> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    archive.start_file("index.html", zip::write::SimpleFileOptions::default())?;
    let page = format!("<!DOCTYPE html><html><head><title>首页</title></head><body>{element}</body></html>");
    archive.write_all(page.as_bytes())?;
    Ok(archive.finish()?.into_inner())
}
