//! The end of an article: guide lines (点赞、在看、分享、关注), credits, recommended reading, licences. They stand
//! under every article of an account and ask readers for what every account asks for.
//!
//! A line that orders somebody to do so (请各单位、截图、接龙、完成任务) or sells (购买、下单) is never one, wherever it
//! stands.

/// Longest guide line in characters.
const MAX_CHARS: usize = 48;

/// Words of an order, an assessment or a sale.
const ORDERS: &[&str] = &[
    "请各",
    "各单位",
    "各部门",
    "各村",
    "各社区",
    "各支部",
    "各科室",
    "各乡镇",
    "各镇",
    "各街道",
    "各班级",
    "全体",
    "全员",
    "务必",
    "必须",
    "截图",
    "任务",
    "接龙",
    "打卡",
    "考核",
    "通报",
    "上报",
    "报送",
    "反馈",
    "排名",
    "统计",
    "指标",
    "完成率",
    "签到",
    "投票",
    "集赞",
    "填报",
    "学时",
    "时长",
    "报名",
    "干部职工",
    "党员干部",
    "不少于",
    "至少",
    "督促",
    "动员",
    "购买",
    "下单",
    "抢购",
    "包邮",
    "优惠",
    "特价",
];

/// Whether a line orders, assesses or sells.
pub(super) fn orders(line: &str) -> bool {
    ORDERS.iter().any(|word| line.contains(word))
}

/// Whether a line is one of those that end articles.
pub(super) fn is_footer_line(line: &str) -> bool {
    if line.chars().count() > MAX_CHARS || orders(line) {
        return false;
    }
    is_guide(line) || is_credit(line) || opens_more(line)
}

/// 点赞、在看、分享、关注, in the standard phrases.
pub(super) fn is_guide(line: &str) -> bool {
    if line.chars().count() > MAX_CHARS || orders(line) {
        return false;
    }
    const PHRASES: &[&str] = &[
        "欢迎关注",
        "关注我们",
        "点击关注",
        "扫码关注",
        "长按关注",
        "长按识别",
        "长按二维码",
        "识别二维码",
        "识别图中二维码",
        "扫描二维码",
        "扫一扫",
        "点击蓝字",
        "点击上方",
        "点击下方名片",
        "点亮在看",
        "点个在看",
        "点个赞",
        "点赞在看",
        "分享、点赞",
        "分享收藏",
        "一键三连",
        "阅读原文",
        "设为星标",
        "星标",
        "转发分享",
        "喜欢就",
    ];
    let spaceless: String = line.chars().filter(|ch| !ch.is_whitespace()).collect();
    if PHRASES.iter().any(|phrase| spaceless.contains(phrase)) {
        return true;
    }
    // 点赞 · 分享 · 收藏: nothing but such words and marks.
    let mut rest = spaceless;
    let mut found = 0;
    for word in [
        "点赞", "在看", "赞", "分享", "收藏", "转发", "关注", "评论", "留言", "点", "和", "或", "再走", "哦",
        "吧", "呗",
    ] {
        if rest.contains(word) {
            found += 1;
            rest = rest.replace(word, "");
        }
    }
    found >= 2 && !rest.chars().any(char::is_alphabetic)
}

/// 来源：…, 编辑：…
fn is_credit(line: &str) -> bool {
    const NAMES: &[&str] = &[
        "来源",
        "编辑",
        "责编",
        "责任编辑",
        "审核",
        "审校",
        "校对",
        "监制",
        "策划",
        "供稿",
        "投稿",
        "投稿邮箱",
        "撰稿",
        "撰文",
        "文字",
        "图文",
        "图片",
        "摄影",
        "排版",
        "制作",
        "编审",
        "初审",
        "复审",
        "终审",
        "一审",
        "二审",
        "三审",
        "值班编辑",
        "出品",
        "主办",
        "主编",
        "总编",
        "总监制",
        "素材来源",
        "稿件来源",
        "信息来源",
        "编发",
        "签发",
        "作者",
        "通讯员",
        "记者",
        "联系电话",
        "地址",
    ];
    let line = line.trim_start_matches(|ch: char| !ch.is_alphanumeric());
    let Some((name, _)) = line.split_once([':', '：', '丨', '|', '/']) else { return false };
    let name: String = name.chars().filter(|ch| !ch.is_whitespace()).collect();
    NAMES.contains(&&*name)
}

/// A heading behind which other articles are recommended, or the end is declared.
pub(super) fn opens_more(line: &str) -> bool {
    let line: String = line.chars().filter(|ch| ch.is_alphanumeric()).collect();
    const HEADINGS: &[&str] = &[
        "往期回顾",
        "往期推荐",
        "往期精彩",
        "精彩回顾",
        "推荐阅读",
        "相关阅读",
        "延伸阅读",
        "更多精彩",
        "热门推荐",
        "精选推荐",
        "end",
        "END",
        "The End",
        "完",
    ];
    line.chars().count() <= 10
        && HEADINGS.iter().any(|heading| line == *heading || line.starts_with(heading) && heading.len() > 3)
}

/// Which of the lines of an article belong to its footer. With each comes whether it is nothing but a link to
/// another article of the platform.
pub(super) fn footer(lines: &[(&str, bool)]) -> Vec<bool> {
    let mut marks = vec![false; lines.len()];
    // From the last heading of recommended reading in the second half on, short lines are titles of other articles.
    let from = lines.iter().rposition(|(line, _)| opens_more(line)).filter(|at| (at + 1) * 2 >= lines.len());
    for (index, (line, linked)) in lines.iter().enumerate().rev() {
        let behind_heading = from.is_some_and(|from| index >= from);
        let short = line.chars().count() <= MAX_CHARS && !orders(line);
        let empty = !line.chars().any(char::is_alphabetic);
        if is_footer_line(line) || empty || short && (*linked || behind_heading) {
            marks[index] = true;
        } else if !behind_heading {
            break;
        }
    }
    // Guide lines stand above the first paragraph and between parts, too.
    for (mark, (line, _)) in marks.iter_mut().zip(lines) {
        *mark |= is_guide(line);
    }
    marks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(lines: &[&str]) -> Vec<bool> {
        footer(&lines.iter().map(|line| (*line, false)).collect::<Vec<_>>())
    }

    #[test]
    fn the_end_of_an_article_is_its_footer() {
        let lines = [
            "点击蓝字 关注我们",
            "今天召开防汛会议，部署下一步工作。",
            "会议强调，要压实责任。",
            "来源：县应急局",
            "编辑：张三",
            "点赞 · 分享 · 在看",
        ];
        assert_eq!(marked(&lines), [true, false, false, true, true, true]);
        let more = ["正文一段，说明情况。", "第二段。", "往期回顾", "三月植树活动纪实", "长按识别二维码关注"];
        assert_eq!(marked(&more), [false, false, true, true, true]);
    }

    #[test]
    fn an_order_is_no_footer() {
        let lines = ["正文一段。", "请各单位组织干部职工关注并转发朋友圈", "编辑：李四"];
        assert_eq!(marked(&lines), [false, false, true]);
        assert!(!is_footer_line("请全体党员点赞在看并截图反馈"));
        assert!(!is_footer_line("长按识别二维码购买，今日下单包邮"));
        assert!(!is_footer_line("每窗口引导扫码关注不少于20人"));
        let behind = ["正文一段。", "往期回顾", "全体村干部务必转发截图", "四月简讯"];
        assert_eq!(marked(&behind), [false, true, false, true]);
    }

    #[test]
    fn sentences_about_following_are_no_guide_lines() {
        assert!(!is_guide("会议要求关注民生"));
        assert!(!is_guide("为抗洪英雄点赞"));
        assert!(is_guide("点赞 分享 收藏"));
        assert!(!is_credit("来源地区的疫情：请注意防护"));
    }
}
