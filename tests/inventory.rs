//! A roster as a whole, through the public interface: a small province whose findings are reasoned out, what must not be
//! found, the order of the rows, sizes, and the command.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test stops at what it does not expect"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Instant;

use jiff::civil::{Date, date};
use proptest::prelude::*;
use unicode_width::UnicodeWidthStr;
use zhijian::inventory::{Holding, Inventory, InventoryFinding, check, judge};
use zhijian::model::{
    Audience, Control, Level, OfficeLevel, RosterEntry, RosterStatus, Shown, Surface, TargetKind,
};
use zhijian::rule::RuleSet;

const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/rules");
const TODAY: Date = date(2026, 11, 26);

fn rules() -> RuleSet {
    RuleSet::embedded().unwrap()
}

/// A row with everything filled in: a filed app for staff that does not face the grass roots.
fn row(id: &str, name: &str, owner: &str, level: OfficeLevel, region: &str) -> RosterEntry {
    RosterEntry {
        id: Some(id.into()),
        name: Some(name.into()),
        owner: Some(owner.into()),
        level: Some(level),
        region: Some(region.into()),
        audience: Some(Audience::Staff),
        grassroots: Some(false),
        filing: Some(format!("示例网信政备〔2026〕{id}号")),
        contact: Some("张三".into()),
        status: Some(RosterStatus::InUse),
        ..RosterEntry::new(TargetKind::App)
    }
}

fn account(
    id: &str,
    name: &str,
    owner: &str,
    level: OfficeLevel,
    region: &str,
    platform: &str,
) -> RosterEntry {
    RosterEntry {
        kind: TargetKind::Account,
        platform: Some(platform.into()),
        audience: Some(Audience::Public),
        filing: None,
        ..row(id, name, owner, level, region)
    }
}

fn field(label: &str, screen: &str) -> Shown {
    Shown { name: label.into(), label: Some(label.into()), screen: Some(screen.into()) }
}

fn control(label: &str) -> Control {
    Control { label: Some(label.into()), ..Control::default() }
}

fn surface(functions: &[&str], forms: &[(&str, &[&str])]) -> Surface {
    Surface {
        controls: functions.iter().map(|label| control(label)).collect(),
        fields: forms
            .iter()
            .flat_map(|(screen, labels)| labels.iter().map(|label| field(label, screen)))
            .collect(),
        ..Surface::default()
    }
}

fn seen(entry: RosterEntry, functions: &[&str], forms: &[(&str, &[&str])]) -> Holding {
    Holding { surface: Some(surface(functions, forms)), ..Holding::from(entry) }
}

fn names(finding: &InventoryFinding) -> Vec<&str> {
    finding.targets.iter().map(|target| target.name.as_str()).collect()
}

fn found<'i>(inventory: &'i Inventory, rule: &str) -> Vec<&'i InventoryFinding> {
    inventory.findings.iter().filter(|finding| finding.rule == rule).collect()
}

fn only<'i>(inventory: &'i Inventory, rule: &str) -> &'i InventoryFinding {
    match found(inventory, rule)[..] {
        [one] => one,
        ref several => panic!("{rule}: {several:#?}"),
    }
}

const PROVINCE: &str = "示例省";
const CITY: &str = "示例省/青岚市";
const COUNTY: &str = "示例省/青岚市/云溪县";
const TOWN: &str = "示例省/青岚市/云溪县/柳渡镇";

/// A small province. Each row says what is to be found.
fn province() -> Vec<Holding> {
    use OfficeLevel::{City, County, Province, Township};
    let mini = |entry: RosterEntry| RosterEntry { kind: TargetKind::MiniProgram, ..entry };
    let facing = |entry: RosterEntry| RosterEntry { grassroots: Some(true), ..entry };
    let public = |entry: RosterEntry| RosterEntry { audience: Some(Audience::Public), ..entry };
    let visits: &[&str] = &["户主姓名", "家庭人口", "耕地面积", "致贫原因", "帮扶措施"];
    // Four of five the same, one its own.
    let visits_again: &[&str] = &["请输入户主姓名", "家庭人口：", "耕地面积（必填）", "致贫原因", "走访日期"];
    vec![
        // One facing the grass roots and one not: fine.
        facing(row("p1", "示例省网格通", "示例省民政厅", Province, PROVINCE)).into(),
        row("p2", "民政办公", "示例省民政厅", Province, PROVINCE).into(),
        // Three facing the grass roots: quota.
        seen(
            facing(row("c1", "青岚网格", "青岚市民政局", City, CITY)),
            &["首页", "我的", "网格巡逻", "事件上报", "重点人员"],
            &[],
        ),
        // The widest of those that do visits: overlap and repeated fields, with that of the county.
        seen(
            facing(row("c2", "青岚走访", "青岚市民政局", City, CITY)),
            &["首页", "我的", "入户走访", "困难群众排查", "矛盾纠纷上报", "隐患巡查", "政策宣讲", "台账导出"],
            &[("走访登记", visits), ("登录", &["用户名", "密码", "验证码"])],
        ),
        facing(mini(row("c3", "青岚填报", "青岚市民政局", City, CITY))).into(),
        // Closed: counts nowhere.
        RosterEntry {
            status: Some(RosterStatus::Closed),
            ..facing(row("c4", "青岚旧网格", "青岚市民政局", City, CITY))
        }
        .into(),
        // Two platforms: fine.
        account("a1", "青岚教育", "青岚市教育局", City, CITY, "微信").into(),
        account("a2", "青岚教育", "青岚市教育局", City, CITY, "微博").into(),
        // Old and new side by side: duplicate.
        public(row("c5", "青岚通", "青岚市大数据局", City, CITY)).into(),
        public(row("c6", "青岚通（新版）", "青岚市大数据局", City, CITY)).into(),
        // A county app, not filed: its own, the deadline, the number missing.
        seen(
            RosterEntry { filing: None, ..row("x1", "云溪走访", "云溪县民政局", County, COUNTY) },
            &["首页", "我的", "入户走访", "困难群众排查", "矛盾纠纷上报", "隐患巡查", "红黑榜"],
            &[("入户记录", visits_again)],
        ),
        // A county app that is filed: a mention.
        public(row("x2", "云溪融媒", "云溪县融媒体中心", County, COUNTY)).into(),
        // Two accounts on one platform under two names of it.
        account("a3", "云溪教育", "云溪县教育局", County, COUNTY, "微信").into(),
        account("a4", "云溪教育服务", "云溪县教育局", County, COUNTY, "微信公众号").into(),
        // No platform: a field missing, and not counted.
        RosterEntry {
            platform: None, ..account("a5", "云溪民政", "云溪县民政局", County, COUNTY, "")
        }
        .into(),
        // A township's own, with another number in the field: three rules, and the deadline for the public.
        RosterEntry {
            filing: Some("蜀ICP备12345678号-1X".into()),
            ..public(mini(row("t1", "柳渡通", "柳渡镇人民政府", Township, TOWN)))
        }
        .into(),
        // No contact.
        RosterEntry {
            kind: TargetKind::Group,
            contact: Some("暂无".into()),
            platform: Some("微信".into()),
            filing: None,
            ..row("g1", "柳渡镇值守群", "柳渡镇人民政府", Township, TOWN)
        }
        .into(),
    ]
}

#[test]
fn a_small_province_is_judged_as_a_person_would() {
    let inventory = judge(&rules(), &province(), TODAY);
    let plain: BTreeSet<(&str, Level, Vec<&str>)> = inventory
        .findings
        .iter()
        .map(|finding| (finding.rule.as_str(), finding.level, names(finding)))
        .collect();
    use Level::{Confirmed, Mention, Suspected};
    let expected = BTreeSet::from([
        ("inventory.quota", Confirmed, vec!["青岚网格", "青岚走访", "青岚填报"]),
        ("inventory.own-app-county", Suspected, vec!["云溪走访"]),
        ("inventory.own-app-county", Mention, vec!["云溪融媒"]),
        ("inventory.own-app-township", Confirmed, vec!["柳渡通"]),
        ("inventory.one-account", Confirmed, vec!["云溪教育", "云溪教育服务"]),
        ("inventory.missing-fields", Confirmed, vec!["柳渡镇值守群"]),
        ("inventory.missing-fields", Suspected, vec!["云溪民政", "云溪走访"]),
        ("inventory.filing-deadline", Confirmed, vec!["云溪走访"]),
        ("inventory.filing-deadline", Suspected, vec!["柳渡通"]),
        ("inventory.filing-number", Confirmed, vec!["柳渡通"]),
        ("inventory.duplicate", Suspected, vec!["青岚通", "青岚通（新版）"]),
        ("inventory.overlap", Suspected, vec!["青岚走访", "云溪走访"]),
        ("inventory.report-once", Suspected, vec!["青岚走访", "云溪走访"]),
    ]);
    assert_eq!(plain, expected);
    assert_eq!(inventory.findings.len(), expected.len());
    assert!(inventory.findings.is_sorted_by(|a, b| a.level >= b.level));
}

#[test]
fn explanations_name_the_numbers_and_the_law() {
    let inventory = judge(&rules(), &province(), TODAY);
    let quota = only(&inventory, "inventory.quota");
    assert_eq!((quota.found, quota.allowed), (Some(3), Some(1)));
    assert!(
        quota.explanation.contains("3 个") && quota.explanation.contains("允许 1 个"),
        "{}",
        quota.explanation
    );
    assert!(quota.explanation_en.contains("3 apps") && quota.explanation_en.contains("1 allowed"));
    assert_eq!((quota.owner.as_deref(), quota.region.as_deref()), (Some("青岚市民政局"), Some(CITY)));
    assert_eq!(quota.targets[0].key, "app:c1");

    // The township rests on the measures and the campaign, the county on the campaign alone.
    let documents = |finding: &InventoryFinding| {
        finding.basis.iter().map(|basis| basis.document.clone()).collect::<Vec<_>>()
    };
    let township = documents(only(&inventory, "inventory.own-app-township"));
    assert_eq!(township.len(), 2);
    assert!(township[0].contains("国办函〔2026〕12号"));
    let county = documents(found(&inventory, "inventory.own-app-county")[0]);
    assert!(county.len() == 1 && county[0].contains("四个一律"), "{county:?}");
    assert!(documents(only(&inventory, "inventory.one-account"))[0].contains("国办发〔2018〕123号"));

    // 25 July to 26 November: 6 + 31 + 30 + 31 + 26 days.
    let late = found(&inventory, "inventory.filing-deadline")[0];
    assert!(late.explanation.contains("2026-07-25 已过 124 天"), "{}", late.explanation);
    assert!(late.explanation_en.contains("124 days ago"));

    let overlap = only(&inventory, "inventory.overlap");
    assert_eq!(overlap.region.as_deref(), Some(CITY));
    let shared: BTreeSet<&str> = overlap.shared.iter().map(String::as_str).collect();
    assert_eq!(shared, BTreeSet::from(["入户走访", "困难群众排查", "矛盾纠纷上报", "隐患巡查"]));
    // Of 4 ln 11 + ln 21 = 12.64 the shared are 4 ln 11 = 9.59: 75.9 %.
    assert!(overlap.targets[1].detail.as_deref().unwrap().contains("75%"), "{:?}", overlap.targets[1]);
    let fields = only(&inventory, "inventory.report-once");
    let shared: BTreeSet<&str> = fields.shared.iter().map(String::as_str).collect();
    assert_eq!(shared, BTreeSet::from(["家庭人口", "户主姓名", "耕地面积", "致贫原因"]));
    assert!(fields.targets[0].detail.as_deref().unwrap().contains("走访登记"));

    for finding in &inventory.findings {
        for text in
            [&finding.title_en, &finding.explanation_en, &finding.remediation, &finding.remediation_en]
        {
            assert!(!text.is_empty(), "{finding:?}");
        }
        assert!(!finding.basis.is_empty(), "{}", finding.rule);
    }
}

#[test]
fn consolidation_loses_nothing() {
    let inventory = judge(&rules(), &province(), TODAY);
    let plan = |region: &str, audience: Audience| {
        inventory.proposals.iter().find(|one| one.region == region && one.audience == audience).unwrap()
    };
    assert_eq!(inventory.proposals.len(), 3);
    // Of the three of city level the one with the most functions.
    let staff = plan(CITY, Audience::Staff);
    assert_eq!(staff.platform.as_ref().unwrap().key, "app:c2");
    let merged: Vec<(&str, bool)> =
        staff.merged.iter().map(|one| (one.app.name.as_str(), one.scanned)).collect();
    assert_eq!(merged, [("青岚网格", true), ("云溪走访", true), ("青岚填报", false)]);
    let county = &staff.merged[1];
    assert_eq!(county.only, ["红黑榜"]);
    assert_eq!(county.shared.len(), 4);
    assert!(staff.merged[0].only.contains(&"网格巡逻".to_owned()) && staff.merged[0].shared.is_empty());
    assert_eq!(staff.repeated_fields["耕地面积"], ["app:c2", "app:x1"]);
    assert!(!staff.repeated_fields.contains_key("走访日期"));
    // Every function of an app that is merged is in the platform, alone in it, or to be added for several.
    let own: BTreeSet<&str> = ["入户走访", "困难群众排查", "矛盾纠纷上报", "隐患巡查", "红黑榜"].into();
    let kept: BTreeSet<&str> =
        county.only.iter().chain(&county.shared).chain(staff.to_add.keys()).map(String::as_str).collect();
    assert!(own.is_subset(&kept));
    // Nothing of the city's is closed, nor the province's mixed in.
    assert_eq!(plan(PROVINCE, Audience::Staff).merged.len(), 1);
    let public = plan(CITY, Audience::Public);
    assert_eq!(public.merged.len(), 3);
    assert!(public.reason.contains("人工选定"), "two of one level, none scanned: {}", public.reason);
}

#[test]
fn a_platform_set_by_the_office_is_the_target() {
    let dir = copy();
    edit(dir.path(), "inventory.yaml", |text| {
        text.replace("consolidate_into: {}", "consolidate_into: {staff: 川政通, public: 云溪融媒}")
    });
    let rules = RuleSet::load(dir.path()).unwrap();
    let inventory = judge(&rules, &province(), TODAY);
    let staff =
        inventory.proposals.iter().find(|one| one.audience == Audience::Staff && one.region == CITY).unwrap();
    assert_eq!(
        (staff.platform.as_ref(), staff.platform_name.as_str(), staff.merged.len()),
        (None, "川政通", 4)
    );
    // What two apps have and the platform is not known to have.
    assert_eq!(staff.to_add["入户走访"], ["app:c2", "app:x1"]);
    let public = inventory.proposals.iter().find(|one| one.audience == Audience::Public).unwrap();
    assert_eq!(public.platform.as_ref().unwrap().key, "app:x2");
}

#[test]
fn what_is_not_known_is_said() {
    let inventory = judge(&rules(), &province(), TODAY);
    let about = |part: &str| inventory.unjudged.iter().find(|one| one.reason.contains(part));
    assert_eq!(
        about("没有填写平台").map(|one| (one.count, &one.rules[..])),
        Some((1, &["inventory.one-account".to_owned()][..]))
    );
    // 10 apps in use (p1 p2 c1 c2 c3 c5 c6 x1 x2 t1), 3 of them scanned.
    assert_eq!(about("没有检测结果").unwrap().count, 7);
    let blank = vec![
        RosterEntry {
            owner: None,
            level: None,
            region: None,
            audience: None,
            ..row("b1", "无主应用", "", OfficeLevel::City, "")
        }
        .into(),
    ];
    let inventory = judge(&rules(), &blank, TODAY);
    let reasons: Vec<&str> = inventory.unjudged.iter().map(|one| one.reason.as_str()).collect();
    for part in ["没有填写层级", "没有检测结果", "没有填写地区或者服务对象"] {
        assert!(reasons.iter().any(|reason| reason.contains(part)), "{part}: {reasons:?}");
    }
    assert!(only(&inventory, "inventory.missing-fields").explanation.contains("没有填写主办单位"));
}

#[test]
fn every_example_of_every_rule_holds() {
    let failures = check(&rules());
    assert!(
        failures.is_empty(),
        "{}",
        failures.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    );
    assert_eq!(rules().inventory().len(), fs::read_dir(Path::new(SOURCE).join("inventory")).unwrap().count());
}

/// A copy of the rules to change.
fn copy() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for folder in ["", "app", "account", "group", "inventory"] {
        fs::create_dir_all(dir.path().join(folder)).unwrap();
        for entry in fs::read_dir(Path::new(SOURCE).join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                fs::copy(&path, dir.path().join(folder).join(path.file_name().unwrap())).unwrap();
            }
        }
    }
    dir
}

fn edit(dir: &Path, file: &str, change: impl FnOnce(String) -> String) {
    let path = dir.join(file);
    let text = fs::read_to_string(&path).unwrap();
    let changed = change(text.clone());
    assert_ne!(text, changed);
    fs::write(&path, changed).unwrap();
}

#[test]
fn a_wrong_rule_names_its_file_and_what_is_wrong() {
    let fails = |file: &str, from: &str, to: &str| {
        let dir = copy();
        edit(dir.path(), file, |text| text.replacen(from, to, 1));
        let error = RuleSet::load(dir.path()).unwrap_err();
        assert_eq!(error.file, file);
        error.cause
    };
    assert!(fails("inventory/overlap.yaml", "suspected: 0.6", "suspected: 1.6").contains("at most 1"));
    assert!(fails("inventory/overlap.yaml", "suspected: 0.6", "suspected: .nan").contains("at most 1"));
    assert!(fails("inventory/overlap.yaml", "mention: 0.4", "mention: 0.7").contains("mention"));
    assert!(fails("inventory/quota.yaml", "max: 1", "max: -1").contains("line"));
    assert!(fails("inventory/quota.yaml", "per: owner", "per: person").contains("line"));
    assert!(fails("inventory/quota.yaml", "per: owner", "per: owner-platform").contains("platform"));
    assert!(fails("inventory/quota.yaml", "    max: 1", "    max: 1\n    maxx: 2").contains("maxx"));
    assert!(
        fails("inventory/quota.yaml", "document: campaign-report-2026", "document: none")
            .contains("documents.yaml")
    );
    assert!(
        fails("inventory/quota.yaml", "targets: [app, mini-program, quick-app, account]", "targets: [group]")
            .contains("work group")
    );
    assert!(
        fails("inventory/filing-deadline.yaml", "deadline: 2026-07-25", "deadline: 2026-07-45")
            .contains("line")
    );
    assert!(
        fails("inventory/filing-deadline.yaml", "deadline: 2026-07-25", "deadline: 2025-07-25")
            .contains("before")
    );
    assert!(fails("inventory/missing-fields.yaml", "field: contact", "field: owner").contains("twice"));
    assert!(fails("inventory/quota.yaml", "grassroots: true}", "grasroots: true}").contains("grasroots"));
    assert!(
        fails("inventory/one-account.yaml", "id: inventory.one-account", "id: inventory.duplicate")
            .contains("twice")
    );
    assert!(fails("inventory.yaml", "region_parts: 2", "region_parts: two").contains("line"));

    // An example that does not hold is named.
    let dir = copy();
    edit(dir.path(), "inventory/one-account.yaml", |text| text.replacen("max: 1", "max: 5", 1));
    let failures = check(&RuleSet::load(dir.path()).unwrap());
    assert_eq!(failures.len(), 2);
    assert_eq!(failures[0].file, "inventory/one-account.yaml");
    // The digest covers these files.
    assert_ne!(RuleSet::load(dir.path()).unwrap().digest(), rules().digest());
}

#[test]
fn quotas_by_region_are_a_matter_of_data() {
    let dir = copy();
    edit(dir.path(), "inventory/quota.yaml", |text| text.replacen("per: owner", "per: region", 1));
    let rules = RuleSet::load(dir.path()).unwrap();
    let one_each = |owner: &str, id: &str| -> Holding {
        RosterEntry { grassroots: Some(true), ..row(id, id, owner, OfficeLevel::City, CITY) }.into()
    };
    let inventory = judge(&rules, &[one_each("青岚市民政局", "m1"), one_each("青岚市教育局", "e1")], TODAY);
    let quota = only(&inventory, "inventory.quota");
    assert_eq!((quota.found, quota.owner.as_deref(), quota.region.as_deref()), (Some(2), None, Some(CITY)));
    assert!(quota.explanation.starts_with("示例省/青岚市市级单位有 2 个"), "{}", quota.explanation);
}

#[test]
fn copies_of_an_app_are_found_however_many_they_are() {
    // 300 copies in one region: what all have is not common by that, and one finding names them all.
    let functions: Vec<String> = (0..40).map(|n| format!("业务办理{n}项")).collect();
    let functions: Vec<&str> = functions.iter().map(String::as_str).collect();
    let holdings: Vec<Holding> = (0..300)
        .map(|n| {
            seen(
                row(&format!("k{n:03}"), &format!("应用{n}"), &format!("单位{n}"), OfficeLevel::City, CITY),
                &functions,
                &[],
            )
        })
        .collect();
    let inventory = judge(&rules(), &holdings, TODAY);
    let overlap = only(&inventory, "inventory.overlap");
    assert_eq!((overlap.targets.len(), overlap.shared.len(), overlap.level), (300, 40, Level::Suspected));
}

#[test]
fn odd_rows_end_in_a_result() {
    let long = "长".repeat(100_000);
    let mut odd = row("", "", "///", OfficeLevel::County, "///");
    odd.addresses = vec![String::new()];
    let holdings = vec![
        Holding::from(odd.clone()),
        Holding::from(RosterEntry::new(TargetKind::App)),
        seen(
            row(&long, &long, &long, OfficeLevel::City, &long),
            &[&long, "", "\u{202e}\u{0}", "1", "一二"],
            &[(&long, &[&long])],
        ),
        seen(row("ok", "\u{1F600}", "\u{200B}", OfficeLevel::City, "a/b/c/d/e"), &[], &[]),
        Holding { online_since: Some(Date::MAX), ..Holding::from(odd) },
    ];
    for day in [Date::MIN, TODAY, Date::MAX] {
        let inventory = judge(&rules(), &holdings, day);
        assert_eq!(inventory.targets, 5);
        assert!(inventory.unjudged.iter().any(|one| one.reason.contains("无从指认")));
        serde_json::to_string(&inventory).unwrap();
    }
}

fn any_holding() -> impl Strategy<Value = Holding> {
    let some = |words: &'static [&'static str]| {
        prop::option::of(prop::sample::select(words).prop_map(str::to_owned))
    };
    let labels: &[&str] = &["首页", "入户走访", "隐患巡查", "网格巡逻", "事件上报", "台账导出", "政策宣讲"];
    (
        (
            prop::sample::select(
                &[TargetKind::App, TargetKind::MiniProgram, TargetKind::Account, TargetKind::Group][..],
            ),
            some(&["a", "b", "c", "d"]),
            some(&["甲通", "甲通客户端", "乙通"]),
            some(&["某市民政局", "某市 民政局", "无", "某县人民政府", "某县政府"]),
            prop::option::of(prop::sample::select(&OfficeLevel::ALL[..])),
            some(&["某省/某市", "某省/某市/某县", "某省"]),
        ),
        (
            prop::option::of(prop::sample::select(&Audience::ALL[..])),
            any::<Option<bool>>(),
            some(&["微信", "公众号", "微博"]),
            some(&["暂无", "蜀ICP备1号", "备〔2026〕1号"]),
            prop::option::of(prop::sample::select(&RosterStatus::ALL[..])),
            prop::option::of(prop::sample::subsequence(labels, 0..=labels.len())),
        ),
    )
        .prop_map(
            |(
                (kind, id, name, owner, level, region),
                (audience, grassroots, platform, filing, status, labels),
            )| {
                let entry = RosterEntry {
                    id,
                    name,
                    owner,
                    level,
                    region,
                    audience,
                    grassroots,
                    platform,
                    filing,
                    status,
                    ..RosterEntry::new(kind)
                };
                let surface = labels.map(|labels| surface(&labels, &[("表", &labels)]));
                Holding { surface, ..Holding::from(entry) }
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_order_of_the_rows_does_not_matter(
        (rows, mixed) in prop::collection::vec(any_holding(), 0..24).prop_flat_map(|rows| (Just(rows.clone()), Just(rows).prop_shuffle()))
    ) {
        let rules = rules();
        let json = |rows: &[Holding]| serde_json::to_string(&judge(&rules, rows, TODAY)).unwrap();
        prop_assert_eq!(json(&rows), json(&mixed));
    }

    #[test]
    fn closing_everything_leaves_nothing_but_what_is_unjudged(rows in prop::collection::vec(any_holding(), 0..24)) {
        let closed: Vec<Holding> = rows
            .into_iter()
            .map(|row| Holding { entry: RosterEntry { status: Some(RosterStatus::Closed), ..row.entry }, ..row })
            .collect();
        let inventory = judge(&rules(), &closed, TODAY);
        prop_assert!(inventory.findings.is_empty() && inventory.proposals.is_empty());
    }
}

#[test]
fn thirty_thousand_rows_and_a_thousand_scans_take_seconds() {
    // 1,000 scans of 150 labels and 30 fields of a vocabulary of 6,000, in ten regions; a fifth of each region alike.
    let word = |n: u32| {
        format!(
            "办理{}{}",
            char::from_u32(0x4E00 + n % 3_000).unwrap(),
            char::from_u32(0x5E00 + n / 3_000).unwrap()
        )
    };
    let mut state = 1_u32;
    let mut random = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state >> 8
    };
    let holdings: Vec<Holding> = (0..30_000_u32)
        .map(|n| {
            let region = format!("示例省/市{}", n % 10);
            let owner = format!("市{}单位{}", n % 10, n / 10 % 300);
            let mut entry = row(&format!("id{n}"), &format!("应用{n}"), &owner, OfficeLevel::City, &region);
            entry.grassroots = Some(n % 7 == 0);
            if n % 3 != 0 {
                entry = RosterEntry {
                    kind: TargetKind::Account,
                    platform: Some("微信".into()),
                    filing: None,
                    ..entry
                };
            }
            let surface = (n % 30 == 0).then(|| {
                let base = if n % 150 == 0 { n % 10 * 200 } else { random() % 6_000 };
                let labels: Vec<String> = (0..150).map(|_| word((base + random() % 400) % 6_000)).collect();
                let fields: Vec<String> = (0..30).map(|_| word((base + random() % 60) % 6_000)).collect();
                let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
                let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
                surface(&labels, &[("表一", &fields[..15]), ("表二", &fields[15..])])
            });
            Holding { surface, ..Holding::from(entry) }
        })
        .collect();
    let rules = rules();
    let start = Instant::now();
    let inventory = judge(&rules, &holdings, TODAY);
    let took = start.elapsed();
    println!("30,000 rows, {} scanned: {took:?}, {} findings", inventory.scanned, inventory.findings.len());
    assert_eq!((inventory.targets, inventory.scanned), (30_000, 1_000));
    // Unoptimised; optimised it is a tenth of this.
    assert!(took.as_secs() < 30, "{took:?}");
    // 20,000 accounts of 3,000 units.
    assert!(found(&inventory, "inventory.one-account").len() >= 1_900);
}

#[test]
fn a_target_that_stands_there_twice_counts_once() {
    // The same id under two names: found as such, no second app of the office, and not alike to itself.
    let facing = |name: &str| {
        let entry = row("d1", name, "青岚市民政局", OfficeLevel::City, CITY);
        seen(
            RosterEntry { grassroots: Some(true), ..entry },
            &["入户走访", "困难群众排查", "矛盾纠纷上报", "隐患巡查"],
            &[("走访", &["户主姓名", "家庭人口", "耕地面积", "致贫原因"])],
        )
    };
    let inventory = judge(&rules(), &[facing("青岚走访"), facing("青岚入户")], TODAY);
    let plain: Vec<(&str, Level)> =
        inventory.findings.iter().map(|finding| (finding.rule.as_str(), finding.level)).collect();
    assert_eq!(plain, [("inventory.duplicate", Level::Confirmed)]);
    assert!(inventory.findings[0].explanation.contains("2 个名称"), "{}", inventory.findings[0].explanation);
    assert!(inventory.proposals.is_empty());
}

const ROSTER: &str = "\
类型,标识,名称,主办单位,层级,地区,服务对象,面向基层,平台,备案编号,联系人,地址
移动应用程序,cn.gov.example.c1,青岚网格,青岚市民政局,市级,示例省/青岚市,工作人员,是,,示例网信政备〔2026〕1号,张三,
移动应用程序,cn.gov.example.c2,青岚走访,青岚市民政局,市级,示例省/青岚市,工作人员,是,,示例网信政备〔2026〕2号,张三,
移动应用程序,cn.gov.example.x1,云溪走访,云溪县民政局,县级,示例省/青岚市/云溪县,工作人员,否,,,张三,
移动应用程序,cn.gov.example.x1,云溪入户,云溪县民政局,县级,示例省/青岚市/云溪县,工作人员,否,,,张三,
公众账号,gh_000000000001,云溪教育,云溪县教育局,县级,示例省/青岚市/云溪县,公众,否,微信,,张三,
网站,,写错的行,,,,,,,,,
";

fn report(id: &str, functions: &[&str]) -> String {
    let surface = serde_json::to_string(&surface(functions, &[])).unwrap();
    format!(
        r#"{{"schema":"zhijian.report/1","target":{{"kind":"app","source":"{id}.apk"}},"identity":{{"id":"{id}","name":null,"version":null,"version_code":1,"signer":null,"filing":null}},"surface":{surface}}}"#
    )
}

fn run(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_zhijian")).args(args).output().unwrap()
}

#[test]
fn the_command_joins_reports_and_fits_the_terminal() {
    let dir = tempfile::tempdir().unwrap();
    let (roster, folder) = (dir.path().join("roster.csv"), dir.path().join("reports"));
    fs::write(&roster, ROSTER).unwrap();
    fs::create_dir(&folder).unwrap();
    let functions = ["首页", "入户走访", "困难群众排查", "矛盾纠纷上报", "隐患巡查"];
    fs::write(folder.join("1.json"), report("cn.gov.example.c2", &functions)).unwrap();
    fs::write(folder.join("2.json"), format!("[{}]", report("cn.gov.example.x1", &functions))).unwrap();
    fs::write(folder.join("3.json"), report("cn.gov.example.other", &functions)).unwrap();
    fs::write(folder.join("summary.json"), "{}").unwrap();
    let (roster, folder) = (roster.to_str().unwrap(), folder.to_str().unwrap());
    let asked = |more: &[&str]| {
        let output =
            run(&[&["inventory", roster, "--reports", folder, "--as-of", "2026-11-26"], more].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    for lang in ["zh", "en"] {
        for more in [&["--lang", lang][..], &["--lang", lang, "--all"][..]] {
            let text = asked(more);
            // The first line holds the path of the roster.
            for line in text.lines().skip(1) {
                assert!(line.width() <= 80, "{} columns: {line}", line.width());
                assert_eq!(line, line.trim_end(), "blanks at the end");
            }
            assert!(text.contains("cn.gov.example.other") && text.contains("青岚走访"), "{text}");
        }
    }
    let text = asked(&[]);
    for part in [
        "有 2 个面向基层的应用在用，允许 1 个",
        "第 7 行",
        "登记了 2 行，2 个名称",
        "入户走访",
        "整合建议",
        "未能核查",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let value: serde_json::Value = serde_json::from_str(&asked(&["--format", "json"])).unwrap();
    assert_eq!((&value["schema"], &value["as_of"]), (&"zhijian.inventory/1".into(), &"2026-11-26".into()));
    assert_eq!((value["targets"].as_u64(), value["scanned"].as_u64()), (Some(5), Some(3)));
    let rules: BTreeSet<&str> =
        value["findings"].as_array().unwrap().iter().map(|one| one["rule"].as_str().unwrap()).collect();
    assert!(rules.contains("inventory.quota") && rules.contains("inventory.overlap"), "{rules:?}");
    assert_eq!(value["rejected"][0]["line"], 7);
}

#[test]
fn inventory_rules_are_listed_shown_and_checked() {
    let list = String::from_utf8(run(&["rules", "list"]).stdout).unwrap();
    assert!(list.contains("inventory.quota") && list.contains("inventory.report-once"));
    let show = String::from_utf8(run(&["rules", "show", "inventory.own-app-township"]).stdout).unwrap();
    assert!(show.contains("国办函〔2026〕12号") && show.contains("街道自建小程序"));
    assert!(show.trim_end().ends_with("inventory/own-app-township.yaml"));
    assert!(run(&["rules", "check"]).status.success());
}
