//! A file system that lacks what others have, as network file systems and shared folders do: by FUSE, in memory, with one
//! folder. It is mounted where only one shell and its children see it, and gone with them.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::{File, OpenOptions};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use fuser::{
    Config, Errno, FileAttr, FileHandle, FileType, Filesystem, FopenFlags, Generation, INodeNo, LockOwner, OpenFlags,
    RenameFlags, ReplyAttr, ReplyCreate, ReplyData, ReplyDirectory, ReplyEmpty, ReplyEntry, ReplyOpen, ReplyWrite,
    Request, Session, SessionACL, TimeOrNow, WriteFlags,
};

use super::needs::{self, Needed};
use super::{Output, lifeboat, machine};

/// What the file system can do. It never has files without a name.
#[derive(Debug, Clone, Copy)]
pub struct Can {
    pub hard_links: bool,
    pub rename: bool,
    /// Renaming to a name that must not be there.
    pub rename_new: bool,
    /// Other permissions and owners than everything has.
    pub chmod: bool,
    /// Flushing folders.
    pub flush_folders: bool,
    /// Names that differ by capital letters only.
    pub tell_case: bool,
}

impl Can {
    /// Everything but files without a name.
    pub const ALL: Can =
        Can { hard_links: true, rename: true, rename_new: true, chmod: true, flush_folders: true, tell_case: true };
    /// Renaming, as files are renamed since ever.
    pub const RENAME_ONLY: Can = Can {
        hard_links: false,
        rename: true,
        rename_new: false,
        chmod: false,
        flush_folders: false,
        tell_case: false,
    };
}

/// Runs a script for bash in a folder on such a file system, `$0` being lifeboat.
pub fn on(can: Can, script: &str, variables: &[(&str, &str)]) -> Needed<Output> {
    machine::root()?;
    let opened = OpenOptions::new().read(true).write(true).open("/dev/fuse");
    let device = needs::need("fuse", opened.map_err(|e| format!("/dev/fuse: {e}")))?;
    let folder = tempfile::tempdir().unwrap();
    let mounted = format!(
        "mount -i -t fuse -o fd=0,rootmode=40000,user_id=0,group_id=0,allow_other strange . && exec </dev/null && cd \"$PWD\" || exit 99
        {script}"
    );
    let mut command = Command::new("unshare");
    command.args(["--mount", "--propagation", "private", "bash", "-c", &mounted, env!("CARGO_BIN_EXE_lifeboat")]);
    let same = lifeboat();
    command.envs(same.get_envs().filter_map(|(name, value)| Some((name, value?)))).envs(variables.iter().copied());
    command.stdin(Stdio::from(device.try_clone().unwrap())).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.current_dir(folder.path()).spawn().unwrap();
    let serving = serve(can, device);
    let out = Output::of(script, child.wait_with_output().unwrap());
    drop(command);
    serving.join().unwrap();
    let mounted = out.status.code() != Some(99);
    needs::need("fuse", mounted.then_some(out.clone()).ok_or(out))
}

/// Serves until it is unmounted, or was never mounted.
fn serve(can: Can, device: File) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        // Before it is mounted there is nothing to serve, and that is an error each time; two minutes is where hope ends.
        for _ in 0..24_000 {
            let fd = OwnedFd::from(device.try_clone().unwrap());
            match Session::from_fd(Strange::new(can), fd, SessionACL::All, Config::default()) {
                Ok(session) => {
                    drop(device);
                    // Its end is that of the mount.
                    let _ = session.run();
                    return;
                }
                Err(e) if e.raw_os_error() == Some(rustix::io::Errno::NODEV.raw_os_error()) => return,
                Err(_) => std::thread::sleep(Duration::from_millis(5)),
            }
        }
    })
}

struct Strange {
    can: Can,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    files: BTreeMap<u64, (Vec<u8>, SystemTime)>,
    names: BTreeMap<OsString, u64>,
    last: u64,
}

const NO_TIME: Duration = Duration::ZERO;
const ROOT: u64 = 1;

impl Strange {
    fn new(can: Can) -> Self {
        Self { can, state: Mutex::new(State { last: ROOT, ..State::default() }) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// The name as it is kept.
    fn name(&self, state: &State, name: &OsStr) -> OsString {
        let same = |known: &&OsString| known.as_bytes().eq_ignore_ascii_case(name.as_bytes());
        match state.names.keys().find(same) {
            Some(known) if !self.can.tell_case => known.clone(),
            _ => name.to_owned(),
        }
    }

    fn find(&self, state: &State, name: &OsStr) -> Option<u64> {
        state.names.get(&self.name(state, name)).copied()
    }

    fn about(state: &State, ino: u64) -> Option<FileAttr> {
        let file = state.files.get(&ino);
        let is_folder = ino == ROOT;
        let (size, time) = match file {
            Some((bytes, time)) => (bytes.len() as u64, *time),
            None if is_folder => (0, UNIX_EPOCH),
            None => return None,
        };
        let nlink = state.names.values().filter(|other| **other == ino).count() as u32;
        Some(FileAttr {
            ino: INodeNo(ino),
            size,
            blocks: size.div_ceil(512),
            atime: time,
            mtime: time,
            ctime: time,
            crtime: time,
            kind: if is_folder { FileType::Directory } else { FileType::RegularFile },
            perm: if is_folder { 0o755 } else { 0o600 },
            nlink: if is_folder { 2 } else { nlink },
            uid: 0,
            gid: 0,
            rdev: 0,
            blksize: 4096,
            flags: 0,
        })
    }
}

impl Filesystem for Strange {
    fn lookup(&self, _: &Request, _: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let state = self.state();
        match self.find(&state, name).and_then(|ino| Self::about(&state, ino)) {
            Some(about) => reply.entry(&NO_TIME, &about, Generation(0)),
            None => reply.error(Errno::ENOENT),
        }
    }

    fn getattr(&self, _: &Request, ino: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        match Self::about(&self.state(), ino.0) {
            Some(about) => reply.attr(&NO_TIME, &about),
            None => reply.error(Errno::ENOENT),
        }
    }

    fn setattr(
        &self,
        _: &Request,
        ino: INodeNo,
        mode: Option<u32>,
        uid: Option<u32>,
        gid: Option<u32>,
        size: Option<u64>,
        _: Option<TimeOrNow>,
        _: Option<TimeOrNow>,
        _: Option<SystemTime>,
        _: Option<FileHandle>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<fuser::BsdFileFlags>,
        reply: ReplyAttr,
    ) {
        let mut state = self.state();
        if (mode.is_some() || uid.is_some() || gid.is_some()) && !self.can.chmod {
            return reply.error(Errno::EPERM);
        }
        if let (Some(size), Some((bytes, time))) = (size, state.files.get_mut(&ino.0)) {
            bytes.resize(size as usize, 0);
            *time = SystemTime::now();
        }
        match Self::about(&state, ino.0) {
            Some(about) => reply.attr(&NO_TIME, &about),
            None => reply.error(Errno::ENOENT),
        }
    }

    fn create(&self, _: &Request, _: INodeNo, name: &OsStr, _: u32, _: u32, _: i32, reply: ReplyCreate) {
        let mut state = self.state();
        state.last += 1;
        let ino = state.last;
        state.files.insert(ino, (Vec::new(), SystemTime::now()));
        state.names.insert(name.to_owned(), ino);
        match Self::about(&state, ino) {
            Some(about) => reply.created(&NO_TIME, &about, Generation(0), FileHandle(0), FopenFlags::empty()),
            None => reply.error(Errno::EIO),
        }
    }

    fn open(&self, _: &Request, _: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        reply.opened(FileHandle(0), FopenFlags::empty());
    }

    fn read(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        offset: u64,
        size: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        let state = self.state();
        let bytes = state.files.get(&ino.0).map(|(bytes, _)| bytes.as_slice()).unwrap_or_default();
        let from = (offset as usize).min(bytes.len());
        let to = (from + size as usize).min(bytes.len());
        reply.data(&bytes[from..to]);
    }

    fn write(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        offset: u64,
        data: &[u8],
        _: WriteFlags,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        let mut state = self.state();
        let Some((bytes, time)) = state.files.get_mut(&ino.0) else { return reply.error(Errno::ENOENT) };
        let (from, to) = (offset as usize, offset as usize + data.len());
        if bytes.len() < to {
            bytes.resize(to, 0);
        }
        bytes[from..to].copy_from_slice(data);
        *time = SystemTime::now();
        reply.written(data.len() as u32);
    }

    fn flush(&self, _: &Request, _: INodeNo, _: FileHandle, _: LockOwner, reply: ReplyEmpty) {
        reply.ok();
    }

    fn fsync(&self, _: &Request, _: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        reply.ok();
    }

    fn fsyncdir(&self, _: &Request, _: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        if self.can.flush_folders { reply.ok() } else { reply.error(Errno::EINVAL) }
    }

    fn unlink(&self, _: &Request, _: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        let mut state = self.state();
        let name = self.name(&state, name);
        if state.names.remove(&name).is_some() { reply.ok() } else { reply.error(Errno::ENOENT) }
    }

    fn rename(
        &self,
        _: &Request,
        _: INodeNo,
        from: &OsStr,
        _: INodeNo,
        to: &OsStr,
        flags: RenameFlags,
        reply: ReplyEmpty,
    ) {
        let mut state = self.state();
        if !self.can.rename {
            return reply.error(Errno::EPERM);
        }
        let is_known = self.can.rename_new && flags == RenameFlags::RENAME_NOREPLACE;
        if !flags.is_empty() && !is_known {
            return reply.error(Errno::EINVAL);
        }
        let (from, old) = (self.name(&state, from), self.name(&state, to));
        if !flags.is_empty() && state.names.contains_key(&old) {
            return reply.error(Errno::EEXIST);
        }
        let Some(ino) = state.names.remove(&from) else { return reply.error(Errno::ENOENT) };
        state.names.remove(&old);
        state.names.insert(to.to_owned(), ino);
        reply.ok();
    }

    fn link(&self, _: &Request, ino: INodeNo, _: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let mut state = self.state();
        if !self.can.hard_links {
            return reply.error(Errno::EPERM);
        }
        if self.find(&state, name).is_some() {
            return reply.error(Errno::EEXIST);
        }
        state.names.insert(name.to_owned(), ino.0);
        match Self::about(&state, ino.0) {
            Some(about) => reply.entry(&NO_TIME, &about, Generation(0)),
            None => reply.error(Errno::ENOENT),
        }
    }

    fn readdir(&self, _: &Request, _: INodeNo, _: FileHandle, offset: u64, mut reply: ReplyDirectory) {
        let state = self.state();
        let dots = [(ROOT, FileType::Directory, OsString::from(".")), (ROOT, FileType::Directory, "..".into())];
        let files = state.names.iter().map(|(name, ino)| (*ino, FileType::RegularFile, name.clone()));
        for (at, (ino, kind, name)) in dots.into_iter().chain(files).enumerate().skip(offset as usize) {
            if reply.add(INodeNo(ino), at as u64 + 1, kind, name) {
                break;
            }
        }
        reply.ok();
    }
}
