//! The measured part of docs/proxies.md: written with `YAOPAI_WRITE_DOCS=1`, else compared.

use std::path::Path;

use crate::kinds::KINDS;

const BEGIN: &str = "<!-- measured: begin -->\n";
const END: &str = "<!-- measured: end -->\n";

/// What was observed of one proxy: a case, and what became of it.
pub type Column = Vec<(&'static str, String)>;

/// The Markdown of all columns, which have the same cases.
pub fn of(columns: Vec<Column>) -> String {
    let names: Vec<&str> = KINDS.iter().map(|kind| kind.name).collect();
    let mut text = format!("| | {} |\n|---|{}\n", names.join(" | "), "---|".repeat(names.len()));
    for (row, (case, _)) in columns[0].iter().enumerate() {
        let cells = columns.iter().map(|column| {
            assert_eq!(column[row].0, *case, "the same cases for all");
            column[row].1.as_str()
        });
        text += &format!("| {case} | {} |\n", cells.collect::<Vec<_>>().join(" | "));
    }
    text
}

pub fn compare(measured: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/proxies.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let (intro, rest) = text.split_once(BEGIN).expect("docs/proxies.md has its first marker");
    let (written, outro) = rest.split_once(END).expect("docs/proxies.md has its second marker");
    if std::env::var_os("YAOPAI_WRITE_DOCS").is_some() {
        std::fs::write(&path, format!("{intro}{BEGIN}{measured}{END}{outro}")).unwrap();
        return;
    }
    let without = |a: &str, b: &str, sign: &str| -> String {
        a.lines().filter(|line| !b.lines().any(|other| other == *line)).map(|line| format!("{sign} {line}\n")).collect()
    };
    assert!(
        written == measured,
        "docs/proxies.md (-) is not what happens (+). If that is meant, write it anew with YAOPAI_WRITE_DOCS=1.\n{}{}",
        without(written, measured, "-"),
        without(measured, written, "+")
    );
}
