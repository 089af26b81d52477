//! Reports made by hand for the tests of what people see.

use zhijian::model::*;

/// What a hostile package may call things.
pub(crate) const HOSTILE: &str = "<script>alert(1)</script>\u{1b}[31m\u{9b}2J\u{202e}\"'&\r\n\t\u{0}\u{200b}";

fn law() -> Basis {
    Basis {
        document: "《政务移动互联网应用程序规范化管理办法》（国办函〔2026〕12号）".into(),
        clause: "五类情形（二）".into(),
        text: "除安保、应急等特殊场景规定外，不得设置打卡签到、积分排名、统计在线时长等强制性功能。".into(),
        document_en:
            "Measures for the Standardised Administration of Government Mobile Internet Applications \
                      (Guobanhan [2026] No. 12)"
                .into(),
        clause_en: "five situations, item (2)".into(),
        text_en:
            "Except where rules for special settings such as security and emergency provide otherwise, no \
                  compulsory check-in, point ranking or counting of online time."
                .into(),
        scope: "面向工作人员的直接适用，面向公众的参照适用；公众账号和工作群组不适用。".into(),
        scope_en: "Apps for staff directly, apps for the public by reference; not accounts and groups."
            .into(),
    }
}

fn row(kind: EvidenceKind, level: Level, text: &str, matched: &str, place: &str) -> Evidence {
    Evidence {
        kind,
        level,
        text: text.into(),
        matched: matched.into(),
        place: place.into(),
        screen: None,
        widget: None,
        chain: Vec::new(),
        locale: None,
        library: None,
        note: "可操作的控件，所在界面可从清单到达".into(),
        note_en: "an operable widget on a screen that can be reached".into(),
    }
}

fn finding(
    rule: &str,
    category: Category,
    level: Level,
    title: (&str, &str),
    evidence: Vec<Evidence>,
) -> Finding {
    Finding {
        rule: rule.into(),
        category,
        level,
        title: title.0.into(),
        title_en: title.1.into(),
        explanation: "界面上有可操作的按钮，代码中另有对应的接口地址，两类证据相互独立。".into(),
        explanation_en:
            "There is a button that can be pressed, and the code calls an address of the same function: \
                         two independent kinds of evidence."
                .into(),
        basis: vec![law()],
        exceptions: vec![Exception {
            text: "防汛、安保等应急值守中的定位签到。".into(),
            text_en: "Location check-in on flood or security duty.".into(),
            requires: "主管部门批准该场景的文件".into(),
            requires_en: "the authority's document that allows it".into(),
        }],
        evidence,
        evidence_omitted: 0,
        remediation: "取消定时、定点打卡；确需保留的应急值守签到，须附文件依据并限定人员和时段。".into(),
        remediation_en:
            "Remove check-ins at set times and places; what emergency duty needs has to rest on a document \
                         and be limited to the people and hours concerned."
                .into(),
        accepted: None,
    }
}

/// A report as an analyst meets it: confirmed, suspected and mentioned functions, gaps and anomalies.
pub(crate) fn ordinary() -> Report {
    let mut button =
        row(EvidenceKind::Text, Level::Confirmed, "巡查打卡", "打卡", "resources.arsc#0x7f0b0012");
    button.screen = Some("巡查（cn.gov.example.grid.patrol.PatrolActivity）".into());
    button.widget = Some("Button btn_patrol".into());
    button.locale = Some("zh-CN".into());
    button.chain = [
        "string/patrol_punch",
        "res/layout/activity_patrol.xml",
        "PatrolActivity.onPunch",
        "POST /patrol/checkin",
    ]
    .map(String::from)
    .to_vec();
    let mut endpoint = row(
        EvidenceKind::Endpoint,
        Level::Confirmed,
        "https://grid.example.gov.cn/api/mobile/patrol/checkin",
        "checkin",
        "classes.dex@0x1f4a0",
    );
    endpoint.chain =
        ["cn.gov.example.grid.net.PatrolApi.punch", "cn.gov.example.grid.patrol.PatrolActivity.onPunch"]
            .map(String::from)
            .to_vec();
    endpoint.note = "应用自身代码调用的接口地址".into();
    endpoint.note_en = "an address that the app's own code calls".into();
    let mut more: Vec<Evidence> = (0..6)
        .map(|n| {
            let text = format!("第{n}次打卡成功");
            row(
                EvidenceKind::Text,
                Level::Suspected,
                &text,
                "打卡",
                &format!("classes2.dex@{:#x}", 0x2000 + n * 64),
            )
        })
        .collect();
    let mut check_in = vec![button, endpoint];
    check_in.append(&mut more);
    let mut ranking = row(EvidenceKind::Text, Level::Suspected, "支部积分榜", "积分榜", "classes.dex@0x30c8");
    ranking.screen = Some("cn.gov.example.grid.mine.MineFragment".into());
    let mut mention = row(
        EvidenceKind::Text,
        Level::Mention,
        &format!(
            "{}严禁将在线时长、点赞量作为考评依据。{}",
            "为减轻基层负担，".repeat(40),
            "各单位要认真落实。".repeat(40)
        ),
        "在线时长",
        "assets/privacy.html@0x5d",
    );
    mention.note = "出现在政策文件正文中".into();
    mention.note_en = "in the running text of a policy document".into();
    let mut library = row(EvidenceKind::Text, Level::Mention, "转发成功", "转发", "classes3.dex@0x88");
    library.library = Some("友盟分享 SDK".into());

    let duty = |rule: &str, category, status, title: (&str, &str), evidence| Duty {
        rule: rule.into(),
        category,
        status,
        title: title.0.into(),
        title_en: title.1.into(),
        explanation: "按检视到的界面文字判断。".into(),
        explanation_en: "Judged by the text of the interface that could be read.".into(),
        basis: vec![law()],
        evidence,
        remediation: "在首页或“关于”页标明主办（使用）单位及备案编号。".into(),
        remediation_en: "State the responsible unit and the filing number on the home or about page.".into(),
    };
    let mut complaint =
        row(EvidenceKind::Text, Level::Confirmed, "投诉建议", "投诉建议", "resources.arsc#0x7f0b0044");
    complaint.screen = Some("我的（cn.gov.example.grid.mine.MineFragment）".into());

    let mut gaps = vec![Gap {
        part: PartName::Text,
        place: "assets/logic.dat".into(),
        reason: GapReason::Encrypted,
        detail: "entropy 7.99 bits per byte over 1,204,224 bytes".into(),
        detail_en: "entropy 7.99 bits per byte over 1,204,224 bytes".into(),
        material: true,
    }];
    gaps.extend((0..12).map(|n| Gap {
        part: PartName::Layouts,
        place: format!("res/layout/item_{n}.xml@0x40"),
        reason: GapReason::Malformed,
        detail: "chunk size 0 at offset 64".into(),
        detail_en: "chunk size 0 at offset 64".into(),
        material: true,
    }));
    gaps.push(Gap {
        part: PartName::Layouts,
        place: String::new(),
        reason: GapReason::Malformed,
        detail: "另有 7 处".into(),
        detail_en: "7 more".into(),
        material: true,
    });
    gaps.extend((0..30).map(|n| Gap {
        part: PartName::Images,
        place: format!("res/drawable-xxhdpi/banner_{n}.webp"),
        reason: GapReason::NotInspected,
        detail: "picture".into(),
        detail_en: "picture".into(),
        material: false,
    }));
    gaps.push(Gap {
        part: PartName::Native,
        place: "lib/arm64-v8a/libmap.so".into(),
        reason: GapReason::NotInspected,
        detail: "native code".into(),
        detail_en: "native code".into(),
        material: false,
    });

    let tally = |part, total, read| PartTally { part, total, read };
    let reason = |id: &str, text: &str, text_en: &str| CodeReason {
        id: id.into(),
        text: text.into(),
        text_en: text_en.into(),
    };
    Report {
        schema: SCHEMA.into(),
        engine: Engine {
            name: "zhijian".into(),
            version: "0.1.0".into(),
            decoders: [("axml".to_owned(), 1), ("dex".to_owned(), 1)].into(),
            ruleset: Ruleset { digest: "40c0f1e2".repeat(8), rules: 11 },
        },
        target: Target { kind: TargetKind::App, source: "样本/某市网格通_3.2.1.apk".into() },
        artifact: Artifact {
            sha256: "9f2c4ab1".repeat(8),
            bytes: 24_612_345,
            format: "apk".into(),
            text_sha256: None,
        },
        listing: Some(Listing {
            store: "yingyongbao".into(),
            title: "应用宝".into(),
            title_en: "Tencent MyApp".into(),
            page: "https://sj.qq.com/appdetail/cn.gov.example.grid".into(),
            package: Some("cn.gov.example.grid".into()),
            name: Some("某市网格通".into()),
            developer: Some("某某科技有限公司".into()),
            operator: Some("某市大数据中心".into()),
            version: Some("3.2.1".into()),
            updated: Some("2026-05-18".into()),
            icp: Some("蜀ICP备12345678号-1A".into()),
            downloads: Some("12万".into()),
            ..Listing::default()
        }),
        page: None,
        group: None,
        registered: None,
        as_of: None,
        identity: Identity {
            id: Some("cn.gov.example.grid".into()),
            name: Some("某市网格通".into()),
            version: Some("3.2.1".into()),
            version_code: Some(30201),
            signer: Some(Signer {
                subject: "CN=某市大数据局,O=某市人民政府,C=CN".into(),
                sha256: "ab12cd34".repeat(8),
                schemes: vec!["v1".into(), "v2".into()],
                verified: None,
            }),
            filing: None,
        },
        coverage: Coverage {
            verdict: Verdict::Partial,
            percent: 91,
            parts: vec![
                tally(PartName::Container, 1, 1),
                tally(PartName::Manifest, 1, 1),
                tally(PartName::Resources, 1, 1),
                tally(PartName::Layouts, 212, 193),
                tally(PartName::Dex, 3, 3),
                tally(PartName::Text, 14, 13),
                tally(PartName::Native, 1, 0),
                tally(PartName::Images, 30, 0),
            ],
            gaps,
        },
        findings: vec![
            finding("app.check-in", Category::CheckIn, Level::Confirmed, ("打卡签到", "Check-in"), check_in),
            finding(
                "app.ranking",
                Category::Ranking,
                Level::Suspected,
                ("积分排名", "Point ranking"),
                vec![ranking],
            ),
            finding(
                "app.duration",
                Category::Duration,
                Level::Mention,
                ("时长统计", "Counting of time"),
                vec![mention],
            ),
            finding(
                "app.social-task",
                Category::SocialTask,
                Level::Mention,
                ("关注点赞转发任务", "Follow, like and forward tasks"),
                vec![library],
            ),
        ],
        duties: vec![
            duty(
                "app.complaint-channel",
                DutyCategory::ComplaintChannel,
                DutyStatus::Met,
                ("投诉建议", "Complaints and suggestions"),
                vec![complaint],
            ),
            duty(
                "app.filing-shown",
                DutyCategory::FilingShown,
                DutyStatus::Missing,
                ("主办单位与备案编号", "Responsible unit and filing number"),
                Vec::new(),
            ),
        ],
        anomalies: vec![Anomaly {
            code: "zip.prepended-data".into(),
            place: String::new(),
            detail: "412 bytes before the first entry".into(),
        }],
        code: CodeSuggestion {
            suggested: ColorCode::None,
            state: "待整改".into(),
            state_en: "to be rectified".into(),
            reasons: vec![
                reason(
                    "confirmed-finding",
                    "检出已确认的禁止类功能，整改并复核前不赋码。",
                    "A prohibited function is confirmed; no code until it is rectified and checked again.",
                ),
                reason(
                    "coverage-partial",
                    "部分可能含有界面文字的内容未能检视，须补充检视后再定。",
                    "Parts that may hold text of the user interface could not be seen; they have to be inspected first.",
                ),
                reason(
                    "filing-unknown",
                    "未提供备案编号或备案清单，备案情况未核。",
                    "No filing number or filing list was given; the filing was not checked.",
                ),
            ],
            policy: "zhijian.default/1".into(),
        },
        baseline: None,
        surface: None,
    }
}

/// Nothing found, everything read, filed.
pub(crate) fn green() -> Report {
    let mut report = ordinary();
    report.target = Target { kind: TargetKind::MiniProgram, source: "样本/便民服务.wxapkg".into() };
    report.artifact.format = "wxapkg".into();
    report.artifact.bytes = 812_400;
    report.identity = Identity {
        id: Some("wx0123456789abcdef".into()),
        name: Some("便民服务".into()),
        filing: Some("政备51000000123号".into()),
        ..Identity::default()
    };
    report.coverage = Coverage {
        verdict: Verdict::Full,
        percent: 100,
        parts: vec![PartTally { part: PartName::Js, total: 4, read: 4 }],
        gaps: Vec::new(),
    };
    report.findings.clear();
    report.duties.iter_mut().for_each(|duty| duty.status = DutyStatus::Met);
    report.anomalies.clear();
    report.code = CodeSuggestion {
        suggested: ColorCode::Green,
        state: String::new(),
        state_en: String::new(),
        reasons: vec![CodeReason {
            id: "green".into(),
            text: "已备案，检视范围充分，未发现禁止类功能，符合绿码条件。".into(),
            text_en: "Filed, coverage sufficient, no prohibited function found; it meets the conditions."
                .into(),
        }],
        policy: "zhijian.default/1".into(),
    };
    report
}

/// Every string that comes from a package is hostile or 10,000 characters long.
pub(crate) fn hostile() -> Report {
    let mut report = ordinary();
    let long = format!("{HOSTILE}{}打卡{}", "很长的文字".repeat(1000), "x".repeat(5000));
    report.target.source = format!("dir/{HOSTILE}.apk");
    report.identity.id = Some(long.clone());
    report.identity.name = Some(long.clone());
    report.identity.version = Some(HOSTILE.repeat(20));
    report.identity.filing = Some(HOSTILE.into());
    if let Some(signer) = &mut report.identity.signer {
        signer.subject = long.clone();
        signer.schemes = vec![HOSTILE.into()];
    }
    for finding in &mut report.findings {
        for row in &mut finding.evidence {
            row.text = long.clone();
            row.matched = "打卡".into();
            row.place = format!("assets/{HOSTILE}{}@0x10", "深/".repeat(2000));
            row.screen = Some(long.clone());
            row.widget = Some(long.clone());
            row.locale = Some(HOSTILE.into());
            row.library = Some(long.clone());
            row.chain =
                vec![long.clone(), HOSTILE.into(), "e\u{301}\u{301}\u{301}\u{301}\u{301}".repeat(500)];
        }
    }
    for gap in &mut report.coverage.gaps {
        gap.place = long.clone();
        gap.detail = long.clone();
    }
    report.anomalies = (0..20)
        .map(|n| Anomaly { code: format!("zip.odd-{n}"), place: long.clone(), detail: HOSTILE.into() })
        .collect();
    report
}
