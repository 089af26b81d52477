//! What is known of an account or a group besides its texts: when it last published, whether it is verified, runs
//! of like messages. Whoever reads a page observes; the thresholds are the rules'.

use jiff::Timestamp;
use serde::Deserialize;

use super::Place;

/// What can be observed of an account or a group as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum StateName {
    /// Account: time of the newest post of a list, a feed or a site map.
    LastPublished,
    /// The same of an account recorded as one that publishes (发布类).
    PublisherLastPublished,
    /// Account: a list or a feed that holds no post.
    NothingPublished,
    /// Account: not verified by the platform.
    Unverified,
    /// Account: registered by a person, not by an office.
    PersonalPrincipal,
    /// Account: the principal (认证主体) is not the registered owner (主办单位).
    PrincipalDiffers,
    /// Account: the platform says that it moved, or is about to move, to another principal.
    Migrated,
    /// Account: its name record says that it came, with readers and articles, from another principal.
    TakenOver,
    /// Account: it was closed, but is still registered as running.
    Closed,
    /// Account: so many posts, and not one comment or like was counted for any of them.
    NoInteraction,
    /// Account: a licence for internet news is on record for it.
    LicenceHeld,
    /// Account: the licence is shown.
    LicenceShown,
    /// Group: time of the newest message.
    LastMessage,
    /// Group: the end of the task that a temporary group was made for.
    TaskEnded,
    /// Group: group rules (群规) are in its notice or were sent.
    RulesShown,
    /// Group: it has a group sign (群标): its name says unit and use.
    SignShown,
    /// Group: so many entries of one chain (接龙).
    ChainRun,
    /// Group: so many receipts (收到) in a row, by different members.
    ReceiptRun,
    /// Group: so many flowers, thumbs and claps in a row, by different members.
    PraiseRun,
    /// Group: so many pictures and videos in a row, by different members.
    PictureRun,
    /// Groups: the share of members (in percent) that another group has too.
    MembersShared,
}

/// How a state is measured, and so which threshold a rule gives for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MeasureKind {
    /// It holds or not.
    Plain,
    /// Days since a moment.
    Since,
    /// A number.
    Count,
}

impl StateName {
    /// How it is measured.
    pub fn measured(self) -> MeasureKind {
        match self {
            StateName::LastPublished
            | StateName::PublisherLastPublished
            | StateName::LastMessage
            | StateName::TaskEnded => MeasureKind::Since,
            StateName::NoInteraction
            | StateName::ChainRun
            | StateName::ReceiptRun
            | StateName::PraiseRun
            | StateName::PictureRun
            | StateName::MembersShared => MeasureKind::Count,
            _ => MeasureKind::Plain,
        }
    }
}

/// The measure of a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// It holds.
    Plain,
    /// Since when.
    Since(Timestamp),
    /// How many.
    Count(u64),
}

/// Something observed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// What.
    pub name: StateName,
    /// Which account or group, where one report speaks of several.
    pub subject: Option<String>,
    /// How much.
    pub measure: Measure,
    /// What was seen, in words that can be found again at the place; names and telephone numbers of people masked.
    pub text: String,
    /// Where.
    pub place: Place,
}
