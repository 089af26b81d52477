//! Reads the rules when the program is built, so that a scan does not begin by reading YAML: each file of `rules/`
//! becomes a JSON file of the same name in `$OUT_DIR/rules`, less the examples, which no scan needs.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    let rules = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("rules");
    println!("cargo::rerun-if-changed={}", rules.display());
    let built = PathBuf::from(env::var("OUT_DIR")?).join("rules");
    if built.exists() {
        fs::remove_dir_all(&built)?;
    }
    folder(&rules, &built)
}

fn folder(from: &Path, to: &Path) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let (name, path) = entry.map(|entry| (entry.file_name(), entry.path()))?;
        let target = to.join(&name);
        if path.is_dir() {
            folder(&path, &target)?;
        } else if path.extension().is_some_and(|ending| ending == "yaml") {
            let text = fs::read_to_string(&path)?;
            let mut value: serde_json::Value =
                serde_saphyr::from_str(&text).map_err(|cause| format!("{}: {cause}", path.display()))?;
            if let Some(rule) = value.as_object_mut() {
                rule.remove("examples");
            }
            fs::write(target.with_extension("json"), serde_json::to_vec(&value)?)?;
        }
    }
    Ok(())
}
