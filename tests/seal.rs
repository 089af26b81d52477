//! Signatures: the published vectors of every standard, OpenSSL as a second opinion, and tampering of every kind.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    unreachable_pub,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use data_encoding::{BASE64, HEXLOWER, HEXUPPER};
use jiff::Timestamp;
use serde_json::{Value, json};
use tempfile::TempDir;
use zhijian::seal::{
    Algorithm, KeyError, NotCanonical, PrivateKey, PublicKey, SIGNATURE_SCHEMA, SealError, SignatureDocument,
    canonical, public_keys, sign, verify,
};

fn form(json: &str) -> String {
    String::from_utf8(canonical(json.as_bytes()).unwrap()).unwrap()
}

// RFC 8785.

#[test]
fn the_example_of_the_rfc() {
    // Section 3.2.2 and what becomes of it in 3.2.3; the bytes are those of 3.2.4.
    let input = r#"{
      "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
      "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
      "literals": [null, true, false]
    }"#;
    let expected = "7b 22 6c 69 74 65 72 61 6c 73 22 3a 5b 6e 75 6c 6c 2c 74 72 75 65 2c 66 61 6c 73 65 5d 2c 22 6e
        75 6d 62 65 72 73 22 3a 5b 33 33 33 33 33 33 33 33 33 2e 33 33 33 33 33 33 33 2c 31 65 2b 33 30 2c 34 2e 35
        2c 30 2e 30 30 32 2c 31 65 2d 32 37 5d 2c 22 73 74 72 69 6e 67 22 3a 22 e2 82 ac 24 5c 75 30 30 30 66 5c 6e
        41 27 42 5c 22 5c 5c 5c 5c 5c 22 2f 22 7d";
    let expected: String = expected.split_whitespace().collect();
    assert_eq!(HEXLOWER.encode(form(input).as_bytes()), expected);
}

#[test]
fn names_are_ordered_by_utf_16() {
    // Section 3.2.3.
    let input = r#"{"\u20ac": "Euro Sign", "\r": "Carriage Return", "\ufb33": "Hebrew Letter Dalet With Dagesh",
        "1": "One", "\ud83d\ude00": "Emoji: Grinning Face", "\u0080": "Control",
        "\u00f6": "Latin Small Letter O With Diaeresis"}"#;
    let ordered = [
        "Carriage Return",
        "One",
        "Control",
        "Latin Small Letter O With Diaeresis",
        "Euro Sign",
        "Emoji: Grinning Face",
        "Hebrew Letter Dalet With Dagesh",
    ];
    let out = form(input);
    let places: Vec<usize> = ordered.iter().map(|name| out.find(name).unwrap()).collect();
    assert!(places.is_sorted(), "{out}");
}

#[test]
fn numbers_are_written_as_ecmascript_does() {
    // Appendix B: the bits of the double, and how it is written.
    for (bits, text) in [
        (0x0000_0000_0000_0000, "0"),
        (0x0000_0000_0000_0001, "5e-324"),
        (0x8000_0000_0000_0001, "-5e-324"),
        (0x7fef_ffff_ffff_ffff, "1.7976931348623157e+308"),
        (0xffef_ffff_ffff_ffff, "-1.7976931348623157e+308"),
        (0x4340_0000_0000_0000, "9007199254740992"),
        (0xc340_0000_0000_0000, "-9007199254740992"),
        (0x4430_0000_0000_0000, "295147905179352830000"),
        (0x44b5_2d02_c7e1_4af5, "9.999999999999997e+22"),
        (0x44b5_2d02_c7e1_4af6, "1e+23"),
        (0x44b5_2d02_c7e1_4af7, "1.0000000000000001e+23"),
        (0x444b_1ae4_d6e2_ef4e, "999999999999999700000"),
        (0x444b_1ae4_d6e2_ef4f, "999999999999999900000"),
        (0x444b_1ae4_d6e2_ef50, "1e+21"),
        (0x3eb0_c6f7_a0b5_ed8c, "9.999999999999997e-7"),
        (0x3eb0_c6f7_a0b5_ed8d, "0.000001"),
        (0x41b3_de43_5555_5553, "333333333.3333332"),
        (0x41b3_de43_5555_5554, "333333333.33333325"),
        (0x41b3_de43_5555_5555, "333333333.3333333"),
        (0x41b3_de43_5555_5556, "333333333.3333334"),
        (0x41b3_de43_5555_5557, "333333333.33333343"),
        (0xbecb_f647_612f_3696, "-0.0000033333333333333333"),
        (0x4314_3ff3_c1cb_0959, "1424953923781206.2"),
    ] {
        assert_eq!(f64::from_bits(bits).to_string().parse::<f64>().unwrap().to_bits(), bits);
        assert_eq!(text.parse::<f64>().unwrap().to_bits(), bits, "{text}");
        assert_eq!(form(text), text, "what is canonical stays as it is");
        assert_eq!(form(&format!("{:e}", f64::from_bits(bits))), text);
    }
    assert_eq!(form("-0"), "0");
    assert_eq!(form("-0.0"), "0");
}

#[test]
fn what_two_readers_could_read_differently_is_refused() {
    let refused = |json: &str| canonical(json.as_bytes()).unwrap_err();
    for json in [
        r#"{"a":1,"a":1}"#,
        r#"{"a":1,"\u0061":2}"#,
        r#"[{"x":{"b":null,"c":0,"b":null}}]"#,
        r#""\ud800""#,
        "[1,]",
        "[NaN]",
        "{} {}",
        "",
        "\u{feff}{}",
    ] {
        assert!(matches!(refused(json), NotCanonical::Json(_)), "{json}");
    }
    assert!(matches!(canonical(b"\"\xff\"").unwrap_err(), NotCanonical::Json(_)));
    assert!(matches!(refused(&"[".repeat(100_000)), NotCanonical::Json(_)));
    for number in [
        "9007199254740993",
        "-9007199254740993",
        "18446744073709551615",
        "100000000000000000001",
        "0.1000000000000000055",
        "1e-400",
    ] {
        let json = format!("{{\n \"n, 7\": [1, \"\\\" 12345678901234567890\",\n {number}]}}");
        let expected = NotCanonical::Number { text: number.into(), line: 3 };
        assert_eq!(refused(&json), expected);
    }
    assert!(canonical(b"1e400").is_err());
    assert!(canonical(format!("0.{}", "1".repeat(100_000)).as_bytes()).is_err());
}

// Keys and their standards.

/// A private key as PKCS#8 in a file of its owner.
fn key_file(dir: &TempDir, name: &str, der: &[u8]) -> PathBuf {
    let path = dir.path().join(name);
    let text = BASE64.encode(der);
    // RFC 7468, 2: lines of 64 characters.
    let lines: Vec<&str> =
        text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", lines.join("\n"));
    fs::write(&path, pem).unwrap();
    protect(&path, 0o600);
    path
}

fn protect(path: &Path, mode: u32) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }
}

fn hex(text: &str) -> Vec<u8> {
    HEXLOWER.decode(text.as_bytes()).unwrap()
}

#[test]
fn ed25519_signs_as_rfc_8032_does() {
    // Section 7.1: secret key, public key, message, signature.
    let dir = tempfile::tempdir().unwrap();
    for (number, [secret, public, message, signature]) in [
        [
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        ],
        [
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        ],
        [
            "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            "af82",
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
        ],
    ]
    .into_iter()
    .enumerate()
    {
        // RFC 8410, 7.
        let der = [hex("302e020100300506032b657004220420"), hex(secret)].concat();
        let key = PrivateKey::read(&key_file(&dir, &number.to_string(), &der)).unwrap();
        assert_eq!(key.algorithm(), Algorithm::Ed25519);
        let spki = [hex("302a300506032b6570032100"), hex(public)].concat();
        assert!(key.public().pem().unwrap().contains(&BASE64.encode(&spki)));
        assert_eq!(key.sign(&hex(message)).unwrap(), hex(signature));
        assert_eq!(key.public().verify(&hex(message), &hex(signature)), Some(true));
        assert_eq!(key.public().verify(b"other", &hex(signature)), Some(false));
        assert_eq!(key.public().verify(&hex(message), &hex(signature)[..63]), None);
    }
}

#[test]
fn sm2_verifies_the_example_of_the_standard() {
    // GB/T 32918.5-2017, A.2: recommended curve, id 1234567812345678, message "message digest".
    let pem = "-----BEGIN PUBLIC KEY-----\n\
               MFkwEwYHKoZIzj0CAQYIKoEcz1UBgi0DQgAECfnfMR5UIaFQ3X0WHkvFxnIXn60Y\n\
               M/wHa7CP81bzUCDM6kkM4md1pS3G6nGMwapgCu0F+/NeCEpmMvYHLamtEw==\n\
               -----END PUBLIC KEY-----\n";
    let r = "F5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3";
    let s = "B1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA";
    let der = HEXUPPER.decode(format!("3046022100{r}022100{s}").as_bytes()).unwrap();
    let key = PublicKey::parse(pem).unwrap();
    assert_eq!(key.verify(b"message digest", &der), Some(true));
    assert_eq!(key.verify(b"message digesT", &der), Some(false));
    // Of the same numbers in another form than DER there is no signature.
    assert_eq!(key.verify(b"message digest", &[&der[..], &[0]].concat()), None);
    // The key pair of the same example.
    let secret = "3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8";
    let der =
        [hex("3041020100301306072a8648ce3d020106082a811ccf5501822d042730250201010420"), hex(secret)].concat();
    let dir = tempfile::tempdir().unwrap();
    let private = PrivateKey::read(&key_file(&dir, "sm2", &der)).unwrap();
    assert_eq!(private.public().pem().unwrap(), pem);
    let signature = private.sign(b"message digest").unwrap();
    assert_eq!(key.verify(b"message digest", &signature), Some(true));
}

fn openssl(dir: &Path, args: &[&str]) -> Option<Output> {
    let output = Command::new("openssl").args(args).current_dir(dir).stdin(Stdio::null()).output();
    output.ok()
}

#[test]
fn openssl_agrees_in_both_directions() {
    let version = openssl(Path::new("."), &["list", "-public-key-algorithms"]);
    if !version.is_some_and(|output| String::from_utf8_lossy(&output.stdout).contains("SM2")) {
        eprintln!("not tested: openssl with SM2 is not installed");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let ok = |args: &[&str]| {
        let output = openssl(dir.path(), args).unwrap();
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    };
    let id = "distid:1234567812345678";
    fs::write(dir.path().join("message"), "绿码").unwrap();
    for (algorithm, name, digest) in [
        (Algorithm::Ed25519, "ed25519", &[][..]),
        (Algorithm::Sm2, "SM2", &["-digest", "sm3", "-pkeyopt", id][..]),
    ] {
        // Our key, our signature.
        let path = dir.path().join(format!("ours-{name}.pem"));
        let key = PrivateKey::generate(algorithm).unwrap();
        key.write_new(&path).unwrap();
        fs::write(dir.path().join("ours.pub"), key.public().pem().unwrap()).unwrap();
        fs::write(dir.path().join("ours.sig"), key.sign("绿码".as_bytes()).unwrap()).unwrap();
        ok(&["pkey", "-in", path.to_str().unwrap(), "-pubout", "-out", "again.pub"]);
        let again = PublicKey::read(&dir.path().join("again.pub")).unwrap();
        assert_eq!(again.id().unwrap(), key.public().id().unwrap());
        let check = ["pkeyutl", "-verify", "-pubin", "-inkey", "ours.pub", "-rawin", "-in", "message"];
        ok(&[&check[..], &["-sigfile", "ours.sig"], digest].concat());
        // Its key, its signature.
        ok(&["genpkey", "-algorithm", name, "-out", "theirs.pem"]);
        ok(&["pkey", "-in", "theirs.pem", "-pubout", "-out", "theirs.pub"]);
        let make =
            ["pkeyutl", "-sign", "-inkey", "theirs.pem", "-rawin", "-in", "message", "-out", "theirs.sig"];
        ok(&[&make[..], digest].concat());
        let public = PublicKey::read(&dir.path().join("theirs.pub")).unwrap();
        assert_eq!(public.algorithm(), algorithm);
        let signature = fs::read(dir.path().join("theirs.sig")).unwrap();
        assert_eq!(public.verify("绿码".as_bytes(), &signature), Some(true));
        protect(&dir.path().join("theirs.pem"), 0o600);
        let private = PrivateKey::read(&dir.path().join("theirs.pem")).unwrap();
        assert_eq!(private.public().id().unwrap(), public.id().unwrap());
    }
}

#[cfg(unix)]
#[test]
fn a_private_key_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("k.pem");
    let key = PrivateKey::generate(Algorithm::Sm2).unwrap();
    key.write_new(&path).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let before = fs::read(&path).unwrap();
    assert!(matches!(key.write_new(&path), Err(KeyError::Exists(_))));
    assert_eq!(fs::read(&path).unwrap(), before);
    for mode in [0o640, 0o604, 0o620, 0o602, 0o644, 0o777] {
        protect(&path, mode);
        assert!(
            matches!(PrivateKey::read(&path), Err(KeyError::Open { mode: m, .. }) if m == mode),
            "{mode:o}"
        );
    }
    for mode in [0o600, 0o400] {
        protect(&path, mode);
        PrivateKey::read(&path).unwrap();
    }
    assert!(matches!(PublicKey::read(&path), Err(KeyError::NotPublic(_))));
    assert!(matches!(PrivateKey::read(&dir.path().join("none")), Err(KeyError::File { .. })));
}

#[test]
fn hostile_key_files_are_no_keys() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("k.pem");
    let pem = PrivateKey::generate(Algorithm::Ed25519).unwrap().public().pem().unwrap();
    for text in [
        "",
        "-----BEGIN PUBLIC KEY-----\n",
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
        &pem.replace("PUBLIC", "PRIVATE"),
        &pem[..pem.len() / 2],
        &"-----BEGIN PUBLIC KEY-----\n".repeat(10_000),
    ] {
        fs::write(&path, text).unwrap();
        protect(&path, 0o600);
        assert!(matches!(PublicKey::read(&path), Err(KeyError::NotPublic(_))), "{text:.60}");
        assert!(matches!(PrivateKey::read(&path), Err(KeyError::NotPrivate(_))), "{text:.60}");
    }
    // A point that is not on the curve, and all zeros.
    for point in ["04".to_owned() + &"11".repeat(64), "00".into()] {
        let bits = format!("03{:02x}00{point}", point.len() / 2 + 1);
        let head = "301306072a8648ce3d020106082a811ccf5501822d";
        let body = format!("{head}{bits}");
        let der = hex(&format!("30{:02x}{body}", body.len() / 2));
        let text = BASE64.encode(&der);
        let (first, rest) = text.split_at(text.len().min(64));
        let pem = format!("-----BEGIN PUBLIC KEY-----\n{first}\n{rest}\n-----END PUBLIC KEY-----\n");
        assert!(PublicKey::parse(&pem).is_none(), "{point}");
    }
}

// Documents.

const DOCUMENT: &str = r#"{"code":"green","n":[1,2.5,null,true],"名称":"某市网格通"}"#;

fn now() -> Timestamp {
    "2026-11-26T02:17:23Z".parse().unwrap()
}

fn signed(key: &PrivateKey) -> Vec<u8> {
    serde_json::to_vec_pretty(&sign(DOCUMENT.as_bytes(), key, now()).unwrap()).unwrap()
}

#[test]
fn a_signature_holds_for_what_is_said_not_for_how_it_is_written() {
    for algorithm in Algorithm::ALL {
        let key = PrivateKey::generate(algorithm).unwrap();
        let signature = signed(&key);
        let other = PrivateKey::generate(algorithm).unwrap().public();
        let keys = [other.clone(), key.public()];
        let statement = verify(DOCUMENT.as_bytes(), &signature, &keys).unwrap();
        assert_eq!(statement.signed_at, now());
        assert_eq!(statement.key, key.public().id().unwrap());
        let again =
            "{ \"名称\": \"某市\\u7f51格通\",\n\t\"n\": [1.0, 25e-1, null, true], \"code\": \"green\" }";
        verify(again.as_bytes(), &signature, &keys).unwrap();
        let document: Value = serde_json::from_slice(&signature).unwrap();
        let schema = zhijian::model::published::<SignatureDocument>(SIGNATURE_SCHEMA);
        jsonschema::validate(&schema, &document).unwrap();
        // Everything but the key: what OpenSSL would be given to verify.
        let mut statement = document.clone();
        statement.as_object_mut().unwrap().remove("signature");
        let bytes = canonical(statement.to_string().as_bytes()).unwrap();
        let value = BASE64.decode(document["signature"].as_str().unwrap().as_bytes()).unwrap();
        assert_eq!(key.public().verify(&bytes, &value), Some(true));
        assert!(matches!(verify(DOCUMENT.as_bytes(), &signature, &[other]), Err(SealError::AnotherKey(_))));
    }
}

#[test]
fn digests_are_those_of_the_canonical_form() {
    let digest = |algorithm| {
        let key = PrivateKey::generate(algorithm).unwrap();
        sign(b" 0 ", &key, now()).unwrap().statement.digest
    };
    // printf 0 | openssl dgst -sha256, -sm3
    assert_eq!(
        digest(Algorithm::Ed25519),
        "sha256:5feceb66ffc86f38d952786c6d696c79c2dbc239dd4e91b46729d73a27fb57e9"
    );
    assert_eq!(
        digest(Algorithm::Sm2),
        "sm3:06d47b6f2f121e85160d1d8072e58843de1eed164ed526c3b56b22c2b47324a0"
    );
}

#[test]
fn every_bit_of_the_document_counts() {
    for algorithm in Algorithm::ALL {
        let key = PrivateKey::generate(algorithm).unwrap();
        let (signature, keys) = (signed(&key), [key.public()]);
        for (at, bit) in (0..DOCUMENT.len()).flat_map(|at| (0..8).map(move |bit| (at, bit))) {
            let mut changed = DOCUMENT.as_bytes().to_vec();
            changed[at] ^= 1 << bit;
            let error = verify(&changed, &signature, &keys).unwrap_err();
            assert!(matches!(error, SealError::Changed | SealError::Document(_)), "{at} {bit}: {error}");
        }
    }
}

#[test]
fn every_bit_of_the_signature_counts() {
    for algorithm in Algorithm::ALL {
        let key = PrivateKey::generate(algorithm).unwrap();
        let (signature, keys) = (signed(&key), [key.public()]);
        for (at, bit) in (0..signature.len()).flat_map(|at| (0..8).map(move |bit| (at, bit))) {
            let mut changed = signature.clone();
            changed[at] ^= 1 << bit;
            assert!(verify(DOCUMENT.as_bytes(), &changed, &keys).is_err(), "{at} {bit}");
        }
        for length in 0..signature.len() - 1 {
            assert!(verify(DOCUMENT.as_bytes(), &signature[..length], &keys).is_err(), "{length}");
        }
    }
}

#[test]
fn each_failure_has_its_name() {
    let key = PrivateKey::generate(Algorithm::Ed25519).unwrap();
    let keys = [key.public()];
    let sound: Value = serde_json::from_slice(&signed(&key)).unwrap();
    let with = |name: &str, value: Value| {
        let mut document = sound.clone();
        document[name] = value;
        verify(DOCUMENT.as_bytes(), document.to_string().as_bytes(), &keys).unwrap_err()
    };
    assert!(
        matches!(with("schema", json!("zhijian.signature/2")), SealError::Newer(schema) if schema.ends_with("/2"))
    );
    assert!(matches!(with("schema", json!("zhijian.report/1")), SealError::Malformed(_)));
    assert!(matches!(with("schema", json!("zhijian.signature/01x")), SealError::Malformed(_)));
    assert!(matches!(with("algorithm", json!("rsa")), SealError::UnknownAlgorithm(name) if name == "rsa"));
    assert!(matches!(with("algorithm", json!("sm2-sm3")), SealError::Malformed(_)));
    assert!(matches!(with("algorithm", Value::Null), SealError::Malformed(_)));
    assert!(matches!(with("key", json!("00".repeat(32))), SealError::AnotherKey(_)));
    assert!(matches!(with("signed_at", json!("2026-11-26T02:17:24Z")), SealError::Forged));
    assert!(matches!(with("signed_at", json!("yesterday")), SealError::Malformed(_)));
    assert!(matches!(with("digest", json!(format!("sha256:{}", "0".repeat(64)))), SealError::Forged));
    assert!(matches!(with("signature", json!("AAAA")), SealError::Malformed(_)));
    assert!(matches!(with("signature", json!("?")), SealError::Malformed(_)));
    assert!(matches!(with("signature", json!(BASE64.encode(&[0; 64]))), SealError::Forged));
    assert!(matches!(with("note", json!("of somebody")), SealError::Malformed(_)));
    // Signed by the right key, over another document.
    let other = sign(b"[]", &key, now()).unwrap();
    let other = serde_json::to_vec(&other).unwrap();
    assert!(matches!(verify(DOCUMENT.as_bytes(), &other, &keys), Err(SealError::Changed)));
    let twice = DOCUMENT.replacen('{', "{\"code\":\"red\",", 1);
    assert!(matches!(verify(twice.as_bytes(), &signed(&key), &keys), Err(SealError::Document(_))));
}

// The commands.

fn zhijian(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_zhijian")).args(args).stdin(Stdio::null()).output().unwrap()
}

#[test]
fn the_commands_from_a_new_key_to_a_forged_report() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let (key, document, trusted) = (path("k.pem"), path("报告.json"), path("trusted"));
    fs::write(&document, DOCUMENT).unwrap();
    fs::create_dir(&trusted).unwrap();
    for algorithm in ["ed25519", "sm2"] {
        let _ = fs::remove_file(&key);
        let made = zhijian(&["key", "new", "--algorithm", algorithm, "-o", &key]);
        assert_eq!(made.status.code(), Some(0), "{made:?}");
        let shown = zhijian(&["key", "show", &key]);
        assert_eq!(made.stdout, shown.stdout);
        assert_eq!(zhijian(&["key", "new", "-o", &key]).status.code(), Some(2), "never overwritten");
        // What is shown may be kept as it is.
        fs::write(Path::new(&trusted).join(format!("{algorithm}.pem")), &shown.stdout).unwrap();
        assert_eq!(zhijian(&["key", "show", &format!("{trusted}/{algorithm}.pem")]).stdout, shown.stdout);
        assert_eq!(zhijian(&["sign", &document, "--key", &key]).status.code(), Some(0));
        let valid = zhijian(&["verify", &document, "--key", &trusted]);
        assert_eq!(valid.status.code(), Some(0), "{valid:?}");
        assert!(String::from_utf8(valid.stdout).unwrap().starts_with("签名有效"));
        fs::write(&document, DOCUMENT.replace("green", "none")).unwrap();
        let changed = zhijian(&["verify", &document, "--key", &trusted]);
        assert_eq!(changed.status.code(), Some(1));
        assert!(String::from_utf8(changed.stderr).unwrap().contains("已被改动"));
        fs::write(&document, DOCUMENT).unwrap();
    }
    assert_eq!(public_keys(&[trusted.clone().into()]).unwrap().len(), 2);
    // By the other key only.
    let other = zhijian(&["verify", &document, "--key", &format!("{trusted}/ed25519.pem"), "--lang", "en"]);
    assert_eq!(other.status.code(), Some(1));
    assert!(String::from_utf8(other.stderr).unwrap().contains("another key"));
    // Not to be told.
    let sig = fs::read_to_string(path("报告.json.sig")).unwrap();
    fs::write(path("new.sig"), sig.replace("signature/1", "signature/9")).unwrap();
    for args in [
        &["verify", &document, "--signature", &path("new.sig"), "--key", &trusted][..],
        &["verify", &document, "--signature", &path("none"), "--key", &trusted],
        &["verify", &path("none"), "--key", &trusted],
        &["verify", &document, "--key", &key],
        &["verify", &document, "--key", &path("none")],
        &["verify", &document],
        &["sign", &document, "--key", &path("none")],
        &["sign", &document, "--key", &key, "-o", &document],
    ] {
        assert_eq!(zhijian(args).status.code(), Some(2), "{args:?}");
    }
    assert_eq!(fs::read_to_string(&document).unwrap(), DOCUMENT);
    protect(Path::new(&key), 0o644);
    let open = zhijian(&["sign", &document, "--key", &key]);
    assert_eq!(open.status.code(), Some(2));
    assert!(String::from_utf8(open.stderr).unwrap().contains("chmod 600"));
    // An empty folder trusts nobody.
    fs::create_dir(path("empty")).unwrap();
    assert_eq!(zhijian(&["verify", &document, "--key", &path("empty")]).status.code(), Some(2));
}
