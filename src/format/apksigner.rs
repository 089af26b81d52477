//! Whether the signature of an APK holds, by the `apksigner` program, when it is installed.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::program::{Output, run};
use crate::model::{GapReason, Inspection, PartName, Place};

const PROGRAM: &str = "apksigner";
/// For one package; it starts a Java machine and reads the whole file.
const TIMEOUT: Duration = Duration::from_secs(120);

/// Checks the signature of the file that was inspected, an APK of its own.
pub(crate) fn verify(path: &Path, inspection: &mut Inspection) {
    let Some(signer) = &mut inspection.identity.signer else { return };
    let output = run(Command::new(PROGRAM).arg("verify").arg("--in").arg(path), &[], TIMEOUT);
    match output.as_ref().map(judge) {
        Some(Verdict::Holds) => signer.verified = Some(true),
        Some(Verdict::Fails(cause)) => {
            signer.verified = Some(false);
            inspection.anomaly("signature.invalid", &Place::entry("META-INF"), cause);
        }
        Some(Verdict::Unknown) | None => {
            let detail = (
                "要求校验签名（--verify-signature），但没有安装 apksigner，或运行失败；只读取了证书",
                "the signature was to be checked (--verify-signature), but apksigner is not installed or failed; \
                 only the certificate was read",
            );
            inspection.note(PartName::Container, &Place::entry("META-INF"), GapReason::Failed, detail);
        }
    }
}

enum Verdict {
    Holds,
    /// With the program's reason.
    Fails(String),
    /// The program itself failed.
    Unknown,
}

fn judge(output: &Output) -> Verdict {
    if output.ok {
        return Verdict::Holds;
    }
    let said = [&output.out, &output.err].map(|bytes| String::from_utf8_lossy(bytes).into_owned()).join("\n");
    // An error of the signature, or of a package whose structure is broken.
    let cause = said.lines().map(str::trim).find(|line| {
        line.starts_with("ERROR:")
            || line.contains("ApkFormatException")
            || line.contains("ZipFormatException")
    });
    match cause {
        Some(cause) => Verdict::Fails(cause.chars().take(300).collect()),
        None if said.contains("DOES NOT VERIFY") => Verdict::Fails("does not verify".to_owned()),
        None => Verdict::Unknown,
    }
}
