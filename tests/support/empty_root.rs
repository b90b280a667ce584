//! A root in which there is nothing but the program, as in a container that was made `FROM scratch`.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use tempfile::TempDir;

use super::needs::{Needed, need};
use super::process::{Output, assert_plain, isolate, output, try_run};

/// Whom the program runs as in there, if the tests run as root; nobody knows a name for it.
const USER: u32 = 65532;

/// Mounts in the root $0 a `/proc`, if $1 names it, and the devices that $2 names, and runs the rest.
const MOUNT: &str = r#"
if [ -n "$1" ]; then mount -t proc proc "$0/proc"; fi
for device in $2; do mount --bind "/$device" "$0/$device"; done
shift 2
exec "$@"
"#;

/// The root. It has `/proc`, as containers have, and a folder `/data` that the program may write to.
pub struct EmptyRoot {
    root: TempDir,
}

impl EmptyRoot {
    pub fn new() -> Needed<Self> {
        super::machine::mounts()?;
        let program = program()?;
        let root = tempfile::tempdir().unwrap();
        // By a process of its own, as in `copy_program`.
        super::run(Command::new("cp").arg(program).arg(root.path().join("lifeboat")));
        for name in ["data", "dev", "proc"] {
            fs::create_dir(root.path().join(name)).unwrap();
        }
        for name in devices().split(' ').filter(|name| !name.is_empty()) {
            fs::write(root.path().join(name), "").unwrap();
        }
        fs::set_permissions(root.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let empty = Self { root };
        empty.hand_over("data");
        Ok(empty)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// Puts a file there that others may read.
    pub fn put(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
    }

    /// Gives a file or a folder to whom the program runs as.
    pub fn hand_over(&self, name: &str) {
        if rustix::process::geteuid().is_root() {
            chown(self.path(name), Some(USER), Some(USER)).unwrap();
        }
    }

    /// The program in there, without an environment.
    pub fn command(&self) -> Command {
        self.command_in(true)
    }

    fn command_in(&self, has_proc: bool) -> Command {
        let by_root = rustix::process::geteuid().is_root();
        let mut command = Command::new("unshare");
        isolate(&mut command);
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        if !by_root {
            command.arg("--map-root-user");
        }
        command.args(["--mount", "--pid", "--fork", "sh", "-ec", MOUNT]).arg(self.root.path());
        command.args([if has_proc { "proc" } else { "" }, devices(), "chroot"]);
        if by_root {
            command.arg(format!("--userspec={USER}:{USER}"));
        }
        command.arg(self.root.path()).arg("/lifeboat");
        command
    }

    /// What the program does in there.
    pub fn lifeboat(&self, arguments: &[&str]) -> Output {
        let out = output(self.command().args(arguments));
        assert_plain(&out);
        out
    }

    /// The same, where not even `/proc` is there.
    pub fn lifeboat_without_proc(&self, arguments: &[&str]) -> Output {
        let out = output(self.command_in(false).args(arguments));
        assert_plain(&out);
        out
    }

    /// Runs the program, which must succeed.
    pub fn run(&self, arguments: &[&str]) -> Output {
        let out = self.lifeboat(arguments);
        assert!(out.success(), "{out}");
        out
    }
}

/// The static program.
pub fn program() -> Needed<&'static Path> {
    static PROGRAM: OnceLock<Result<(TempDir, PathBuf), String>> = OnceLock::new();
    let (_, program) = need("static-libc", PROGRAM.get_or_init(static_program).as_ref())?;
    Ok(program)
}

/// What is mounted besides: where random numbers come from, if not from the system call. `packaging/static` sees to it that they do.
fn devices() -> &'static str {
    if is_given() { "" } else { "dev/random dev/urandom" }
}

/// Whether the static program was built by `packaging/static`.
fn is_given() -> bool {
    std::env::var_os("LIFEBOAT_TEST_STATIC").is_some_and(|given| !given.is_empty())
}

/// The static program: the one that `LIFEBOAT_TEST_STATIC` names, as `packaging/static` built it. Else what is compiled
/// for the tests anyway is linked once more, with the C library in it: that takes seconds, a build of its own minutes.
fn static_program() -> Result<(TempDir, PathBuf), String> {
    let folder = tempfile::tempdir().map_err(|e| format!("cannot make a folder: {e}"))?;
    if is_given() {
        return Ok((folder, std::env::var_os("LIFEBOAT_TEST_STATIC").unwrap_or_default().into()));
    }
    let (library, dependencies) = library()?;
    let program = folder.path().join("lifeboat");
    // As build.rs does, which knows of no glibc in the program here.
    let names = folder.path().join("names.o");
    try_run(
        Command::new("cc").args(["-c", concat!(env!("CARGO_MANIFEST_DIR"), "/packaging/names.c"), "-o"]).arg(&names),
    )?;
    let mut rustc = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    rustc.current_dir(env!("CARGO_MANIFEST_DIR")).args([
        "--edition=2024",
        "--crate-name=lifeboat",
        "src/main.rs",
        "-o",
    ]);
    rustc.arg(&program).args(["-C", "target-feature=+crt-static", "--extern"]);
    rustc.arg(format!("lifeboat={}", library.display()));
    rustc
        .args(["-C", &format!("link-arg={}", names.display()), "-L"])
        .arg(format!("dependency={}", dependencies.display()));
    try_run(&mut rustc)?;
    Ok((folder, program))
}

/// The library that the program under test is made of, and the folder of what that is made of: of all that cargo has put there, for
/// whatever it was asked to build, the last one that was there before these tests were. A stranger's cannot be taken for it: it
/// would not fit to what it needs.
fn library() -> Result<(PathBuf, PathBuf), String> {
    let failed = |error: std::io::Error| format!("cannot look for the library: {error}");
    let tests = std::env::current_exe().map_err(failed)?;
    let tests_made = tests.metadata().and_then(|about| about.modified()).map_err(failed)?;
    let folder = tests.parent().ok_or("the tests are in no folder")?;
    let mut newest = None;
    for file in fs::read_dir(folder).map_err(failed)?.flatten() {
        let name = file.file_name();
        let name = name.to_string_lossy();
        if name.starts_with("liblifeboat-") && name.ends_with(".rlib") {
            let made = file.metadata().and_then(|about| about.modified()).map_err(failed)?;
            if made <= tests_made {
                newest = newest.max(Some((made, file.path())));
            }
        }
    }
    let (_, library) = newest.ok_or_else(|| format!("there is none in {}", folder.display()))?;
    Ok((library, folder.to_path_buf()))
}
