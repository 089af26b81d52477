//! Programs that some tests need and not every machine has.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Where the programs are, if all of them are here. When they are not, the test says so, and fails where the variable
/// is set (as `.ci/run` does).
pub(crate) fn tools<const N: usize>(
    names: [&str; N],
    variable: &str,
    packages: &str,
) -> Option<[PathBuf; N]> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let find = |name: &str| folders.iter().map(|folder| folder.join(name)).find(|file| file.is_file());
    let found: Vec<PathBuf> = names.iter().filter_map(|name| find(name)).collect();
    match found.try_into() {
        Ok(found) => Some(found),
        Err(_) => {
            let missing: Vec<&str> = names.into_iter().filter(|name| find(name).is_none()).collect();
            let missing = missing.join(", ");
            assert!(
                std::env::var_os(variable).is_none(),
                "{missing} not installed, and {variable} is set (apt-get install {packages})"
            );
            println!("NOT TESTED: {missing} not installed (apt-get install {packages})");
            None
        }
    }
}

/// What a program writes to standard output; it has to end well.
pub(crate) fn run(command: &mut Command) -> Output {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

/// The folder for what people look at after the tests.
pub(crate) fn pages() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pages");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}
