//! Killed at any moment and started again until it ends, an import leaves what one run would have left, and reports it.

use std::fs::File;
use std::io::{BufWriter, Read as _, Write as _};
use std::path::Path;
use std::time::Duration;

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use rusqlite::{Connection, OpenFlags};

use crate::support::{Ran, World};

/// Fails and conflicts in between, and values that need quotes.
fn write(path: &Path, rows: u64) {
    let mut text = BufWriter::new(File::create(path).unwrap());
    writeln!(text, "openid,user,claims,bound_at\r").unwrap();
    for n in 0..rows {
        let instant = format!("2024-01-{:02}T00:00:{:02}Z", n % 28 + 1, n % 60);
        match n % 100 {
            // The user of the row before.
            17 => writeln!(text, "o{n:0>27},user {},,{instant}\r", n - 1),
            // The identity of the row before.
            34 => writeln!(text, "o{:0>27},user {n},,{instant}\r", n - 1),
            51 => writeln!(text, "o{n:0>27},,,\r"),
            68 => writeln!(text, "o{n:0>27},user {n}\r"),
            // The row before again.
            85 => writeln!(text, "o{:0>27},user {},,\r", n - 1, n - 1),
            m if m % 10 == 0 => {
                writeln!(text, "o{n:0>27},user {n},\"{{\"\"n\"\": {n},\r\n\"\"x\"\": \"\"a,b\"\"}}\",{instant}\r")
            }
            _ => writeln!(text, "o{n:0>27},user {n},,{instant}\r"),
        }
        .unwrap();
    }
    text.flush().unwrap();
}

#[test]
fn as_if_nothing_had_happened() {
    let rows = std::env::var("YAOPAI_IMPORT_ROWS").map_or(50_000, |n| n.parse().unwrap());
    let (whole, cut) = (World::new(), World::new());
    // Many commits, so that many kills fall between a report's write and its commit.
    let batch = (rows / 100).clamp(1, 5000).to_string();
    let more = ["--app", "shop", "--report", "bad.csv", "--batch", &batch];
    let bindings = cut.path("bindings.csv");
    write(&bindings, rows);

    let once = whole.import(&bindings, &more);
    assert_eq!((once.code, once.count("rows read")), (1, rows));
    eprintln!("{}", once.out);

    let took = 1000 * rows / once.count("rows/s").max(1);
    let mut dice = ChaCha20Rng::seed_from_u64(rows);
    let (mut kills, mut output) = (0, None);
    while output.is_none() {
        let mut child = cut.start(&bindings, &more);
        let waits = if kills < 20 { dice.next_u64() % (took / 8).max(20) } else { u64::MAX };
        let mut waited = 0;
        while waited < waits {
            if child.try_wait().unwrap().is_some() {
                break;
            }
            std::thread::sleep(Duration::from_millis(1));
            waited += 1;
        }
        // Harmless if it has ended.
        child.kill().unwrap();
        let mut out = String::new();
        child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
        match child.wait().unwrap().code() {
            Some(code) => output = Some(Ran { code, out, err: String::new() }),
            // All was done and said, and the process was on its way out. Only another run says whether it had noted that.
            None if out.contains("peak memory") => output = Some(Ran { code: 1, out, err: String::new() }),
            None => kills += 1,
        }
    }
    let noted = || -> i64 { cut.database().query_row("SELECT count(*) FROM imports", [], |r| r.get(0)).unwrap() };
    if noted() > 0 {
        output = Some(cut.import(&bindings, &more));
    }
    eprintln!("killed {kills} times");
    assert!(kills > 3, "too few kills to mean anything");
    let last = output.unwrap();
    for name in ["rows read", "bound", "already so", "conflicts", "malformed", "field_count", "identity_has_other_user"]
    {
        assert_eq!(last.count(name), once.count(name), "{name}");
    }
    assert_eq!(last.code, 1);
    assert_eq!(
        last.count("rows read"),
        last.count("bound") + last.count("already so") + last.count("conflicts") + last.count("malformed")
    );
    let report = |world: &World| std::fs::read(world.path("bad.csv")).unwrap();
    assert!(report(&cut) == report(&whole), "the reports differ");
    assert_eq!(cut.differing(&whole), 0, "the databases differ");
    let bound: i64 = cut.database().query_row("SELECT count(user_id) FROM identities", [], |r| r.get(0)).unwrap();
    assert_eq!(bound.cast_unsigned(), once.count("bound"));
    assert_eq!(noted(), 0, "nothing is kept of an import that has ended");
}

/// The first part's problems are in the first part's report only.
#[test]
fn only_with_the_report_that_was_begun() {
    let world = World::new();
    let bindings = world.path("bindings.csv");
    write(&bindings, 5_000);
    let more = ["--app", "shop", "--batch", "50"];
    let with = |report: &[&'static str]| [more.as_slice(), report].concat();
    let begin = |report: &[&'static str]| {
        let mut child = world.start(&bindings, &with(report));
        // Until something is committed.
        loop {
            std::thread::sleep(Duration::from_millis(5));
            assert!(child.try_wait().unwrap().is_none(), "it was too quick");
            let db = Connection::open_with_flags(world.path("yaopai.db"), OpenFlags::SQLITE_OPEN_READ_ONLY);
            let begun = db.and_then(|db| db.query_row("SELECT count(*) FROM imports", [], |r| r.get::<_, i64>(0)));
            if begun.is_ok_and(|n| n > 0) {
                break;
            }
        }
        child.kill().unwrap();
        child.wait().unwrap();
    };
    begin(&["--report", "bad.csv"]);
    assert!(world.import(&bindings, &with(&[])).refused().contains("begun with one: give the same --report again"));
    assert!(world.import(&bindings, &with(&["--report", "other.csv"])).refused().contains("this is not the one"));
    let report = std::fs::read_to_string(world.path("bad.csv")).unwrap();
    world.write("bad.csv", report.replacen("openid", "opendi", 1));
    assert!(world.import(&bindings, &with(&["--report", "bad.csv"])).refused().contains("this is not the one"));
    world.write("bad.csv", report);
    // Another app makes it another import.
    assert_eq!(world.import(&bindings, &["--app", "mall", "--report", "mall.csv"]).count("rows read"), 5_000);
    let ran = world.import(&bindings, &with(&["--report", "bad.csv"]));
    assert!(ran.err.contains("going on at line"), "{}", ran.err);
    assert_eq!((ran.count("rows read"), ran.count("already so")), (5_000, 50));

    // Begun anew, all that had come in is so already.
    begin(&[]);
    let ran = world.import(&bindings, &with(&["--report", "bad.csv", "--restart"]));
    assert_eq!((ran.count("rows read"), ran.count("bound"), ran.count("conflicts")), (5_000, 0, 100));
}
