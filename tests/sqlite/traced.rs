//! Runs that are stopped, killed or made to fail at one of their system calls: what races is forced into an order.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use crate::support::needs::Needed;
use crate::support::process::{isolate, try_run};
use crate::support::wait::wait_until;
use crate::support::{Output, Running, Scene, debian, machine, needs, output, run};

/// The program under strace, which does to it what `inject` says; its log is `trace` in the scene.
pub fn traced(scene: &Scene, inject: &[&str], arguments: &[&str]) -> Command {
    let mut command = debian::required("strace");
    let calls: Vec<&str> = inject.iter().filter_map(|inject| inject.split(':').next()).collect();
    let calls = format!("trace=rename,renameat2,linkat,unlink,fsync,fchown,fsetxattr,{}", calls.join(","));
    command.args(["-f", "-o", "trace", "-e", &calls]);
    // Other calls are many, and stay as fast as they are; but no signal can be sent at one that only the kernel's filter reports.
    if !inject.iter().any(|inject| inject.contains("signal=")) {
        command.arg("--seccomp-bpf");
    }
    for inject in inject {
        command.args(["-e", &format!("inject={inject}")]);
    }
    command.arg(env!("CARGO_BIN_EXE_lifeboat")).args(arguments).current_dir(scene.path("."));
    isolate(&mut command);
    command
}

/// What puts a run into a process namespace of its own, as in a container: it sees no other process.
const ALONE: [&str; 5] = ["unshare", "--mount", "--pid", "--fork", "--mount-proc"];

/// `command` in a process namespace of its own, where this user may make one.
pub fn alone(scene: &Scene, command: &Command) -> Needed<Command> {
    static MAY: OnceLock<Result<(), String>> = OnceLock::new();
    machine::root()?;
    let may = MAY.get_or_init(|| try_run(Command::new(ALONE[0]).args(&ALONE[1..]).arg("true")).map(drop));
    needs::need("process-namespaces", may.as_ref())?;
    Ok(run_by(scene, &ALONE, command))
}

/// `command`, which another program runs.
pub fn run_by(scene: &Scene, by: &[&str], command: &Command) -> Command {
    let mut outer = Command::new(by[0]);
    outer.args(&by[1..]).arg(command.get_program()).args(command.get_args()).current_dir(scene.folder());
    outer.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    isolate(&mut outer);
    outer
}

/// Runs the program with such a fault to its end.
pub fn with_fault(scene: &Scene, inject: &str, arguments: &[&str]) -> Output {
    let mut command = traced(scene, &[inject], arguments);
    // Looking at many processes takes its time under strace.
    let out = output(alone(scene, &command).as_mut().unwrap_or(&mut command));
    fs::remove_file(scene.path("trace")).unwrap();
    out
}

/// A run that stands still.
pub struct Stopped {
    running: Option<Running>,
    log: PathBuf,
}

impl Stopped {
    /// Starts a run and waits until it was stopped right after the `call`, as in `rename:when=1`.
    pub fn at(scene: &Scene, call: &str, arguments: &[&str]) -> Self {
        let (name, when) = call.split_once(':').unwrap();
        let mut command = traced(scene, &[&format!("{name}:signal=SIGSTOP:{when}")], arguments);
        Self::of(scene, &mut command)
    }

    pub fn of(scene: &Scene, command: &mut Command) -> Self {
        let (mut running, log) = (Running::start(command), scene.path("trace"));
        wait_until("a run that stands still", || {
            let has_ended = running.has_ended();
            let text = fs::read_to_string(&log).unwrap_or_default();
            let is_stopped = text.contains("--- stopped by SIGSTOP ---");
            assert!(is_stopped || !has_ended, "it was not stopped: {text}");
            is_stopped
        });
        Self { running: Some(running), log }
    }

    /// Sends it a signal, which it gets when it goes on.
    pub fn send(&self, signal: &str) {
        for pid in self.processes() {
            run(Command::new("kill").args(["-s", signal, &pid.to_string()]));
        }
    }

    /// Lets it go on, to its end.
    pub fn go_on(mut self) -> Output {
        for pid in self.processes() {
            output(Command::new("kill").args(["-s", "CONT", &pid.to_string()]));
        }
        let out = self.running.take().unwrap().end();
        fs::remove_file(&self.log).unwrap();
        out
    }

    /// What strace runs.
    fn processes(&self) -> Vec<u32> {
        self.running.as_ref().map_or_else(Vec::new, |running| descendants(running.pid()))
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        for pid in self.processes() {
            output(Command::new("kill").args(["-s", "KILL", &pid.to_string()]));
        }
        if let Some(running) = self.running.take() {
            running.kill();
        }
    }
}

/// The processes that `pid` has started, and they.
fn descendants(pid: u32) -> Vec<u32> {
    let mut found = Vec::new();
    let mut left = vec![pid];
    while let Some(pid) = left.pop() {
        let Ok(tasks) = fs::read_dir(format!("/proc/{pid}/task")) else { continue };
        for task in tasks.filter_map(Result::ok) {
            let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
            let children: Vec<u32> = children.split_whitespace().map(|pid| pid.parse().unwrap()).collect();
            found.extend(&children);
            left.extend(children);
        }
    }
    found
}
