//! Things about a package that are not text on a screen but tell what it does.

use super::{Origin, Place, Screen};

/// What a fact is about; rules name these kinds in their signals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FactKind {
    /// Manifest component (activity, service, receiver, provider), fully qualified class name.
    Component,
    /// Class of the app's own code, fully qualified.
    Class,
    /// Name of a method of the app's own code; the chain names its class.
    Function,
    /// Name of a layout, menu or navigation resource.
    Layout,
    /// Id of a widget.
    WidgetId,
    /// Page path of a mini program or H5 route.
    Route,
    /// URL or URL path that the code calls.
    Endpoint,
    /// Android permission or mini-program scope / required private API.
    Permission,
    /// Prefix of a third-party SDK found in code, manifest or libraries.
    Sdk,
    /// A mini-program or JS bridge API call with its prefix: `wx.getLocation`.
    Api,
    /// Path of an image or other asset whose name may tell its use.
    Asset,
    /// What a page of an account leads to: an address, a mini program, the card of an account, a vote.
    Link,
    /// What a QR code in a picture says, mostly an address.
    QrCode,
}

/// A fact with its provenance.
#[derive(Debug, Clone)]
pub struct Fact {
    /// What it is about.
    pub kind: FactKind,
    /// The name itself.
    pub value: String,
    /// Where it was read.
    pub place: Place,
    /// The screen it belongs to, where known.
    pub screen: Option<Screen>,
    /// Readable steps from the fact to the screen or the code around it.
    pub chain: Vec<String>,
    /// Whose it is.
    pub origin: Origin,
    /// Of an interface or element: the id that the platform has given the app for it, as of an advertising slot.
    pub registered: Option<String>,
}

impl Fact {
    /// A fact of the app's own with no links.
    pub fn new(kind: FactKind, value: impl Into<String>, place: Place) -> Self {
        Fact {
            kind,
            value: value.into(),
            place,
            screen: None,
            chain: Vec::new(),
            origin: Origin::App,
            registered: None,
        }
    }
}
