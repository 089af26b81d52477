//! The rooms of `src/` and the doors between them: data flows one way.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};

/// What each room may see. A room sees itself and `model`.
const MAY_SEE: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("text", &[]),
    ("config", &["fetch", "roster"]),
    ("fetch", &["config", "decode"]),
    ("decode", &["text"]),
    ("link", &["decode", "text"]),
    ("format", &["decode", "link", "text"]),
    ("page", &["decode", "text"]),
    ("group", &["decode", "text"]),
    ("rule", &["ledger", "text"]),
    ("ledger", &["outbox", "text"]),
    ("roster", &["decode", "text"]),
    ("inventory", &["rule", "text"]),
    ("rectify", &[]),
    ("report", &["text"]),
    ("seal", &[]),
    ("export", &["report"]),
    ("outbox", &["config", "fetch"]),
    ("run", &["config", "fetch", "page", "report", "roster", "scan"]),
    ("record", &["config", "ledger", "outbox", "rectify", "report", "roster", "run"]),
    ("scan", &["decode", "format", "group", "ledger", "page", "roster", "rule"]),
    ("sandbox", &["rule", "roster", "ledger", "scan"]),
    (
        "cli",
        &[
            "config",
            "export",
            "fetch",
            "format",
            "inventory",
            "ledger",
            "outbox",
            "record",
            "rectify",
            "report",
            "roster",
            "rule",
            "run",
            "sandbox",
            "scan",
            "seal",
            "server",
        ],
    ),
    (
        "server",
        &[
            "config", "export", "fetch", "ledger", "outbox", "record", "rectify", "report", "roster", "rule",
            "run", "sandbox", "scan",
        ],
    ),
    ("main", &["cli"]),
    ("lib", &[]),
];

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

#[test]
fn no_room_sees_what_comes_after_it() {
    let mut wrong = Vec::new();
    let mut seen = 0;
    for path in files(&source()) {
        let inside = path.strip_prefix(source()).unwrap().to_string_lossy().replace('\\', "/");
        let room = inside.split('/').next().unwrap().trim_end_matches(".rs");
        let allowed = MAY_SEE.iter().find(|(name, _)| *name == room).map(|(_, allowed)| *allowed);
        let Some(allowed) = allowed else {
            wrong.push(format!("{inside}: room {room} is not in the list"));
            continue;
        };
        let text = std::fs::read_to_string(&path).unwrap();
        for (number, line) in text.lines().enumerate() {
            for (at, _) in line.match_indices("crate::") {
                let other: String = line[at + 7..]
                    .chars()
                    .take_while(|ch| ch.is_ascii_alphanumeric() || *ch == '_')
                    .collect();
                seen += 1;
                if !other.is_empty()
                    && other != room
                    && other != "model"
                    && !allowed.contains(&other.as_str())
                {
                    wrong.push(format!("{inside}:{}: {room} sees {other}", number + 1));
                }
            }
        }
    }
    assert!(seen > 50, "only {seen} uses found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_format_is_in_the_list() {
    let helpers = [
        "apksigner.rs",
        "mod.rs",
        "native.rs",
        "nested.rs",
        "ocr.rs",
        "picture.rs",
        "program.rs",
        "tree.rs",
        "unit.rs",
    ];
    for path in files(&source().join("format")) {
        let file = path.file_name().unwrap().to_str().unwrap();
        let name = file.trim_end_matches(".rs");
        // Three names for sets of packages, by their metadata.
        let name = if name == "apk_set" { "apks" } else { name };
        // Helpers of several files are folders.
        let name = if path.parent().unwrap().ends_with("format") { name } else { continue };
        let listed = zhijian::format::FORMATS.iter().any(|format| format.name == name);
        assert!(listed || helpers.contains(&file), "src/format/{file} is not in FORMATS");
    }
}

#[test]
fn every_kind_of_page_is_in_the_list() {
    let helpers = ["mod.rs", "draft.rs", "footer.rs", "standing.rs"];
    let listed: Vec<&str> = zhijian::page::PAGES.iter().map(|kind| kind.name).collect();
    for path in files(&source().join("page")) {
        let file = path.file_name().unwrap().to_str().unwrap();
        let name = file.trim_end_matches(".rs").replace('_', "-");
        assert!(listed.contains(&&*name) || helpers.contains(&file), "src/page/{file} is not in PAGES");
    }
}

#[test]
fn every_kind_of_export_is_in_the_list() {
    let helpers = ["chain", "draft", "export", "field", "mask", "mod", "observe", "run"];
    let listed: Vec<&str> = zhijian::group::GROUPS.iter().map(|kind| kind.name).collect();
    for path in files(&source().join("group")) {
        let name = path.file_stem().unwrap().to_str().unwrap();
        assert!(listed.contains(&name) || helpers.contains(&name), "src/group/{name}.rs is not in GROUPS");
    }
}

#[test]
fn every_decoder_is_in_the_list_in_order() {
    let helpers = ["blob", "date", "delimited", "entropy", "json", "mod", "res_chunk", "string_pool"];
    let listed: Vec<&str> = zhijian::decode::DECODERS.iter().map(|decoder| decoder.name).collect();
    let mut found: Vec<String> = std::fs::read_dir(source().join("decode"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_str().unwrap().trim_end_matches(".rs").to_owned())
        .filter(|name| !helpers.contains(&name.as_str()))
        .collect();
    found.sort();
    assert_eq!(listed, found);
}

#[test]
fn every_code_of_an_anomaly_has_a_meaning() {
    let codes: Vec<&str> = zhijian::model::ANOMALIES.iter().map(|(code, _, _)| *code).collect();
    assert!(codes.is_sorted_by(|a, b| a < b), "not in order, or twice");
    let call = r#"\b(?:lossy|odd|anomaly|issue|report)\(\s*(?:&?[a-z_.()]+,\s*)?"([a-z0-9_]+\.[a-z0-9-]+)""#;
    let call = regex_lite::Regex::new(call).unwrap();
    let mut unknown = std::collections::BTreeSet::new();
    let mut text = String::new();
    for room in ["decode", "format", "group", "link", "page"] {
        for path in files(&source().join(room)) {
            text.push_str(&std::fs::read_to_string(&path).unwrap());
        }
    }
    text.push_str(&std::fs::read_to_string(source().join("scan.rs")).unwrap());
    let found: Vec<&str> = call.captures_iter(&text).map(|hit| hit.get(1).unwrap().as_str()).collect();
    assert!(found.len() > 80, "only {} calls found", found.len());
    unknown.extend(found.into_iter().filter(|code| !codes.contains(code)));
    assert!(unknown.is_empty(), "without a meaning: {unknown:?}");
    let unused: Vec<&&str> = codes.iter().filter(|code| !text.contains(&format!("\"{code}\""))).collect();
    assert!(unused.is_empty(), "never used: {unused:?}");
}

#[test]
fn the_picture_in_lib_rs_names_every_room() {
    let text = std::fs::read_to_string(source().join("lib.rs")).unwrap();
    for (room, _) in MAY_SEE.iter().filter(|(room, _)| *room != "main" && *room != "lib") {
        let named = text.contains(&format!("- [`{room}`]: ")) || text.contains(&format!("`src/{room}`"));
        assert!(named, "{room}");
    }
}
