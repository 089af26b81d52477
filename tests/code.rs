//! The colour code as a function of the policy and of events. What is expected is derived by hand from the sentences
//! of `rules/policy.yaml`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::sync::LazyLock;

use jiff::civil::{Date, date};
use jiff::{Span, Timestamp};
use proptest::prelude::*;
use zhijian::ledger::{Fact, History, Policy, Recorded};
use zhijian::model::{
    Category, ColorCode, Deed, DutyRecord, DutyStatus, Event, FindingRecord, Level, RosterEntry, ScanRecord,
    TargetKind, Verdict, beijing_midnight,
};
use zhijian::rule::RuleSet;

const TARGET: &str = "app:cn.gov.example.grid";
const CHECK_IN: &str = "app.check-in";

fn policy() -> &'static Policy {
    static POLICY: LazyLock<Policy> = LazyLock::new(|| RuleSet::embedded().unwrap().policy().clone());
    &POLICY
}

/// A day of 2026, at noon.
fn day(month: i8, day: i8) -> Timestamp {
    beijing_midnight(date(2026, month, day)).unwrap() + Span::new().hours(12)
}

fn finding(level: Level, evidence: &[&str]) -> FindingRecord {
    FindingRecord {
        rule: CHECK_IN.into(),
        category: Category::CheckIn,
        level,
        evidence: evidence.iter().map(|key| (*key).to_owned()).collect(),
        disguised: false,
    }
}

fn confirmed() -> FindingRecord {
    finding(Level::Confirmed, &["a", "b"])
}

fn scan(findings: &[FindingRecord]) -> ScanRecord {
    ScanRecord {
        report: "0".repeat(64),
        artifact: "1".repeat(64),
        kind: TargetKind::App,
        page: None,
        version: None,
        ruleset: "2".repeat(64),
        coverage: Verdict::Full,
        findings: findings.to_vec(),
        duties: Vec::new(),
    }
}

fn scanned(findings: &[FindingRecord]) -> Deed {
    Deed::Scanned(Box::new(scan(findings)))
}

fn filed() -> Deed {
    Deed::Filed { number: "川政备2026001".into() }
}

fn notice(deadline: Date) -> Deed {
    Deed::NoticeIssued { document: "整改〔2026〕1号".into(), rules: vec![CHECK_IN.into()], deadline }
}

fn dismissed(evidence: &[&str]) -> Deed {
    let evidence = evidence.iter().map(|key| (*key).to_owned()).collect();
    Deed::Dismissed { rule: CHECK_IN.into(), evidence, reason: "会议签到，属于误判".into() }
}

fn reviewed(evidence: &[&str]) -> Deed {
    let evidence = evidence.iter().map(|key| (*key).to_owned()).collect();
    Deed::Confirmed { rule: CHECK_IN.into(), evidence, reason: "现场核实".into() }
}

fn exception(until: Date) -> Deed {
    Deed::ExceptionGranted {
        rule: CHECK_IN.into(),
        document: "应急〔2026〕3号".into(),
        scope: "防汛值守".into(),
        until,
    }
}

fn red() -> Deed {
    Deed::RedDecided { reason: "会议纪要〔2026〕9号".into() }
}

fn record(deeds: impl IntoIterator<Item = (Timestamp, Deed)>) -> Vec<Recorded> {
    let recorded = |(index, (at, deed)): (usize, (Timestamp, Deed))| Recorded {
        seq: index as u64 + 1,
        recorded: at,
        hash: String::new(),
        event: Event { target: TARGET.into(), at, actor: "test".into(), deed },
    };
    deeds.into_iter().enumerate().map(recorded).collect()
}

/// Colour and deciding clause at a moment.
fn code(events: &[Recorded], at: Timestamp) -> (ColorCode, String) {
    let history = History::of(policy(), events, at);
    let present = history.present().unwrap();
    (present.code.suggested, present.code.reasons[0].id.clone())
}

fn check(events: &[Recorded], expected: &[(Timestamp, ColorCode, &str)]) {
    for (at, colour, clause) in expected {
        assert_eq!(code(events, *at), (*colour, (*clause).to_owned()), "at {at}");
    }
}

use ColorCode::{Blue, Green, None as NoCode, Red};

#[test]
fn green_needs_filing_and_a_scan_that_saw_everything() {
    let events = record([(day(1, 1), filed()), (day(1, 2), scanned(&[]))]);
    check(&events, &[(day(1, 1), NoCode, "never-scanned"), (day(1, 2), Green, "green")]);
    let unfiled = record([(day(1, 2), scanned(&[]))]);
    check(&unfiled, &[(day(1, 2), NoCode, "not-filed")]);
    let partial = ScanRecord { coverage: Verdict::Partial, ..scan(&[]) };
    let events = record([(day(1, 1), filed()), (day(1, 2), Deed::Scanned(Box::new(partial)))]);
    check(&events, &[(day(1, 2), NoCode, "coverage-partial")]);
    let revoked = record([
        (day(1, 1), filed()),
        (day(1, 2), scanned(&[])),
        (day(1, 3), Deed::FilingRevoked { reason: "抽查不合格".into() }),
        (day(1, 4), filed()),
    ]);
    check(&revoked, &[(day(1, 3), NoCode, "not-filed"), (day(1, 4), Green, "green")]);
}

#[test]
fn a_scan_counts_for_a_year() {
    let events = record([(day(1, 1), filed()), (day(1, 2), scanned(&[]))]);
    let later = |year, month, day| beijing_midnight(date(year, month, day)).unwrap();
    check(&events, &[(later(2027, 1, 2), Green, "green"), (later(2027, 1, 3), NoCode, "scan-outdated")]);
    let history = History::of(policy(), &events, later(2027, 6, 1));
    assert_eq!(history.present().unwrap().since, later(2027, 1, 3), "it turned by time alone");
}

#[test]
fn from_a_first_finding_to_red_and_back() {
    let events = record([
        (day(1, 1), filed()),
        (day(1, 2), scanned(&[confirmed()])),
        (day(1, 3), notice(date(2026, 1, 20))),
        (day(1, 18), Deed::RectificationReported { statement: "已取消".into() }),
        (day(1, 19), scanned(&[])),
        (day(3, 1), scanned(&[confirmed()])),
        (day(3, 2), notice(date(2026, 3, 10))),
        (day(3, 20), red()),
        (day(4, 1), scanned(&[])),
    ]);
    check(
        &events,
        &[
            (day(1, 2), NoCode, "confirmed-finding"),
            (day(1, 18), NoCode, "confirmed-finding"),
            (day(1, 19), Green, "green"),
            (day(3, 1), Blue, "found-again"),
            (day(3, 10), Blue, "found-again"),
            (day(3, 11), Blue, "red-proposed"),
            (day(3, 20), Red, "red"),
            (day(3, 31), Red, "red"),
            (day(4, 1), Green, "green"),
        ],
    );
    let history = History::of(policy(), &events, day(12, 1));
    let turns: Vec<_> = history.codes.iter().map(|c| (c.code.suggested, c.events.clone())).collect();
    assert_eq!(
        turns,
        [
            (NoCode, vec![]),
            (NoCode, vec![2]),
            (Green, vec![1, 5]),
            (Blue, vec![5, 6]),
            (Blue, vec![5, 6, 7]),
            (Red, vec![5, 6, 7, 8]),
            (Green, vec![1, 9]),
        ]
    );
    assert_eq!(history.codes[4].since, beijing_midnight(date(2026, 3, 11)).unwrap());
}

#[test]
fn still_there_after_the_term_of_a_notice_is_found_again() {
    let events = record([
        (day(1, 1), filed()),
        (day(1, 2), scanned(&[confirmed()])),
        (day(1, 3), notice(date(2026, 1, 20))),
        (day(1, 15), scanned(&[confirmed()])),
        (day(2, 1), scanned(&[confirmed()])),
        (day(2, 2), notice(date(2026, 2, 10))),
    ]);
    check(
        &events,
        &[
            (day(1, 15), NoCode, "confirmed-finding"),
            (day(1, 21), NoCode, "deadline-passed"),
            (day(2, 1), Blue, "found-again"),
            // The first notice was before it was found again; it is not the term that red asks for.
            (day(2, 10), Blue, "found-again"),
            (day(2, 11), Blue, "red-proposed"),
        ],
    );
}

#[test]
fn red_needs_a_person_and_grounds() {
    let early = record([(day(1, 1), filed()), (day(1, 2), scanned(&[confirmed()])), (day(1, 3), red())]);
    check(&early, &[(day(1, 4), NoCode, "confirmed-finding")]);
    let declined = record([
        (day(1, 1), filed()),
        (day(1, 2), scanned(&[confirmed()])),
        (day(1, 5), scanned(&[])),
        (day(2, 1), scanned(&[confirmed()])),
        (day(2, 2), notice(date(2026, 2, 5))),
        (day(2, 8), Deed::RedDeclined { reason: "正在迁移，延期".into() }),
        (day(2, 9), notice(date(2026, 2, 20))),
    ]);
    check(
        &declined,
        &[
            (day(2, 7), Blue, "red-proposed"),
            (day(2, 8), Blue, "found-again"),
            (day(2, 20), Blue, "found-again"),
            (day(2, 21), Blue, "red-proposed"),
        ],
    );
}

#[test]
fn what_could_not_be_seen_is_not_gone() {
    let opaque = ScanRecord { coverage: Verdict::Opaque, ..scan(&[]) };
    let events = record([
        (day(1, 1), filed()),
        (day(1, 2), scanned(&[confirmed()])),
        (day(1, 9), Deed::Scanned(Box::new(opaque))),
    ]);
    check(&events, &[(day(1, 9), NoCode, "confirmed-finding")]);
}

#[test]
fn another_page_says_nothing_of_a_page() {
    let page = |address: &str, findings: &[FindingRecord]| {
        let page = Some(address.to_owned());
        Deed::Scanned(Box::new(ScanRecord { kind: TargetKind::AccountPage, page, ..scan(findings) }))
    };
    let list = ScanRecord { kind: TargetKind::Account, ..scan(&[]) };
    let events = record([
        (day(1, 1), filed()),
        (day(1, 1), Deed::Scanned(Box::new(list.clone()))),
        (day(1, 2), page("https://mp.weixin.qq.com/s/a", &[confirmed()])),
        (day(1, 3), page("https://mp.weixin.qq.com/s/b", &[])),
        (day(1, 4), Deed::Scanned(Box::new(list))),
        (day(1, 5), page("https://mp.weixin.qq.com/s/a", &[])),
    ]);
    check(
        &events,
        &[
            (day(1, 1), Green, "green"),
            (day(1, 2), NoCode, "confirmed-finding"),
            (day(1, 3), NoCode, "confirmed-finding"),
            (day(1, 4), NoCode, "confirmed-finding"),
            (day(1, 5), Green, "green"),
        ],
    );
}

#[test]
fn what_a_person_dismisses_was_never_there() {
    let suspected = || finding(Level::Suspected, &["a"]);
    let events = record([
        (day(1, 1), filed()),
        (day(1, 2), scanned(&[suspected()])),
        (day(1, 3), dismissed(&["a"])),
        (day(1, 4), scanned(&[suspected()])),
        // A version later there is new evidence beside the old.
        (day(1, 5), scanned(&[finding(Level::Suspected, &["a", "c"])])),
        (day(1, 6), reviewed(&["c"])),
    ]);
    check(
        &events,
        &[
            (day(1, 2), NoCode, "suspected-finding"),
            (day(1, 3), Green, "green"),
            (day(1, 4), Green, "green"),
            (day(1, 5), NoCode, "suspected-finding"),
            (day(1, 6), NoCode, "confirmed-finding"),
        ],
    );
    // A finding that was dismissed does not make the next one a second one.
    let events = record([
        (day(1, 1), filed()),
        (day(1, 2), scanned(&[finding(Level::Confirmed, &["a"])])),
        (day(1, 3), dismissed(&["a"])),
        (day(1, 4), scanned(&[])),
        (day(1, 5), scanned(&[finding(Level::Confirmed, &["z"])])),
    ]);
    check(&events, &[(day(1, 3), Green, "green"), (day(1, 5), NoCode, "confirmed-finding")]);
}

#[test]
fn an_exception_holds_for_its_time() {
    let events = record([
        (day(1, 1), filed()),
        (day(1, 2), scanned(&[confirmed()])),
        (day(1, 3), exception(date(2026, 6, 30))),
        (day(5, 1), scanned(&[confirmed()])),
    ]);
    check(
        &events,
        &[
            (day(1, 3), Green, "green"),
            (day(6, 30), Green, "green"),
            (day(7, 1), NoCode, "confirmed-finding"),
        ],
    );
    let gone = record([
        (day(1, 1), filed()),
        (day(1, 1), exception(date(2026, 6, 30))),
        (day(1, 2), scanned(&[confirmed()])),
        (day(2, 1), scanned(&[])),
        (day(8, 1), scanned(&[confirmed()])),
    ]);
    check(&gone, &[(day(1, 2), Green, "green"), (day(8, 1), NoCode, "confirmed-finding")]);
}

#[test]
fn another_label_for_the_same_is_found_again() {
    let disguised = FindingRecord { disguised: true, ..finding(Level::Confirmed, &["x"]) };
    let events = record([
        (day(1, 1), filed()),
        (day(1, 2), scanned(&[confirmed()])),
        (day(1, 9), scanned(&[disguised])),
    ]);
    check(&events, &[(day(1, 2), NoCode, "confirmed-finding"), (day(1, 9), Blue, "found-again")]);
}

#[test]
fn duties_can_be_dismissed_and_excepted() {
    let mut lacking = scan(&[]);
    lacking.duties.push(DutyRecord { rule: "app.complaint-channel".into(), status: DutyStatus::Missing });
    let lacking = Deed::Scanned(Box::new(lacking));
    let rule = "app.complaint-channel".to_owned();
    let seen = Deed::Dismissed {
        rule: rule.clone(), evidence: vec![rule], reason: "入口在“我的”页".into()
    };
    let events =
        record([(day(1, 1), filed()), (day(1, 2), lacking.clone()), (day(1, 3), seen), (day(1, 4), lacking)]);
    check(
        &events,
        &[(day(1, 2), NoCode, "duty-missing"), (day(1, 3), Green, "green"), (day(1, 4), Green, "green")],
    );
}

#[test]
fn closed_struck_and_enrolled_again() {
    let entry = || Deed::Enrolled { entry: Box::new(RosterEntry::new(TargetKind::App)) };
    let events = record([
        (day(1, 1), entry()),
        (day(1, 1), filed()),
        (day(1, 2), scanned(&[])),
        (day(1, 3), Deed::Struck { reason: "整合".into() }),
        (day(1, 4), entry()),
        (day(1, 5), Deed::Closed { reason: "公告".into() }),
    ]);
    check(
        &events,
        &[
            (day(1, 2), Green, "green"),
            (day(1, 3), NoCode, "struck"),
            (day(1, 4), Green, "green"),
            (day(1, 5), NoCode, "closed"),
        ],
    );
}

#[test]
fn a_withdrawal_undoes_and_can_be_undone() {
    let withdrawn = |seq| Deed::Withdrawn { seq, reason: "误录".into() };
    let mut events = record([
        (day(1, 1), filed()),
        (day(1, 2), scanned(&[confirmed()])),
        (day(1, 3), dismissed(&["a", "b"])),
        (day(1, 4), withdrawn(3)),
    ]);
    check(&events, &[(day(1, 5), NoCode, "confirmed-finding")]);
    events =
        record(events.into_iter().map(|r| (r.event.at, r.event.deed)).chain([(day(1, 6), withdrawn(4))]));
    check(&events, &[(day(1, 7), Green, "green")]);
}

/// Deeds at moments, as they may come.
fn deeds() -> impl Strategy<Value = Vec<(Timestamp, Deed)>> {
    let keys = || proptest::sample::subsequence(vec!["a", "b", "c", "d"], 1..=4);
    let found = (keys(), any::<bool>(), any::<bool>()).prop_map(|(keys, sure, disguised)| {
        let level = if sure { Level::Confirmed } else { Level::Suspected };
        FindingRecord { disguised, ..finding(level, &keys) }
    });
    let coverage =
        prop_oneof![4 => Just(Verdict::Full), 1 => Just(Verdict::Partial), 1 => Just(Verdict::Opaque)];
    let scans = (proptest::option::of(found), coverage).prop_map(|(found, coverage)| {
        Deed::Scanned(Box::new(ScanRecord { coverage, ..scan(found.as_slice()) }))
    });
    let date = || (1..=12i8, 1..=28i8).prop_map(|(month, day)| date(2026, month, day));
    let deed = prop_oneof![
        6 => scans,
        2 => Just(filed()),
        1 => Just(Deed::FilingRevoked { reason: "撤销".into() }),
        3 => date().prop_map(notice),
        2 => keys().prop_map(|keys| dismissed(&keys)),
        2 => keys().prop_map(|keys| reviewed(&keys)),
        1 => date().prop_map(exception),
        2 => Just(red()),
        1 => Just(Deed::RedDeclined { reason: "延期".into() }),
        1 => Just(Deed::Closed { reason: "公告".into() }),
        1 => Just(Deed::Struck { reason: "整合".into() }),
        1 => Just(Deed::Enrolled { entry: Box::new(RosterEntry::new(TargetKind::App)) }),
    ];
    // No two at one moment: those are not independent.
    proptest::collection::vec((0..28u32, deed), 0..24).prop_map(|list| {
        let start = day(1, 1);
        let mut hours = 0;
        let at = |(step, deed): (u32, Deed)| {
            hours += i64::from(step) * 12 + 1;
            (start + Span::new().hours(hours), deed)
        };
        list.into_iter().map(at).collect()
    })
}

/// From the best to the worst.
fn gravity(colour: ColorCode) -> u8 {
    match colour {
        Green => 0,
        NoCode => 1,
        Blue => 2,
        Red => 3,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn replay_gives_the_same_in_whichever_order_events_were_recorded(deeds in deeds(), seed in any::<u64>()) {
        let events = record(deeds);
        let end = day(12, 31);
        let first = History::of(policy(), &events, end);
        let mut shuffled = events.clone();
        let mut state = seed | 1;
        for index in (1..shuffled.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            shuffled.swap(index, (state >> 33) as usize % (index + 1));
        }
        // As if they had been recorded in this order.
        let renumbered: Vec<Recorded> =
            shuffled.iter().enumerate().map(|(index, r)| Recorded { seq: index as u64 + 1, ..r.clone() }).collect();
        let second = History::of(policy(), &renumbered, end);
        let codes = |history: &History| -> Vec<_> {
            history.codes.iter().map(|c| (c.since, c.code.clone())).collect()
        };
        prop_assert_eq!(codes(&first), codes(&second));
    }

    #[test]
    fn no_path_leads_to_green_without_filing_and_coverage(deeds in deeds()) {
        let events = record(deeds);
        let history = History::of(policy(), &events, day(12, 31));
        for coded in history.codes.iter().filter(|coded| coded.code.suggested == Green) {
            let before = |r: &&Recorded| r.event.at <= coded.since;
            let filing = events.iter().rfind(|r| {
                before(r) && matches!(r.event.deed, Deed::Filed { .. } | Deed::FilingRevoked { .. })
            });
            prop_assert_eq!(filing.unwrap().event.deed.name(), "filed");
            let mut scan = events.iter().filter(before).filter_map(|r| match &r.event.deed {
                Deed::Scanned(scan) => Some(scan),
                _ => None,
            });
            prop_assert_eq!(scan.next_back().unwrap().coverage, Verdict::Full);
        }
        for coded in history.codes.iter().filter(|coded| coded.code.suggested == Red) {
            let decided = |r: &Recorded| r.event.at <= coded.since && r.event.deed.name() == "red-decided";
            prop_assert!(events.iter().any(decided));
        }
    }

    #[test]
    fn dismissing_the_only_finding_never_worsens_a_code(deeds in deeds()) {
        let mut events = record(deeds);
        let end = day(12, 30);
        let history = History::of(policy(), &events, end);
        let Some(before) = history.present() else { return Ok(()) };
        let open = history.standing.open_findings(policy(), end);
        let [only] = &open[..] else { return Ok(()) };
        let keys: Vec<&str> = only.evidence.iter().map(String::as_str).collect();
        let seq = events.len() as u64 + 1;
        let event = Event { target: TARGET.into(), at: end, actor: "test".into(), deed: dismissed(&keys) };
        events.push(Recorded { seq, recorded: end, hash: String::new(), event });
        let after = History::of(policy(), &events, end);
        let after = after.present().unwrap();
        prop_assert!(gravity(after.code.suggested) <= gravity(before.code.suggested), "{before:?} {after:?}");
        prop_assert!(!History::of(policy(), &events, end).standing.facts(policy(), end).facts().holds(Fact::ConfirmedFinding));
    }

    #[test]
    fn every_code_names_its_events_and_its_sentence(deeds in deeds()) {
        let events = record(deeds);
        for coded in History::of(policy(), &events, day(12, 31)).codes {
            prop_assert_eq!(&coded.code.policy, "zhijian.default/2");
            prop_assert!(!coded.code.reasons.is_empty());
            let silent = ["never-scanned", "not-filed"].contains(&&*coded.code.reasons[0].id);
            prop_assert!(silent || !coded.events.is_empty(), "{coded:?}");
            for seq in &coded.events {
                prop_assert!(events.iter().any(|r| r.seq == *seq && r.event.at <= coded.since));
            }
        }
    }
}
