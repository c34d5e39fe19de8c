//! Reads what strace writes: one line a call, or two if another thread's came in between.

use std::collections::HashMap;

/// A system call that has returned, in the order in which calls were entered; those that make durable, in which they
/// returned.
#[derive(Debug, PartialEq)]
pub struct Call {
    pub name: String,
    pub args: Vec<Arg>,
    /// -1 is an error.
    pub returned: i64,
}

#[derive(Debug, PartialEq, Clone)]
pub enum Arg {
    Number(i64),
    Bytes(Vec<u8>),
    /// Flags, pointers, `AT_FDCWD`.
    Word(String),
}

/// What is taken for made only once it has returned: whatever it is about may be lost before.
fn makes_durable(name: &str) -> bool {
    matches!(name, "fsync" | "fdatasync")
}

/// Parses a whole trace (`strace -f -xx -o FILE`).
pub fn parse(text: &str) -> Vec<Call> {
    // A place is taken when a call is entered, and filled when it has returned.
    let mut calls: Vec<Option<Call>> = Vec::new();
    let mut unfinished: HashMap<&str, (usize, String)> = HashMap::new();
    for line in text.lines() {
        let (thread, rest) = line.split_once(' ').unwrap_or_else(|| panic!("no thread: {line}"));
        let rest = rest.trim_start();
        if rest.starts_with("+++") || rest.starts_with("---") {
            continue;
        }
        let (place, whole) = if let Some(begun) = rest.strip_suffix("<unfinished ...>") {
            let before = unfinished.insert(thread, (calls.len(), begun.trim_end().to_owned()));
            assert!(before.is_none(), "a thread makes one call at a time: {line}");
            calls.push(None);
            continue;
        } else if let Some(resumed) = rest.strip_prefix("<... ") {
            let (place, begun) = unfinished.remove(thread).unwrap_or_else(|| panic!("never begun: {line}"));
            let (_, end) = resumed.split_once(" resumed>").unwrap();
            (place, begun + end)
        } else {
            calls.push(None);
            (calls.len() - 1, rest.to_owned())
        };
        // Ended by the end of the process.
        let Some(call) = call(&whole) else { continue };
        if makes_durable(&call.name) {
            calls.push(Some(call));
        } else {
            calls[place] = Some(call);
        }
    }
    // Begun and never ended: the process was gone. Only its last acts could be among them, and nobody was told of those.
    calls.into_iter().flatten().collect()
}

fn call(whole: &str) -> Option<Call> {
    let (made, returned) = whole.rsplit_once(" = ").unwrap_or_else(|| panic!("no answer: {whole}"));
    let returned = returned.split(' ').next().unwrap_or_default();
    if returned == "?" {
        return None;
    }
    let (name, args) = made.trim_end().strip_suffix(')').and_then(|m| m.split_once('(')).unwrap();
    let returned = match returned.strip_prefix("0x") {
        Some(hex) => i64::from_str_radix(hex, 16),
        None => returned.parse(),
    };
    let args = args.split(", ").map(arg).collect();
    Some(Call { name: name.to_owned(), args, returned: returned.unwrap_or_else(|_| panic!("{whole}")) })
}

fn arg(text: &str) -> Arg {
    if let Some(quoted) = text.strip_prefix('"') {
        let hex = quoted.strip_suffix('"').unwrap_or_else(|| panic!("cut short: {text}"));
        let digit = |c: u8| (c as char).to_digit(16).unwrap() as u8;
        Arg::Bytes(hex.as_bytes().chunks_exact(4).map(|c| digit(c[2]) << 4 | digit(c[3])).collect())
    } else {
        text.parse().map_or_else(|_| Arg::Word(text.to_owned()), Arg::Number)
    }
}

impl Call {
    /// An argument that is a file descriptor, an offset or a length.
    pub fn number(&self, n: usize) -> i64 {
        match &self.args[n] {
            Arg::Number(number) => *number,
            other => panic!("{}: {other:?}", self.name),
        }
    }

    pub fn bytes(&self, n: usize) -> &[u8] {
        match &self.args[n] {
            Arg::Bytes(bytes) => bytes,
            other => panic!("{}: {other:?}", self.name),
        }
    }

    /// Is this flag among those of an argument?
    pub fn has(&self, n: usize, flag: &str) -> bool {
        matches!(&self.args[n], Arg::Word(flags) if flags.split('|').any(|f| f == flag))
    }
}

#[test]
fn lines_of_several_threads() {
    let trace = "\
7  openat(AT_FDCWD, \"\\x2f\\x61\", O_RDWR|O_CREAT, 0600) = 3
7  pwrite64(3, \"\\x00\\xff\", 2, 4096 <unfinished ...>
8  write(1, \"\\x6f\\x6b\", 2)           = 2
7  <... pwrite64 resumed>)           = 2
7  fsync(3 <unfinished ...>
8  write(1, \"\\x6f\", 1)           = 1
8  openat(AT_FDCWD, \"\\x2f\\x62\", O_RDONLY) = -1 ENOENT (No such file or directory)
7  <... fsync resumed>)              = 0
8  --- SIGCHLD {si_signo=SIGCHLD} ---
8  mmap(NULL, 32768, PROT_READ|PROT_WRITE, MAP_SHARED, 3, 0) = 0x7fdc28a44000
8  write(1, \"\\x6f\", 1 <unfinished ...>
7  exit_group(0)                     = ?
8  <... write resumed>)              = ?
7  +++ exited with 0 +++
";
    let calls = parse(trace);
    let short: Vec<_> = calls.iter().map(|c| (c.name.as_str(), c.returned)).collect();
    let mapped = 0x7fdc_28a4_4000;
    let expected =
        [("openat", 3), ("pwrite64", 2), ("write", 2), ("write", 1), ("openat", -1), ("fsync", 0), ("mmap", mapped)];
    assert_eq!(short, expected);
    assert!(calls[0].has(2, "O_CREAT") && !calls[4].has(2, "O_CREAT"));
    assert_eq!((calls[1].bytes(1), calls[1].number(3)), (&[0, 255][..], 4096));
}

#[test]
#[should_panic(expected = "cut short")]
fn a_write_that_was_not_recorded_whole_is_an_error() {
    parse("7  write(1, \"\\x6f\\x6b\"..., 200) = 200\n");
}
