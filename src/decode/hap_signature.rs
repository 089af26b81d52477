//! Who signed a HarmonyOS package: the signature block before the central directory, its CMS signature and the
//! signed profile. Only certificates are read; whether the signature holds is not checked here.
//!
//! Format: `hapsigntool` of OpenHarmony (developtools_hapsigner): heads of 12 bytes (type, length, offset), their
//! data, and a head of the whole of 32 bytes (count, size, magic, version) at the end.

use cms::content_info::ContentInfo;
use cms::signed_data::SignedData;
use der::Decode;
use der::asn1::OctetString;

use super::apk_signature::{SigningCertificate, cms_certificate, signing_certificate};
use super::blob::Blob;
use super::{Decoder, Limit, Unit};

/// The head at the end of the block, and its magic in both versions.
const HEAD: u64 = 32;
const MAGICS: [&[u8]; 2] = [b"HAP Sig Block 42", b"<hap sign block>"];
/// Signatures are a few kB, proofs of rotation a few more.
const MAX_BLOCK: u64 = 16 << 20;
/// More parts than this are none.
const MAX_PARTS: usize = 16;
const SIGNATURE: u32 = 0x2000_0000;
const PROFILE: u32 = 0x2000_0002;

/// What is read, and how far.
pub const DECODER: Decoder = Decoder {
    name: "hap_signature",
    version: 1,
    reads: ("鸿蒙签名块中的证书和签名档案", "certificates and profile of HarmonyOS signature blocks"),
    limits: &[Limit { what: ("签名块", "signature block"), amount: MAX_BLOCK, unit: Unit::Bytes }],
};

/// What a signature block tells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HapSignature {
    /// The certificate that signed the package.
    pub certificate: Option<SigningCertificate>,
    /// Kind of the profile: `debug` or `release`.
    pub profile: Option<String>,
    /// The package that the profile is for.
    pub bundle: Option<String>,
}

/// Reads the block before the central directory at `directory`; `None` when there is none.
pub fn read(blob: &Blob, directory: u64) -> Option<HapSignature> {
    let head = blob.slice(directory.checked_sub(HEAD)?, HEAD).ok()?;
    if !MAGICS.contains(&head.get(12..28)?) {
        return None;
    }
    let mut found = HapSignature::default();
    let size = u64::from_le_bytes(head.get(4..12)?.try_into().ok()?);
    let Some(start) = directory.checked_sub(size).filter(|_| (HEAD..=MAX_BLOCK).contains(&size)) else {
        return Some(found);
    };
    let Ok(block) = blob.slice(start, size - HEAD) else { return Some(found) };
    let count = u32_at(&head, 0).map_or(0, |count| count as usize);
    for index in 0..count.min(MAX_PARTS) {
        let Some((kind, data)) = part(&block, index) else { break };
        match kind {
            SIGNATURE => {
                let der = cms_certificate(data).ok();
                found.certificate = der.map(|der| signing_certificate(&der, "hap"));
            }
            PROFILE => {
                if let Some(profile) = content(data).and_then(|json| serde_json::from_slice(&json).ok()) {
                    let profile: serde_json::Value = profile;
                    let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
                    found.profile = text(&profile["type"]);
                    found.bundle = text(&profile["bundle-info"]["bundle-name"]);
                }
            }
            _ => {}
        }
    }
    Some(found)
}

/// Type and bytes of a part.
fn part(block: &[u8], index: usize) -> Option<(u32, &[u8])> {
    let at = index * 12;
    let (kind, length, offset) = (u32_at(block, at)?, u32_at(block, at + 4)?, u32_at(block, at + 8)?);
    let (offset, length) = (offset as usize, length as usize);
    Some((kind, block.get(offset..offset.checked_add(length)?)?))
}

/// What a CMS signature signs.
fn content(bytes: &[u8]) -> Option<Vec<u8>> {
    let info = ContentInfo::from_der(bytes).ok()?;
    let signed: SignedData = info.content.decode_as().ok()?;
    let content: OctetString = signed.encap_content_info.econtent?.decode_as().ok()?;
    Some(content.as_bytes().to_vec())
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4)?.try_into().ok().map(u32::from_le_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::res_chunk::tests::flips;

    /// Made by `fixtures/decode/hap_signature/make.sh` with OpenSSL: subject `CN=Zhijian HAP Test,O=Zhijian,C=CN`.
    const CMS: &[u8] = include_bytes!("../../fixtures/decode/hap_signature/signature.der");
    const PROFILE_CMS: &[u8] = include_bytes!("../../fixtures/decode/hap_signature/profile.der");

    fn block(parts: &[(u32, &[u8])]) -> Vec<u8> {
        let (mut heads, mut data) = (Vec::new(), Vec::new());
        for (kind, bytes) in parts {
            for field in [*kind, bytes.len() as u32, (parts.len() * 12 + data.len()) as u32] {
                heads.extend(field.to_le_bytes());
            }
            data.extend_from_slice(bytes);
        }
        let mut all = [heads, data].concat();
        let size = all.len() as u64 + HEAD;
        all.extend((parts.len() as u32).to_le_bytes());
        all.extend(size.to_le_bytes());
        all.extend_from_slice(MAGICS[1]);
        all.extend(3_u32.to_le_bytes());
        all
    }

    fn of(bytes: Vec<u8>) -> Option<HapSignature> {
        let end = bytes.len() as u64;
        read(&Blob::memory(bytes), end)
    }

    #[test]
    fn certificate_and_profile_are_read() {
        let mut bytes = b"before".to_vec();
        bytes.extend(block(&[(PROFILE, PROFILE_CMS), (SIGNATURE, CMS)]));
        let found = of(bytes).unwrap();
        let certificate = found.certificate.unwrap();
        assert!(certificate.subject.contains("CN=Zhijian HAP Test"), "{certificate:?}");
        assert_eq!(certificate.schemes, ["hap"]);
        assert_eq!(found.profile.as_deref(), Some("debug"));
        assert_eq!(found.bundle.as_deref(), Some("cn.gov.example.volunteer"));
        assert_eq!(of(b"no block before the directory, nothing at all".to_vec()), None);
    }

    #[test]
    fn broken_blocks_are_empty() {
        let whole = block(&[(PROFILE, PROFILE_CMS), (SIGNATURE, CMS)]);
        for end in 0..whole.len() {
            let _ = of(whole[..end].to_vec());
            let _ = of(whole[end..].to_vec());
        }
        flips(&whole, 500, |bytes| drop(of(bytes.to_vec())));
        let mut empty = vec![0; 32];
        empty[12..28].copy_from_slice(MAGICS[0]);
        assert_eq!(of(empty), Some(HapSignature::default()));
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_end(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..300), count in 0u32..9) {
            let mut all = bytes;
            let size = all.len() as u64 + HEAD;
            all.extend(count.to_le_bytes());
            all.extend(size.to_le_bytes());
            all.extend_from_slice(MAGICS[1]);
            all.extend(3_u32.to_le_bytes());
            let _ = of(all);
        }
    }
}
