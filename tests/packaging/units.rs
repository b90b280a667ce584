//! The units for systemd: what systemd says to them, and what the commands in them do.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use super::{path, text};
use crate::support::process::isolate;
use crate::support::{Output, Scene, debian, output, run};

const SERVICE: &str = "systemd/lifeboat-backup@.service";

/// A root with the units in it, and what they name.
fn installed() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    let units = root.path().join("usr/lib/systemd/system");
    fs::create_dir_all(&units).unwrap();
    for name in ["service", "timer"] {
        fs::copy(path(&format!("systemd/lifeboat-backup@.{name}")), units.join(format!("lifeboat-backup@.{name}")))
            .unwrap();
    }
    for name in ["sysinit", "basic", "shutdown", "timers", "network-online"] {
        fs::write(units.join(format!("{name}.target")), "[Unit]\nDescription=A target\n").unwrap();
    }
    let programs = root.path().join("usr/bin");
    fs::create_dir(&programs).unwrap();
    // By a process of its own, as in `copy_program`.
    run(Command::new("cp").arg("/bin/true").arg(programs.join("lifeboat")));
    root
}

fn analyze(root: &tempfile::TempDir, arguments: &[&str]) -> Result<Output, String> {
    let mut command = debian::program_of("systemd", "systemd-analyze")?;
    isolate(&mut command).arg("--no-pager").arg(format!("--root={}", root.path().display())).args(arguments);
    Ok(output(&mut command))
}

#[test]
fn systemd_understands_them_and_calls_them_safe() {
    let root = installed();
    let analyze = |arguments: &[&str]| crate::support::needs::need("systemd", analyze(&root, arguments));
    let verify = |unit: &str| analyze(&["verify", "--man=no", unit]);
    for unit in ["lifeboat-backup@app.service", "lifeboat-backup@app.timer"] {
        let out = needed!(verify(unit));
        assert_eq!((out.code(), out.stderr().as_str()), (0, ""), "{out}");
    }
    // From 0 to 100: how far the service could get if it turned against the machine. A backup needs the network and its files.
    let unit = "lifeboat-backup@app.service";
    let out = needed!(analyze(&["security", "--offline=true", "--threshold=16", unit]));
    assert!(out.success(), "{out}");

    // That it could say otherwise.
    let service = root.path().join("usr/lib/systemd/system/lifeboat-backup@.service");
    fs::write(&service, fs::read_to_string(&service).unwrap().replace("RemoveIPC=yes", "RemoveTCP=yes")).unwrap();
    assert!(needed!(verify(unit)).stderr().contains("RemoveTCP"));
}

/// The command of a line of the unit, as systemd makes it for the instance `app`, whose state is in the folder of the scene.
fn command(scene: &Scene, setting: &str, variables: &[(&str, &str)]) -> Command {
    let unit = text(SERVICE);
    let line = unit.lines().find_map(|line| line.strip_prefix(&format!("{setting}="))).unwrap();
    let state = scene.folder().display().to_string();
    // Two percent signs stand for one, whatever comes after them.
    let parts: Vec<String> = line.split("%%").map(|part| part.replace("%S", &state).replace("%i", "app")).collect();
    let line = parts.join("%");
    let mut words = Vec::new();
    for word in line.split(' ') {
        let word =
            variables.iter().fold(word.to_owned(), |word, (name, value)| word.replace(&format!("${{{name}}}"), value));
        match word.strip_prefix('$') {
            // By itself, a variable stands for as many words as there are in it.
            Some(name) => {
                let value = variables.iter().find(|(known, _)| *known == name).unwrap().1;
                words.extend(value.split_whitespace().map(str::to_owned));
            }
            None => words.push(word),
        }
    }
    let program = words.remove(0);
    assert_eq!(program, "/usr/bin/lifeboat");
    let mut command = crate::support::lifeboat();
    command.args(words).current_dir(scene.folder());
    command
}

#[test]
fn its_command_makes_a_backup_and_removes_old_ones() {
    let scene = Scene::new();
    scene.database("a.db", "delete", 1);
    fs::write(scene.path("url"), "sqlite:///a.db\n").unwrap();
    // As the folder of a service's state is, whose user exists only meanwhile.
    fs::create_dir_all(scene.path("private/app")).unwrap();
    fs::create_dir(scene.path("lifeboat")).unwrap();
    symlink("../private/app", scene.path("lifeboat/app")).unwrap();
    let names = || {
        let files = fs::read_dir(scene.path("private/app")).unwrap();
        let mut names: Vec<String> = files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    let variables = [("OPTIONS", "--compact --latest latest"), ("KEEP", "last=1"), ("CREDENTIALS_DIRECTORY", ".")];
    run(&mut command(&scene, "ExecStart", &variables));
    let first = names();
    assert!(first.len() == 2 && first[0].starts_with("a-20") && first[0].ends_with(".backup"), "{first:?}");
    assert_eq!(first[1], format!("{}.sha256", first[0]));
    // The next one would have its name, if it were made in the same second.
    let private = scene.path("private/app");
    fs::rename(private.join(&first[0]), private.join("a-older.backup")).unwrap();
    fs::remove_file(private.join(&first[1])).unwrap();
    fs::write(private.join("other.backup"), "no backup").unwrap();
    // Without any more options, too.
    let out = run(&mut command(&scene, "ExecStart", &[("OPTIONS", ""), variables[1], variables[2]]));
    let left = names();
    assert!(left.len() == 3 && !left.contains(&"a-older.backup".to_owned()), "{left:?}: {out}");
    assert_eq!(left[2], "other.backup");
}
