//! `docs/asvs.md`: nothing left out, and nothing that only claims.

use crate::root;

const ASVS: &str = include_str!("../../../../docs/asvs.md");

/// The chapters, and how many requirements each of their sections has (version 5.0).
const CHAPTERS: [(u32, &[u32]); 4] =
    [(6, &[3, 12, 8, 6, 8, 4, 2, 4]), (7, &[3, 4, 2, 5, 3, 2]), (9, &[3, 4]), (10, &[2, 3, 5, 16, 5, 2, 3])];

/// How an answer begins that no test shows.
const REASONS: [&str; 5] =
    ["**Not ours:**", "**Not there yet:**", "**Does not apply:**", "**Deviation", "**By construction:**"];

/// The cells of the tables: requirements, what they ask for, answer, shown by.
fn asvs_rows() -> Vec<[&'static str; 4]> {
    let rows = ASVS.lines().filter_map(|l| l.strip_prefix("| ")?.strip_suffix(" |"));
    let rows = rows.filter(|r| r.starts_with(|c: char| c.is_ascii_digit()));
    rows.map(|r| r.split(" | ").collect::<Vec<_>>().try_into().unwrap_or_else(|_| panic!("not four cells: {r}")))
        .collect()
}

/// `6.1.2, 6.2.1 – 6.2.7`, one by one.
fn requirements(cell: &str) -> Vec<(u32, u32, u32)> {
    let one = |id: &str| {
        let numbers: Vec<u32> = id.split('.').map(|n| n.parse().unwrap_or_else(|_| panic!("{cell}"))).collect();
        (numbers[0], numbers[1], numbers[2])
    };
    let each = |part: &str| match part.split_once(" – ") {
        None => vec![one(part)],
        Some((first, last)) => {
            let ((chapter, section, from), last) = (one(first), one(last));
            assert_eq!((chapter, section), (last.0, last.1), "{cell}: a range within a section");
            (from..=last.2).map(|n| (chapter, section, n)).collect()
        }
    };
    cell.split(", ").flat_map(each).collect()
}

#[test]
fn every_requirement_of_the_asvs_chapters_has_one_row() {
    let mut answered: Vec<_> = asvs_rows().iter().flat_map(|row| requirements(row[0])).collect();
    answered.sort_unstable();
    let wanted: Vec<_> = CHAPTERS
        .iter()
        .flat_map(|(chapter, sections)| (1..).zip(*sections).map(move |(section, many)| (*chapter, section, *many)))
        .flat_map(|(chapter, section, many)| (1..=many).map(move |n| (chapter, section, n)))
        .collect();
    assert_eq!(answered, wanted);
}

/// A row that names a test which isn't there proves nothing, and one that names none says why.
#[test]
fn every_row_of_the_asvs_tables_has_a_test_or_a_reason() {
    for [id, _, answer, shown] in asvs_rows() {
        if shown == "–" {
            let reason = REASONS.iter().find_map(|r| answer.strip_prefix(r));
            assert!(reason.is_some_and(|r| r.len() > 10), "{id}: neither a test nor a reason");
            continue;
        }
        assert!(!answer.starts_with("**Not there yet"), "{id}: what isn't there is shown by no test");
        let (file, test) = shown.trim_matches('`').split_once(": ").unwrap_or_else(|| panic!("{id}: {shown}"));
        let text = std::fs::read_to_string(root().join(file)).unwrap_or_else(|e| panic!("{file}: {e}"));
        // What stands between the attribute and the body.
        let heads = text.replace("#[tokio::test(flavor = \"multi_thread\", worker_threads = 4)]", "#[tokio::test]");
        let heads = heads.replace("#[tokio::test]", "#[test]");
        let mut heads = heads.split("#[test]").skip(1).filter_map(|test| test.split('{').next());
        let found = heads.any(|head| test == "*" || head.contains(&format!("fn {test}(")));
        assert!(found, "{file} has no test {test}");
    }
}
