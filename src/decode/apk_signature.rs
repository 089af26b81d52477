//! Who signed an APK: certificates of the APK Signing Block (v2, v3, v3.1) and of `META-INF/*.RSA` (v1).
//! Only certificates are read; whether the signature holds is not checked here.
//!
//! Format: <https://source.android.com/docs/security/features/apksigning/v2>, `…/v3`; v1 is CMS (RFC 5652).

use crate::model::hex;
use der::{Decode, Encode};
use sha2::{Digest, Sha256};
use x509_cert::Certificate;

use super::blob::Blob;
use super::{Decoder, Issue, Limit, Unit};

/// What this file reads.
pub const DECODER: Decoder = Decoder {
    name: "apk_signature",
    version: 1,
    reads: ("APK 签名证书（v1、v2、v3、v3.1）", "APK signing certificates (v1, v2, v3, v3.1)"),
    limits: &[Limit { what: ("签名块", "signing block"), amount: MAX_BLOCK, unit: Unit::Bytes }],
};

const MAGIC: &[u8; 16] = b"APK Sig Block 42";
/// The footer of the block: its size again and the magic.
const FOOTER: u64 = 24;
/// A signing block is a few kB; Play's dependency block a few more.
const MAX_BLOCK: u64 = 16 << 20;
const SCHEMES: [(u32, &str); 3] = [(0x7109_871A, "v2"), (0xF053_68C0, "v3"), (0x1B93_AD61, "v3.1")];

/// A signing certificate and the schemes that carry it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigningCertificate {
    /// Subject, RFC 4514.
    pub subject: String,
    /// SHA-256 of the DER bytes, lower-case hex.
    pub sha256: String,
    /// `v1`, `v2`, `v3`, `v3.1`.
    pub schemes: Vec<String>,
}

/// The first signer of each scheme, joined where it is the same certificate.
///
/// `directory` is the offset of the central directory; `v1` are the contents of `META-INF/*.RSA|DSA|EC` in the
/// order of their names.
pub fn signers(blob: &Blob, directory: u64, v1: &[Vec<u8>]) -> (Vec<SigningCertificate>, Vec<Issue>) {
    let mut issues = Vec::new();
    let mut found: Vec<(&str, Vec<u8>)> = Vec::new();
    match block(blob, directory) {
        Ok(Some(block)) => {
            for (id, value) in pairs(&block) {
                if let Some((_, scheme)) = SCHEMES.iter().find(|(known, _)| *known == id) {
                    match certificate(value) {
                        Some(der) => found.push((scheme, der.to_vec())),
                        None => issues.push(Issue::odd(
                            "signature.malformed-block",
                            None,
                            format!("no certificate in the {scheme} block"),
                        )),
                    }
                }
            }
        }
        Ok(None) => {}
        Err(cause) => issues.push(Issue::odd("signature.malformed-block", None, cause)),
    }
    for bytes in v1 {
        match cms_certificate(bytes) {
            Ok(der) => found.push(("v1", der)),
            Err(cause) => issues.push(Issue::odd("signature.malformed-v1", None, cause)),
        }
    }
    let mut signers: Vec<SigningCertificate> = Vec::new();
    found.sort_by_key(|(scheme, _)| *scheme);
    for (scheme, der) in found {
        let found = signing_certificate(&der, scheme);
        if let Some(known) = signers.iter_mut().find(|signer| signer.sha256 == found.sha256) {
            known.schemes.extend(found.schemes);
            continue;
        }
        if let Err(error) = Certificate::from_der(&der) {
            issues.push(Issue::odd("signature.malformed-certificate", None, error.to_string()));
        }
        signers.push(found);
    }
    // The newest scheme decides on Android; its certificate goes first.
    signers.sort_by(|a, b| b.schemes.iter().max().cmp(&a.schemes.iter().max()));
    (signers, issues)
}

/// A certificate by its DER bytes; the subject is empty when they cannot be read.
pub(super) fn signing_certificate(der: &[u8], scheme: &str) -> SigningCertificate {
    let sha256 = hex(&Sha256::digest(der));
    let read = Certificate::from_der(der);
    let subject = read.map_or_else(|_| String::new(), |read| read.tbs_certificate.subject.to_string());
    SigningCertificate { subject, sha256, schemes: vec![scheme.to_owned()] }
}

/// The ID-value pairs of the signing block before the central directory.
fn block(blob: &Blob, directory: u64) -> Result<Option<Vec<u8>>, String> {
    let Some(footer_at) = directory.checked_sub(FOOTER) else { return Ok(None) };
    let footer = blob.slice(footer_at, FOOTER).map_err(|error| error.to_string())?;
    if footer.get(8..) != Some(MAGIC) {
        return Ok(None);
    }
    let size = u64_at(&footer, 0).unwrap_or_default();
    let start = size.checked_sub(FOOTER).and_then(|pairs| footer_at.checked_sub(pairs));
    match start {
        Some(start) if size <= MAX_BLOCK => {
            blob.slice(start, size - FOOTER).map(Some).map_err(|error| error.to_string())
        }
        _ => Err(format!("the signing block claims {size} bytes")),
    }
}

fn pairs(block: &[u8]) -> impl Iterator<Item = (u32, &[u8])> {
    let mut rest = block;
    std::iter::from_fn(move || {
        let length = usize::try_from(u64_at(rest, 0)?).ok()?;
        let pair = rest.get(8..length.checked_add(8)?)?;
        rest = rest.get(8 + length..)?;
        Some((u32_at(pair, 0)?, pair.get(4..)?))
    })
}

/// The first certificate of the first signer of a v2 or v3 block.
fn certificate(block: &[u8]) -> Option<&[u8]> {
    let signers = prefixed(block)?.0;
    let signer = prefixed(signers)?.0;
    let signed_data = prefixed(signer)?.0;
    let certificates = prefixed(prefixed(signed_data)?.1)?.0;
    Some(prefixed(certificates)?.0)
}

/// A length-prefixed value and what follows it.
fn prefixed(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let length = usize::try_from(u32_at(bytes, 0)?).ok()?;
    bytes.get(4..)?.split_at_checked(length)
}

/// The certificate of the first signer of a CMS signature.
pub(super) fn cms_certificate(bytes: &[u8]) -> Result<Vec<u8>, String> {
    use cms::cert::CertificateChoices;
    use cms::content_info::ContentInfo;
    use cms::signed_data::{SignedData, SignerIdentifier};

    let text = |error: der::Error| error.to_string();
    let content = ContentInfo::from_der(bytes).map_err(text)?;
    let signed: SignedData = content.content.decode_as().map_err(text)?;
    let certificates: Vec<Certificate> = signed
        .certificates
        .iter()
        .flat_map(|set| set.0.iter())
        .filter_map(|choice| match choice {
            CertificateChoices::Certificate(certificate) => Some(certificate.clone()),
            CertificateChoices::Other(_) => None,
        })
        .collect();
    let by_signer = signed.signer_infos.0.iter().next().and_then(|info| match &info.sid {
        SignerIdentifier::IssuerAndSerialNumber(id) => certificates.iter().find(|certificate| {
            certificate.tbs_certificate.serial_number == id.serial_number
                && certificate.tbs_certificate.issuer == id.issuer
        }),
        SignerIdentifier::SubjectKeyIdentifier(_) => None,
    });
    let certificate = by_signer.or(certificates.first()).ok_or("no certificate in it")?;
    certificate.to_der().map_err(text)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4)?.try_into().ok().map(u32::from_le_bytes)
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..at + 8)?.try_into().ok().map(u64::from_le_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::archive::Archive;
    use crate::decode::res_chunk::tests::flips;

    /// A package signed with `fixtures/keys`, the offset of its directory, and its v1 signature.
    fn sample() -> (Vec<u8>, u64, Vec<u8>) {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/built/grid-patrol.apk");
        let bytes = std::fs::read(path).unwrap();
        let (archive, _) = Archive::open(Blob::memory(bytes.as_slice())).unwrap();
        let v1 = archive.read(archive.entry("META-INF/ZHIJIAN-.RSA").unwrap()).unwrap().0;
        let directory = archive.directory().unwrap();
        (bytes, directory, v1)
    }

    #[test]
    fn one_certificate_of_two_schemes_is_one_signer() {
        let (bytes, directory, v1) = sample();
        let (found, issues) = signers(&Blob::memory(bytes), directory, &[v1]);
        // Digest and name as `apksigner verify --print-certs` tells them.
        let expected = SigningCertificate {
            subject: "CN=Zhijian Test Key (fixtures only),OU=Not For Release,O=Zhijian,C=CN".to_owned(),
            sha256: "4de445e88a0a00f66bb52381110de4d7723d5b5a22c4e1e70f42a37ffda81ada".to_owned(),
            schemes: vec!["v1".to_owned(), "v2".to_owned()],
        };
        assert_eq!(found, [expected]);
        assert_eq!(issues, []);
    }

    #[test]
    fn cut_and_flipped_signatures_are_told() {
        let (bytes, directory, v1) = sample();
        let none = Blob::memory(&[][..]);
        for cut in 0..v1.len() {
            let (found, issues) = signers(&none, 0, &[v1[..cut].to_vec()]);
            assert!(found.is_empty() && issues[0].code == "signature.malformed-v1", "{cut}");
        }
        flips(&v1, 1_000, |bytes| drop(signers(&none, 0, &[bytes.to_vec()])));
        let whole = &bytes[..directory as usize];
        let footer = whole.len() - FOOTER as usize;
        let size = u64_at(&whole[footer..], 0).unwrap() as usize;
        let block = &whole[whole.len() - size - 8..];
        assert!(block.len() > 1_000);
        for cut in 0..block.len() {
            // What is cut off is the front, where the length stands too.
            let rest = &block[cut..];
            signers(&Blob::memory(rest), rest.len() as u64, &[]);
            signers(&Blob::memory(&block[..cut]), cut as u64, &[]);
        }
        flips(block, 3_000, |bytes| drop(signers(&Blob::memory(bytes), bytes.len() as u64, &[])));
    }

    proptest::proptest! {
        #[test]
        fn any_pairs_are_read(pairs in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
            let mut bytes = pairs;
            bytes.extend((bytes.len() as u64 + FOOTER).to_le_bytes());
            bytes.extend(MAGIC);
            signers(&Blob::memory(bytes.as_slice()), bytes.len() as u64, &[bytes.clone()]);
        }
    }
}
