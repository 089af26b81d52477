//! What the child puts itself under before it reads anything: limits of the system (setrlimit(2)) and a Landlock
//! domain (landlock(7)). Neither can be taken off again, and both hold for whatever it starts.

use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

/// How far Landlock holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Landlock {
    /// Everything that was asked for is enforced.
    Full(i32),
    /// What version so-and-so of the kernel's interface can enforce.
    Partial(i32),
    /// The kernel has it, and it is switched off.
    Off,
    /// The kernel does not have it.
    Missing,
}

/// What the child is held by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// Files and network.
    pub landlock: Landlock,
    /// Limits that the system refused to set, by their names.
    pub unlimited: Vec<String>,
    /// Open files that whoever started the parent has left to it, besides the three; the child can read them.
    pub inherited: usize,
}

/// What the child is to be able to do.
pub(super) struct Wanted<'a> {
    pub(super) memory: u64,
    pub(super) processor_seconds: u64,
    pub(super) programs: bool,
    pub(super) readable: [Option<&'a Path>; 2],
}

/// Open files at a time.
const FILES: u64 = 512;

impl Held {
    /// Puts this process under limits; to be called while it has one thread.
    pub(super) fn enter(wanted: &Wanted<'_>) -> Result<Self, String> {
        // When the machine is short of memory, the scan is what can be spared.
        let _ = std::fs::write("/proc/self/oom_score_adj", "1000");
        let inherited = inherited();
        let unlimited = limit(wanted);
        let landlock = restrict(wanted).map_err(|error| format!("Landlock: {error}"))?;
        Ok(Held { landlock, unlimited, inherited })
    }

    /// The threads are there; no more of them, and no process. Where programs have to be run, nothing is limited.
    pub(super) fn no_more_processes(&mut self) {
        #[cfg(unix)]
        self.unlimited.extend(set(rlimit::Resource::NPROC, 0, 0));
    }
}

/// Open files besides standard input, output and error. Listing them opens one.
fn inherited() -> usize {
    std::fs::read_dir("/proc/self/fd").map_or(0, |open| open.count().saturating_sub(4))
}

#[cfg(unix)]
fn set(resource: rlimit::Resource, soft: u64, hard: u64) -> Option<String> {
    let (_, most) = resource.get().unwrap_or((hard, hard));
    resource.set(soft.min(most), hard.min(most)).err().map(|_| resource.as_name().to_owned())
}

#[cfg(unix)]
fn limit(wanted: &Wanted<'_>) -> Vec<String> {
    use rlimit::Resource;
    let seconds = wanted.processor_seconds;
    // Address space is not limited: the allocator and Java reserve far more than they use.
    let limits = [
        (Resource::CORE, 0, 0),
        (Resource::DATA, wanted.memory, wanted.memory),
        // A process that does not end by the first signal ends by the second.
        (Resource::CPU, seconds, seconds.saturating_add(1)),
        (Resource::FSIZE, 0, 0),
        (Resource::NOFILE, FILES, FILES),
        (Resource::MEMLOCK, 0, 0),
    ];
    limits.into_iter().filter_map(|(resource, soft, hard)| set(resource, soft, hard)).collect()
}

#[cfg(not(unix))]
fn limit(_: &Wanted<'_>) -> Vec<String> {
    vec!["all".to_owned()]
}

/// Where programs of others and what they need are.
#[cfg(target_os = "linux")]
const SYSTEM: [&str; 8] = ["/usr", "/bin", "/lib", "/lib64", "/etc", "/opt", "/proc", "/sys/fs/cgroup"];

#[cfg(target_os = "linux")]
fn restrict(wanted: &Wanted<'_>) -> io::Result<Landlock> {
    use landlock::{
        ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, LandlockStatus, PathBeneath, PathFd,
        Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetStatus, Scope, path_beneath_rules,
    };
    // The newest that is known: what the kernel lacks is left out, and said.
    let abi = ABI::V10;
    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    let enter = || -> Result<_, landlock::RulesetError> {
        let mut rules = Ruleset::default()
            .set_compatibility(CompatLevel::BestEffort)
            .handle_access(AccessFs::from_all(abi))?
            .handle_access(AccessNet::from_all(abi))?
            .scope(Scope::from_all(abi))?
            .create()?
            .add_rules(path_beneath_rules(wanted.readable.into_iter().flatten(), read))?;
        if wanted.programs {
            let path = std::env::var_os("PATH").unwrap_or_default();
            let folders = std::env::split_paths(&path).chain(SYSTEM.map(Into::into));
            rules = rules.add_rules(path_beneath_rules(folders, read | AccessFs::Execute))?;
            let data = ["TESSDATA_PREFIX", "JAVA_HOME"].into_iter().filter_map(std::env::var_os);
            rules = rules.add_rules(path_beneath_rules(data, read | AccessFs::Execute))?;
            if let Some(cache) = crate::scan::ocr_cache() {
                rules = rules.add_rules(path_beneath_rules([cache], read))?;
            }
            rules =
                rules.add_rules(path_beneath_rules(["/dev/urandom", "/dev/random"], AccessFs::ReadFile))?;
            if let Ok(null) = PathFd::new("/dev/null") {
                rules = rules.add_rule(PathBeneath::new(null, AccessFs::ReadFile | AccessFs::WriteFile))?;
            }
        }
        rules.restrict_self()
    };
    let status = enter().map_err(io::Error::other)?;
    Ok(match (status.ruleset, status.landlock) {
        (_, LandlockStatus::NotEnabled) => Landlock::Off,
        (_, LandlockStatus::NotImplemented) => Landlock::Missing,
        (RulesetStatus::FullyEnforced, LandlockStatus::Available { effective_abi, .. }) => {
            Landlock::Full(effective_abi as i32)
        }
        (_, LandlockStatus::Available { effective_abi, .. }) => Landlock::Partial(effective_abi as i32),
    })
}

#[cfg(not(target_os = "linux"))]
fn restrict(_: &Wanted<'_>) -> io::Result<Landlock> {
    Ok(Landlock::Missing)
}
