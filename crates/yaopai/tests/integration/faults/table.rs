//! docs/faults.md: written with `UPDATE=1`, else compared.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use yaopai_sim::Endpoint;

use super::call::Call;
use super::row::Row;

const BEGIN: &str = "<!-- generated: begin -->\n";
const END: &str = "<!-- generated: end -->\n";

/// The Markdown of one call and endpoint.
pub fn section(call: Call, on: Endpoint, rows: &[Row]) -> String {
    let heading = if call.endpoints()[0] == on { format!("## {}\n\n", call.title()) } else { String::new() };
    let mut text = format!("{heading}Faults of `{}`:\n\n", on.path());
    text += "| fault | moment | answer | the same again | calls to WeChat | code shown | sessions lost |\n";
    text += "|---|---|---|---|---|---|---|\n";
    for Row { fault, moment, answer, again, calls, shown, lost, .. } in rows {
        let calls: Vec<String> = calls
            .iter()
            .filter(|(_, first, second)| first + second > 0)
            .map(|(endpoint, first, second)| format!("{} {first} + {second}", endpoint.name()))
            .collect();
        let shown = shown.map_or_else(|| "–".to_owned(), |n| n.to_string());
        let calls = calls.join(", ");
        writeln!(text, "| {fault} | {moment} | {answer} | {again} | {calls} | {shown} | {lost} |").unwrap();
    }
    text
}

/// Compares the generated part of the document, or writes it.
pub fn compare(generated: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/faults.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let (intro, rest) = text.split_once(BEGIN).expect("docs/faults.md has its first marker");
    let (written, outro) = rest.split_once(END).expect("docs/faults.md has its second marker");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, format!("{intro}{BEGIN}{generated}{END}{outro}")).unwrap();
        return;
    }
    let (old, new) = (lines(written), lines(generated));
    let gone = old.difference(&new).map(|line| format!("- {line}"));
    let come = new.difference(&old).map(|line| format!("+ {line}"));
    let diff: Vec<String> = gone.chain(come).collect();
    assert!(
        written == generated,
        "docs/faults.md (-) is not what happens (+). If that is meant, write it anew with UPDATE=1.\n{}",
        diff.join("\n")
    );
}

/// The lines, each with the table that it stands in, because the same fault has a row in many.
fn lines(text: &str) -> BTreeSet<String> {
    let (mut call, mut on) = ("", "");
    let mut all = BTreeSet::new();
    for line in text.lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            call = heading;
        } else if let Some(table) = line.strip_prefix("Faults of ") {
            on = table;
        }
        all.insert(format!("{call}, {on} {line}"));
    }
    all
}
