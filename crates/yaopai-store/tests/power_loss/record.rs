//! Records what the store does to its folder: a child process works under strace, and its system calls become operations on
//! files. Whatever the model of the disk doesn't know is an error, not left out.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use crate::disk::{Disk, Everything};
use crate::strace::{self, Arg, Call};
use crate::workload::{DATABASE_FOLDER, child_env, said};

/// A file, whatever its name is or was.
pub type FileId = usize;
/// Names and what they hold.
pub type Files = BTreeMap<String, Vec<u8>>;

/// What was done to the folder, in order.
#[derive(Debug, Clone)]
pub enum Op {
    Create {
        name: String,
        file: FileId,
    },
    Unlink {
        name: String,
    },
    Write {
        file: FileId,
        at: usize,
        data: Arc<[u8]>,
    },
    Length {
        file: FileId,
        bytes: usize,
    },
    Sync {
        file: FileId,
    },
    SyncFolder,
    /// The caller of this call has had its answer.
    Said {
        call: usize,
    },
}

pub struct Trace {
    /// What lay in the folder before. File `n` is the `n`th of them.
    pub before: Files,
    pub ops: Vec<Op>,
    /// What each file was called when it was created.
    names: Vec<String>,
}

/// All that can change a file, a folder or what a file descriptor means.
const TRACED: &str = "trace=open,openat,openat2,creat,close,dup,dup2,dup3,write,pwrite64,writev,pwritev,pwritev2,truncate,\
    ftruncate,fallocate,fsync,fdatasync,sync,syncfs,sync_file_range,msync,unlink,unlinkat,rename,renameat,renameat2,link,\
    linkat,symlink,symlinkat,mkdir,mkdirat,rmdir,copy_file_range,sendfile,splice,mmap";

/// SQLite rebuilds the index of the log after a crash, whatever is in it: it is mapped into memory and never made durable.
pub fn is_index(name: &str) -> bool {
    name.ends_with("-shm")
}

/// Has a child make these calls on these files. What it did, replayed, must give the files that it left.
pub fn record(before: &Files, calls: &Range<usize>) -> Trace {
    let root = tempfile::tempdir().unwrap();
    let root = root.path().canonicalize().unwrap();
    let folder = root.join(DATABASE_FOLDER);
    put(&folder, before);
    let trace = root.join("trace");
    let status = Command::new("strace")
        .args(["-f", "--seccomp-bpf", "-xx", "-s", "1000000", "-e", TRACED, "-o"])
        .arg(&trace)
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "what_was_answered_survives_power_loss", "--nocapture"])
        .envs(child_env(&root, calls))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()
        .expect("strace is installed (scripts/setup)");
    assert!(status.success(), "{status}");
    let after = take(&folder);
    let mut reader = Reader::new(&root, before);
    strace::parse(&std::fs::read_to_string(&trace).unwrap()).iter().for_each(|call| reader.read(call));
    let trace = Trace { before: before.clone(), ops: reader.ops, names: reader.created };
    let mut disk = Disk::new(before);
    trace.ops.iter().for_each(|op| disk.apply(op));
    assert!(disk.after_crash(&mut Everything) == after, "replayed whole, the trace gives the files that are there");
    trace
}

/// Writes files into a new folder.
pub fn put(folder: &Path, files: &Files) {
    std::fs::create_dir(folder).unwrap();
    for (name, bytes) in files {
        std::fs::write(folder.join(name), bytes).unwrap();
    }
}

/// Reads all files of a folder but the index.
fn take(folder: &Path) -> Files {
    let file = |path: PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        (!is_index(&name)).then(|| (name, std::fs::read(path).unwrap()))
    };
    std::fs::read_dir(folder).unwrap().filter_map(|entry| file(entry.unwrap().path())).collect()
}

/// What a file descriptor of the child means.
#[derive(Clone, Copy)]
enum Handle {
    File(FileId),
    Folder,
    Index,
    Said,
}

struct Reader {
    folder: String,
    said: String,
    names: HashMap<String, FileId>,
    created: Vec<String>,
    open: HashMap<i64, Handle>,
    ops: Vec<Op>,
}

impl Reader {
    fn new(root: &Path, before: &Files) -> Self {
        Self {
            folder: root.join(DATABASE_FOLDER).to_str().unwrap().to_owned(),
            said: said(root).to_str().unwrap().to_owned(),
            names: before.keys().cloned().zip(0..).collect(),
            created: before.keys().cloned().collect(),
            open: HashMap::new(),
            ops: Vec::new(),
        }
    }

    fn read(&mut self, call: &Call) {
        if call.returned < 0 {
            return;
        }
        match call.name.as_str() {
            "openat" => self.opened(call),
            "close" => drop(self.open.remove(&call.number(0))),
            "pwrite64" => self.wrote(call, call.number(3)),
            "write" => match self.handle(call, 0) {
                Some(Handle::Said) => {
                    let call = u32::from_be_bytes(call.bytes(1).try_into().unwrap());
                    self.ops.push(Op::Said { call: call as usize });
                }
                None => {}
                Some(_) => panic!("the model knows no appending: {call:?}"),
            },
            "ftruncate" => {
                if let Some(Handle::File(file)) = self.handle(call, 0) {
                    self.ops.push(Op::Length { file, bytes: call.number(1).try_into().unwrap() });
                }
            }
            "fsync" | "fdatasync" => match self.handle(call, 0) {
                Some(Handle::File(file)) => self.ops.push(Op::Sync { file }),
                Some(Handle::Folder) => self.ops.push(Op::SyncFolder),
                Some(Handle::Index | Handle::Said) | None => {}
            },
            "unlink" => {
                if let Some(name) = self.name(call, 0).filter(|name| !is_index(name)) {
                    assert!(self.names.remove(&name).is_some(), "{call:?}");
                    self.ops.push(Op::Unlink { name });
                }
            }
            "mmap" => match self.handle(call, 4) {
                Some(Handle::File(_) | Handle::Said) if call.has(3, "MAP_SHARED") && call.has(2, "PROT_WRITE") => {
                    panic!("what is written through memory is in no trace: {call:?}")
                }
                _ => {}
            },
            "writev" => assert!(self.handle(call, 0).is_none(), "not known to the model: {call:?}"),
            _ => self.knows_nothing_of(call),
        }
    }

    fn opened(&mut self, call: &Call) {
        let handle = match call.bytes(1) {
            path if path == self.folder.as_bytes() => Handle::Folder,
            path if path == self.said.as_bytes() => Handle::Said,
            _ => match self.name(call, 1) {
                None => {
                    // A number that was ours and is not any more.
                    self.open.remove(&call.returned);
                    return;
                }
                Some(name) if is_index(&name) => Handle::Index,
                Some(name) => {
                    assert!(
                        !call.has(2, "O_TRUNC") && !call.has(2, "O_APPEND"),
                        "the model has no such file: {call:?}"
                    );
                    Handle::File(self.file(name))
                }
            },
        };
        self.open.insert(call.returned, handle);
    }

    /// The file of this name, which is new if there was none.
    fn file(&mut self, name: String) -> FileId {
        if let Some(file) = self.names.get(&name) {
            return *file;
        }
        let file = self.created.len();
        self.created.push(name.clone());
        self.names.insert(name.clone(), file);
        self.ops.push(Op::Create { name, file });
        file
    }

    fn wrote(&mut self, call: &Call, at: i64) {
        let wrote = usize::try_from(call.returned).unwrap();
        match self.handle(call, 0) {
            Some(Handle::File(file)) => {
                let data = call.bytes(1)[..wrote].into();
                self.ops.push(Op::Write { file, at: at.try_into().unwrap(), data });
            }
            Some(Handle::Index) | None => {}
            Some(Handle::Folder | Handle::Said) => panic!("{call:?}"),
        }
    }

    fn handle(&self, call: &Call, arg: usize) -> Option<Handle> {
        // Anonymous memory has no file: -1.
        self.open.get(&call.number(arg)).copied()
    }

    /// The name of a file in the folder.
    fn name(&self, call: &Call, arg: usize) -> Option<String> {
        let path = String::from_utf8_lossy(call.bytes(arg)).into_owned();
        path.strip_prefix(&self.folder)?.strip_prefix('/').map(str::to_owned)
    }

    /// Any other call is no matter as long as it is about other files.
    fn knows_nothing_of(&self, call: &Call) {
        for arg in &call.args {
            match arg {
                Arg::Bytes(path) => {
                    assert!(!path.starts_with(self.folder.as_bytes()), "not known to the model: {call:?}");
                }
                Arg::Number(number) => assert!(!self.open.contains_key(number), "not known to the model: {call:?}"),
                Arg::Word(_) => {}
            }
        }
    }
}

impl Trace {
    /// Is it a write-ahead log?
    pub fn is_log(&self, file: FileId) -> bool {
        self.names[file].ends_with("-wal")
    }

    /// The same without the operations that this says no to. It is shown each as the last of all up to it.
    pub fn only(&self, keep: &dyn Fn(&[Op]) -> bool) -> Self {
        let kept = (0..self.ops.len()).filter(|n| keep(&self.ops[..=*n])).map(|n| self.ops[n].clone()).collect();
        Self { before: self.before.clone(), ops: kept, names: self.names.clone() }
    }

    /// The same, with the answers of every so manieth call given when the call before was answered.
    pub fn said_early(&self, every: usize) -> Self {
        let mut ops: Vec<Op> = Vec::new();
        for op in &self.ops {
            let early = matches!(op, Op::Said { call } if call % every == 0);
            let before = ops.iter().rposition(|op| matches!(op, Op::Said { .. })).map_or(0, |n| n + 1);
            ops.insert(if early { before } else { ops.len() }, op.clone());
        }
        Self { before: self.before.clone(), ops, names: self.names.clone() }
    }

    /// A trace in which nothing rare happens would prove little. Answers what happens.
    pub fn holds_what_it_is_for(&self) -> String {
        let count = |of: &dyn Fn(&Op) -> bool| self.ops.iter().filter(|op| of(op)).count();
        let to_database = |op: &Op| matches!(op, Op::Write { file, .. } if !self.is_log(*file));
        let checkpoints = self.ops.windows(2).filter(|ops| !to_database(&ops[0]) && to_database(&ops[1])).count();
        let restarts = count(&|op| matches!(op, Op::Write { file, at: 0, .. } if self.is_log(*file)));
        let cuts = count(&|op| matches!(op, Op::Length { file, bytes } if self.is_log(*file) && *bytes > 0));
        let unlinks = count(&|op| matches!(op, Op::Unlink { .. }));
        let holds = format!(
            "{} operations; {checkpoints} checkpoints; the log begun anew {restarts} times, cut {cuts} times; {unlinks} \
             files removed",
            self.ops.len()
        );
        assert!(checkpoints >= 20 && restarts >= 20 && cuts >= 5 && unlinks >= 5, "{holds}");
        holds
    }
}
