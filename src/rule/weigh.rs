//! How much one hit supports, and the sentence that says so.

use super::guard::{Guard, Guarded, PROSE_CHARS};
use super::matcher::Hit;
use super::syntax::Strength;
use crate::model::{Document, FactKind, Level, Origin, Role, Scope, UiText, Usage};
use crate::text::{Folded, fold};

/// Why a hit counts as it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    Operable,
    Corroborated,
    Titled,
    OnScreen,
    Shown,
    InCode,
    InResource,
    WeakControl,
    WeakWord,
    WeakBorneOut,
    WeakBeside,
    Page,
    Name,
    Endpoint,
    Permission,
    Api,
    Registered,
    Sdk,
    Asset,
    QrCode,
    State,
    Said,
    SaidTwice,
    Footer,
    Report,
    Library,
    Unreferenced,
    Agreement,
    Policy,
    Help,
    Prose,
    Log,
    Comment,
    Negated,
    Quoted,
    ComplaintPage,
}

impl Why {
    /// Why a name counts.
    pub(super) fn of_name(kind: FactKind) -> Why {
        if matches!(kind, FactKind::Component | FactKind::Route) { Why::Page } else { Why::Name }
    }

    /// Evidence of the app's own that is no text.
    pub(super) fn is_trace(self) -> bool {
        matches!(
            self,
            Why::Page
                | Why::Name
                | Why::Endpoint
                | Why::Permission
                | Why::Api
                | Why::Registered
                | Why::Sdk
                | Why::Asset
                | Why::QrCode
        )
    }

    /// A page or component registered by the app.
    pub(super) fn is_page(self) -> bool {
        self == Why::Page
    }

    pub(super) fn texts(self) -> (&'static str, &'static str) {
        match self {
            Why::Operable => ("可到达页面上可以操作的控件", "an operable widget of a reachable screen"),
            Why::Corroborated => (
                "界面文字，另有独立的代码证据印证",
                "text of the interface, borne out by independent evidence in code",
            ),
            Why::Titled => (
                "界面文字，所在页面的标题也指向该功能",
                "text of the interface, borne out by the title of its screen",
            ),
            Why::OnScreen => ("界面文字，未见可操作的控件", "text on a screen, no operable widget seen"),
            Why::Shown => ("向用户显示的文字，所在页面未能查明", "text shown to users, its screen not found"),
            Why::InCode => {
                ("代码中的文字，显示位置未能查明", "text in code, where it is shown was not found")
            }
            Why::InResource => {
                ("资源表中的文字，引用位置未能查明", "a string resource whose use was not found")
            }
            Why::WeakControl => (
                "控件或标题的文字，词义不够明确",
                "label of a widget or a title, the word alone is not clear",
            ),
            Why::WeakBorneOut => (
                "词义不够明确的文字，另有代码证据",
                "a word that alone is not clear, with evidence in code beside it",
            ),
            Why::WeakBeside => (
                "词义不够明确的文字，同一页面另有明确的文字",
                "a word that alone is not clear, with clear wording on the same screen",
            ),
            Why::Page => ("页面或组件的名称", "name of a page or component"),
            Why::WeakWord => ("词义不够明确，单独不作依据", "the word alone is not clear and does not count"),
            Why::Name => ("代码、布局或控件的名称", "name in code, of a layout or of a widget"),
            Why::Endpoint => ("代码调用的接口地址", "address that the code calls"),
            Why::Permission => ("同时申请的权限或调用的接口", "permissions or interfaces used together"),
            Why::Api => (
                "专用于该功能的平台接口或组件",
                "an interface or element of the platform that serves only this",
            ),
            Why::Registered => (
                "专用于该功能的平台接口或组件，填有平台分配的编号",
                "an interface or element of the platform that serves only this, with the id registered for it",
            ),
            Why::Sdk => ("集成的第三方软件包", "third-party SDK"),
            Why::Asset => ("图片等资产的文件名", "file name of a picture or other asset"),
            Why::QrCode => ("图片中二维码的内容", "what a QR code in a picture says"),
            Why::State => ("观察到的运行状态", "a state that was observed"),
            Why::Said => ("发布或发送的文字", "text that was published or sent"),
            Why::SaidTwice => (
                "发布或发送的文字，另有不同说法相互印证",
                "text that was published or sent, borne out by other wording beside it",
            ),
            Why::Footer => {
                ("文章末尾的引导关注、点赞等固定用语", "the standard lines at the end of an article")
            }
            Why::Report => (
                "介绍整治工作、政策规定或他人情况的文章",
                "an article about the campaign, about rules or about others",
            ),
            Why::Library => ("第三方库自带的文字", "text of a third-party library"),
            Why::Unreferenced => ("没有任何界面或代码引用", "nothing refers to it"),
            Why::Agreement => ("隐私政策或用户协议中的文字", "text of a privacy policy or user agreement"),
            Why::Policy => ("政策、通知或新闻中的文字", "text of a policy, notice or news"),
            Why::Help => ("帮助、说明中的文字", "text of a help page"),
            Why::Prose => ("长段说明文字", "running text"),
            Why::Log => ("日志或统计上报，不向用户显示", "a log or telemetry call, not shown to users"),
            Why::Comment => {
                ("注释、键名或比较值，不向用户显示", "a comment, key or compared value, not shown to users")
            }
            Why::Negated => ("上下文为取消、禁止等否定意思", "denied by its context"),
            Why::Quoted => ("引号内的引述", "a quotation"),
            Why::ComplaintPage => ("“指尖上的形式主义”投诉举报页面", "the complaint page about formalism"),
        }
    }
}

impl From<Guarded> for Why {
    fn from(guarded: Guarded) -> Why {
        match guarded {
            Guarded::Negated => Why::Negated,
            Guarded::Quoted => Why::Quoted,
            Guarded::Document => Why::Policy,
            Guarded::ComplaintPage => Why::ComplaintPage,
        }
    }
}

/// The level of a text hit on its own.
pub(super) fn text(scope: Scope, text: &UiText, folded: &Folded, hit: &Hit, guard: &Guard) -> (Level, Why) {
    if scope != Scope::App {
        return said(scope, text, folded, hit, guard);
    }
    if let Some(why) = dismissed(text, guard) {
        return (Level::Mention, why);
    }
    if let Some(guarded) = guard.check(folded.as_str(), hit.range.clone()) {
        return (Level::Mention, guarded.into());
    }
    let prose = folded.as_str().chars().count() > PROSE_CHARS;
    match text.role {
        _ if hit.strength == Strength::Slight => (Level::Mention, Why::WeakWord),
        Role::Control if !prose => control(text, hit.strength),
        _ if prose => (Level::Mention, Why::Prose),
        Role::Title if hit.strength == Strength::Weak => (Level::Suspected, Why::WeakControl),
        _ if hit.strength == Strength::Weak => (Level::Mention, Why::WeakWord),
        Role::Code => (Level::Suspected, Why::InCode),
        Role::Resource => (Level::Suspected, Why::InResource),
        _ if text.screen.is_some() => (Level::Suspected, Why::OnScreen),
        _ => (Level::Suspected, Why::Shown),
    }
}

/// The level of a hit in what an account publishes or a group says. Here running text is the deed itself.
fn said(scope: Scope, text: &UiText, folded: &Folded, hit: &Hit, guard: &Guard) -> (Level, Why) {
    if text.document == Some(Document::Footer) {
        return (Level::Mention, Why::Footer);
    }
    let title = text.screen.as_ref().and_then(|screen| screen.title.as_deref());
    // A group of the name 人居环境整治工作群 reports nothing: that is what its members do.
    let reports = |title: &str| scope == Scope::Account && guard.is_report_title(&fold(title));
    if title.is_some_and(reports) {
        return (Level::Mention, Why::Report);
    }
    if let Some(guarded) = guard.check_wording(folded.as_str(), hit.range.clone()) {
        return (Level::Mention, guarded.into());
    }
    match (hit.strength, text.role) {
        (Strength::Strong, _) => (Level::Suspected, Why::Said),
        (Strength::Weak, Role::Title) => (Level::Suspected, Why::WeakControl),
        _ => (Level::Mention, Why::WeakWord),
    }
}

fn control(text: &UiText, strength: Strength) -> (Level, Why) {
    let operable = text.widget.as_ref().is_some_and(|widget| widget.operable);
    let reachable = text.screen.as_ref().is_some_and(|screen| screen.reachable);
    match strength {
        Strength::Weak | Strength::Slight => (Level::Suspected, Why::WeakControl),
        Strength::Strong if operable && reachable => (Level::Confirmed, Why::Operable),
        Strength::Strong if text.screen.is_some() => (Level::Suspected, Why::OnScreen),
        Strength::Strong => (Level::Suspected, Why::Shown),
    }
}

/// What makes a text a mention whatever it says.
pub(super) fn dismissed(text: &UiText, guard: &Guard) -> Option<Why> {
    if matches!(text.origin, Origin::Library(_)) {
        return Some(Why::Library);
    }
    match text.role {
        Role::Log => return Some(Why::Log),
        Role::Comment => return Some(Why::Comment),
        _ => {}
    }
    if text.usage == Usage::Unreferenced {
        return Some(Why::Unreferenced);
    }
    match text.document {
        Some(Document::Agreement) => return Some(Why::Agreement),
        Some(Document::Policy) => return Some(Why::Policy),
        Some(Document::Help) => return Some(Why::Help),
        Some(Document::Footer) => return Some(Why::Footer),
        None if matches!(text.role, Role::Body | Role::Document) => return Some(Why::Prose),
        None => {}
    }
    let title = text.screen.as_ref().and_then(|screen| screen.title.as_deref())?;
    let title = fold(title);
    // What can be chosen on the page where people complain about a function is not the function.
    if guard.is_complaint_page(&title) {
        return Some(Why::ComplaintPage);
    }
    // A control on a document's page is still a control: only what is read there is the document.
    (text.role != Role::Control && guard.is_document_title(&title)).then_some(Why::Policy)
}
