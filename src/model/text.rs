//! One piece of text that a user of the package may see, and everything known about its use.

use std::sync::Arc;

use super::Place;

/// How a text is used. Rules weigh a text by its role; the order is from strongest to weakest use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Label of something a person operates: button, tab, menu item, clickable row, list entry with an action.
    Control,
    /// Title of a screen, dialog, tab page or navigation bar.
    Title,
    /// Text on a screen that is not operable itself.
    Label,
    /// Placeholder or content description of an input.
    Hint,
    /// Toast, dialog body, notification, modal.
    Message,
    /// An item of a string array or of a data table in code (often menu entries).
    Item,
    /// A literal in code whose use could not be followed.
    Code,
    /// A string resource whose use could not be followed.
    Resource,
    /// Running text of an article or message: what an account says.
    Body,
    /// Running text: policy, agreement, news, help page.
    Document,
    /// Argument of a logging or telemetry call.
    Log,
    /// Not shown at all: comment, key, developer text.
    Comment,
}

/// The element of a screen that carries a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Widget {
    /// Element class or tag as written: `Button`, `androidx.cardview.widget.CardView`, `view`.
    pub class: String,
    /// Its id without the `@+id/` prefix.
    pub id: Option<String>,
    /// Name of the handler: `android:onClick`, `bindtap`, a method that sets a listener.
    pub handler: Option<String>,
    /// A person can press, choose or fill it.
    pub operable: bool,
}

/// The screen a text is on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Screen {
    /// Class of the activity or fragment, or page path of a mini program.
    pub name: String,
    /// Its title as users see it.
    pub title: Option<String>,
    /// Registered in the manifest or page list and reachable from there; a lone layout is not.
    pub reachable: bool,
}

/// A place in code that uses a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    /// Class or module: `cn.gov.example.PatrolActivity`, `pages/punch/index.js`.
    pub class: String,
    /// Method or function name where known.
    pub method: Option<String>,
    /// The call that receives the text (`setText`, `wx.showToast`) or the property that holds it (`title`).
    pub sink: Option<String>,
}

/// Whose text it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The app's own.
    App,
    /// A third-party library or framework runtime, by its common name (`AndroidX`, `uni-app runtime`).
    Library(Arc<str>),
}

/// Whether anything in the package uses the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Usage {
    /// A layout, a manifest entry or code of the app refers to it.
    Used,
    /// Everything that could refer to it was read, and nothing does.
    Unreferenced,
    /// Its use could not be followed (packed code, names built at run time).
    Unknown,
}

/// The sort of document a running text belongs to; text in documents is a mention at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Document {
    /// Privacy policy or user agreement.
    Agreement,
    /// Policy, regulation, notice, news, article.
    Policy,
    /// Help, instruction or licence text.
    Help,
    /// The standard end of an article: guide lines, credits, recommended reading.
    Footer,
}

/// A text with its provenance and links.
#[derive(Debug, Clone)]
pub struct UiText {
    /// The text as it stands in the package, unescaped, not folded.
    pub text: String,
    /// How it is used.
    pub role: Role,
    /// Where it is stored.
    pub place: Place,
    /// BCP 47 tag of the resource configuration; `None` is the default configuration.
    pub locale: Option<String>,
    /// Key or resource name it is stored under (`string/patrol_punch`, `navigationBarTitleText`).
    pub key: Option<String>,
    /// The widget that shows it.
    pub widget: Option<Widget>,
    /// The screen it is on.
    pub screen: Option<Screen>,
    /// The code that uses it.
    pub code: Option<Code>,
    /// The way from the stored text to the screen, one readable step each:
    /// `res/layout/activity_patrol.xml`, `PatrolActivity.onPunch`, `POST /patrol/checkin`.
    pub chain: Vec<String>,
    /// Whose text it is.
    pub origin: Origin,
    /// Whether anything refers to it.
    pub usage: Usage,
    /// Set when the text belongs to a document.
    pub document: Option<Document>,
}

impl UiText {
    /// A text of the app with nothing known but its role and place.
    pub fn new(text: impl Into<String>, role: Role, place: Place) -> Self {
        UiText {
            text: text.into(),
            role,
            place,
            locale: None,
            key: None,
            widget: None,
            screen: None,
            code: None,
            chain: Vec::new(),
            origin: Origin::App,
            usage: Usage::Unknown,
            document: None,
        }
    }
}
