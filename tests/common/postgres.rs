//! A PostgreSQL of the test's own: a cluster in a temporary folder, reached by a socket in it, gone with the last
//! test that holds it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// A running cluster.
pub(crate) struct Cluster {
    programs: PathBuf,
    folder: tempfile::TempDir,
    /// PostgreSQL does not run as root; who runs it then.
    user: Option<&'static str>,
}

/// A cluster, if the programs are here. When they are not, the test says so, and fails where
/// `ZHIJIAN_TEST_POSTGRES=required` is set (as `.ci/run` does).
pub(crate) fn cluster() -> Option<Arc<Cluster>> {
    static RUNNING: Mutex<Weak<Cluster>> = Mutex::new(Weak::new());
    let programs = installed()?;
    let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(cluster) = running.upgrade() {
        return Some(cluster);
    }
    let cluster = Arc::new(Cluster::start(programs));
    *running = Arc::downgrade(&cluster);
    Some(cluster)
}

/// A cluster that no other test uses: for what breaks it.
pub(crate) fn own_cluster() -> Option<Arc<Cluster>> {
    Some(Arc::new(Cluster::start(installed()?)))
}

fn installed() -> Option<PathBuf> {
    let found = programs();
    if found.is_none() {
        assert!(
            std::env::var_os("ZHIJIAN_TEST_POSTGRES").is_none(),
            "PostgreSQL is not installed, and ZHIJIAN_TEST_POSTGRES is set"
        );
        println!(
            "NOT TESTED on PostgreSQL: initdb and pg_ctl are not installed (apt-get install postgresql)"
        );
    }
    found
}

fn programs() -> Option<PathBuf> {
    let path = std::env::var_os("PATH");
    let mut found: Vec<PathBuf> = path.iter().flat_map(std::env::split_paths).collect();
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut versions: Vec<PathBuf> = versions.map(|entry| entry.path().join("bin")).collect();
    versions.sort();
    found.extend(versions);
    let whole = |folder: &PathBuf| {
        ["initdb", "pg_ctl", "createdb"].iter().all(|program| folder.join(program).is_file())
    };
    found.into_iter().rev().find(whole)
}

impl Cluster {
    fn start(programs: PathBuf) -> Self {
        let folder = tempfile::Builder::new().prefix("zhijian-pg").tempdir_in("/tmp").unwrap();
        let root = run(Command::new("id").arg("-u")).stdout.trim_ascii() == b"0";
        let cluster = Cluster { programs, folder, user: root.then_some("postgres") };
        if let Some(user) = cluster.user {
            run(Command::new("chown").arg(user).arg(cluster.folder.path()));
        }
        let data = cluster.data();
        run(cluster
            .command("initdb")
            .args(["--auth=trust", "--username=zhijian", "--encoding=UTF8", "-N", "-D"])
            .arg(&data));
        let options = format!("-k {} -h '' -c max_connections=200", cluster.folder.path().display());
        let log = cluster.folder.path().join("log");
        run(cluster
            .command("pg_ctl")
            .args(["-w", "-o", &options, "-l"])
            .arg(log)
            .arg("-D")
            .arg(&data)
            .arg("start"));
        cluster
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn command(&self, program: &str) -> Command {
        let path = self.programs.join(program);
        match self.user {
            None => Command::new(path),
            Some(user) => {
                let mut command = Command::new("runuser");
                command.args(["-u", user, "--"]).arg(path);
                command
            }
        }
    }

    /// The address of a database that nobody else uses.
    pub(crate) fn database(&self) -> String {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("test_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let socket = self.folder.path().display().to_string();
        run(self.command("createdb").args(["-U", "zhijian", "-h", &socket, &name]));
        format!("postgres://zhijian@localhost/{name}?host={}", socket.replace('/', "%2F"))
    }

    /// Stops at once, as a power cut does, and starts again.
    pub(crate) fn crash(&self) {
        let data = self.data();
        // Without a log of its own the server would hold our pipe open for ever.
        let log = self.folder.path().join("log");
        let mut command = self.command("pg_ctl");
        command.args(["-w", "-m", "immediate", "-l"]).arg(log).arg("-D").arg(&data).arg("restart");
        run(&mut command);
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let data = self.data();
        let _ = self.command("pg_ctl").args(["-m", "immediate", "-D"]).arg(&data).arg("stop").output();
    }
}

fn run(command: &mut Command) -> Output {
    command.current_dir(Path::new("/tmp"));
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}
