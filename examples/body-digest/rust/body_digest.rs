//! `body_digest [CONTENT-DIGEST] < BODY` says whether the body is the one that was signed: docs/body-digest.md.

use std::io::Read as _;
use std::process::ExitCode;

// docs: begin
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest as _, Sha256};

/// `value`: of the one Content-Digest field, `None` without one. `body`: all of it, as it came.
pub fn body_is_as_signed(value: Option<&str>, body: &[u8]) -> bool {
    let Some(members) = value.unwrap_or("").split(',').map(member).collect::<Option<Vec<_>>>() else { return false };
    let ours: Vec<_> = members.iter().filter(|(key, _)| *key == "sha-256").collect();
    matches!(ours[..], [(_, digest)] if *digest == STANDARD.encode(Sha256::digest(body)))
}

/// Key and base64 of `key=:base64:`; nothing but plain words may follow (`;a;b=c`).
fn member(text: &str) -> Option<(&str, &str)> {
    let word = |w: &str| !w.is_empty() && w.bytes().all(|b| b.is_ascii_lowercase());
    let (key, rest) = text.trim_matches([' ', '\t']).split_once("=:")?;
    let (base64, parameters) = rest.split_once(':')?;
    let named = key.starts_with(|c: char| c.is_ascii_lowercase())
        && key.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    let plain = parameters.is_empty()
        || parameters
            .strip_prefix(';')?
            .split(';')
            .all(|p| p.split_once('=').map_or(word(p), |(k, v)| word(k) && word(v)));
    (named && plain && STANDARD.decode(base64).is_ok()).then_some((key, base64))
}
// docs: end

#[allow(clippy::print_stdout, reason = "a program's answer")]
fn main() -> std::io::Result<ExitCode> {
    let mut body = Vec::new();
    std::io::stdin().read_to_end(&mut body)?;
    let right = body_is_as_signed(std::env::args().nth(1).as_deref(), &body);
    println!("{}", if right { "as signed" } else { "not as signed" });
    Ok(if right { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
