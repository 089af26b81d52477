//! Mini programs as the PC client of WeChat stores them: `V1MMWX`, then the container of [`super::wxapkg`] encrypted
//! under the id of the program.
//!
//! The first 1024 bytes after the mark are AES-256-CBC with PKCS #7 padding, so they hold 1023 bytes; the key is
//! PBKDF2-HMAC-SHA1 of the id with the salt `saltiest`, 1000 times, and the vector `the iv: 16 bytes`. Every byte
//! behind them is XORed with the id's last character but one. Described by the readers of such packages, among them
//! github.com/BlackTrace/pc_wxapkg_decrypt, and seen so in a real package.

use aes::cipher::{Block, BlockModeDecrypt, KeyIvInit};

use super::Decoder;

/// What this file reads.
pub const DECODER: Decoder = Decoder {
    name: "wxapkg_cipher",
    version: 1,
    reads: ("电脑版微信加密的小程序包", "mini programs encrypted by WeChat for PC"),
    limits: &[],
};

/// What an encrypted package begins with.
pub const MAGIC: &[u8] = b"V1MMWX";

const SALT: &[u8] = b"saltiest";
const VECTOR: [u8; 16] = *b"the iv: 16 bytes";
const ROUNDS: u32 = 1000;
/// So many bytes after the mark are AES; the rest is XOR.
const SEALED: usize = 1024;
/// XOR of what follows when the id is too short to give a character.
const DEFAULT_XOR: u8 = 0x66;
/// `wx` and 16 hexadecimal digits.
const APPID: usize = 18;

type Decryptor = cbc::Decryptor<aes::Aes256>;

/// Whether a text is the id of a mini program: `wx` and 16 lower-case hexadecimal digits.
pub fn is_appid(text: &str) -> bool {
    text.len() == APPID && text.strip_prefix("wx").is_some_and(|digits| digits.bytes().all(is_digit))
}

fn is_digit(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

/// The ids that stand in a path, the nearest to its end first, each once.
pub fn appids(path: &str) -> Vec<&str> {
    let mut found: Vec<&str> = Vec::new();
    for (at, _) in path.rmatch_indices("wx") {
        let Some(id) = path.get(at..at + APPID).filter(|id| is_appid(id)) else { continue };
        // A longer run of digits is a digest that happens to have `wx` before it.
        let ends = !path.as_bytes().get(at + APPID).copied().is_some_and(is_digit);
        if ends && !found.contains(&id) {
            found.push(id);
        }
    }
    found
}

/// The container in an encrypted package; `None` when the id is not the one it was encrypted under.
pub fn decrypt(bytes: &[u8], appid: &str) -> Option<Vec<u8>> {
    let sealed = bytes.strip_prefix(MAGIC)?;
    let (sealed, rest) = sealed.split_at(sealed.len().min(SEALED));
    let mut key = [0u8; 32];
    pbkdf2::pbkdf2_hmac::<sha1::Sha1>(appid.as_bytes(), SALT, ROUNDS, &mut key);
    let mut decryptor = Decryptor::new(&key.into(), &VECTOR.into());
    let mut out = Vec::with_capacity(sealed.len() + rest.len());
    for block in sealed.chunks_exact(16) {
        let Ok(mut block) = Block::<Decryptor>::try_from(block) else { continue };
        decryptor.decrypt_block(&mut block);
        out.extend_from_slice(&block);
    }
    super::wxapkg::is_wxapkg(&out).then_some(())?;
    if let Some(&padding @ 1..=16) = out.last()
        && out.len() >= usize::from(padding)
        && out[out.len() - usize::from(padding)..].iter().all(|byte| *byte == padding)
    {
        out.truncate(out.len() - usize::from(padding));
    }
    let xor = appid.len().checked_sub(2).and_then(|at| appid.as_bytes().get(at)).copied();
    let xor = xor.unwrap_or(DEFAULT_XOR);
    out.extend(rest.iter().map(|byte| byte ^ xor));
    Some(out)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::decode::res_chunk::tests::flips;

    const ID: &str = "wx0123456789abcdef";

    /// `punch.wxapkg` and the same encrypted by `fixtures/wxapkg/pack.py`, which uses another implementation.
    fn pair() -> (Vec<u8>, Vec<u8>) {
        let built = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/built/");
        let read = |name: &str| std::fs::read(format!("{built}{name}")).unwrap();
        (read("punch.wxapkg"), read("punch-pc/wx5e1d0c7b2a94f836/12/__APP__.wxapkg"))
    }

    #[test]
    fn what_another_implementation_encrypted_comes_back() {
        let (plain, sealed) = pair();
        assert!(decrypt(&sealed, "wx5e1d0c7b2a94f836") == Some(plain));
        assert_eq!(decrypt(&sealed, ID), None);
        assert_eq!(decrypt(&sealed, ""), None);
    }

    #[test]
    fn the_key_is_what_openssl_derives() {
        let spec = ["kdf", "-keylen", "32", "-kdfopt", "digest:SHA1", "-kdfopt", "salt:saltiest"];
        let rest = ["-kdfopt", "iter:1000", "-kdfopt", &format!("pass:{ID}"), "PBKDF2"].map(str::to_owned);
        let Ok(output) = Command::new("openssl").args(spec).args(rest).output() else { return };
        if output.status.success() {
            let mut key = [0u8; 32];
            pbkdf2::pbkdf2_hmac::<sha1::Sha1>(ID.as_bytes(), SALT, ROUNDS, &mut key);
            let key: Vec<String> = key.iter().map(|byte| format!("{byte:02X}")).collect();
            assert_eq!(String::from_utf8(output.stdout).unwrap().trim(), key.join(":"));
        }
    }

    #[test]
    fn cut_and_altered_packages_are_no_trouble() {
        let (plain, sealed) = pair();
        // All of the part that is encrypted by blocks, and some of the rest.
        for cut in 0..1_040 {
            if let Some(out) = decrypt(&sealed[..cut], "wx5e1d0c7b2a94f836") {
                assert!(plain.starts_with(&out), "{cut}");
            }
        }
        flips(&sealed[..1_100], 200, |bytes| {
            let length = decrypt(bytes, "wx5e1d0c7b2a94f836").map_or(0, |out| out.len());
            assert!(length <= bytes.len());
        });
        assert_eq!(decrypt(b"V1MMWX", ID), None);
        assert_eq!(decrypt(b"", ID), None);
    }

    #[test]
    fn ids_are_found_in_paths() {
        assert!(is_appid(ID));
        for other in
            ["", "wx", "wx0123456789ABCDEF", "wx0123456789abcde", "wx0123456789abcdef0", "gh0123456789abcdef"]
        {
            assert!(!is_appid(other), "{other}");
        }
        let path = format!("C:\\Applet\\{ID}\\12\\wxabcdef0123456789_签到.wxapkg");
        assert_eq!(appids(&path), ["wxabcdef0123456789", ID]);
        assert_eq!(appids("wx0123456789abcdef01/__APP__.wxapkg"), [] as [&str; 0]);
        assert_eq!(appids("小程序/wx/微信"), [] as [&str; 0]);
    }
}
