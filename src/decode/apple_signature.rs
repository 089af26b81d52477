//! Who signed an iOS program: the CMS signature, team and entitlements of its code signature, and the provisioning
//! profile beside it. Only certificates and statements are read; whether the signature holds is not checked.
//!
//! Format: Apple's open `xnu`, `osfmk/kern/cs_blobs.h`; profiles are CMS (RFC 5652) around a property list; Apple,
//! *TN3125: Inside Code Signing: Provisioning Profiles*.

use super::apk_signature::{SigningCertificate, cms_certificate, signing_certificate};
use super::plist::Plist;
use super::{Decoder, Issue};

/// What this decoder reads.
pub const DECODER: Decoder = Decoder {
    name: "apple_signature",
    version: 1,
    reads: ("iOS 代码签名证书和描述文件", "iOS code signatures and provisioning profiles"),
    limits: &[],
};

const SUPER_BLOB: u32 = 0xFADE_0CC0;
const CODE_DIRECTORY: u32 = 0xFADE_0C02;
const ENTITLEMENTS: u32 = 0xFADE_7171;
const CMS: u32 = 0xFADE_0B01;
/// Code directories say their team since this version.
const WITH_TEAM: u32 = 0x2_0200;
const MAX_BLOBS: u32 = 64;

/// What a code signature says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CodeSignature {
    /// Certificate of the signer; `None` for an ad-hoc signature.
    pub signer: Option<SigningCertificate>,
    /// Team of the developer: ten letters and digits.
    pub team: Option<String>,
    /// The entitlement `get-task-allow`: anybody may debug the program.
    pub debuggable: bool,
}

/// What a provisioning profile says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Profile {
    /// Name of the profile.
    pub name: Option<String>,
    /// Name of the team.
    pub team_name: Option<String>,
    /// For any device of an enterprise.
    pub enterprise: bool,
    /// Number of the devices it is for; `None` when it does not list devices.
    pub devices: Option<usize>,
    /// The entitlement `get-task-allow`.
    pub debuggable: bool,
}

/// Reads a code signature.
pub fn code_signature(bytes: &[u8]) -> (CodeSignature, Vec<Issue>) {
    let mut found = CodeSignature::default();
    let mut issues = Vec::new();
    if be32(bytes, 0) != Some(SUPER_BLOB) {
        issues.push(Issue::odd("signature.malformed-block", None, "no table of blobs"));
        return (found, issues);
    }
    for index in 0..be32(bytes, 8).unwrap_or_default().min(MAX_BLOBS) as usize {
        let Some(blob) = be32(bytes, 16 + index * 8).and_then(|offset| bytes.get(offset as usize..)) else {
            issues.push(Issue::odd("signature.malformed-block", None, format!("blob {index} is outside")));
            continue;
        };
        let length = be32(blob, 4).unwrap_or_default() as usize;
        let blob = blob.get(..length).unwrap_or(blob);
        match be32(blob, 0) {
            Some(CODE_DIRECTORY) if be32(blob, 8) >= Some(WITH_TEAM) => {
                let team = be32(blob, 48).filter(|offset| *offset != 0);
                let team = team.and_then(|offset| blob.get(offset as usize..)).unwrap_or_default();
                let team = team.split(|byte| *byte == 0).next().unwrap_or_default();
                let team = std::str::from_utf8(team).unwrap_or_default();
                if (1..=64).contains(&team.len()) {
                    found.team = Some(team.to_owned());
                }
            }
            Some(ENTITLEMENTS) => {
                found.debuggable |= blob.get(8..).is_some_and(|list| allows_debugging(list, None));
            }
            Some(CMS) if length > 8 => match cms_certificate(blob.get(8..).unwrap_or_default()) {
                Ok(der) => found.signer = Some(signing_certificate(&der, "code-signature")),
                Err(cause) => issues.push(Issue::odd("signature.malformed-v1", None, cause)),
            },
            _ => {}
        }
    }
    (found, issues)
}

fn allows_debugging(list: &[u8], within: Option<&str>) -> bool {
    Plist::parse(list).is_ok_and(|(plist, _)| {
        let node = within.map_or(Some(plist.root()), |key| plist.root().get(key));
        node.and_then(|node| node.get("get-task-allow")?.bool()) == Some(true)
    })
}

/// Reads a provisioning profile; the list in it is found by its tags, as its signature is of no concern here.
pub fn profile(bytes: &[u8]) -> Option<Profile> {
    let start = memchr::memmem::find(bytes, b"<plist")?;
    let end = memchr::memmem::find(bytes.get(start..)?, b"</plist>")?;
    let list = bytes.get(start..start + end + b"</plist>".len())?;
    let (plist, _) = Plist::parse(list).ok()?;
    let root = plist.root();
    let text = |key| root.text_of(key).map(str::to_owned);
    Some(Profile {
        name: text("Name"),
        team_name: text("TeamName"),
        enterprise: root.get("ProvisionsAllDevices").and_then(|node| node.bool()) == Some(true),
        devices: root.get("ProvisionedDevices").map(|devices| devices.items().count()),
        debuggable: allows_debugging(list, Some("Entitlements")),
    })
}

fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blob(magic: u32, body: &[u8]) -> Vec<u8> {
        [&magic.to_be_bytes()[..], &(body.len() as u32 + 8).to_be_bytes(), body].concat()
    }

    fn signature() -> Vec<u8> {
        let mut directory = vec![0; 44];
        directory[0..4].copy_from_slice(&WITH_TEAM.to_be_bytes());
        directory[40..44].copy_from_slice(&52_u32.to_be_bytes());
        directory.extend(b"A1B2C3D4E5\0");
        let entitlements = b"<plist><dict><key>get-task-allow</key><true/></dict></plist>";
        let blobs = [blob(CODE_DIRECTORY, &directory), blob(ENTITLEMENTS, entitlements), blob(CMS, b"")];
        let mut table = Vec::new();
        let mut offset = 12 + 8 * blobs.len() as u32;
        for blob in &blobs {
            table.extend([0_u32.to_be_bytes(), offset.to_be_bytes()].concat());
            offset += blob.len() as u32;
        }
        let body = [&(blobs.len() as u32).to_be_bytes()[..], &table, &blobs.concat()].concat();
        blob(SUPER_BLOB, &body)
    }

    #[test]
    fn signatures_are_read() {
        let (found, issues) = code_signature(&signature());
        assert!(issues.is_empty(), "{issues:?}");
        let team = Some("A1B2C3D4E5".to_owned());
        assert_eq!(found, CodeSignature { signer: None, team, debuggable: true });
    }

    #[test]
    fn profiles_are_read() {
        let bytes = b"\x30\x82junk<?xml?><plist><dict><key>Name</key><string>n</string><key>ProvisionedDevices</key>
            <array><string>1</string></array><key>Entitlements</key><dict><key>get-task-allow</key><true/></dict></dict>
            </plist>junk";
        let found = profile(bytes).unwrap();
        let name = Some("n".to_owned());
        assert_eq!(found, Profile { name, devices: Some(1), debuggable: true, ..Profile::default() });
        assert_eq!(profile(b""), None);
    }

    #[test]
    fn cut_and_flipped_signatures_end() {
        let bytes = signature();
        for at in 0..bytes.len() {
            code_signature(&bytes[..at]);
            let mut bytes = bytes.clone();
            bytes[at] ^= 0xFF;
            code_signature(&bytes);
        }
    }
}
