//! What every kind of page does while it reads: texts with their way, links, issues, states, gaps.

use std::sync::Arc;

use super::standing::{self, Entries};
use super::{Input, Read, contains, filled};
use crate::decode::Issue;
use crate::decode::outline::{Mark, Tag};
use crate::model::{
    Document, Fact, FactKind, GapReason, Inspection, Lang, Licence, LinkKind, PageLink, PageRecord,
    PageState, PartName, Place, Rejected, Role, Screen, State, StateName, TargetKind, UiText, Usage, Widget,
    Wording, described,
};

/// Characters kept in one text; a longer paragraph becomes several.
const MAX_TEXT: usize = 4_096;
/// The step of the chain that says that a text stands in the footer.
const FOOTER: &str = "页脚 footer";

/// The beginning of a name that thousands of texts carry.
fn clip(text: &str) -> &str {
    text.char_indices().nth(160).map_or(text, |(at, _)| &text[..at])
}

/// Something that a page leads to, by its tag.
pub(super) fn leads(tag: &Tag<'_>) -> bool {
    let name = tag.name;
    ["a", "img", "iframe", "form", "input", "video", "audio", "embed", "qqmusic"]
        .iter()
        .any(|known| tag.is(known))
        || name.get(..2).is_some_and(|head| head.eq_ignore_ascii_case("mp"))
}

/// The number behind the name of the licence for internet news, as the foot of a site shows it
/// (互联网新闻信息服务许可证编号：51120260001).
fn licence(text: &str) -> Option<String> {
    let (_, behind) = text.split_once("互联网新闻信息服务许可证")?;
    let near: String = behind.chars().take(32).collect();
    let number = near.split(|ch: char| !ch.is_ascii_digit()).find(|digits| digits.len() >= 8)?;
    Some(number.to_owned())
}

/// A page that is being read.
pub(super) struct Draft<'a> {
    input: &'a Input<'a>,
    path: Arc<str>,
    pub(super) inspection: Inspection,
    pub(super) page: PageRecord,
    images: u64,
    media: u64,
    lossy: bool,
    /// The post that the texts to come belong to, in a page of several.
    post: Option<Screen>,
    entries: Entries,
}

impl<'a> Draft<'a> {
    pub(super) fn new(input: &'a Input<'a>, name: &'static str) -> Self {
        let address = input.address().map(|url| url.to_string());
        let mut draft = Draft {
            input,
            path: Arc::from(address.as_deref().unwrap_or_default()),
            inspection: Inspection::new(TargetKind::AccountPage, name),
            page: PageRecord { state: PageState::Shown, address, ..PageRecord::default() },
            images: 0,
            media: 0,
            lossy: false,
            post: None,
            entries: Entries::Links,
        };
        if input.decoded.malformed {
            let detail = format!("not {}", input.encoding());
            draft.issues(vec![Issue::lossy("page.malformed-text", None, detail)]);
        }
        draft
    }

    /// A place in the page.
    pub(super) fn place(&self, offset: Option<usize>) -> Place {
        match offset.and_then(|offset| self.input.offset(offset)) {
            Some(offset) => Place::offset(self.path.clone(), offset),
            None => Place::entry(self.path.clone()),
        }
    }

    /// Adds a text, in pieces where it is very long. What has no letter says nothing.
    pub(super) fn text(
        &mut self,
        text: &str,
        role: Role,
        offset: Option<usize>,
        chain: &[&str],
        footer: bool,
    ) -> Option<&mut UiText> {
        if !text.chars().any(char::is_alphabetic) {
            return None;
        }
        let place = self.place(offset);
        let mut rest = text;
        while !rest.is_empty() {
            let end = rest.char_indices().nth(MAX_TEXT).map_or(rest.len(), |(at, _)| {
                // A sentence is not torn apart.
                let mut ends = rest[..at].rmatch_indices(['。', '！', '？', '；', '\n']);
                ends.next().map_or(at, |(end, mark)| end + mark.len())
            });
            let (piece, behind) = rest.split_at(end);
            rest = behind;
            let mut found = UiText::new(piece, role, place.clone());
            found.usage = Usage::Used;
            found.screen = self.post.clone();
            found.chain = chain.iter().map(|step| clip(step).to_owned()).collect();
            if footer {
                found.chain.push(FOOTER.to_owned());
                found.document = Some(Document::Footer);
            }
            self.inspection.texts.push(found);
        }
        self.inspection.texts.last_mut()
    }

    /// The page speaks of an account as a whole.
    pub(super) fn speaks_of_account(&mut self, entries: Entries) {
        self.inspection.kind = TargetKind::Account;
        self.entries = entries;
    }

    /// Begins a post of a page of several.
    pub(super) fn post(&mut self, name: &str, title: Option<&str>) {
        let title = title.map(|title| clip(title).to_owned());
        self.post = Some(Screen { name: clip(name).to_owned(), title, reachable: true });
    }

    /// Adds a text on something that a person presses.
    pub(super) fn control(
        &mut self,
        text: &str,
        class: &str,
        handler: Option<&str>,
        offset: Option<usize>,
        chain: &[&str],
    ) {
        let widget =
            Widget { class: class.to_owned(), id: None, handler: handler.map(str::to_owned), operable: true };
        if let Some(found) = self.text(text, Role::Control, offset, chain, false) {
            found.widget = Some(widget);
        }
    }

    /// Adds the title.
    pub(super) fn title(&mut self, title: Option<String>, offset: Option<usize>, from: &str) {
        if let Some(title) = title.as_deref() {
            self.text(title, Role::Title, offset, &[from], false);
        }
        self.page.title = title;
    }

    /// Adds something that leads elsewhere.
    pub(super) fn link(
        &mut self,
        kind: LinkKind,
        address: &str,
        text: Option<&str>,
        footer: bool,
        offset: Option<usize>,
    ) {
        let address = address.trim();
        // Links of scripts and within the page lead nowhere.
        let script = address.get(..11).is_some_and(|head| head.eq_ignore_ascii_case("javascript:"));
        if address.is_empty() || script || address.starts_with('#') {
            return;
        }
        let text = text.and_then(filled);
        let mut fact = Fact::new(FactKind::Link, address, self.place(offset));
        fact.chain = text.iter().cloned().chain(footer.then(|| FOOTER.to_owned())).collect();
        self.inspection.facts.push(fact);
        self.page.links.push(PageLink { kind, address: address.to_owned(), text, footer });
    }

    /// Adds what a marked element leads to.
    pub(super) fn mark(&mut self, mark: &Mark<'_>, footer: bool, chain: &[&str]) {
        let tag = &mark.tag;
        let value = |name: &str| tag.attribute(name).and_then(|value| filled(&value));
        let offset = Some(mark.offset);
        let app = value("data-miniprogram-appid");
        if let Some(app) = app {
            let path = value("data-miniprogram-path").unwrap_or_default();
            let address = format!("{app}/{}", path.trim_start_matches('/'));
            let name = value("data-miniprogram-title").or_else(|| filled(&mark.text));
            let name = name.or_else(|| value("data-miniprogram-nickname"));
            if let Some(name) = &name {
                self.control(name, "mp-miniprogram", Some(&address), offset, chain);
            }
            self.link(LinkKind::MiniProgram, &address, name.as_deref(), footer, offset);
            return;
        }
        let source = value("data-src").or_else(|| value("src"));
        let vote = tag.has_class("vote_iframe")
            || tag.has_class("js_editor_vote_card")
            || tag.name.to_ascii_lowercase().contains("vote")
            || source.as_deref().is_some_and(|source| contains(source, "newappmsgvote"));
        if vote {
            let id = value("data-supervoteid").or_else(|| value("data-voteid"));
            let address = source.or(id).unwrap_or_else(|| tag.name.to_owned());
            self.link(LinkKind::Vote, &address, value("data-title").as_deref(), footer, offset);
            let detail =
                ("投票的题目与选项由服务器提供", "question and answers of a vote come from the server");
            let place = self.place(offset);
            self.inspection.gap(PartName::Other, &place, GapReason::Remote, detail);
            self.inspection.unread(PartName::Other);
            return;
        }
        match tag.name.to_ascii_lowercase().as_str() {
            "a" => {
                if let Some(address) = value("href") {
                    self.link(LinkKind::Link, &address, Some(&mark.text), footer, offset);
                }
            }
            "img" => {
                self.images += 1;
                let words = [value("alt"), value("title"), value("class"), source.clone()];
                let marked = |text: &String| {
                    let text = text.to_ascii_lowercase();
                    text.contains("二维码") || text.contains("qrcode") || text.contains("qr_code")
                };
                if words.iter().flatten().any(marked)
                    && let Some(source) = source
                {
                    self.link(LinkKind::QrCode, &source, value("alt").as_deref(), footer, offset);
                }
            }
            "mp-common-profile" | "mpprofile" => {
                let id = value("data-id").or_else(|| value("data-alias")).or_else(|| value("data-nickname"));
                if let Some(id) = id {
                    self.link(LinkKind::Profile, &id, value("data-nickname").as_deref(), true, offset);
                }
            }
            "form" => {
                if let Some(address) = value("action") {
                    self.link(LinkKind::Form, &address, None, footer, offset);
                }
            }
            "input" => {
                let kind = value("type").unwrap_or_default().to_ascii_lowercase();
                match kind.as_str() {
                    "button" | "submit" => {
                        if let Some(text) = value("value") {
                            self.control(&text, "input", value("onclick").as_deref(), offset, chain);
                        }
                    }
                    "hidden" => {}
                    _ => {
                        if let Some(text) = value("placeholder") {
                            self.text(&text, Role::Hint, offset, chain, footer);
                        }
                    }
                }
            }
            _ => {
                // Sound, video, products and other cards: their names are read, what they hold is not.
                let name = value("data-title")
                    .or_else(|| value("name"))
                    .or_else(|| value("data-nickname"))
                    .or_else(|| value("music_name"));
                let address = source.or_else(|| value("voice_encode_fileid")).or_else(|| value("data-id"));
                if let Some(name) = &name {
                    self.text(name, Role::Label, offset, &[chain, &[tag.name]].concat(), footer);
                }
                if let Some(address) = address.or_else(|| name.clone()) {
                    self.media += 1;
                    self.link(LinkKind::Media, &address, name.as_deref(), footer, offset);
                }
            }
        }
    }

    /// Counts pictures whose text is not read.
    pub(super) fn images(&mut self, number: u64) {
        self.images += number;
    }

    /// Turns issues into anomalies and, where content was lost, gaps.
    pub(super) fn issues(&mut self, issues: Vec<Issue>) {
        for issue in issues {
            let place = self.place(issue.offset.and_then(|offset| usize::try_from(offset).ok()));
            if issue.lossy {
                self.lossy = true;
                let reason = if issue.code.contains("too-many") {
                    GapReason::LimitReached
                } else if issue.code.contains("cut-off") {
                    GapReason::Truncated
                } else {
                    GapReason::Malformed
                };
                let detail = described(issue.code, &format!("{}: {}", issue.code, issue.detail));
                self.inspection.gap(PartName::Text, &place, reason, detail);
            }
            self.inspection.anomaly(issue.code, &place, issue.detail);
        }
    }

    /// States that a document which began has no end; what stood behind it was not read.
    pub(super) fn check_end(&mut self) {
        let text = self.input.text();
        let tail =
            text.as_bytes().get(text.len().saturating_sub(4_096)..).unwrap_or_default().to_ascii_lowercase();
        let ends =
            ["</html", "</body"].iter().any(|end| memchr::memmem::find(&tail, end.as_bytes()).is_some());
        let begins = ["<body", "<BODY", "<html", "<HTML"].iter().any(|begin| contains(text, begin));
        if begins && !ends {
            let detail = "neither </body> nor </html> at its end";
            self.issues(vec![Issue::lossy("page.cut-off", text.len() as u64, detail)]);
        }
    }

    /// A date that makes no sense.
    pub(super) fn bad_date(&mut self, text: &str) {
        let text: String = text.chars().take(64).collect();
        self.issues(vec![Issue::odd("page.bad-date", None, text)]);
    }

    /// A row of a list that could not be read; `unit` is what one is called there.
    pub(super) fn reject(&mut self, line: u64, unit: (&str, &str), reason: Wording) {
        let Wording { zh: reason, en: reason_en } = reason;
        let place = Place::entry(format!("{}#{line}", self.path));
        let detail = (format!("第 {line} {}：{reason}", unit.0), format!("{} {line}: {reason_en}", unit.1));
        self.inspection.gap(PartName::Text, &place, GapReason::Malformed, detail);
        self.inspection.unread(PartName::Text);
        self.page.rejected.push(Rejected { line, reason, reason_en });
    }

    /// States that the content as a whole was not seen.
    pub(super) fn unseen(&mut self, part: PartName, reason: GapReason, detail: impl Into<Wording>) {
        let place = self.place(None);
        self.lossy = true;
        self.inspection.opaque();
        self.inspection.gap(part, &place, reason, detail);
    }

    /// The page as it was read.
    pub(super) fn finish(mut self) -> Read {
        let state = &self.page.state;
        if !matches!(state, PageState::Shown | PageState::Unknown) {
            let reason = match state {
                PageState::Wall | PageState::Challenge => GapReason::Remote,
                _ => GapReason::Missing,
            };
            let detail = (
                format!("正文不可见：{}", state.words(Lang::Zh)),
                format!("the content cannot be seen: {}", state.words(Lang::En)),
            );
            self.unseen(PartName::Text, reason, detail);
        }
        let taken_down = match &self.page.state {
            PageState::Violation { reason } => Some(reason.as_deref().unwrap_or_default().to_owned()),
            PageState::Suspended | PageState::Complaint | PageState::Rumour => Some(String::new()),
            _ => None,
        };
        if let Some(reason) = taken_down {
            let detail = [self.page.state.words(Lang::En), reason.as_str()].join(" ");
            self.inspection.anomaly("page.taken-down", &self.place(None), detail.trim());
        }
        if self.lossy {
            self.inspection.unread(PartName::Text);
        } else {
            self.inspection.read(PartName::Text);
        }
        if self.images > 0 {
            self.inspection.count(PartName::Images, 0, self.images);
            let (images, place) = (self.images, self.place(None));
            let detail = (
                format!("图片 {images} 张，图片中的文字未识读"),
                format!("{images} pictures; text inside pictures is not read"),
            );
            self.inspection.note(PartName::Images, &place, GapReason::NotInspected, detail);
        }
        if self.media > 0 {
            self.inspection.count(PartName::Other, 0, self.media);
            let (media, place) = (self.media, self.place(None));
            let detail = (
                format!("音频、视频及卡片 {media} 个，其中内容未识读"),
                format!("{media} pieces of sound, video or cards, whose content is not read"),
            );
            self.inspection.note(PartName::Other, &place, GapReason::NotInspected, detail);
        }
        if self.page.account.licence == Licence::Unknown
            && let Some(number) = self.inspection.texts.iter().find_map(|text| licence(&text.text))
        {
            self.page.account.licence = Licence::Shown { number };
        }
        let account = &self.page.account;
        self.inspection.identity.id = account.id.clone().or_else(|| account.biz.clone());
        self.inspection.identity.name = account.name.clone();
        let title = self.page.title.as_deref().map(|title| clip(title).to_owned());
        let screen = Screen { name: clip(&self.path).to_owned(), title, reachable: true };
        for text in self.inspection.texts.iter_mut().filter(|text| text.screen.is_none()) {
            text.screen = Some(screen.clone());
        }
        self.page.posts = self.page.entries.len() as u64;
        self.page.oldest = self.page.entries.iter().filter_map(|entry| entry.published).min();
        let place = self.place(None);
        self.inspection.states = standing::states(&self.page, self.entries, &place);
        let dated = |state: &State| state.name == StateName::LastPublished;
        if self.entries.are_newest()
            && !self.page.entries.is_empty()
            && !self.inspection.states.iter().any(dated)
        {
            let detail = (
                "有的发布内容没有可读的时间，无法判断是否停更",
                "some posts have no readable time, so whether it still publishes cannot be told",
            );
            self.inspection.gap(PartName::Other, &place, GapReason::Missing, detail);
        }
        Read { inspection: self.inspection, page: self.page }
    }
}
