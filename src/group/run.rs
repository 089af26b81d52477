//! Runs: receipts, praise, or pictures, one behind the other by different members. A run is as long as the members in
//! it are many; it ends with a message of another kind or with an hour of silence. What nobody asked for and what is
//! done once (a thank-you, a receipt of the one addressed) is no run.

use std::collections::HashSet;

use super::draft::{Places, Seen};
use super::export::Form;
use super::observe::clip;
use crate::model::StateName;
use crate::text::fold;

/// So long nobody says anything between two runs, in seconds.
const SILENCE: i64 = 3_600;
/// So many of the longest of each kind are handed on.
const MAX_RUNS: usize = 3;
/// A receipt with what goes with it (城东社区收到，马上落实) has so many characters at most.
const MAX_RECEIPT: usize = 16;
/// A caption of pictures has so many characters at most.
const MAX_CAPTION: usize = 80;

/// Messages in a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) members: u64,
    first: usize,
    last: usize,
}

impl Run {
    /// The line that it begins at.
    pub(super) fn line(&self, seen: &[Seen]) -> u64 {
        seen.get(self.first).map_or(0, |message| message.line)
    }

    /// The first messages of it, how many there are, and what stands before it.
    pub(super) fn text(&self, seen: &[Seen], places: &Places) -> String {
        let says = |message: &Seen| {
            let who = message.member.map_or("系统".to_owned(), |member| format!("成员{member}"));
            let text = match (message.form, clip(&message.text)) {
                (Form::Picture, "") => "[图片]",
                (Form::Video, "") => "[视频]",
                (_, text) => text,
            };
            format!("{who}：{text}")
        };
        let shown: Vec<String> =
            seen.get(self.first..=self.last).into_iter().flatten().take(3).map(says).collect();
        let before = self.first.checked_sub(1).and_then(|before| seen.get(before));
        let before = before.map_or(String::new(), |message| format!("；之前 before: {}", says(message)));
        let to = seen.get(self.last).map_or(0, |message| message.line);
        let (members, lines) = (self.members, places.steps(self.line(seen), to));
        format!("{} …（{members} 名成员接连发送，{lines}, {members} members{before}）", shown.join("；"))
    }
}

/// What a message is to a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Of,
    /// It neither belongs to it nor ends it.
    Beside,
    Ends,
}

/// The longest runs of each kind, with its name.
pub(super) fn runs(seen: &[Seen]) -> Vec<(StateName, Run)> {
    let folded: Vec<String> = seen.iter().map(|message| core(&message.text)).collect();
    let text = |index: usize| seen[index].form == Form::Text;
    let receipt = |index: usize| match () {
        () if seen[index].form == Form::System => Part::Beside,
        () if text(index) && is_receipt(&seen[index].text, &folded[index]) => Part::Of,
        () => Part::Ends,
    };
    let praise = |index: usize| match () {
        () if seen[index].form == Form::System => Part::Beside,
        () if text(index) && is_praise(&seen[index].text) => Part::Of,
        () => Part::Ends,
    };
    let is_picture = |index: usize| matches!(seen[index].form, Form::Picture | Form::Video);
    let picture = |index: usize| {
        let own = |other: Option<usize>| {
            other
                .filter(|other| *other < seen.len() && is_picture(*other))
                .is_some_and(|other| seen[other].member == seen[index].member)
        };
        let short = text(index) && seen[index].text.chars().count() <= MAX_CAPTION;
        match () {
            () if is_picture(index) => Part::Of,
            () if seen[index].form == Form::System => Part::Beside,
            // What a member says of pictures sent just before or after.
            () if short && (own(index.checked_sub(1)) || own(Some(index + 1))) => Part::Beside,
            () => Part::Ends,
        }
    };
    let kinds: [(StateName, &dyn Fn(usize) -> Part); 3] = [
        (StateName::ReceiptRun, &receipt),
        (StateName::PraiseRun, &praise),
        (StateName::PictureRun, &picture),
    ];
    kinds
        .into_iter()
        .flat_map(|(name, part)| longest(seen, part).into_iter().map(move |run| (name, run)))
        .collect()
}

fn longest(seen: &[Seen], part: &dyn Fn(usize) -> Part) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let mut open: Option<(Run, HashSet<usize>)> = None;
    let mut before = None;
    for (index, message) in seen.iter().enumerate() {
        let silent = match (before, message.time) {
            (Some(before), Some(time)) => {
                (jiff::Timestamp::duration_since(time, before)).as_secs().abs() > SILENCE
            }
            _ => false,
        };
        before = message.time.or(before);
        let part = part(index);
        if part == Part::Ends || silent {
            runs.extend(open.take().map(|(run, _)| run));
        }
        if part == Part::Of
            && let Some(member) = message.member
        {
            let (run, members) =
                open.get_or_insert((Run { members: 0, first: index, last: index }, HashSet::new()));
            members.insert(member);
            (run.members, run.last) = (members.len() as u64, index);
        }
    }
    runs.extend(open.map(|(run, _)| run));
    runs.retain(|run| run.members >= 2);
    runs.sort_by(|a, b| b.members.cmp(&a.members).then(a.first.cmp(&b.first)));
    runs.truncate(MAX_RUNS);
    runs
}

/// A text without names, marks and pictures of feelings.
fn core(text: &str) -> String {
    let folded = fold(text);
    let mut out = String::new();
    let mut rest = folded.as_str();
    while let Some(ch) = rest.chars().next() {
        if ch == '['
            && let Some(end) = rest.bytes().take(25).position(|byte| byte == b']')
        {
            rest = &rest[end + 1..];
            continue;
        }
        if let Some(behind) = rest.strip_prefix("成员") {
            rest = behind.trim_start_matches(|ch: char| ch.is_ascii_digit());
            continue;
        }
        if ch.is_alphanumeric() {
            out.push(ch);
        }
        rest = &rest[ch.len_utf8()..];
    }
    out
}

/// Whether a message says that another was received, and nothing else.
fn is_receipt(text: &str, core: &str) -> bool {
    const WHOLE: [&str; 22] = [
        "1",
        "01",
        "11",
        "111",
        "ok",
        "okay",
        "好",
        "好的",
        "好滴",
        "嗯",
        "嗯嗯",
        "明白",
        "已明白",
        "知道了",
        "知悉",
        "已知悉",
        "已悉",
        "遵命",
        "阅",
        "roger",
        "received",
        "到",
    ];
    const WORDS: [&str; 8] = ["收到", "已阅", "已收", "已读", "已知晓", "已知悉", "已学习", "已签收"];
    // A question, a request, a report of something else.
    const NOT: [&str; 16] = [
        "请", "吗", "没", "未", "谁", "否", "后", "务必", "需", "哪", "麻烦", "快递", "尚", "如", "举报",
        "款",
    ];
    if core.is_empty() {
        return ["[ok]", "[好的]", "[抱拳]", "👌"].iter().any(|mark| text.to_lowercase().contains(mark));
    }
    let asks = text.contains(['?', '？'])
        || NOT.iter().any(|word| core.contains(word) && !core.contains("请领导放心"));
    WHOLE.contains(&core)
        || core.chars().count() <= MAX_RECEIPT && WORDS.iter().any(|word| core.contains(word)) && !asks
}

/// Whether a message is flowers, thumbs and claps, or words of the kind, and nothing else.
fn is_praise(text: &str) -> bool {
    const MARKS: [&str; 17] = [
        "[鲜花]",
        "[玫瑰]",
        "[强]",
        "[鼓掌]",
        "[赞]",
        "[大拇指]",
        "[庆祝]",
        "[烟花]",
        "[爱心]",
        "[加油]",
        "[献花]",
        "[送花]",
        "[点赞]",
        "[厉害]",
        "[rose]",
        "[thumbsup]",
        "[clap]",
    ];
    const FACES: [char; 15] =
        ['👍', '🌹', '👏', '💐', '🎉', '🌺', '🌸', '🌷', '🌻', '💪', '🎊', '🏆', '🥇', '❤', '💯'];
    const WORDS: [&str; 18] = [
        "点赞",
        "辛苦了",
        "辛苦",
        "太棒了",
        "真棒",
        "优秀",
        "厉害",
        "给力",
        "好样的",
        "了不起",
        "学习了",
        "致敬",
        "送花",
        "献花",
        "为您喝彩",
        "加油",
        "祝贺",
        "恭喜",
    ];
    let lower = text.to_lowercase();
    let shown = MARKS.iter().any(|mark| lower.contains(mark)) || text.contains(FACES);
    let mut rest = core(text);
    let said = WORDS.iter().filter(|word| rest.contains(*word)).count() > 0;
    for word in WORDS {
        rest = rest.replace(word, "");
    }
    // 为示例社区点赞, 大家辛苦了: who is praised.
    let who = rest.chars().count();
    !text.contains(['?', '？']) && (shown && who <= 4 || said && who <= 8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    fn message(index: usize, member: usize, minutes: i64, text: &str) -> Seen {
        let time = Timestamp::from_second(1_700_000_000 + 60 * minutes).ok();
        let form = super::super::export::form(None, text, None);
        Seen { line: index as u64 + 1, time, member: Some(member), form, text: text.to_owned() }
    }

    fn lengths(seen: &[Seen], name: StateName) -> Vec<u64> {
        runs(seen).into_iter().filter(|(found, _)| *found == name).map(|(_, run)| run.members).collect()
    }

    #[test]
    fn receipts() {
        for text in [
            "收到",
            "收到！",
            "成员3收到",
            "城东社区收到，马上落实",
            "已阅",
            "1",
            "OK",
            "[OK]",
            "好的",
            "收到[玫瑰]",
            "收到，请领导放心",
        ] {
            assert!(is_receipt(text, &core(text)), "{text}");
        }
        for text in [
            "收到请回复",
            "收到了吗？",
            "谁还没收到",
            "请查收",
            "快递收到了",
            "我明天请假",
            "明天9点开会",
            "",
            "[强]",
        ] {
            assert!(!is_receipt(text, &core(text)), "{text}");
        }
    }

    #[test]
    fn praise() {
        for text in [
            "[鲜花][鲜花][鲜花]",
            "👍👍👍",
            "为城东社区点赞",
            "大家辛苦了[强]",
            "成员3辛苦了",
            "太棒了🌹",
            "[ThumbsUp]",
        ] {
            assert!(is_praise(text), "{text}");
        }
        for text in [
            "收到",
            "请大家为公众号文章点赞并转发到朋友圈",
            "谢谢",
            "明天加班，大家辛苦了，注意安全带好装备",
            "[微笑]",
            "谁点赞了？",
        ] {
            assert!(!is_praise(text), "{text}");
        }
    }

    #[test]
    fn what_ends_a_run() {
        let texts = |texts: &[&str]| -> Vec<Seen> {
            texts.iter().enumerate().map(|(at, text)| message(at, at, at as i64, text)).collect()
        };
        assert_eq!(
            lengths(&texts(&["收到", "收到", "收到", "明天下雨", "收到", "收到"]), StateName::ReceiptRun),
            [3, 2]
        );
        // One member many times is one.
        let seen: Vec<Seen> = (0..5).map(|at| message(at, 1, at as i64, "收到")).collect();
        assert_eq!(lengths(&seen, StateName::ReceiptRun), [0; 0]);
        // An hour of silence.
        let seen = [
            message(0, 1, 0, "收到"),
            message(1, 2, 10, "收到"),
            message(2, 3, 75, "收到"),
            message(3, 4, 76, "收到"),
        ];
        assert_eq!(lengths(&seen, StateName::ReceiptRun), [2, 2]);
    }

    #[test]
    fn pictures_with_captions() {
        let seen = [
            message(0, 1, 0, "今日入户10户"),
            message(1, 1, 1, "[图片]"),
            message(2, 1, 1, "[图片]"),
            message(3, 2, 2, "[图片]"),
            message(4, 2, 2, "已整改"),
            message(5, 3, 3, "[视频]"),
            message(6, 4, 4, "好的，明天再看"),
            message(7, 5, 5, "[图片]"),
        ];
        assert_eq!(lengths(&seen, StateName::PictureRun), [3]);
    }
}
