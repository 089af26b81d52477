//! The part of 设置 about people: accounts, tokens for programs, the audit log.

use askama::Template;
use axum::extract::{Form, Query, State};
use axum::response::Response;
use serde::Deserialize;

use super::frame::{Frame, Place, Visitor, page as rendered};
use super::show::{brief, clip, query};
use crate::model::{Lang, beijing_minute};
use crate::server::people::{Account, ApiToken, Edit, NewAccount, NewToken, OPEN};
use crate::server::{App, Problem, Role};

/// Lines of a page of the audit log.
const PAGE: u32 = 100;

/// An account as the settings show it.
pub(super) struct Somebody {
    pub(super) id: i64,
    pub(super) name: String,
    pub(super) role: &'static str,
    pub(super) region: String,
    pub(super) since: String,
    pub(super) disabled: bool,
    pub(super) one_time: bool,
}

/// A token as the settings show it.
pub(super) struct Token {
    pub(super) id: i64,
    pub(super) label: String,
    pub(super) role: &'static str,
    pub(super) region: String,
    pub(super) expires: String,
    pub(super) revoked: bool,
}

pub(super) fn role(lang: Lang, role: Role) -> &'static str {
    match role {
        Role::Reader => lang.pick("查看", "reader"),
        Role::Analyst => lang.pick("核查员", "analyst"),
        Role::Administrator => lang.pick("管理员", "administrator"),
    }
}

pub(super) fn somebody(lang: Lang, account: &Account) -> Somebody {
    Somebody {
        id: account.person.id,
        name: brief(&account.person.name),
        role: role(lang, account.person.role),
        region: account.person.region.as_deref().map(brief).unwrap_or_default(),
        since: beijing_minute(account.created),
        disabled: account.disabled,
        one_time: account.must_change,
    }
}

pub(super) fn shown(lang: Lang, token: &ApiToken) -> Token {
    Token {
        id: token.id,
        label: brief(&token.label),
        role: role(lang, token.role),
        region: token.region.as_deref().map(brief).unwrap_or_default(),
        expires: beijing_minute(token.expires),
        revoked: token.revoked.is_some(),
    }
}

/// A secret that is shown this once.
#[derive(Template)]
#[template(path = "secret.html", config = "src/server/web/askama.toml")]
struct Secret {
    frame: Frame,
    what: String,
    secret: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Act {
    action: String,
    id: i64,
    name: String,
    role: Option<Role>,
    region: String,
}

/// Makes, stops, opens an account, or gives a new one-time password.
pub(super) async fn act(
    State(app): State<App>,
    visitor: Visitor,
    Form(act): Form<Act>,
) -> Result<Response, Problem> {
    let (lang, by) = (visitor.lang, &visitor.person);
    let secret = |what: String, secret| {
        let frame = visitor.frame(Place::Settings, lang.pick("一次性密码", "One-time password"));
        rendered(&Secret { frame, what, secret })
    };
    let edit = |role, disabled| Edit { role, region: None, disabled };
    match act.action.as_str() {
        "make" => {
            let region = Some(act.region.trim().to_owned()).filter(|region| !region.is_empty());
            let role = act.role.unwrap_or(Role::Reader);
            let new = NewAccount { name: act.name.clone(), role, region };
            let (_, password) = app.create_account(by, new).await?;
            return secret(brief(&act.name), password);
        }
        "reset" => {
            let password = app.reset_password(by, act.id).await?;
            return secret(format!("#{}", act.id), password);
        }
        "stop" => drop(app.edit_account(by, act.id, edit(None, Some(true))).await?),
        "open" => drop(app.edit_account(by, act.id, edit(None, Some(false))).await?),
        "role" => drop(app.edit_account(by, act.id, edit(act.role, None)).await?),
        _ => return Err(Problem::bad_request("action")),
    }
    Ok(axum::response::IntoResponse::into_response(axum::response::Redirect::to("/settings#people")))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct TokenForm {
    action: String,
    id: i64,
    label: String,
    role: Option<Role>,
    days: u16,
}

/// Makes or revokes a token of one's own.
pub(super) async fn token(
    State(app): State<App>,
    visitor: Visitor,
    Form(form): Form<TokenForm>,
) -> Result<Response, Problem> {
    let by = &visitor.person;
    if form.action == "revoke" {
        app.revoke_token(by, form.id).await?;
        return Ok(axum::response::IntoResponse::into_response(axum::response::Redirect::to(
            "/settings#tokens",
        )));
    }
    let role = form.role.unwrap_or(Role::Reader);
    let new = NewToken { label: form.label.clone(), role, region: None, days: form.days };
    let (secret, _) = app.create_token(by, new).await?;
    let frame = visitor.frame(Place::Settings, visitor.lang.pick("接口令牌", "Token for programs"));
    rendered(&Secret { frame, what: brief(&form.label), secret })
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    before: Option<i64>,
}

#[derive(Template)]
#[template(path = "audit.html", config = "src/server/web/askama.toml")]
struct Audit {
    frame: Frame,
    lines: Vec<Line>,
    next: Option<String>,
}

/// A line of the audit log.
struct Line {
    seq: i64,
    at: String,
    who: String,
    address: String,
    /// In words.
    deed: &'static str,
    /// As a request, and what it was about.
    what: String,
    outcome: String,
}

/// Requests in words, by how they begin; the longest come first.
const DEEDS: [(&str, (&str, &str)); 31] = [
    ("login", ("登录", "log in")),
    ("POST /login", ("登录", "log in")),
    ("POST /logout", ("退出", "log out")),
    ("POST /password", ("修改密码", "change the password")),
    ("POST /decide", ("核查决定", "decide")),
    ("POST /scan", ("上传检测", "upload and scan")),
    ("POST /jobs/act", ("取消或者重新排队任务", "cancel a job or queue it again")),
    ("POST /settings/roster/apply", ("名录写入台账", "write a roster to the ledger")),
    ("POST /settings/rosters", ("添加用于检测的名录", "add a roster to run")),
    ("POST /settings/roster", ("上传名录查看变化", "send a roster in")),
    ("POST /settings/schedules", ("安排定期检测", "schedule runs")),
    ("POST /settings/people", ("管理人员", "manage people")),
    ("POST /settings/tokens", ("管理接口令牌", "manage tokens")),
    ("POST /targets/", ("生成整改通知书", "make a notice")),
    ("DELETE /api/v1/session", ("退出", "log out")),
    ("POST /api/v1/session", ("登录", "log in")),
    ("PUT /api/v1/session", ("修改密码", "change the password")),
    ("POST /api/v1/people", ("管理人员", "manage people")),
    ("PATCH /api/v1/people", ("管理人员", "manage people")),
    ("POST /api/v1/targets/", ("登记事件", "record an event")),
    ("POST /api/v1/imports/", ("名录写入台账", "write a roster to the ledger")),
    ("POST /api/v1/imports", ("上传名录查看变化", "send a roster in")),
    ("POST /api/v1/rosters", ("添加用于检测的名录", "add a roster to run")),
    ("POST /api/v1/runs", ("检测名录", "run a roster")),
    ("POST /api/v1/scans", ("上传检测", "upload and scan")),
    ("POST /api/v1/jobs/", ("取消或者重新排队任务", "cancel a job or queue it again")),
    ("POST /api/v1/schedules", ("安排定期检测", "schedule runs")),
    ("PUT /api/v1/schedules", ("修改定期检测", "change a schedule")),
    ("DELETE /api/v1/schedules", ("删除定期检测", "remove a schedule")),
    ("DELETE /api/v1/tokens", ("撤销接口令牌", "revoke a token")),
    ("POST /api/v1/tokens", ("生成接口令牌", "make a token")),
];

fn deed(lang: Lang, what: &str) -> &'static str {
    let found = DEEDS.iter().find(|(begins, _)| what.starts_with(begins));
    let (zh, en) = found.map_or(("其他操作", "something else"), |(_, words)| *words);
    lang.pick(zh, en)
}

/// The status of an answer in words.
fn outcome(lang: Lang, status: u16) -> String {
    let words = match status {
        OPEN => return lang.pick("中断，结果不明", "interrupted, outcome not known").to_owned(),
        1..400 => ("成功", "done"),
        401 | 403 | 404 => ("被拒绝", "refused"),
        429 => ("过于频繁", "too often"),
        400..500 => ("未通过", "not accepted"),
        _ => ("出错", "failed"),
    };
    format!("{} {status}", lang.pick(words.0, words.1))
}

/// What was changed, and who logged in.
pub(super) async fn audit(
    State(app): State<App>,
    visitor: Visitor,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    visitor.person.at_least(Role::Administrator)?;
    let before = asked.before.unwrap_or(i64::MAX);
    let lines = app.audit(visitor.person.region.as_deref(), before, PAGE).await?;
    let next = lines.last().filter(|_| lines.len() == PAGE as usize).map(|line| line.seq.to_string());
    let shown = lines.iter().map(|line| Line {
        seq: line.seq,
        at: beijing_minute(line.at),
        who: brief(&line.who),
        address: line.address.clone(),
        what: clip(&match (&line.object, line.what.as_str()) {
            // No request: the words say it.
            (object, "login") => object.clone().unwrap_or_default(),
            (Some(object), what) => format!("{what} {object}"),
            (None, what) => what.to_owned(),
        }),
        deed: deed(visitor.lang, &line.what),
        outcome: outcome(visitor.lang, line.outcome),
    });
    rendered(&Audit {
        lines: shown.collect(),
        next: next.map(|next| query("/settings/audit", &[("before", &next)])),
        frame: visitor.frame(Place::Settings, visitor.lang.pick("操作日志", "Audit log")),
    })
}
