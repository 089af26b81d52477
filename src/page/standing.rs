//! What a page says of its account as a whole: observed states, without thresholds.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::model::{
    AccountRecord, Entry, Lang, Licence, Measure, PageRecord, PageState, Place, RenameKind, State, StateName,
    beijing_day,
};

/// Fewer posts with counts than this say nothing of whether people take part.
const MIN_COUNTED: usize = 3;

/// What the entries of a page are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entries {
    /// Nothing that the account published.
    Links,
    /// Its pages: not everything that it published is among them.
    Pages,
    /// Some of its posts: others may be newer.
    Some,
    /// Its posts: a feed, an imported list.
    Posts,
}

impl Entries {
    /// Whether the newest thing that the account published is among them.
    pub(super) fn are_newest(self) -> bool {
        matches!(self, Entries::Pages | Entries::Posts)
    }
}

/// The states of the account of a page.
pub(super) fn states(page: &PageRecord, entries: Entries, place: &Place) -> Vec<State> {
    let mut found = Found { states: Vec::new(), place };
    found.account(&page.account);
    found.page_state(&page.state);
    if entries.are_newest() && page.state == PageState::Shown {
        if entries == Entries::Posts && page.entries.is_empty() && page.rejected.is_empty() {
            found.plain(StateName::NothingPublished, "posts: 0");
        }
        found.entries(page);
    }
    found.states
}

struct Found<'a> {
    states: Vec<State>,
    place: &'a Place,
}

impl Found<'_> {
    fn add(&mut self, name: StateName, measure: Measure, subject: Option<&str>, text: String) {
        let (subject, place) = (subject.map(str::to_owned), self.place.clone());
        self.states.push(State { name, subject, measure, text, place });
    }

    fn plain(&mut self, name: StateName, text: impl Into<String>) {
        self.add(name, Measure::Plain, None, text.into());
    }

    fn account(&mut self, account: &AccountRecord) {
        let kind = account.principal_kind.as_deref();
        if account.verified == Some(false) {
            let shown = account.principal.clone().unwrap_or_else(|| "verify_status = 0".to_owned());
            self.plain(StateName::Unverified, shown);
        }
        if let Some(kind @ "个人") = kind {
            self.plain(StateName::PersonalPrincipal, kind);
        }
        if let Licence::Shown { number } = &account.licence {
            self.plain(StateName::LicenceShown, number.clone());
        }
        // The record has the newest name first.
        let mut moved = account.renames.iter().filter(|rename| rename.kind == RenameKind::Migrated);
        if let Some(newest) = moved.next() {
            let date = newest.date.map(|date| format!("{date} ")).unwrap_or_default();
            self.plain(StateName::TakenOver, format!("{date}账号迁移改名：{}", newest.to));
        }
    }

    fn page_state(&mut self, state: &PageState) {
        let name = match state {
            PageState::Migrated { .. } | PageState::Migrating => StateName::Migrated,
            PageState::Closed => StateName::Closed,
            _ => return,
        };
        let mut text = state.words(Lang::Zh).to_owned();
        if let PageState::Migrated { to: Some(more) } = state {
            text = format!("{text}：{more}");
        }
        self.plain(name, text);
    }

    /// The posts, of each account by itself.
    fn entries(&mut self, page: &PageRecord) {
        let mut accounts: BTreeMap<Option<&str>, Vec<&Entry>> = BTreeMap::new();
        for entry in &page.entries {
            accounts.entry(entry.account.as_deref()).or_default().push(entry);
        }
        let several = accounts.len() > 1;
        for (account, entries) in accounts {
            self.posts(account.filter(|_| several), &entries);
        }
    }

    fn posts(&mut self, account: Option<&str>, entries: &[&Entry]) {
        // A post without a readable time may be the newest: then nothing is said of how long ago that was.
        let times: Option<Vec<(Timestamp, &Entry)>> =
            entries.iter().map(|entry| Some((entry.published?, *entry))).collect();
        let newest = times.into_iter().flatten().max_by_key(|(time, _)| *time);
        if let Some((published, entry)) = newest {
            let title = entry.title.as_deref().or(entry.address.as_deref()).unwrap_or_default();
            let title: String = title.chars().take(40).collect();
            let text = format!("{} {title}", beijing_day(published));
            self.add(
                StateName::LastPublished,
                Measure::Since(published),
                account,
                text.trim_end().to_owned(),
            );
        }
        let counted = |entry: &&&Entry| entry.likes.is_some() || entry.comments.is_some();
        let taken_part = |entry: &Entry| entry.likes.unwrap_or(0) + entry.comments.unwrap_or(0) > 0;
        let with_counts: Vec<&&Entry> = entries.iter().filter(counted).collect();
        if with_counts.len() >= MIN_COUNTED && !with_counts.iter().any(|entry| taken_part(entry)) {
            let posts = with_counts.len() as u64;
            let text = format!("posts: {posts}, likes: 0, comments: 0");
            self.add(StateName::NoInteraction, Measure::Count(posts), account, text);
        }
    }
}
