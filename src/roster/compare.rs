//! What is on record of a target against what is seen of it.

use crate::model::{AccountRecord, Place, Registered, State, StateName};
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
