//! The examples: that they keep to their schemas, and that lifeboat understands what they tell it to do.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::{path, text};
use crate::support::needs::{self, Needed};
use crate::support::process::try_run;
use crate::support::{Output, Scene, cache, output, run};

/// Programs that know the schemas, as PyPI has them.
fn checkers() -> Needed<PathBuf> {
    let got = cache::directory("schemas-1", |dir| {
        let mut pip = Command::new("python3");
        pip.args(["-m", "pip", "install", "--quiet", "--only-binary=:all:", "--no-warn-script-location", "--target"]);
        pip.arg(dir).args(["check-jsonschema==0.39.0", "kubernetes-validate==1.37.0"]);
        try_run(&mut pip).map(drop)
    });
    needs::need("schemas", got)
}

fn python(checkers: &Path) -> Command {
    let mut command = Command::new("python3");
    command.env("PYTHONPATH", checkers).env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

/// Holds a file against a schema that the checker has.
fn check(checkers: &Path, schema: &str, file: &Path) -> Output {
    let mut command = python(checkers);
    match schema {
        "kubernetes" => command.args(["-m", "kubernetes_validate", "--strict"]),
        _ => command.args(["-m", "check_jsonschema", "--builtin-schema", schema]),
    };
    output(command.arg(file))
}

#[test]
fn they_keep_to_their_schemas() {
    let checkers = needed!(checkers());
    let scene = Scene::new();
    // Each with something that would be a mistake in it.
    for (name, schema, right, wrong) in [
        ("examples/kubernetes.yaml", "kubernetes", "concurrencyPolicy:", "concurencyPolicy:"),
        ("examples/compose.yaml", "vendor.compose-spec", "profiles:", "profile:"),
        ("examples/github-actions.yml", "vendor.github-workflows", "runs-on:", "run-on:"),
        ("../.github/workflows/release.yml", "vendor.github-workflows", "timeout-minutes:", "timeout:"),
    ] {
        let out = check(&checkers, schema, &path(name));
        assert!(out.success(), "{name}: {out}");
        let broken = scene.path("broken.yaml");
        assert!(text(name).contains(right), "{name}");
        fs::write(&broken, text(name).replace(right, wrong)).unwrap();
        let out = check(&checkers, schema, &broken);
        assert!(!out.success(), "{name}: {out}");
    }
}

/// The words that the examples have lifeboat do, found in a file by the path that leads to them.
const COMMANDS: &str = r#"
import json, sys, yaml
documents = list(yaml.safe_load_all(open(sys.argv[1])))
if len(documents) > 1:
    pod = documents[-1]["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    commands = [one["args"] for one in pod["containers"]]
else:
    services = documents[0]["services"].values()
    commands = [one["command"] for one in services if one["image"] == "lifeboat"]
print(json.dumps(commands))
"#;

#[test]
fn lifeboat_understands_their_commands() {
    let checkers = needed!(checkers());
    let scene = Scene::new();
    scene.database("notes.db", "wal", 1);
    let mut done = 0;
    for name in ["kubernetes.yaml", "compose.yaml"] {
        let file = path(&format!("examples/{name}"));
        let told = run(python(&checkers).args(["-c", COMMANDS]).arg(file)).json();
        for command in told.as_array().unwrap() {
            let words = command.as_array().unwrap().iter().map(|word| Value::as_str(word).unwrap());
            let here = scene.folder().display().to_string();
            let words: Vec<String> = words
                .map(|word| {
                    word.replace("/backups/", &format!("{here}/backups/")).replace("/data/", &format!("{here}/"))
                })
                .collect();
            let mut command = crate::support::lifeboat();
            command.current_dir(scene.folder()).env("LIFEBOAT_DATABASE_URL", "sqlite:///notes.db").args(words);
            run(&mut command);
            done += 1;
            fs::remove_dir_all(scene.path("backups")).unwrap();
        }
    }
    assert_eq!(done, 3);
}
