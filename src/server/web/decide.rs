//! What a person decides about a target, as an event of the ledger; and how it is undone.

use axum::extract::{Form, State};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::frame::Visitor;
use super::show::{address, brief, query};
use crate::ledger::{Decision, LedgerError};
use crate::model::{Deed, Lang};
use crate::server::{App, Problem};

/// Why something is confirmed.
const CONFIRM: [(&str, &str); 3] = [
    ("证据属实，界面上可以使用", "the evidence holds, the function can be used"),
    ("已安装运行核实", "installed and looked at"),
    ("责任单位已承认", "the owner admits it"),
];
/// Why something is dismissed, and of which rules that is said; of all where none is named.
const DISMISS: [(&str, &str, &str); 7] = [
    ("check-in", "会议、活动等一次性签到", "a single check-in to a meeting"),
    ("", "群众自愿使用，不用于考核", "voluntary, for the public, no assessment"),
    ("", "只是政策、新闻或者帮助文字", "words of a policy, news or help only"),
    ("", "第三方组件自带，未启用", "part of a library, not in use"),
    ("", "界面已经下线，无法进入", "the screen is gone, nobody gets there"),
    ("", "同名的其他功能", "another function of the same name"),
    ("ranking", "面向群众的服务评价，不用于考核干部", "ratings by the public, nobody is assessed"),
];
/// Why a duty that was not seen is none.
const MET: [(&str, &str); 2] =
    [("另有界面已经具备", "it is there on another screen"), ("不适用", "it does not apply")];
/// Why a decision is undone.
const UNDONE: (&str, &str) = ("误操作，撤销", "recorded by mistake");

/// What a form offers for one finding or duty.
pub(super) struct Offer {
    pub(super) target: String,
    pub(super) rule: String,
    /// Where the answer goes back to.
    pub(super) back: &'static str,
    /// What comes next in the queue: target and rule.
    pub(super) next: (String, String),
    pub(super) after: String,
    /// A duty is not confirmed, only said to be there.
    pub(super) duty: bool,
    pub(super) confirm: Vec<&'static str>,
    pub(super) dismiss: Vec<&'static str>,
    pub(super) today: String,
}

impl Offer {
    pub(super) fn new(lang: Lang, target: &str, rule: &str, today: jiff::civil::Date, duty: bool) -> Self {
        let words =
            |list: &[(&'static str, &'static str)]| list.iter().map(|(zh, en)| lang.pick(zh, en)).collect();
        let dismiss = || {
            let said = DISMISS.iter().filter(|(of, _, _)| of.is_empty() || rule.ends_with(of));
            said.map(|(_, zh, en)| lang.pick(zh, en)).collect()
        };
        Offer {
            target: target.to_owned(),
            rule: rule.to_owned(),
            back: "target",
            next: (String::new(), String::new()),
            after: String::new(),
            duty,
            confirm: words(&CONFIRM),
            dismiss: if duty { words(&MET) } else { dismiss() },
            today: today.to_string(),
        }
    }
}

/// What was just done, and can be undone.
pub(super) struct Done {
    pub(super) seq: u64,
    pub(super) what: String,
    pub(super) target: String,
    /// What it was about; the queue goes back there.
    pub(super) rule: String,
    pub(super) back: &'static str,
    pub(super) after: String,
}

impl Done {
    /// The event of a number, if the person has just recorded it.
    pub(super) async fn of(
        app: &App,
        visitor: &Visitor,
        seq: u64,
        back: &'static str,
    ) -> Result<Option<Self>, LedgerError> {
        let Some(recorded) = app.ledger.event(seq).await? else { return Ok(None) };
        let event = recorded.event;
        if event.actor != visitor.person.name {
            return Ok(None);
        }
        let lang = visitor.lang;
        let deed = lang.pick(event.deed.zh(), event.deed.name()).to_owned();
        let what = format!("{deed} {}", brief(&event.deed.detail(lang)));
        let rule = match event.deed {
            Deed::Withdrawn { .. } => return Ok(None),
            Deed::Confirmed { rule, .. }
            | Deed::Dismissed { rule, .. }
            | Deed::ExceptionGranted { rule, .. } => rule,
            _ => String::new(),
        };
        Ok(Some(Done { seq, what, target: event.target, rule, back, after: String::new() }))
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Decided {
    target: String,
    rule: String,
    action: String,
    reason: String,
    words: String,
    document: String,
    scope: String,
    until: String,
    deadline: String,
    event: u64,
    back: String,
    next_target: String,
    next_rule: String,
    after: String,
}

impl Decided {
    fn decision(&self, lang: Lang) -> Result<Decision, Problem> {
        let rule = self.rule.clone();
        let reason = match (self.reason.trim(), self.words.trim()) {
            (reason, "") => reason.to_owned(),
            ("", words) => words.to_owned(),
            (reason, words) => format!("{reason}{}{words}", lang.pick("；", "; ")),
        };
        let day = |text: &str, zh: &str, en: &str| {
            let wanted =
                || (format!("{zh}: 应为日期，如 2026-12-31"), format!("{en}: a date is wanted: 2026-12-31"));
            text.trim().parse().map_err(|_| Problem::bad_request(wanted()))
        };
        let (document, scope) = (self.document.trim().to_owned(), self.scope.trim().to_owned());
        Ok(match self.action.as_str() {
            "confirm" => Decision::Confirm { rule, reason },
            "dismiss" => Decision::Dismiss { rule, reason },
            "except" => {
                let until = day(&self.until, "有效期至", "until")?;
                Decision::Except { rule, document, scope, until }
            }
            "red" => Decision::Red { reason },
            "not-red" => Decision::NotRed { reason },
            "notice" => {
                let deadline = day(&self.deadline, "整改期限", "deadline")?;
                let rules = if rule.is_empty() { Vec::new() } else { vec![rule] };
                Decision::Notice { document, deadline, rules }
            }
            "rectification" => Decision::Rectification { statement: reason },
            "withdraw" => {
                let reason =
                    if reason.is_empty() { lang.pick(UNDONE.0, UNDONE.1).to_owned() } else { reason };
                Decision::Withdrawal { event: self.event, reason }
            }
            other => return Err(Problem::bad_request(brief(other))),
        })
    }

    /// Where to go on.
    fn back(&self, seq: u64) -> String {
        let seq = seq.to_string();
        if self.back == "review" {
            let pairs = [
                ("target", &*self.next_target),
                ("rule", &self.next_rule),
                ("after", &self.after),
                ("done", &seq),
            ];
            return query("/review", &pairs);
        }
        query(&address(&self.target), &[("done", &seq)])
    }
}

pub(super) async fn decide(
    State(app): State<App>,
    visitor: Visitor,
    Form(form): Form<Decided>,
) -> Result<Response, Problem> {
    let decision = form.decision(visitor.lang)?;
    let (seq, _, noted) = app.decide(&visitor.person, &form.target, decision).await?;
    let mut response = Redirect::to(&form.back(seq)).into_response();
    response.extensions_mut().insert(noted);
    Ok(response)
}
