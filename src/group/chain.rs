//! Chains (接龙): a list that members send again and again, each with an entry more. What is counted are the entries
//! of the list at its longest: they stand there to be read, however long it took. Lists in which people sign up for
//! something that they want (志愿者报名, 团购, 订餐) are no chain of work, unless they are called a check-in.

use std::collections::HashSet;

use super::draft::Seen;
use super::export::Form;
use super::mask::numbered;
use super::observe::clip;
use crate::text::fold;

/// So many chains may grow side by side.
const MAX_OPEN: usize = 32;
/// So many of the longest are handed on.
const MAX_CHAINS: usize = 3;
/// A list that is not called a chain is one once it grew so often by another member's hand.
const MIN_GROWTH: usize = 3;

/// Lists that people enter because they want something.
const WANTED: [&str; 34] = [
    "报名",
    "团购",
    "拼单",
    "拼团",
    "订餐",
    "用餐",
    "订购",
    "预订",
    "订水",
    "订报",
    "自愿",
    "志愿",
    "献血",
    "疫苗",
    "体检",
    "聚餐",
    "拼车",
    "代购",
    "物资",
    "需求",
    "意向",
    "购买",
    "采购",
    "水果",
    "蔬菜",
    "包车",
    "运动会",
    "春游",
    "秋游",
    "捐",
    "认领",
    "校服",
    "租",
    "球赛",
];
/// Words by which such a list is one of work nevertheless.
const WORK: [&str; 14] = [
    "打卡",
    "签到",
    "到岗",
    "在岗",
    "收到",
    "已阅",
    "已学",
    "点赞",
    "转发",
    "关注",
    "截图",
    "上报",
    "完成情况",
    "必须",
];

/// A chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chain {
    /// What stands above the entries.
    pub(super) title: String,
    /// Entries of the longest list.
    pub(super) entries: u64,
    /// Where that stands.
    pub(super) line: u64,
    /// It is called 接龙.
    called: bool,
    growth: usize,
    last: Option<usize>,
    latest: usize,
}

/// A list: its title, whether it is called a chain, its entries.
fn list(text: &str) -> Option<(String, bool, u64)> {
    let mut entries = 0;
    let mut title = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        match numbered(line) {
            Some((number, entry)) if u64::from(number) == entries + 1 && !entry.trim().is_empty() => {
                entries += 1
            }
            // An entry that nobody has filled yet.
            Some((_, entry)) if entry.trim().is_empty() => {}
            Some(_) if entries == 0 => return None,
            _ if entries == 0 => title.push(line),
            // An entry of several lines, or a note behind it.
            _ => {}
        }
    }
    let title = title.join(" ");
    let called = title.contains("接龙");
    (entries > 0).then_some((title, called, entries))
}

/// Whether it is one of work.
fn of_work(title: &str) -> bool {
    let title = fold(title);
    WORK.iter().any(|word| title.contains(word)) || !WANTED.iter().any(|word| title.contains(word))
}

/// The longest chains of work of a group, longest first.
pub(super) fn chains(seen: &[Seen]) -> Vec<Chain> {
    let mut open: Vec<Chain> = Vec::new();
    let mut done: Vec<Chain> = Vec::new();
    for (index, message) in seen.iter().enumerate().filter(|(_, message)| message.form == Form::Text) {
        let Some((title, called, entries)) = list(&message.text) else { continue };
        let title = clip(&title).to_owned();
        // The list of the day before may have the same title: a shorter one begins anew.
        let same = |chain: &&mut Chain| {
            chain.title == title
                && (entries > chain.entries || called && entries + 2 > chain.entries)
                && entries <= chain.entries + 5
        };
        match open.iter_mut().find(same) {
            Some(chain) => {
                chain.growth += usize::from(message.member != chain.last && entries > chain.entries);
                (chain.last, chain.latest) = (message.member, index);
                if entries > chain.entries {
                    (chain.entries, chain.line) = (entries, message.line);
                }
            }
            None => {
                if open.len() >= MAX_OPEN
                    && let Some(oldest) =
                        open.iter().enumerate().min_by_key(|(_, chain)| chain.latest).map(|(at, _)| at)
                {
                    done.push(open.swap_remove(oldest));
                }
                let (line, last) = (message.line, message.member);
                open.push(Chain { title, entries, line, called, growth: 0, last, latest: index });
            }
        }
    }
    done.append(&mut open);
    done.retain(|chain| (chain.called || chain.growth >= MIN_GROWTH) && of_work(&chain.title));
    done.sort_by(|a, b| b.entries.cmp(&a.entries).then(a.line.cmp(&b.line)));
    // One of each title: the same is sent every day.
    let mut titles = HashSet::new();
    done.retain(|chain| titles.insert(chain.title.clone()));
    done.truncate(MAX_CHAINS);
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(texts: &[&str]) -> Vec<Seen> {
        let one = |(index, text): (usize, &&str)| Seen {
            line: index as u64 + 1,
            time: None,
            member: Some(index),
            form: Form::Text,
            text: (*text).to_owned(),
        };
        texts.iter().enumerate().map(one).collect()
    }

    #[test]
    fn a_chain_is_counted_by_its_entries() {
        let seen = messages(&[
            "#接龙\n每日巡查打卡\n1. 成员1 已完成",
            "请继续",
            "#接龙\n每日巡查打卡\n1. 成员1 已完成\n2. 成员2 已完成",
            "#接龙\n每日巡查打卡\n1. 成员1 已完成\n2. 成员2 已完成\n3. 成员3 已完成",
        ]);
        let found = chains(&seen);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!((found[0].entries, found[0].line), (3, 4));
    }

    #[test]
    fn lists_that_are_no_chain_of_work() {
        for texts in [
            &["今天的工作：\n1. 检查山塘\n2. 检查水库\n3. 报送"][..],
            &["#接龙\n社区志愿者报名\n1. 成员1\n2. 成员2"],
            &["#接龙 水果团购\n1. 成员1 苹果一箱\n2. 成员2 梨一箱"],
            &["请大家接龙"],
        ] {
            assert_eq!(chains(&messages(texts)), [], "{texts:?}");
        }
        assert_eq!(chains(&messages(&["#接龙\n志愿服务打卡\n1. 成员1"])).len(), 1);
    }

    #[test]
    fn a_list_that_grows_is_a_chain() {
        let seen = messages(&[
            "到岗\n1. 甲",
            "到岗\n1. 甲\n2. 乙",
            "到岗\n1. 甲\n2. 乙\n3. 丙",
            "到岗\n1. 甲\n2. 乙\n3. 丙\n4. 丁",
        ]);
        assert_eq!(chains(&seen)[0].entries, 4);
    }
}
