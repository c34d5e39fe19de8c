//! The documents against the code: every code, every route, every command that they name, and the links between them.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests too")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use yaopai_wire::original::{ENVOY_PREFIX, HAPROXY_PREFIX, NGINX_PREFIX};
use yaopai_wire::principal;
use yaopai_wire::problem::Code;

#[path = "docs/asvs.rs"]
mod asvs;
#[path = "docs/signatures.rs"]
mod signatures;

const ERRORS: &str = include_str!("../../../docs/errors.md");
const API: &str = include_str!("../../../docs/api.md");
const CLIENT: &str = include_str!("../../../docs/client-protocol.md");
const README: &str = include_str!("../../../README.md");
const README_ZH: &str = include_str!("../../../README.zh-CN.md");

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The files below a folder whose name ends so.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, ending));
        } else if path.to_str().unwrap().ends_with(ending) {
            found.push(path);
        }
    }
    found.sort();
    found
}

// === docs/errors.md

/// A heading of the third level, and what stands below it up to the next heading.
fn sections(text: &str) -> Vec<(&str, &str)> {
    let parts = text.split("\n### ").skip(1);
    parts.map(|p| p.split_once('\n').unwrap()).map(|(h, b)| (h, b.split("\n## ").next().unwrap())).collect()
}

fn is_chinese(c: char) -> bool {
    ('\u{4e00}'..='\u{9fff}').contains(&c)
}

#[test]
fn every_code_has_its_cause_and_cure_in_both_languages() {
    let mut entries: BTreeMap<&str, (&str, &str)> = BTreeMap::new();
    for (heading, body) in sections(ERRORS) {
        let (code, status) = heading.split_once(" · ").expect("### `code` · status");
        let code = code.trim_matches('`');
        assert!(entries.insert(code, (status, body)).is_none(), "{code} stands twice in docs/errors.md");
    }
    for code in Code::ALL {
        let name = code.as_str();
        let (status, body) = entries.remove(name).unwrap_or_else(|| panic!("{name} is missing in docs/errors.md"));
        assert_eq!(status, code.status().as_str(), "{name}: the status in docs/errors.md");
        let paragraphs: Vec<&str> = body.split("\n\n").map(str::trim).filter(|p| !p.is_empty()).collect();
        let english = paragraphs.iter().filter(|p| !p.contains(is_chinese)).collect::<Vec<_>>();
        let chinese = paragraphs.iter().filter(|p| p.contains(is_chinese)).collect::<Vec<_>>();
        let cured =
            |paragraphs: &[&&str], cure: &str| paragraphs.iter().any(|p| !p.starts_with(cure) && p.contains(cure));
        assert!(cured(&english, "**Do:**"), "{name}: cause and cure in English");
        assert!(cured(&chinese, "**处理：**"), "{name}: cause and cure in Chinese");
    }
    assert!(entries.is_empty(), "docs/errors.md has codes that don't exist: {:?}", entries.keys());
}

#[test]
fn the_client_protocol_says_what_to_do_about_every_code_of_a_session() {
    for code in Code::ALL.iter().map(|c| c.as_str()).filter(|c| c.starts_with("session_") || c.starts_with("platform_"))
    {
        assert!(CLIENT.contains(&format!("`{code}`")), "{code} is missing in docs/client-protocol.md");
    }
}

// === docs/api.md

/// `GET /livez` and so on, from a router's source: `.route("/x", get(a).post(b))`, with the prefix of the `.nest` after it.
fn routes(source: &str) -> BTreeSet<String> {
    let (mut all, mut inner) = (BTreeSet::new(), Vec::new());
    for line in source.lines().map(str::trim) {
        if let Some(rest) = line.strip_prefix(".nest(\"") {
            let prefix = rest.split('"').next().unwrap();
            all.extend(inner.drain(..).map(|(method, path): (String, &str)| format!("{method} {prefix}{path}")));
        } else if let Some(rest) = line.strip_prefix(".route(\"") {
            let (path, handlers) = rest.split_once('"').unwrap();
            let methods = ["get", "post", "put", "patch", "delete"];
            let used: Vec<_> = methods.iter().filter(|m| handlers.contains(&format!("{m}("))).collect();
            assert!(!used.is_empty(), "no method was found in: {line}");
            inner.extend(used.iter().map(|m| (m.to_uppercase(), path)));
        }
    }
    all.extend(inner.into_iter().map(|(method, path)| format!("{method} {path}")));
    all
}

#[test]
fn every_route_has_a_section_and_every_section_a_route() {
    let mut expected = BTreeSet::new();
    for source in [include_str!("../src/api/mod.rs"), include_str!("../src/admin/mod.rs")] {
        let found = routes(source);
        // A route that is written otherwise would not be found: say so.
        let written: usize = source.matches(".route(").count();
        let paths: BTreeSet<&str> = found.iter().map(|r| r.split(' ').nth(1).unwrap()).collect();
        assert_eq!(paths.len(), written, "some .route( of this source was not understood: {found:?}");
        expected.extend(found);
    }
    // The calls of the admin API are in no such list: they say themselves what they are.
    let document = serde_json::to_value(yaopai::admin::document()).unwrap();
    for (path, item) in document["paths"].as_object().unwrap() {
        expected.extend(item.as_object().unwrap().keys().map(|method| format!("{} {path}", method.to_uppercase())));
    }
    let described: BTreeSet<String> = sections(API)
        .iter()
        .map(|(heading, _)| heading.trim_matches('`'))
        .filter(|h| {
            h.split_once(' ').is_some_and(|(m, p)| m.chars().all(|c| c.is_ascii_uppercase()) && p.starts_with('/'))
        })
        .map(str::to_owned)
        .collect();
    assert_eq!(described, expected, "docs/api.md (left) and the routers (right)");
}

#[test]
fn routers_are_where_the_documents_look() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let with_routes: BTreeSet<String> = files(&src, ".rs")
        .into_iter()
        .filter(|f| std::fs::read_to_string(f).unwrap().contains(".route(\""))
        .map(|f| f.strip_prefix(&src).unwrap().to_str().unwrap().to_owned())
        // The demo's own shop is no interface of the server's.
        .filter(|f| !f.starts_with("cli/demo"))
        .collect();
    let known = BTreeSet::from(["admin/mod.rs".to_owned(), "api/mod.rs".to_owned()]);
    assert_eq!(with_routes, known, "a new router: have docs.rs read it, and docs/api.md describe it");
}

#[test]
fn checks_and_their_words_are_described() {
    for prefix in [NGINX_PREFIX, HAPROXY_PREFIX, ENVOY_PREFIX] {
        assert!(API.contains(&format!("`{prefix}{{")), "the target of {prefix}");
    }
    let check = include_str!("../src/check/mod.rs");
    let forward = check.split("const FORWARD: &str = \"").nth(1).and_then(|r| r.split('"').next()).unwrap();
    assert!(API.contains(forward), "{forward}");
    for header in principal::HEADERS.iter().map(|h| h.as_str()).chain(["yaopai-background", "yaopai-status"]) {
        assert!(API.to_lowercase().contains(&format!("`{header}")), "{header} is missing in docs/api.md");
    }
    let ask = include_str!("../src/check/ask.rs");
    // The arms of `match key`, by their indentation.
    let words: Vec<&str> = ask
        .lines()
        .filter_map(|l| l.strip_prefix("                \"")?.split_once('"'))
        .filter(|(_, rest)| rest.contains("=> "))
        .map(|(word, _)| word)
        .collect();
    assert_eq!(
        words,
        ["require", "realm", "apps", "vouched", "unsigned_body", "unclean_path", "prefix", "jwt"],
        "words of check/ask.rs"
    );
    for word in words {
        assert!(API.contains(&format!("`{word}=")), "{word} is missing in docs/api.md");
    }
}

// === commands

/// The lines of a document's shell blocks, without what a heredoc holds.
fn shell_lines(text: &str) -> Vec<&str> {
    let blocks = text.split("```sh\n").skip(1).map(|b| b.split("```").next().unwrap());
    let mut heredoc = None;
    let mut lines = Vec::new();
    for line in blocks.flat_map(str::lines) {
        match heredoc {
            Some(end) if line == end => heredoc = None,
            Some(_) => {}
            None => {
                heredoc = line.split_once("<<'").and_then(|(_, end)| end.split('\'').next());
                lines.push(line);
            }
        }
    }
    lines
}

/// The words of our own commands in these lines: `demo --script`, `serve --config try/yaopai.toml`.
fn our_commands<'a>(lines: &[&'a str]) -> Vec<Vec<&'a str>> {
    let starts = ["cargo run -- ", "yaopai "];
    let mut commands = Vec::new();
    for line in lines {
        let line = line.split("  #").next().unwrap();
        let Some((before, args)) = starts.iter().find_map(|s| line.split_once(s)) else { continue };
        // `yaopai` as part of another command's words is none.
        if before.split(' ').filter(|w| !w.is_empty()).all(|w| w.contains('=')) {
            commands.push(args.split_whitespace().take_while(|w| !["|", ">", "&"].contains(w)).collect());
        }
    }
    commands
}

#[test]
fn the_commands_in_the_documents_exist() {
    let documents = [
        README.to_owned(),
        README_ZH.to_owned(),
        std::fs::read_to_string(root().join("docs/operations.md")).unwrap(),
        std::fs::read_to_string(root().join("CONTRIBUTING.md")).unwrap(),
    ];
    let mut subcommands = BTreeSet::new();
    for document in &documents {
        let lines = shell_lines(document);
        for script in lines.iter().flat_map(|l| l.split_whitespace()).filter(|w| w.starts_with("scripts/")) {
            assert!(root().join(script).is_file(), "{script} is not there");
        }
        for command in our_commands(&lines) {
            // Some commands are of two words.
            let words = if ["audit", "config", "export", "import"].contains(&command[0]) { 2 } else { 1 };
            let mut help = Command::new(env!("CARGO_BIN_EXE_yaopai"));
            let help = help.args(&command[..words]).arg("--help").output().unwrap();
            let text = String::from_utf8(help.stdout).unwrap();
            assert!(help.status.success(), "`yaopai {}` is no command", command[0]);
            let options: Vec<&str> = text.split(|c: char| !(c.is_alphanumeric() || c == '-')).collect();
            for option in command.iter().filter(|w| w.starts_with("--")) {
                assert!(options.contains(option), "`yaopai {}` has no {option}", command[0]);
            }
            subcommands.insert(command[0].to_owned());
        }
    }
    for needed in ["audit", "demo", "export", "import", "init", "serve", "sim"] {
        assert!(subcommands.contains(needed), "no document shows `yaopai {needed}` any more");
    }
}

#[test]
fn both_readmes_show_the_same_commands() {
    let code = |text: &'static str, fence: &str| -> Vec<String> {
        let blocks = text.split(fence).skip(1).map(|b| b.split("```").next().unwrap());
        // Comments may be translated.
        blocks.flat_map(str::lines).map(|l| l.split("    #").next().unwrap().trim_end().to_owned()).collect()
    };
    for fence in ["```sh\n", "```nginx\n"] {
        assert!(!code(README, fence).is_empty());
        assert_eq!(code(README, fence), code(README_ZH, fence));
    }
}

// === links

/// As GitHub makes an anchor of a heading.
fn anchor(heading: &str) -> String {
    let kept = heading.to_lowercase();
    kept.chars()
        .filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

#[test]
fn links_lead_somewhere() {
    let mut documents = files(&root().join("docs"), ".md");
    documents.extend(["README.md", "README.zh-CN.md", "CONTRIBUTING.md", "SECURITY.md"].map(|f| root().join(f)));
    let mut dead = Vec::new();
    for document in &documents {
        let text = std::fs::read_to_string(document).unwrap();
        for link in text.split("](").skip(1).filter_map(|l| l.split(')').next()) {
            // The template's link is an example.
            if link.contains("://") || link == "NNNN-title.md" {
                continue;
            }
            let (path, fragment) = link.split_once('#').unwrap_or((link, ""));
            let target = if path.is_empty() { document.clone() } else { document.parent().unwrap().join(path) };
            let headings = std::fs::read_to_string(&target).unwrap_or_default();
            let mut anchors =
                headings.lines().filter(|l| l.starts_with('#')).map(|l| anchor(l.trim_start_matches('#').trim()));
            if !target.exists() || !(fragment.is_empty() || anchors.any(|a| a == fragment)) {
                dead.push(format!("{}: {link}", document.strip_prefix(root()).unwrap().display()));
            }
        }
    }
    assert!(dead.is_empty(), "links that lead nowhere: {dead:#?}");
}

// === docs/threat-model.md

/// Where something is stopped, it says by which code: that must not be gone.
#[test]
fn the_code_that_the_threat_model_names_is_there() {
    let text = std::fs::read_to_string(root().join("docs/threat-model.md")).unwrap();
    let named: Vec<&str> = text.split('`').skip(1).step_by(2).filter(|c| c.starts_with("crates/")).collect();
    assert!(named.len() > 10, "{named:?}");
    let gone: Vec<&&str> = named.iter().filter(|path| !root().join(path).exists()).collect();
    assert!(gone.is_empty(), "{gone:?}");
}

// === docs/body-digest.md

/// What stands between the marks of an example, without its indentation.
fn marked(text: &str) -> String {
    let inside = text.lines().skip_while(|l| !l.ends_with("docs: begin")).skip(1);
    let lines: Vec<&str> = inside.take_while(|l| !l.ends_with("docs: end")).collect();
    let written = || lines.iter().filter(|l| !l.is_empty());
    let indent = written().map(|l| l.len() - l.trim_start().len()).min().expect("something between the marks");
    lines.iter().map(|l| format!("{}\n", l.get(indent..).unwrap_or_default())).collect()
}

/// What is shown is what `crates/yaopai-wire/tests/body_digest` runs.
#[test]
fn the_code_for_back_ends_is_that_of_the_examples() {
    let examples = [
        ("java", "java/BodyDigest.java"),
        ("js", "node/body-digest.mjs"),
        ("php", "php/body_digest.php"),
        ("python", "python/body_digest.py"),
        ("rust", "rust/body_digest.rs"),
    ];
    let expected = examples.map(|(language, file)| {
        let text = std::fs::read_to_string(root().join("examples/body-digest").join(file)).unwrap();
        format!("{language}\n{}", marked(&text))
    });
    for document in ["docs/body-digest.md", "docs/body-digest.zh-CN.md"] {
        let text = std::fs::read_to_string(root().join(document)).unwrap();
        let shown: Vec<&str> = text.split("```").skip(1).step_by(2).collect();
        assert_eq!(shown, expected, "{document}");
    }
}
