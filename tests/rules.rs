//! The rule set through the public interface: what it holds, that its examples come out as written, how it
//! fails, and how it weighs.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test stops at what it does not expect")]

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::Path;
use std::time::Instant;

use zhijian::model::{
    Category, Code, DutyCategory, DutyStatus, Fact, FactKind, Inspection, Level, Origin, Place, Role, Scope,
    Screen, TargetKind, UiText, Usage, Verdict, Widget,
};
use zhijian::rule::{RuleSet, RuleSubject, SignalKind, judge};

const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/rules");

fn rules() -> RuleSet {
    RuleSet::embedded().unwrap()
}

fn button(label: &str) -> UiText {
    let mut text = UiText::new(label, Role::Control, Place::entry("res/layout/main.xml"));
    text.usage = Usage::Used;
    text.screen = Some(screen("cn.gov.example.MainActivity"));
    text.widget = Some(Widget { class: "Button".into(), id: None, handler: None, operable: true });
    text
}

fn with_role(text: &str, role: Role) -> UiText {
    UiText::new(text, role, Place::entry("classes.dex"))
}

fn screen(name: &str) -> Screen {
    Screen { name: name.into(), title: None, reachable: true }
}

fn inspection(texts: Vec<UiText>, facts: Vec<Fact>) -> Inspection {
    let mut inspection = Inspection::new(TargetKind::App, "apk");
    inspection.texts = texts;
    inspection.facts = facts;
    inspection
}

fn fact(kind: FactKind, value: &str) -> Fact {
    Fact::new(kind, value, Place::entry("AndroidManifest.xml"))
}

fn level_of(category: Category, texts: Vec<UiText>, facts: Vec<Fact>) -> Option<Level> {
    let judgement = judge(&rules(), &inspection(texts, facts), Verdict::Full);
    judgement.findings.iter().find(|finding| finding.category == category).map(|finding| finding.level)
}

fn check_in(label: &str) -> Option<Level> {
    level_of(Category::CheckIn, vec![button(label)], vec![])
}

#[test]
fn what_the_build_made_of_the_rules_is_what_the_files_say() {
    let (built, read) = (rules(), RuleSet::load(Path::new(SOURCE)).unwrap());
    let all = |set: &RuleSet| {
        let documents: Vec<_> = set.documents().collect();
        format!("{:#?}", (set.rules(), set.inventory(), set.vocabulary(), set.policy(), documents))
    };
    assert!(all(&built) == all(&read), "a value is of another type in JSON than in YAML");
    assert_eq!(built.digest(), read.digest());
}

/// A copy of the rules to break.
fn copy() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for folder in ["", "app", "account", "group", "inventory"] {
        if !Path::new(SOURCE).join(folder).exists() {
            continue;
        }
        std::fs::create_dir_all(dir.path().join(folder)).unwrap();
        for entry in std::fs::read_dir(Path::new(SOURCE).join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                std::fs::copy(&path, dir.path().join(folder).join(path.file_name().unwrap())).unwrap();
            }
        }
    }
    dir
}

fn edit(dir: &Path, file: &str, change: impl FnOnce(String) -> String) {
    let path = dir.join(file);
    let text = std::fs::read_to_string(&path).unwrap();
    let changed = change(text.clone());
    assert_ne!(text, changed);
    std::fs::write(path, changed).unwrap();
}

#[test]
fn every_example_of_the_directory_and_of_the_program_holds() {
    for set in [rules(), RuleSet::load(Path::new(SOURCE)).unwrap()] {
        let failures: Vec<String> = set.check().iter().map(ToString::to_string).collect();
        assert!(failures.is_empty(), "{}", failures.join("\n"));
    }
}

#[test]
fn the_program_and_the_directory_hold_the_same_rules() {
    assert_eq!(rules().digest(), RuleSet::load(Path::new(SOURCE)).unwrap().digest());
}

#[test]
fn each_category_and_duty_has_one_rule_with_thirty_examples_each_way() {
    let set = rules();
    let mut categories = BTreeSet::new();
    let mut duties = BTreeSet::new();
    let mut ids = HashSet::new();
    for rule in set.rules() {
        assert!(ids.insert(&rule.id));
        assert!(rule.id.starts_with(&format!("{}.", rule.scope.folder())), "{}", rule.id);
    }
    for rule in set.rules().iter().filter(|rule| rule.scope == Scope::App) {
        match rule.subject().unwrap() {
            RuleSubject::Prohibition(category) => assert!(categories.insert(category), "{}", rule.id),
            RuleSubject::Duty(duty) => assert!(duties.insert(duty), "{}", rule.id),
        }
    }
    assert_eq!(
        categories.into_iter().collect::<Vec<_>>(),
        [
            Category::CheckIn,
            Category::Ranking,
            Category::Duration,
            Category::SocialTask,
            Category::Trace,
            Category::Form,
            Category::Promotion,
            Category::Assessment,
            Category::Commerce,
        ]
    );
    assert_eq!(
        duties.into_iter().collect::<Vec<_>>(),
        [DutyCategory::ComplaintChannel, DutyCategory::FilingShown]
    );
    for (rule, examples) in set.rules().iter().zip(set.examples().unwrap()) {
        // What is observed has as many examples as it has thresholds.
        let texts = rule.signals.iter().any(|signal| signal.evidence != SignalKind::State);
        let least = if texts { 30 } else { 2 };
        assert!(examples.positive.len() >= least, "{}: {} that match", rule.id, examples.positive.len());
        assert!(examples.negative.len() >= least, "{}: {} that do not", rule.id, examples.negative.len());
    }
}

#[test]
fn each_rule_has_a_basis_for_what_it_scans_and_the_measures_of_2026_cover_no_accounts() {
    let set = rules();
    let keys: HashSet<&str> = set.documents().map(|document| document.key.as_str()).collect();
    for rule in set.rules() {
        for reference in &rule.basis {
            assert!(keys.contains(reference.document.as_str()), "{}", rule.id);
            // Article numbers that were not confirmed are not cited.
            assert!(!reference.clause.contains('第'), "{}: {}", rule.id, reference.clause);
        }
        for kind in rule.scope.kinds() {
            assert!(!set.basis(rule, *kind).is_empty(), "{} {kind:?}", rule.id);
        }
        for kind in [TargetKind::Account, TargetKind::AccountPage, TargetKind::Group] {
            assert!(
                set.basis(rule, kind).iter().all(|basis| !basis.document.contains("12号")),
                "{}",
                rule.id
            );
        }
    }
}

#[test]
fn broken_rules_are_refused_with_file_and_place() {
    type Change = fn(String) -> String;
    let cases: [(&str, Change, &[&str]); 10] = [
        ("app/check-in.yaml", |t| t.replace("evidence: text", "evidence: txet"), &["line ", "txet"]),
        ("app/check-in.yaml", |t| t.replacen("strength:", "strenght:", 1), &["line ", "strenght"]),
        (
            "app/check-in.yaml",
            |t| t.replacen("连续(签到|打卡|学习打卡)", "连续(签到|打卡", 1),
            &["signal word", "连续"],
        ),
        ("app/check-in.yaml", |t| t.replacen("role: title", "rloe: title", 1), &["line ", "rloe"]),
        ("app/check-in.yaml", |t| t.replacen("document: app-measures-2026", "document: none", 1), &["none"]),
        ("app/ranking.yaml", |t| t.replace("id: app.ranking", "id: app.check-in"), &["twice"]),
        (
            "app/trace.yaml",
            |t| t.replace("strength: weak\n    all:", "strength: strong\n    all:"),
            &["weak"],
        ),
        ("app/ranking.yaml", |t| t.replacen("<unit>", "<units>", 1), &["signal", "units"]),
        ("guard.yaml", |t| t.replace("window: 12", "window: twelve"), &["line "]),
        ("policy.yaml", |t| t.replace("when: not-filed", "when: filing-unknown"), &["NotFiled"]),
    ];
    for (file, change, parts) in cases {
        let dir = copy();
        edit(dir.path(), file, change);
        let error = RuleSet::load(dir.path()).unwrap_err();
        assert_eq!(error.file, file, "{error}");
        for part in parts {
            assert!(error.to_string().contains(part), "{part} in {error}");
        }
    }
    let dir = copy();
    std::fs::remove_file(dir.path().join("documents.yaml")).unwrap();
    assert!(RuleSet::load(dir.path()).unwrap_err().to_string().contains("documents.yaml: missing"));
    assert!(RuleSet::load(Path::new("/nonexistent")).unwrap_err().to_string().contains("/nonexistent"));
}

#[test]
fn a_failing_example_names_file_rule_and_text() {
    let dir = copy();
    edit(dir.path(), "app/check-in.yaml", |t| {
        t.replacen("    - 网红打卡地\n", "    - 网红打卡地\n    - 每日打卡\n", 1)
    });
    let failures = RuleSet::load(dir.path()).unwrap().check();
    assert_eq!(failures.len(), 1);
    let text = failures[0].to_string();
    for part in ["app/check-in.yaml", "app.check-in", "每日打卡", "confirmed"] {
        assert!(text.contains(part), "{text}");
    }
}

/// The recipe of `rules/README.md`, followed as it is written: its rule beside the others, its phrases measured.
#[test]
fn the_recipe_for_a_new_rule_works_as_written() {
    let guide = std::fs::read_to_string(Path::new(SOURCE).join("README.md")).unwrap();
    let recipe = &guide[guide.find("## Add a rule in ten lines").unwrap()..];
    assert!((1..=10).all(|step| recipe.contains(&format!("\n{step}. "))));
    let blocks: Vec<&str> =
        recipe.split("```yaml\n").skip(1).map(|rest| &rest[..rest.find("```").unwrap()]).collect();
    let (rule, phrases) = (blocks[0], blocks[1]);
    let dir = copy();
    std::fs::write(dir.path().join("app/avatar-task.yaml"), rule).unwrap();
    let set = RuleSet::load(dir.path()).unwrap();
    assert_eq!(set.check(), []);
    let (rule, file) = set.find("app.avatar-task").unwrap();
    assert_eq!((rule.signals.len(), file), (1, "app/avatar-task.yaml"));
    let labels = tempfile::tempdir().unwrap();
    std::fs::write(labels.path().join("app.avatar-task.yaml"), phrases).unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_zhijian"))
        .args(["rules", "measure", "--format", "json", "--rules"])
        .args([dir.path(), labels.path()])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let line = &found["phrases"]["rules"][0];
    assert_eq!(line["rule"], "app.avatar-task");
    assert_eq!((&line["precision"]["share"], &line["recall"]["share"]), (&1.0.into(), &1.0.into()));
}

#[test]
fn one_byte_changes_the_digest() {
    let dir = copy();
    edit(dir.path(), "app/check-in.yaml", |t| t + "#");
    assert_ne!(RuleSet::load(dir.path()).unwrap().digest(), rules().digest());
}

#[test]
fn denial_before_and_after_and_quotation_make_a_mention() {
    for text in [
        "取消打卡功能",
        "打卡功能已全部取消",
        "严禁以任何形式打卡签到",
        "不得设置打卡签到",
        "对“打卡签到”开展排查",
        "《打卡签到功能清单》",
        "打卡签到等负面清单",
        "打卡次数过多，基层负担重",
    ] {
        assert_eq!(check_in(text), Some(Level::Mention), "{text}");
    }
    for text in [
        "每日打卡",
        "请不要忘记打卡",
        "严禁代打卡",
        "点击“打卡”完成任务",
        // The denial stands in another sentence, or too far away.
        "无需排队。请打卡",
        "取消后请在当天工作时间结束之前再次打卡",
        "“打卡”",
        // The first is denied, the second is not.
        "不得补签。今日签到",
        // Too many at the moment: whoever says so has the function.
        "打卡人数过多，请稍后再试",
        "签到过于频繁，请稍候重试！",
    ] {
        assert_eq!(check_in(text), Some(Level::Confirmed), "{text}");
    }
}

#[test]
fn a_word_is_not_a_feature() {
    let text = |change: fn(&mut UiText)| {
        let mut text = button("每日打卡");
        change(&mut text);
        level_of(Category::CheckIn, vec![text], vec![])
    };
    assert_eq!(text(|_| {}), Some(Level::Confirmed));
    assert_eq!(text(|t| t.screen.as_mut().unwrap().reachable = false), Some(Level::Suspected));
    assert_eq!(text(|t| t.widget.as_mut().unwrap().operable = false), Some(Level::Suspected));
    assert_eq!(text(|t| t.role = Role::Label), Some(Level::Suspected));
    assert_eq!(text(|t| t.usage = Usage::Unreferenced), Some(Level::Mention));
    assert_eq!(text(|t| t.origin = Origin::Library("uni-app runtime".into())), Some(Level::Mention));
    assert_eq!(text(|t| t.document = Some(zhijian::model::Document::Agreement)), Some(Level::Mention));
    assert_eq!(text(|t| t.role = Role::Log), Some(Level::Mention));
    assert_eq!(text(|t| t.role = Role::Comment), Some(Level::Mention));
    assert_eq!(
        text(|t| t.screen.as_mut().unwrap().title = Some("形式主义投诉举报".into())),
        Some(Level::Mention)
    );
}

#[test]
fn only_two_kinds_for_the_same_function_confirm_without_a_widget() {
    let code = |text| with_role(text, Role::Code);
    let check = |texts, facts| level_of(Category::CheckIn, texts, facts);
    // Several words of one kind stay one kind.
    assert_eq!(
        check(vec![code("打卡成功"), code("今日已打卡"), code("补卡申请")], vec![]),
        Some(Level::Suspected)
    );
    assert_eq!(
        check(vec![code("打卡成功")], vec![fact(FactKind::Route, "pages/daka/index")]),
        Some(Level::Confirmed)
    );
    // What every other app asks for bears nothing out.
    let common = ["android.permission.CAMERA", "android.permission.ACCESS_FINE_LOCATION"];
    let common: Vec<Fact> = common.iter().map(|name| fact(FactKind::Permission, name)).collect();
    assert_eq!(check(vec![code("打卡成功")], common.clone()), Some(Level::Suspected));
    assert_eq!(check(vec![], common), None);
    // A name somewhere in code needs the same class, or a text that is seen on a screen.
    let class = || vec![fact(FactKind::Class, "cn.gov.example.DakaHelper")];
    assert_eq!(check(vec![code("打卡成功")], class()), Some(Level::Suspected));
    let mut near = code("打卡成功");
    near.code = Some(Code { class: "cn.gov.example.DakaHelper".into(), method: None, sink: None });
    assert_eq!(check(vec![near], class()), Some(Level::Confirmed));
    // A library's names are not the app's.
    let mut library = fact(FactKind::Component, "com.sdk.AttendanceActivity");
    library.origin = Origin::Library("an SDK".into());
    assert_eq!(check(vec![code("打卡成功")], vec![library]), Some(Level::Suspected));
    // An ad SDK says nothing about a coupon.
    let ads = || vec![fact(FactKind::Sdk, "com.qq.e")];
    assert_eq!(level_of(Category::Commerce, vec![code("优惠券")], ads()), Some(Level::Suspected));
    assert_eq!(level_of(Category::Commerce, vec![code("开屏广告")], ads()), Some(Level::Confirmed));
}

/// A text that stands on a page of a mini program.
fn on_page(text: &str, role: Role, page: &str) -> UiText {
    let mut text = UiText::new(text, role, Place::entry("page-frame.html"));
    text.usage = Usage::Used;
    text.screen = Some(screen(page));
    let operable = role == Role::Control;
    text.widget = Some(Widget { class: "view".into(), id: None, handler: None, operable });
    text
}

/// Something on a page: its path, or an address that it calls.
fn of_page(kind: FactKind, value: &str, page: &str) -> Fact {
    let mut fact = fact(kind, value);
    fact.screen = Some(screen(page));
    fact
}

#[test]
fn a_page_that_says_and_is_called_the_same_has_the_function() {
    let page = "pages/more_rank/more_rank";
    let mine = || on_page("我的排名", Role::Label, page);
    let route = || of_page(FactKind::Route, page, page);
    let ranking = |texts, facts| level_of(Category::Ranking, texts, facts);
    // One kind alone: words, however clear, or a common name.
    assert_eq!(ranking(vec![mine()], vec![]), Some(Level::Suspected));
    assert!(ranking(vec![], vec![route()]) < Some(Level::Suspected));
    // Two kinds on one page: words and the name of the page, or the address that it calls, or its title.
    assert_eq!(ranking(vec![mine()], vec![route()]), Some(Level::Confirmed));
    let address = of_page(FactKind::Endpoint, "/api/ranking/mine", page);
    assert_eq!(ranking(vec![mine()], vec![address]), Some(Level::Confirmed));
    let title = || on_page("排行榜", Role::Title, page);
    assert_eq!(ranking(vec![mine(), title()], vec![]), Some(Level::Confirmed));
    // The same words twice are one kind, as are two texts that are read.
    assert_eq!(ranking(vec![mine(), on_page("我的排名", Role::Title, page)], vec![]), Some(Level::Suspected));
    assert_eq!(ranking(vec![mine(), on_page("支部排名", Role::Label, page)], vec![]), Some(Level::Suspected));
    // On two pages they say nothing of each other, and a page that nobody reaches shows nothing.
    let other = of_page(FactKind::Route, "pages/rank/rank", "pages/rank/rank");
    assert_eq!(ranking(vec![mine()], vec![other]), Some(Level::Suspected));
    let mut hidden = mine();
    hidden.screen.as_mut().unwrap().reachable = false;
    assert_eq!(ranking(vec![hidden], vec![route()]), Some(Level::Suspected));
    // A text of code whose place is not known is not seen.
    let mut code = mine();
    code.role = Role::Code;
    assert_eq!(ranking(vec![code], vec![route()]), Some(Level::Suspected));
    // Words that alone are not clear stay so beside a name that is not: what is ranked may be songs.
    assert_eq!(ranking(vec![title()], vec![route()]), Some(Level::Suspected));
    assert_eq!(ranking(vec![on_page("总榜", Role::Control, page)], vec![route()]), Some(Level::Suspected));
    // A control of that sort takes a clear name.
    let clear = of_page(FactKind::Route, "pages/jifenpaiming/index", page);
    assert_eq!(ranking(vec![on_page("总榜", Role::Control, page)], vec![clear]), Some(Level::Confirmed));
    // An article about a ranking is no ranking, wherever it stands.
    let news = "全市营商环境评价结果公布，我县在全市排名第三，较上年上升两位，县政府将继续推进各项改革，优化服务流程，\
                提升企业满意度，推动经济社会高质量发展，各有关部门要认真总结经验，查找不足。";
    let article = on_page(news, Role::Body, "pages/news/ranking");
    let route = of_page(FactKind::Route, "pages/news/ranking", "pages/news/ranking");
    assert!(ranking(vec![article], vec![route]) <= Some(Level::Mention));
}

#[test]
fn an_advertising_slot_with_its_id_is_confirmed() {
    let api = |registered: Option<&str>| {
        let mut api = fact(FactKind::Api, "wx.createRewardedVideoAd");
        api.registered = registered.map(str::to_owned);
        level_of(Category::Commerce, vec![], vec![api])
    };
    assert_eq!(api(None), Some(Level::Suspected));
    assert_eq!(api(Some("adunit-0123456789abcdef")), Some(Level::Confirmed));
}

#[test]
fn a_function_without_a_word_shows_in_its_names() {
    let page = || fact(FactKind::Component, "cn.gov.example.XunchaDaKaActivity");
    let address = || fact(FactKind::Endpoint, "/api/mobile/patrol/clockIn");
    assert_eq!(level_of(Category::CheckIn, vec![], vec![page()]), Some(Level::Suspected));
    assert_eq!(level_of(Category::CheckIn, vec![], vec![page(), address()]), Some(Level::Confirmed));
    assert_eq!(level_of(Category::CheckIn, vec![], vec![address()]), Some(Level::Mention));
}

#[test]
fn ordinary_apps_are_left_alone() {
    let labels = [
        "Sign in",
        "Sign up",
        "Log in",
        "Check for updates",
        "Check internet connection",
        "Clock",
        "Alarm clock",
        "Share",
        "Like",
        "Forward",
        "Follow",
        "Comment",
        "Track",
        "Audio track",
        "Report a bug",
        "Reports",
        "Form",
        "Order by",
        "Sort by rank",
        "Score",
        "High score",
        "Points",
        "Duration",
        "Playback duration",
        "Time left",
        "Settings",
        "Privacy policy",
        "Install",
        "Activate",
        "Register",
        "Download",
        "Trace",
        "Signature",
        "Subscriptions",
        "Store password",
        "Add",
        "Cancel",
        "Save",
        "Photo",
        "Take photo",
        "Watermark",
        "登录",
        "注册",
        "分享",
        "转发",
        "点赞",
        "收藏",
        "评论",
        "关注",
        "搜索",
        "设置",
        "取消",
        "确定",
        "下载",
        "安装",
        "更新",
        "上传头像",
        "我的积分",
        "浏览历史",
        "足迹",
        "视频时长",
        "播放时长",
        "排序",
        "筛选",
        "考试成绩",
        "物流轨迹",
        "海报",
        "天气预报",
        "举报",
        "报名",
        "申报",
        "评分",
        "满意度",
        "注册资本",
        "签名",
        "签约",
        "刷卡",
        "银行卡",
        "上报问题",
        "随手拍",
        "下载任务",
        "人民日报",
        "报表",
        "音轨",
        "轨道交通",
        "榜样",
        "医生建议",
        "标签到期",
        "网红打卡地",
    ];
    let texts = labels.iter().flat_map(|label| [button(label), with_role(label, Role::Code)]).collect();
    let facts = [
        (FactKind::Component, "com.example.digital.SignInActivity"),
        (FactKind::Component, "com.example.ReportActivity"),
        (FactKind::Component, "com.example.ShareActivity"),
        (FactKind::Component, "com.example.RankingActivity"),
        (FactKind::Class, "com.example.CheckInputView"),
        (FactKind::Class, "com.example.ClockView"),
        (FactKind::Class, "com.example.otel.TraceExporter"),
        (FactKind::Class, "com.example.player.AudioTrack"),
        (FactKind::Function, "com.example.Animator.setDuration"),
        (FactKind::Endpoint, "https://api.example.com/v1/traces"),
        (FactKind::Endpoint, "https://api.example.com/login"),
        (FactKind::Endpoint, "/api/order/list"),
        (FactKind::Permission, "android.permission.CAMERA"),
        (FactKind::Permission, "android.permission.ACCESS_FINE_LOCATION"),
        (FactKind::Permission, "android.permission.ACCESS_BACKGROUND_LOCATION"),
        (FactKind::Sdk, "com.alipay.sdk"),
        (FactKind::Asset, "images/rank.png"),
    ];
    let facts = facts.map(|(kind, value)| fact(kind, value)).into();
    let judgement = judge(&rules(), &inspection(texts, facts), Verdict::Full);
    let found: BTreeMap<&str, Vec<&str>> = (judgement.findings.iter())
        .filter(|finding| finding.level > Level::Mention)
        .map(|f| (f.rule.as_str(), f.evidence.iter().map(|e| e.text.as_str()).collect()))
        .collect();
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn a_duty_is_missing_only_if_everything_was_read() {
    let empty = inspection(vec![], vec![]);
    for (verdict, status) in [
        (Verdict::Full, DutyStatus::Missing),
        (Verdict::Partial, DutyStatus::Unknown),
        (Verdict::Opaque, DutyStatus::Unknown),
    ] {
        let duties = judge(&rules(), &empty, verdict).duties;
        assert_eq!(duties.len(), 2);
        assert!(duties.iter().all(|duty| duty.status == status));
    }
}

#[test]
fn the_explanation_names_what_it_rests_on() {
    let judgement = judge(
        &rules(),
        &inspection(vec![with_role("打卡成功", Role::Code)], vec![fact(FactKind::Route, "pages/daka/index")]),
        Verdict::Full,
    );
    let explanation = &judgement.findings[0].explanation;
    for part in ["打卡", "pages/daka/index", "两种独立证据"] {
        assert!(explanation.contains(part), "{explanation}");
    }
}

#[test]
fn the_order_of_threads_does_not_show() {
    let texts = (0..20_000).map(|i| with_role(if i % 7 == 0 { "每日打卡" } else { "积分排名" }, Role::Code));
    let texts: Vec<UiText> = texts
        .enumerate()
        .map(|(i, mut text)| {
            text.place = Place::offset("classes.dex", i as u64);
            text
        })
        .collect();
    let inspection = inspection(texts, vec![]);
    let set = rules();
    let first = judge(&set, &inspection, Verdict::Full);
    assert_eq!(first, judge(&set, &inspection, Verdict::Full));
    assert_eq!(first.findings.len(), 2);
    assert!(first.findings.iter().all(|finding| finding.evidence_omitted > 0));
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]
    #[test]
    fn judging_never_panics(
        raws in proptest::collection::vec("(\\PC|打卡|签到|取消|“|”|。|积分|排名| |\u{200B}|check.in|\\p{Any}){0,40}", 1..40),
    ) {
        let set = {
            static SET: std::sync::LazyLock<RuleSet> = std::sync::LazyLock::new(rules);
            &*SET
        };
        let mut texts = Vec::new();
        let mut facts = Vec::new();
        for raw in &raws {
            texts.push(button(raw));
            for role in [Role::Code, Role::Label, Role::Title, Role::Document] {
                texts.push(with_role(raw, role));
            }
            for kind in [FactKind::Component, FactKind::Function, FactKind::Endpoint, FactKind::Sdk] {
                facts.push(fact(kind, raw));
            }
        }
        judge(set, &inspection(texts, facts), Verdict::Full);
    }
}

/// `cargo test --release --test all -- --ignored --nocapture rules::speed`
#[test]
#[ignore = "measures; run it in a release build"]
fn speed() {
    let load = (0..20).map(|_| {
        let start = Instant::now();
        rules();
        start.elapsed()
    });
    let load = load.min().unwrap();
    let set = rules();
    // The shape of a big APK: mostly identifiers and English, a third Chinese labels, few of them of interest.
    let samples = [
        "onCreateView",
        "android:textColorPrimary",
        "https://api.example.com/v2/items?page=",
        "Unable to open the file",
        "请输入手机号码",
        "加载中,请稍候…",
        "确定",
        "网络连接失败,请检查网络设置后重试",
        "application/json; charset=utf-8",
        "收货人姓名不能为空",
        "com.example.app.ui.main.MainFragment",
        "Failed to decode bitmap",
        "温馨提示",
        "返回首页",
    ];
    let roles = [Role::Code, Role::Label, Role::Resource, Role::Control, Role::Code];
    let texts = (0..100_000).map(|i| {
        let sample = if i % 500 == 0 { "每日打卡" } else { samples[i % samples.len()] };
        with_role(sample, roles[i % roles.len()])
    });
    let names = ["com.example.app.ui.MainActivity", "com.example.data.Repository.loadItems", "activity_main"];
    let facts = (0..50_000).map(|i| fact(FactKind::Class, names[i % names.len()]));
    let texts = inspection(texts.collect(), vec![]);
    let facts = inspection(vec![], facts.collect());
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    // Time on the processor, in nanoseconds: other work on the machine does not count.
    let processor = || -> u64 {
        let line = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
        line.split(' ').next().unwrap().parse().unwrap()
    };
    // The kernel counts in ticks, so only the sum over many runs means something.
    const RUNS: u32 = 50;
    let measure = |inspection: &Inspection| {
        pool.install(|| {
            let start = processor();
            (0..RUNS).for_each(|_| drop(judge(&set, inspection, Verdict::Full)));
            std::time::Duration::from_nanos(processor() - start) / RUNS
        })
    };
    let (texts, facts) = (measure(&texts), measure(&facts));
    println!("rules loaded in {load:?}; 100,000 texts judged in {texts:?}, 50,000 names in {facts:?}");
}
