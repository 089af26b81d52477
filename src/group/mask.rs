//! Masking: nothing that tells who a person is leaves this room. Names of known senders and members become 成员1,
//! 成员2 …, wherever they stand; so do mentions (`@张三`), names with an office (张主任) and names in numbered lists,
//! as far as they can be told from other words. Numbers of nine digits and more (mobile telephones, identity and bank
//! cards), land lines, mail addresses and WeChat ids lose their middle.
//!
//! What cannot be told: a name of somebody who is no member and holds no office, in running text.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind, Anchored, Input, MatchKind, StartKind};

use crate::text::{is_cjk, is_invisible};

/// Most Chinese names begin with one of these; those that are common words of other meaning (于, 向, 和, 时) are not
/// here.
const SURNAMES: &str = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎\
    余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易武乔贺赖龚庞樊兰殷施陶洪翟\
    安颜倪严牛温芦季俞章鲁葛韦申尤毕聂焦邢柳翁柯阮欧耿童路岳齐梅莫庄辛管祝左涂谷祁舒伊阿靳覃闫褚";

const COMPOUND: [&str; 8] = ["欧阳", "上官", "司马", "诸葛", "东方", "皇甫", "尉迟", "慕容"];

/// Short words that begin like a name.
const ORDINARY: &str = "安全 安排 安装 安保 安置 高度 高新 高速 高效 马上 方案 方法 方式 方便 关注 程序 任务 任何 金额 平安 江河 段落 \
    施工 史料 钱款 石材 温度 温馨 田间 田地 万元 周报 周一 周二 周三 周四 周五 周六 周日 周末 周边 周期 马路 雷雨 雷电 白天 左右 何时 \
    何人 何地 车辆 余额 余下 毕业 易燃 易发 易涝 武装 文明 方面 方向 路段 路口 路线 路边 龙头 齐全 管理 管控 管护 管道 管网 祝福 祝贺 \
    童装 夏季 夏粮 金融 金库 严格 严禁 严重 严防 季度 季节 康复 洪水 洪涝 洪峰 汤药 水稻 章程 白色 黄色 黄河 长江 许可 许多 程度 高温 高龄 \
    高危 高考 任职 石油 石料 江堤 陆续 顾问 万亩 万人 康养 管辖 毛竹 毛重 齐心 路面 路灯 童谣 莫要 庄稼 梅雨 申请 申报 申领 申办 \
    施救 施肥 施策 武警 方针 安居 安心 安静 安康 田埂 高山 高空 高铁 白酒 白班 易地 汪洋 林区 林地 林长 林业 何种 谢谢 曾经 许诺 \
    江边 史志 左岸 石板 温泉 唐装 宋体 黑板 贺信 贺卡 谷物 谷雨 田长 温控 侯车 钟表 钟点 胡同 徐徐 梁柱 陈列 陈述 孔洞 范围 范例 范文 \
    龙舟 段位 雷达 毛利 乔木 兰花 陶瓷 颜色 牛羊 牛奶 季报 章节 鲁班 焦点 焦虑 柳树 童年 岳母 齐抓 辛苦 谈话 张贴 张榜 张口";

/// What names of units end in.
const UNIT_ENDS: &str =
    "省市县区镇乡村局办科处站所组部队院校室厂社街路里委会团群户点家人员长的了吧吗是有在到要将请";

/// Words of the trade that some take for a nickname: they name nobody, and what a group does is told by them.
const WORDS: &str = "打卡 签到 接龙 收到 已阅 点赞 转发 关注 截图 鲜花 送花 图片 视频 通知 公告 群规 群主 管理员 系统消息 工作 上报 报送 \
    填报 回复 请回复 收到请回复 限时 位置 照片 留痕 排名 积分 学习 表格 材料 台账";

static OFFICE_NAMES: LazyLock<Option<AhoCorasick>> =
    LazyLock::new(|| AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(OFFICES).ok());

/// Offices that are put behind a surname.
const OFFICES: [&str; 26] = [
    "副书记",
    "书记",
    "主任",
    "副镇长",
    "镇长",
    "乡长",
    "副县长",
    "县长",
    "市长",
    "区长",
    "局长",
    "处长",
    "科长",
    "所长",
    "站长",
    "队长",
    "组长",
    "院长",
    "校长",
    "老师",
    "医生",
    "支书",
    "经理",
    "主席",
    "秘书",
    "警官",
];

/// Mentions of everybody.
const EVERYBODY: [&str; 5] = ["所有人", "全体成员", "全员", "all", "everyone"];

/// Masks the texts of one export.
pub(super) struct Mask {
    names: Option<AhoCorasick>,
    /// What stands for each pattern, and whether it is looked for in running text.
    people: Vec<(usize, bool)>,
}

impl Mask {
    /// `people`: every name that is known, each with the number of the member.
    pub(super) fn new<'n>(people: impl IntoIterator<Item = (&'n str, usize)>) -> Self {
        let (mut patterns, mut numbers) = (Vec::new(), Vec::new());
        let mut seen = std::collections::HashSet::new();
        let mut add = |name: String, number: usize| {
            let short = name.chars().count() < 2;
            let few_digits = name.len() < 5 && name.bytes().all(|byte| byte.is_ascii_digit());
            let word = WORDS.split_whitespace().any(|word| word == name);
            if !name.is_empty() && seen.insert(name.clone()) {
                patterns.push(name);
                numbers.push((number, !(short || few_digits || word)));
            }
        };
        let people: Vec<(String, usize)> =
            people.into_iter().map(|(name, number)| (visible(name).trim().to_owned(), number)).collect();
        // A whole name counts before a part of another's.
        people.iter().for_each(|(name, number)| add(name.clone(), *number));
        for (name, number) in &people {
            parts(name).into_iter().for_each(|part| add(part.to_owned(), *number));
        }
        let names = AhoCorasick::builder()
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .match_kind(MatchKind::LeftmostLongest)
            .start_kind(StartKind::Both)
            .ascii_case_insensitive(true)
            .build(&patterns)
            .ok();
        Mask { names, people: numbers }
    }

    /// The text without what tells who a person is.
    pub(super) fn text(&self, text: &str) -> String {
        let text = self.mentions(&contacts(&visible(text)));
        let text = self.known(&text);
        offices(&lists(&text))
    }

    /// A line that the platform wrote: whoever is quoted there is a person.
    pub(super) fn system(&self, text: &str) -> String {
        let text = self.text(text);
        let mut out = String::new();
        let mut rest = text.as_str();
        while let Some(at) = rest.find(['"', '“', '「']) {
            let open = rest[at..].chars().next().map_or(1, char::len_utf8);
            let Some(end) = rest[at + open..].find(['"', '”', '」']) else { break };
            out.push_str(&rest[..at]);
            out.push_str("“成员”");
            let close = rest[at + open + end..].chars().next().map_or(1, char::len_utf8);
            rest = &rest[at + open + end + close..];
        }
        out.push_str(rest);
        for (before, behind) in
            [("邀请", "加入"), ("邀请", "进入"), ("将", "移出"), ("把", "移出"), ("拍了拍", "\n")]
        {
            let Some((head, rest)) = out.split_once(before) else { continue };
            let (name, tail) = rest.split_at(rest.find(behind).unwrap_or(rest.len()));
            if !name.contains("成员") && (!tail.is_empty() || behind == "\n") {
                out = format!("{head}{before}成员{tail}");
            }
        }
        let doings = ["邀请", "加入了", "撤回了", "移出了", "退出了", "拍了拍", "通过扫描", "修改群名"];
        let at = doings.iter().filter_map(|doing| out.find(doing)).min();
        match at {
            Some(at) if at > 0 && !out[..at].contains("成员") && out[..at].trim() != "你" => {
                format!("成员{}", &out[at..])
            }
            _ => out,
        }
    }

    /// Mentions: `@张三`, with or without a space behind.
    fn mentions(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find(['@', '＠']) {
            let mark = rest[at..].chars().next().map_or(1, char::len_utf8);
            let (before, behind) = rest.split_at(at + mark);
            out.push_str(before);
            let latin = |ch: Option<char>| ch.is_some_and(|ch| ch.is_ascii_alphanumeric());
            let torn =
                |end: usize| latin(behind[..end].chars().next_back()) && latin(behind[end..].chars().next());
            let everybody = EVERYBODY.iter().any(|word| {
                behind.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word))
                    && !torn(word.len())
            });
            let known = self.names.as_ref().and_then(|names| {
                let found = names.find(Input::new(behind).anchored(Anchored::Yes))?;
                Some((found.pattern(), found.end())).filter(|(_, end)| !torn(*end))
            });
            let end = match known {
                // The host of a mail address whose name is hidden.
                _ if everybody || before[..at].ends_with('*') => 0,
                Some((pattern, end)) => {
                    let number = self.people.get(pattern.as_usize()).map_or(0, |(number, _)| *number);
                    stand_in(&mut out, number, &behind[end..]);
                    end
                }
                None => {
                    let end = unknown(behind);
                    if end > 0 {
                        out.push_str("成员");
                    }
                    end
                }
            };
            rest = &behind[end..];
        }
        out.push_str(rest);
        out
    }

    /// Names of members, wherever they stand.
    fn known(&self, text: &str) -> String {
        let Some(names) = &self.names else { return text.to_owned() };
        let mut out = String::with_capacity(text.len());
        let (mut from, mut at) = (0, 0);
        while let Some(found) = names.find(Input::new(text).range(at..)) {
            let (number, running) = self.people.get(found.pattern().as_usize()).copied().unwrap_or_default();
            let inside_word = |left: Option<char>, right: Option<char>| {
                left.is_some_and(|ch| ch.is_ascii_alphanumeric())
                    && right.is_some_and(|ch| ch.is_ascii_alphanumeric())
            };
            let first = text[found.start()..].chars().next();
            let torn = inside_word(text[..found.start()].chars().next_back(), first)
                || inside_word(text[..found.end()].chars().next_back(), text[found.end()..].chars().next());
            if running && !torn {
                out.push_str(&text[from..found.start()]);
                stand_in(&mut out, number, &text[found.end()..]);
                (from, at) = (found.end(), found.end());
            } else {
                // Another name may begin within this one.
                at = found.start() + first.map_or(1, char::len_utf8);
            }
        }
        out.push_str(&text[from..]);
        out
    }
}

/// Writes what stands for a member; its number runs into no other.
fn stand_in(out: &mut String, number: usize, behind: &str) {
    out.push_str("成员");
    out.push_str(&number.to_string());
    if behind.starts_with(|ch: char| ch.is_ascii_digit()) {
        out.push(' ');
    }
}

/// Without characters that disguise a name.
fn visible(text: &str) -> String {
    text.chars().filter(|ch| !is_invisible(*ch)).collect()
}

/// The end of a mention of somebody who is not known.
fn unknown(behind: &str) -> usize {
    let ends = |ch: char| ch.is_whitespace() || ",，.。:：;；!！?？、)）(（@＠[]【】\"“”".contains(ch);
    let mut run = behind.char_indices().take(21);
    match run.find(|(_, ch)| ends(*ch)) {
        Some((at, _)) => at,
        // A text goes on behind it without a space: a name has three characters, mostly.
        None => {
            let chars: Vec<(usize, char)> = behind.char_indices().take(22).collect();
            let at = |count: usize| chars.get(count).map_or(behind.len(), |(at, _)| *at);
            if chars.len() <= 21 {
                behind.len()
            } else if is_person(&behind[..at(3)]) || !chars.first().is_some_and(|(_, ch)| is_cjk(*ch)) {
                at(3)
            } else {
                at(20)
            }
        }
    }
}

/// Whether a short run of ideographs has the shape of a name.
fn is_shaped(token: &str) -> bool {
    let chars: Vec<char> = token.chars().collect();
    let compound = COMPOUND.iter().any(|surname| token.starts_with(surname));
    let length = if compound { 3..=4 } else { 2..=3 };
    length.contains(&chars.len())
        && chars.iter().all(|ch| is_cjk(*ch))
        && (compound || SURNAMES.contains(chars[0]))
        && !chars.last().is_some_and(|last| UNIT_ENDS.contains(*last))
}

/// Whether it is one, as far as can be told without knowing who is a member.
fn is_person(token: &str) -> bool {
    is_shaped(token) && !ORDINARY.split_whitespace().any(|word| token.starts_with(word))
}

/// The parts of a name in a group that are the name of a person: `民政办-张三`, `张三（城东社区）`, `城东社区张三`.
fn parts(name: &str) -> Vec<&str> {
    let is_name = |run: &&str| is_shaped(run) && !ORDINARY.split_whitespace().any(|word| word == *run);
    let runs = name.split(|ch: char| !is_cjk(ch)).filter(|run| !run.is_empty() && *run != name);
    runs.chain([name])
        .filter_map(|run| {
            let unit = || run.char_indices().rev().find(|(_, ch)| UNIT_ENDS.contains(*ch));
            let behind = || Some(&run[unit().map(|(at, ch)| at + ch.len_utf8())?..]);
            Some(run).filter(is_name).or_else(|| behind().filter(is_name))
        })
        .filter(|part| *part != name)
        .collect()
}

/// The number that a line of a list begins with, and what is behind it: `12. 张三`, `3、收到`.
pub(super) fn numbered(line: &str) -> Option<(u32, &str)> {
    let line = line.trim_start();
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let number = (1..=4).contains(&digits).then(|| line[..digits].parse().ok())??;
    let behind = line[digits..].strip_prefix(['.', '、', '．', ')', '）', ':', '：'])?;
    // 1.5 is no number of a list.
    (!behind.starts_with(|ch: char| ch.is_ascii_digit())).then_some((number, behind))
}

/// Names in the entries of a list.
fn lists(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let Some((_, entry)) = numbered(line) else {
            out.push_str(line);
            continue;
        };
        out.push_str(&line[..line.len() - entry.len()]);
        let mut rest = entry;
        while let Some(at) = rest.find(is_cjk) {
            let end = rest[at..].find(|ch: char| !is_cjk(ch)).map_or(rest.len(), |end| at + end);
            out.push_str(&rest[..at]);
            out.push_str(if is_person(&rest[at..end]) { "成员" } else { &rest[at..end] });
            rest = &rest[end..];
        }
        out.push_str(rest);
    }
    out
}

/// Names with an office: 张主任, 李某某书记.
fn offices(text: &str) -> String {
    let Some(offices) = OFFICE_NAMES.as_ref() else { return text.to_owned() };
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for found in offices.find_iter(text) {
        let before = &text[from..found.start()];
        let starts: Vec<usize> = before.char_indices().rev().take(3).map(|(at, _)| at).collect();
        let name = starts.iter().rev().find(|start| {
            let token = &before[**start..];
            let alone = token.chars().count() == 1 && SURNAMES.contains(token);
            (alone || is_person(token)) && !before.ends_with("成员")
        });
        match name {
            Some(start) => {
                out.push_str(&before[..*start]);
                out.push('某');
            }
            None => out.push_str(before),
        }
        out.push_str(&text[found.range()]);
        from = found.end();
    }
    out.push_str(&text[from..]);
    out
}

fn digit(ch: char) -> bool {
    ch.is_ascii_digit() || ('０'..='９').contains(&ch)
}

/// Numbers that name a person, mail addresses, WeChat ids.
fn contacts(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut hidden = vec![false; chars.len()];
    let mut at = 0;
    while at < chars.len() {
        if chars[at] == '@' {
            mail(&chars, at, &mut hidden);
        }
        if !digit(chars[at]) {
            at += 1;
            continue;
        }
        let run = chars[at..].iter().take_while(|ch| digit(**ch)).count();
        let end = at + run;
        // What digits with one mark or space between them are as a whole: 138 0000 0000, 010-8888 0000.
        let mut places: Vec<usize> = (at..end).collect();
        let mut to = end;
        while places.len() < 20 {
            let gap = chars.get(to).is_some_and(|ch| " -.·—\u{A0}\u{2005}\u{3000}－".contains(*ch));
            let more = if gap { chars[to + 1..].iter().take_while(|ch| digit(**ch)).count() } else { 0 };
            if more == 0 {
                break;
            }
            places.extend(to + 1..to + 1 + more);
            to += 1 + more;
        }
        let value = |place: usize| {
            chars[place]
                .to_digit(10)
                .or_else(|| Some(u32::from(chars[place]).wrapping_sub(u32::from('０'))))
                .unwrap_or(0)
        };
        let starts = |digits: &[u32]| {
            places.len() >= digits.len()
                && digits.iter().zip(&places).all(|(digit, place)| value(*place) == *digit)
        };
        let joined = places.len();
        let mobile = starts(&[1]) && joined == 11 && places.get(1).is_some_and(|place| value(*place) >= 3)
            || starts(&[8, 6, 1]) && joined == 13;
        let line = (starts(&[0]) && (10..=12).contains(&joined)) || (joined == 10 && starts(&[4, 0, 0]));
        let date = run == 8 && (starts(&[1, 9]) || starts(&[2, 0]));
        if run < joined && (mobile || line) {
            // +86 is no part of the number.
            hide(if joined == 13 { &places[2..] } else { &places }, &mut hidden);
            at = to;
        } else {
            if run >= 9 || (run >= 7 && !date) {
                hide(&places[..run], &mut hidden);
            }
            at = end;
        }
    }
    ids(&chars, &mut hidden);
    chars.iter().zip(&hidden).map(|(ch, hidden)| if *hidden { '*' } else { *ch }).collect()
}

/// Leaves three digits before and four behind; of short numbers the last four.
fn hide(places: &[usize], hidden: &mut [bool]) {
    let (before, behind) = if places.len() >= 9 { (3, 4) } else { (0, 4) };
    let middle = places.len().saturating_sub(behind);
    for place in places.get(before..middle).unwrap_or_default() {
        if let Some(slot) = hidden.get_mut(*place) {
            *slot = true;
        }
    }
}

/// The name before the `@` of a mail address.
fn mail(chars: &[char], at: usize, hidden: &mut [bool]) {
    let word = |ch: &char| ch.is_ascii_alphanumeric() || "._-+".contains(*ch);
    let before = chars[..at].iter().rev().take_while(|ch| word(ch)).count();
    let host = chars[at + 1..].iter().take_while(|ch| word(ch)).collect::<String>();
    if before > 0 && host.trim_end_matches('.').contains('.') {
        hidden[at - before..at].fill(true);
    }
}

/// `wxid_…`, and what is given as 微信号, QQ or 身份证.
fn ids(chars: &[char], hidden: &mut [bool]) {
    let word = |ch: &char| ch.is_ascii_alphanumeric() || "_-".contains(*ch);
    let labels = ["wxid_", "微信号", "微信", "vx", "wx", "qq号", "qq", "身份证号", "身份证"];
    let labels: Vec<Vec<char>> = labels.iter().map(|label| label.chars().collect()).collect();
    for at in 0..chars.len() {
        let here = |label: &&Vec<char>| {
            let found = chars.get(at..at + label.len());
            found.is_some_and(|found| {
                found.iter().zip(label.iter()).all(|(a, b)| a.to_ascii_lowercase() == *b)
            })
        };
        let Some(label) = labels.iter().find(here) else { continue };
        let mut from = at + label.len();
        if label[0] != 'w' || label.last() != Some(&'_') {
            let marks = chars[from..].iter().take_while(|ch| ":： 是为".contains(**ch)).count();
            let torn = at > 0 && chars[at - 1].is_ascii_alphanumeric() && label[0].is_ascii();
            if marks == 0 || torn {
                continue;
            }
            from += marks;
        }
        let length = chars[from..].iter().take_while(|ch| word(ch)).count();
        if length >= 5 {
            hidden[from..from + length].fill(true);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEOPLE: [&str; 9] = [
        "张三",
        "李四(城东社区)",
        "民政办-王小五",
        "城西社区赵六",
        "欧阳小华",
        "Tom Lee",
        "打卡",
        "周一鸣🌹",
        "a",
    ];

    fn mask() -> Mask {
        Mask::new(PEOPLE.into_iter().zip(1..))
    }

    #[test]
    fn people() {
        let mask = mask();
        for (text, masked) in [
            ("张三已到岗", "成员1已到岗"),
            ("请张三、李四5日前报送", "请成员1、成员2 5日前报送"),
            ("李四(城东社区)收到", "成员2收到"),
            ("王小五收到", "成员3收到"),
            ("城西社区赵六：收到", "成员4：收到"),
            ("赵六收到", "成员4收到"),
            ("欧阳小华 收到", "成员5 收到"),
            ("tom lee ok", "成员6 ok"),
            ("tom leelee ok", "tom leelee ok"),
            ("今天请大家打卡", "今天请大家打卡"),
            ("周一鸣🌹辛苦了", "成员8辛苦了"),
            ("周一鸣辛苦了", "成员8辛苦了"),
            ("张\u{200B}三收到", "成员1收到"),
            ("@张三\u{2005}请今天报送", "@成员1\u{2005}请今天报送"),
            ("@张三请今天报送", "@成员1请今天报送"),
            ("@a 请今天报送", "@成员9 请今天报送"),
            ("@打卡 请今天报送", "@成员7 请今天报送"),
            ("@示例镇孙七 请回复", "@成员 请回复"),
            ("@所有人 请回复", "@所有人 请回复"),
            ("@All 请回复", "@All 请回复"),
            ("＠孙七：请回复", "＠成员：请回复"),
            ("请孙主任、钱副书记、郑小明书记阅示", "请某主任、某副书记、某书记阅示"),
            ("党支部书记、村主任、高新区主任", "党支部书记、村主任、高新区主任"),
            (
                "#接龙\n每日打卡\n1. 孙七 已打卡\n2. 城东社区 钱小八 已完成",
                "#接龙\n每日打卡\n1. 成员 已打卡\n2. 城东社区 成员 已完成",
            ),
            ("1. 安全检查\n2. 方案 周一报送\n3.关注公众号", "1. 安全检查\n2. 方案 周一报送\n3.关注公众号"),
        ] {
            assert_eq!(mask.text(text), masked, "{text}");
        }
    }

    #[test]
    fn numbers_and_ids() {
        let mask = mask();
        for (text, masked) in [
            ("电话13800001234", "电话138****1234"),
            ("电话138 0000 1234。", "电话138 **** 1234。"),
            ("电话138-0000-1234", "电话138-****-1234"),
            ("+86 13800001234", "+86 138****1234"),
            ("电话１３８００００１２３４", "电话１３８****１２３４"),
            ("座机028-88880000", "座机028-****0000"),
            ("座机88880000", "座机****0000"),
            ("身份证510100199001011234", "身份证510***********1234"),
            ("身份证号：51010019900101123X", "身份证号：******************"),
            ("2026-11-02 08:31", "2026-11-02 08:31"),
            ("20261102前报送", "20261102前报送"),
            ("2026年11月2日10户9张", "2026年11月2日10户9张"),
            ("微信号：abc_123456", "微信号：**********"),
            ("wxid_abcdefgh12", "wxid_**********"),
            ("QQ：12345", "QQ：*****"),
            ("发至 zhang.san@example.gov.cn", "发至 *********@example.gov.cn"),
            ("微信公众号示例发布", "微信公众号示例发布"),
        ] {
            assert_eq!(mask.text(text), masked, "{text}");
        }
    }

    #[test]
    fn lines_of_the_platform() {
        let mask = mask();
        assert_eq!(mask.system("\"孙七\"邀请\"钱八\"加入了群聊"), "“成员”邀请“成员”加入了群聊");
        assert_eq!(
            mask.system("张三(13800001234)邀请孙七加入了本群"),
            "成员1(138****1234)邀请成员加入了本群"
        );
        assert_eq!(mask.system("群主已将孙七移出群聊"), "群主已将成员移出群聊");
        assert_eq!(mask.system("孙七撤回了一条消息"), "成员撤回了一条消息");
        assert_eq!(mask.system("你撤回了一条消息"), "你撤回了一条消息");
    }

    proptest::proptest! {
        /// Whatever stands around it.
        #[test]
        fn no_name_and_no_number_survives(
            names in proptest::collection::vec("[王李张刘陈杨赵][小大文国建][红明华强军]?|[a-z]{3,8}|[甲乙丙丁]{2,6}", 1..6),
            around in proptest::collection::vec("[ 0-9,。@#\\-的请于报送]{0,6}|\\PC{0,4}", 7),
            number in "1[3-9][0-9]{9}|[0-9]{11,18}",
            spaced in "1[3-9][0-9] [0-9]{4} [0-9]{4}",
        ) {
            let mask = Mask::new(names.iter().map(String::as_str).zip(1..));
            let mut text = String::new();
            for (name, between) in names.iter().chain([&number, &spaced]).zip(around.iter().cycle()) {
                text.push_str(between);
                text.push('，');
                text.push_str(name);
                text.push('。');
            }
            let masked = mask.text(&text);
            for name in &names {
                let whole = |at: usize| {
                    let latin = |ch: Option<char>| ch.is_some_and(|ch| ch.is_ascii_alphanumeric());
                    !name.is_ascii()
                        || !latin(masked[..at].chars().next_back())
                            && !latin(masked[at + name.len()..].chars().next())
                };
                let lower = masked.to_ascii_lowercase();
                proptest::prop_assert!(!lower.match_indices(name.as_str()).any(|(at, _)| whole(at)), "{name}: {masked}");
            }
            let mut run = 0;
            for ch in masked.chars() {
                run = if digit(ch) { run + 1 } else { 0 };
                proptest::prop_assert!(run < 11, "{masked}");
            }
            proptest::prop_assert!(!masked.contains(&spaced));
        }

        #[test]
        fn any_text_is_masked(names in proptest::collection::vec("\\PC{0,6}", 0..4), text in "[@0-9\"“”\\n a.王书记]{0,40}|\\PC{0,60}") {
            let mask = Mask::new(names.iter().map(String::as_str).zip(1..));
            mask.text(&text);
            mask.system(&text);
            numbered(&text);
        }
    }
}
