//! What is on record of a target against what is seen of it.

use crate::model::{AccountRecord, Place, Platform, Registered, RosterEntry, State, StateName};
use crate::text::fold;

/// The states that only the record shows. `seen` are those of the page itself.
pub fn compare(
    registered: &Registered,
    account: &AccountRecord,
    seen: &[State],
    place: &Place,
) -> Vec<State> {
    let mut states = Vec::new();
    let mut plain = |name: StateName, text: String| {
        let (subject, measure, place) = (None, crate::model::Measure::Plain, place.clone());
        states.push(State { name, subject, measure, text, place });
    };
    if let Some(licence) = &registered.licence {
        plain(StateName::LicenceHeld, licence.clone());
    }
    if let (Some(owner), Some(principal)) = (&registered.owner, &account.principal)
        && !is_same_office(owner, principal)
    {
        plain(StateName::PrincipalDiffers, format!("{principal} ≠ {owner}"));
    }
    if registered.publishes == Some(true) {
        let newest = seen.iter().filter(|state| state.name == StateName::LastPublished);
        states.extend(newest.map(|state| State { name: StateName::PublisherLastPublished, ..state.clone() }));
    }
    states
}

/// The name of the account that a page of WeChat is of, where it is another than the roster says: by no number, name
/// or former name the one of the row.
pub fn other_account<'a>(entry: &RosterEntry, account: &'a AccountRecord) -> Option<&'a str> {
    let (said, found) = (entry.name.as_deref()?, account.name.as_deref()?);
    let numbers = [&account.id, &account.biz, &account.alias];
    let has_number = |id: &String| numbers.into_iter().flatten().any(|number| number == id);
    let former = account.renames.iter().flat_map(|rename| rename.from.iter().chain([&rename.to]));
    let same = entry.id.as_ref().is_some_and(has_number)
        || is_same_office(said, found)
        || former.into_iter().any(|name| is_same_office(said, name));
    (account.platform == Some(Platform::Wechat) && !same).then_some(found)
}

/// Whether two names are of one office: equal but for widths, marks, spaces and 人民 (县人民政府办公室, 县政府办公室).
fn is_same_office(a: &str, b: &str) -> bool {
    bare(a) == bare(b)
}

/// What is left of a name when all is gone in which two spellings of it differ.
pub(super) fn bare(name: &str) -> String {
    fold(name).replace("人民", "").chars().filter(|ch| ch.is_alphanumeric()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Rename, RenameKind, TargetKind};

    #[test]
    fn a_page_is_of_the_account_that_it_names() {
        let entry = |name: &str, id: Option<&str>| RosterEntry {
            name: Some(name.into()),
            id: id.map(str::to_owned),
            ..RosterEntry::new(TargetKind::Account)
        };
        let account = AccountRecord {
            platform: Some(Platform::Wechat),
            name: Some("青岚教育".into()),
            id: Some("gh_0123456789ab".into()),
            renames: vec![Rename {
                date: None,
                kind: RenameKind::Renamed,
                from: Some("青岚县教育局".into()),
                to: "青岚教育".into(),
            }],
            ..AccountRecord::default()
        };
        assert_eq!(other_account(&entry("青岚发布", None), &account), Some("青岚教育"));
        for (name, id) in [("青岚教育", None), ("青岚县教育局", None), ("旧名", Some("gh_0123456789ab"))]
        {
            assert_eq!(other_account(&entry(name, id), &account), None, "{name}");
        }
        let site = AccountRecord { platform: Some(Platform::Website), ..account };
        assert_eq!(other_account(&entry("青岚发布", None), &site), None);
    }

    #[test]
    fn one_office_is_written_in_several_ways() {
        assert!(is_same_office("青岚县人民政府办公室", "青岚县政府办公室"));
        assert!(is_same_office(
            "青岚县 融媒体中心",
            "青岚县融媒体中心（青岚县）".trim_end_matches("（青岚县）")
        ));
        assert!(!is_same_office("青岚县教育局", "青岚县教育和体育局"));
        assert!(!is_same_office("青岚县教育局", "青岚文化传播有限公司"));
    }
}
