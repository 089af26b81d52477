//! 对象: every target with its code; found by search and filters, in an order, page by page.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;

use super::frame::{Frame, Place, Visitor, page as rendered};
use super::show::{Head, Row, badge, brief, colour, heads, query, row};
use crate::ledger::{Behind, By, Order, Wanted};
use crate::model::{ColorCode, Lang, OfficeLevel, Scope, beijing_day};
use crate::server::{App, Problem};

/// Rows of a page.
const PAGE: u32 = 50;
/// What stands for a region that the roster does not say.
pub(super) const UNSAID: &str = "-";

/// What a list is asked for. Forms send what is empty, too.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    q: String,
    code: String,
    kind: String,
    level: String,
    region: String,
    owner: String,
    clause: String,
    due: String,
    sort: String,
    after: String,
}

#[derive(Template)]
#[template(path = "targets.html", config = "src/server/web/askama.toml")]
struct Targets {
    frame: Frame,
    asked: Asked,
    heads: Vec<Head>,
    rows: Vec<Row>,
    total: u64,
    any: bool,
    filtered: bool,
    next: Option<String>,
    first: Option<String>,
    codes: Vec<Choice>,
    kinds: Vec<Choice>,
    levels: Vec<Choice>,
    clauses: Vec<Choice>,
    sorts: Vec<Choice>,
}

/// An entry of a list to choose from.
struct Choice {
    value: String,
    word: String,
    chosen: bool,
}

impl Asked {
    /// Takes out what nobody types; PostgreSQL has no text with a NUL.
    fn clean(&mut self) {
        for field in [
            &mut self.q,
            &mut self.code,
            &mut self.kind,
            &mut self.level,
            &mut self.region,
            &mut self.owner,
            &mut self.clause,
            &mut self.due,
            &mut self.sort,
        ] {
            field.retain(|ch| !ch.is_control());
        }
    }

    fn wanted(&self, visitor: &Visitor, today: jiff::civil::Date) -> Result<Wanted, Problem> {
        // PostgreSQL has no text with a NUL.
        let text =
            |text: &str| Some(text.replace('\0', "").trim().to_owned()).filter(|text| !text.is_empty());
        let region = match self.region.trim() {
            UNSAID => Some(String::new()),
            region => text(region),
        };
        Ok(Wanted {
            code: colour(&self.code),
            kind: word(&self.kind),
            level: word(&self.level),
            region: visitor.person.narrowed(region)?,
            owner: text(&self.owner),
            clause: text(&self.clause),
            text: text(&self.q),
            due_before: (self.due == "over").then(|| today.to_string()),
        })
    }

    fn pairs<'a>(&'a self, after: &'a str) -> [(&'static str, &'a str); 10] {
        [
            ("q", &self.q),
            ("code", &self.code),
            ("kind", &self.kind),
            ("level", &self.level),
            ("region", &self.region),
            ("owner", &self.owner),
            ("clause", &self.clause),
            ("due", &self.due),
            ("sort", &self.sort),
            ("after", after),
        ]
    }
}

/// A value by the word that documents spell it by.
fn word<T: serde::de::DeserializeOwned>(word: &str) -> Option<T> {
    serde_json::from_value(word.into()).ok()
}

/// The word that documents spell a value by.
fn spelt<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

const SORTS: [(&str, Order, (&str, &str)); 6] = [
    ("code", Order::Code, ("赋码（重的在前）", "code, gravest first")),
    ("since", Order::Since, ("变动时间（新的在前）", "latest change first")),
    ("deadline", Order::Deadline, ("整改期限（近的在前）", "deadline, earliest first")),
    ("confirmed", Order::Confirmed, ("确认问题数（多的在前）", "confirmed findings, most first")),
    ("name", Order::Name, ("名称", "name")),
    ("region", Order::Region, ("地区", "region")),
];

pub(super) async fn page(
    State(app): State<App>,
    visitor: Visitor,
    Query(mut asked): Query<Asked>,
) -> Result<Response, Problem> {
    asked.clean();
    let lang = visitor.lang;
    let today = beijing_day(app.now());
    let wanted = asked.wanted(&visitor, today)?;
    let order =
        SORTS.iter().find(|(name, _, _)| *name == asked.sort).map_or(Order::Code, |(_, order, _)| *order);
    let behind: Option<Behind> = serde_json::from_str(&asked.after.replace("\\u0000", "")).ok();
    let (rows, next) = app.ledger.sorted(&wanted, order, behind.as_ref(), PAGE).await?;
    let total = app.ledger.count(&wanted, By::All).await?.iter().map(|count| count.targets).sum();
    let any = total > 0 || !app.ledger.listed(&Wanted::default(), "", 1).await?.is_empty();
    let next = next.and_then(|next| serde_json::to_string(&next).ok());
    let next = next.map(|next| query("/targets", &asked.pairs(&next)));
    let filtered = asked.pairs("").iter().any(|(name, value)| *name != "sort" && !value.is_empty());
    let (codes, kinds, levels, clauses, sorts) = choices(&app, lang, &asked);
    let by = if asked.sort.is_empty() { "code" } else { &asked.sort };
    let sorted = |by: &str| query("/targets", &Asked { sort: by.to_owned(), ..asked.clone() }.pairs(""));
    rendered(&Targets {
        heads: heads(lang, Some(by), sorted),
        rows: rows.iter().map(|listed| row(lang, today, listed)).collect(),
        total,
        any,
        filtered,
        next,
        first: behind.is_some().then(|| query("/targets", &asked.pairs(""))),
        codes,
        kinds,
        levels,
        clauses,
        sorts,
        frame: visitor.frame(Place::Targets, lang.pick("对象", "Targets")),
        asked,
    })
}

type Choices = (Vec<Choice>, Vec<Choice>, Vec<Choice>, Vec<Choice>, Vec<Choice>);

fn choices(app: &App, lang: Lang, asked: &Asked) -> Choices {
    let choice = |value: &str, word: &str, asked: &str| Choice {
        value: value.to_owned(),
        word: word.to_owned(),
        chosen: value == asked,
    };
    let codes = [ColorCode::Red, ColorCode::Blue, ColorCode::None, ColorCode::Green].map(|code| {
        let badge = badge(lang, code, "");
        choice(badge.class, badge.word, &asked.code)
    });
    let kinds = Scope::ALL
        .iter()
        .flat_map(|scope| scope.kinds())
        .map(|kind| choice(&spelt(kind), lang.pick(kind.zh(), kind.en()), &asked.kind));
    let levels = OfficeLevel::ALL.iter();
    let levels = levels.map(|level| choice(&spelt(level), lang.pick(level.zh(), level.en()), &asked.level));
    let clauses = app.policy().clauses.iter().map(|clause| {
        let state = lang.pick(&clause.state, &clause.state_en);
        let alike = app.policy().clauses.iter().filter(|other| other.state == clause.state).count();
        let word = if state.is_empty() {
            lang.pick(clause.code.zh(), clause.code.en()).to_owned()
        } else if alike > 1 {
            // Several clauses come to one state: what they say first tells them apart.
            let text = lang.pick(&clause.text, &clause.text_en);
            let first = text.split(['，', '。', '；', ',', '.', ';']).next().unwrap_or_default();
            format!("{state}{}{}", lang.pick("：", ": "), brief(first))
        } else {
            state.to_owned()
        };
        choice(&clause.id, &word, &asked.clause)
    });
    let sort = if asked.sort.is_empty() { "code" } else { &asked.sort };
    let sorts = SORTS.iter().map(|(name, _, (zh, en))| choice(name, lang.pick(zh, en), sort));
    (codes.into(), kinds.collect(), levels.collect(), clauses.collect(), sorts.collect())
}
