//! What a re-import of the roster means for the ledger: the events that make it so.

use std::collections::BTreeMap;

use super::change::Change;
use super::comparison::{Certainty, Compared, Outcome};
use super::filing::FilingList;
use super::list::Roster;
use crate::model::{Deed, OnRecord};

/// What happens to which target, in the order of the keys. Without a comparison the filing numbers are those of the
/// roster; with one they are those that the filing list bears out, and what it does not bear out is revoked. Where
/// only a name matches, nothing follows: a person has to look.
pub fn import(
    record: &BTreeMap<String, OnRecord>,
    roster: &Roster,
    change: &Change,
    compared: Option<(&FilingList, &[Compared])>,
) -> Vec<(String, Deed)> {
    let mut deeds: Vec<(String, Deed)> = Vec::new();
    for (key, entry) in change.to_enrol() {
        deeds.push((key.to_owned(), Deed::Enrolled { entry: Box::new(entry.clone()) }));
    }
    for key in change.to_strike() {
        deeds.push((key.to_owned(), Deed::Struck { reason: "重新导入的名录中没有".to_owned() }));
    }
    for row in &roster.rows {
        let Some(key) = row.entry.key() else { continue };
        let filed = record.get(&key).and_then(|known| known.filing.as_ref());
        let of_row = |one: &&Compared| one.roster == Some(row.line);
        let one = compared.and_then(|(_, compared)| compared.iter().find(of_row));
        let number = match one {
            None => row.entry.filing.as_ref(),
            Some(one) if one.certainty == Certainty::NameOnly => continue,
            Some(Compared { outcome: Outcome::Filed, list, .. }) => {
                let lists = compared.iter().flat_map(|(lists, _)| &lists.rows);
                lists.into_iter().find(|filed| Some(filed.line) == *list).map(|filed| &filed.number)
            }
            Some(Compared { outcome: Outcome::NotFiled | Outcome::NotItsNumber, reason, .. }) => {
                if filed.is_some() {
                    deeds.push((key, Deed::FilingRevoked { reason: format!("备案清单：{reason}") }));
                }
                continue;
            }
            Some(_) => continue,
        };
        if let Some(number) = number.filter(|number| Some(*number) != filed) {
            deeds.push((key, Deed::Filed { number: number.clone() }));
        }
    }
    deeds.sort_by(|a, b| a.0.cmp(&b.0));
    deeds
}
