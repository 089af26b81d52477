//! What is observed of a group as a whole. Nothing here knows a threshold; rules do.

use std::collections::{BTreeMap, HashMap};

use jiff::civil::Time;

use super::draft::{Places, Seen};
use super::export::Form;
use super::mask::numbered;
use super::{Read, chain, run};
use crate::decode::date;
use crate::model::{GroupRecord, Measure, Place, State, StateName, beijing_minute};

/// Two groups with fewer members each have them in common by chance.
const MIN_MEMBERS: usize = 3;

/// Words that say that what follows is the rules of a group.
const RULES: [&str; 12] = [
    "群规",
    "群管理规定",
    "群管理制度",
    "群管理要求",
    "本群须知",
    "入群须知",
    "群须知",
    "群公约",
    "群守则",
    "群纪律",
    "群聊规则",
    "群使用规定",
];
/// Words of a rule.
const OBLIGATIONS: [&str; 14] = [
    "不得",
    "禁止",
    "严禁",
    "请勿",
    "不准",
    "不发",
    "不许",
    "应当",
    "必须",
    "须",
    "实名",
    "仅用于",
    "只用于",
    "遵守",
];

/// Adds the states of all groups of an export.
pub(super) fn observe(reads: &mut [Read], seen: &[Vec<Seen>], places: &Places) {
    let several = reads.len() > 1;
    let shared = shared(reads);
    let whole: Vec<Option<String>> = reads.iter().map(|read| read.group.name.clone()).collect();
    for (index, (read, seen)) in reads.iter_mut().zip(seen).enumerate() {
        let subject = read.group.name.clone().filter(|_| several);
        let mut states = Vec::new();
        let mut add = |name: StateName, measure: Measure, text: String, place: Place| {
            states.push(State { name, subject: subject.clone(), measure, text, place });
        };
        let group = &read.group;
        if let Some(last) =
            seen.iter().filter(|message| message.time.is_some()).max_by_key(|message| message.time)
            && let Some(time) = last.time
        {
            let text = format!("最后一条消息 last message: {} {}", beijing_minute(time), clip(&last.text));
            add(StateName::LastMessage, Measure::Since(time), text.trim().to_owned(), places.line(last.line));
        }
        if let (Some(true), Some(end)) = (group.temporary, group.task_end)
            && let Some(time) = Time::new(23, 59, 59, 0).ok().and_then(|night| date::moment(end, night))
        {
            let name = group.name.as_deref().unwrap_or_default();
            let text = format!("临时群 temporary group: {name}；任务结束日期 end of task: {end}");
            add(StateName::TaskEnded, Measure::Since(time), text, places.line(1));
        }
        if let Some((text, line)) = rules(group, seen) {
            add(StateName::RulesShown, Measure::Plain, clip(text).to_owned(), places.line(line));
        }
        let sign = group.sign.as_deref().filter(|sign| !sign.is_empty());
        if let Some(sign) = sign.or(group.name.as_deref().filter(|name| is_sign(name))) {
            add(StateName::SignShown, Measure::Plain, sign.to_owned(), places.line(1));
        }
        for chain in chain::chains(seen) {
            let text = format!(
                "{}（接龙共 {} 条，{} a chain of {} entries）",
                chain.title,
                chain.entries,
                places.step(chain.line),
                chain.entries
            );
            add(StateName::ChainRun, Measure::Count(chain.entries), text, places.line(chain.line));
        }
        for (name, run) in run::runs(seen) {
            add(name, Measure::Count(run.members), run.text(seen, places), places.line(run.line(seen)));
        }
        if let Some((other, percent, number)) = shared.get(&index).copied() {
            let other =
                whole.get(other).and_then(Option::as_deref).unwrap_or("未命名的群 group without a name");
            let text = format!(
                "与“{other}”共有成员 {number} 名，占成员较多一方的 {percent}% shares {number} members with it, {percent}% of the larger one"
            );
            add(StateName::MembersShared, Measure::Count(percent), text, places.line(1));
        }
        read.inspection.states = states;
    }
}

/// The beginning of a text.
pub(super) fn clip(text: &str) -> &str {
    let line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().trim();
    line.char_indices().nth(80).map_or(line, |(at, _)| &line[..at])
}

/// Group rules: in the notice, or in a message that lists them.
fn rules<'a>(group: &'a GroupRecord, seen: &'a [Seen]) -> Option<(&'a str, u64)> {
    if let Some(notice) = group.notice.as_deref().filter(|notice| lists_rules(notice)) {
        return Some((notice, 1));
    }
    let found = seen.iter().find(|message| message.form == Form::Text && lists_rules(&message.text));
    found.map(|message| (message.text.as_str(), message.line))
}

/// Whether a text lists rules of its group. A reminder to keep them lists none.
fn lists_rules(text: &str) -> bool {
    let named = RULES.iter().any(|word| text.contains(word));
    let about = named || ["本群", "群内", "入群", "群成员"].iter().any(|word| text.contains(word));
    let items = text.lines().filter(|line| numbered(line).is_some()).count();
    let sentences = text.split(['。', '；', ';', '\n', '！']).filter(|sentence| !sentence.trim().is_empty());
    let obligations =
        sentences.filter(|sentence| OBLIGATIONS.iter().any(|word| sentence.contains(word))).count();
    named && (items >= 2 || obligations >= 2) || about && obligations >= 2
}

/// Whether a name says unit, use and that it is a group: 单位/部门+用途+群.
pub(super) fn is_sign(name: &str) -> bool {
    const UNITS: [&str; 44] = [
        "省",
        "市",
        "县",
        "区",
        "镇",
        "乡",
        "村",
        "街道",
        "社区",
        "局",
        "委",
        "办",
        "厅",
        "部",
        "科",
        "处",
        "站",
        "所",
        "中心",
        "学校",
        "小学",
        "中学",
        "大学",
        "学院",
        "幼儿园",
        "医院",
        "卫生院",
        "公司",
        "支部",
        "党委",
        "党组",
        "总支",
        "大队",
        "支队",
        "中队",
        "院",
        "集团",
        "网格",
        "工会",
        "妇联",
        "团委",
        "馆",
        "协会",
        "组",
    ];
    let name = name.trim();
    // 示例镇防汛工作群（临时）, 示例镇防汛工作2群
    let name = match name.rfind(['（', '(']) {
        Some(at) if name.ends_with(['）', ')']) => name[..at].trim(),
        _ => name,
    };
    let name = name.trim_end_matches(|ch: char| ch.is_ascii_digit() || "一二三四五六号".contains(ch));
    let Some(name) = name.strip_suffix('群') else { return false };
    let name = name.trim_end_matches(|ch: char| ch.is_ascii_digit());
    UNITS.iter().any(|unit| {
        name.match_indices(unit).any(|(at, unit)| {
            let (before, behind) = (&name[..at], &name[at + unit.len()..]);
            let letters = |text: &str| text.chars().filter(|ch| ch.is_alphanumeric()).count();
            letters(before) >= 1 && letters(behind) >= 2
        })
    })
}

/// For each group the one that shares most members with it: its index, the share of the larger of the two in percent,
/// the number.
fn shared(reads: &[Read]) -> HashMap<usize, (usize, u64, u64)> {
    let listed = |read: &Read| read.group.members.len() >= MIN_MEMBERS;
    let mut of_member: HashMap<u64, Vec<usize>> = HashMap::new();
    for (index, read) in reads.iter().enumerate().filter(|(_, read)| listed(read)) {
        read.group.members.iter().for_each(|member| of_member.entry(*member).or_default().push(index));
    }
    let mut common: BTreeMap<(usize, usize), u64> = BTreeMap::new();
    for groups in of_member.values() {
        for (at, one) in groups.iter().enumerate() {
            groups[at + 1..].iter().for_each(|other| *common.entry((*one, *other)).or_default() += 1);
        }
    }
    let mut most: HashMap<usize, (usize, u64, u64)> = HashMap::new();
    for ((one, other), number) in common {
        let larger = reads[one].group.members.len().max(reads[other].group.members.len()) as u64;
        let percent = number * 100 / larger;
        for (this, that) in [(one, other), (other, one)] {
            let best = most.entry(this).or_insert((that, percent, number));
            if percent > best.1 {
                *best = (that, percent, number);
            }
        }
    }
    most
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs() {
        for name in [
            "示例镇防汛工作群",
            "县教育局安全工作群（临时）",
            "示例社区网格通知2群",
            "示例县人民医院护理部排班群",
            "城东社区党支部学习群",
            "示例小学三年级家长通知群",
        ] {
            assert!(is_sign(name), "{name}");
        }
        for name in ["相亲相爱一家人", "工作群", "示例镇群", "镇工作群", "示例镇防汛工作", "快乐大家庭群", ""]
        {
            assert!(!is_sign(name), "{name}");
        }
    }

    #[test]
    fn rules_are_listed() {
        for text in [
            "群规：1.实名入群；2.不得发布无关内容。",
            "本群仅用于工作联系，不得闲聊。严禁发布涉密信息。",
            "【群公约】\n1. 按时\n2. 简洁",
            "入群须知\n一、入群须实名；二、请勿转发不实信息",
        ] {
            assert!(lists_rules(text), "{text}");
        }
        for text in [
            "请大家遵守群规",
            "明天9点开会，请准时参加",
            "1. 检查山塘\n2. 检查水库",
            "严禁烟火。严禁带火种进山。",
            "收到请回复",
        ] {
            assert!(!lists_rules(text), "{text}");
        }
    }
}
