//! The two fields as nearly every client writes them, without needless white space, read in one walk and without memory: the
//! general parser is two thirds of what a signed check costs beyond SHA-256, and takes memory for `Signature`.
//!
//! What is read here the general parser reads alike (a property test says so); whatever is written in another way, or wrong, is
//! not judged here but goes to it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::input::Input;
use super::{Component, Param, SIGNATURE_LENGTH};

/// Reads a `Signature-Input`.
pub(super) fn input(field: &[u8]) -> Option<Input<'_>> {
    let mut read = Input::default();
    let (label, rest) = word(std::str::from_utf8(field).ok()?);
    read.label = Some(label).filter(|label| is_label(label));
    read.label?;
    let mut rest = rest.strip_prefix("=(\"")?;
    loop {
        let (name, after) = word(rest);
        read.components.push(Component::named(name)?).then_some(())?;
        if let Some(more) = after.strip_prefix("\" \"") {
            rest = more;
        } else {
            rest = after.strip_prefix("\")")?;
            break;
        }
    }
    while !rest.is_empty() {
        let (name, value) = word(rest.strip_prefix(';')?);
        let (param, value) = (Param::named(name)?, value.strip_prefix('=')?);
        read.params.push(param).then_some(())?;
        rest = if param == Param::Created {
            let (digits, after) = word(value);
            read.created = Some(seconds(digits)?);
            after
        } else {
            let (text, after) = word(value.strip_prefix('"')?);
            read.take(param, text).then_some(())?;
            after.strip_prefix('"')?
        };
    }
    Some(read)
}

/// What stands before the first byte that can't be in any name or value of ours, and the rest.
fn word(text: &str) -> (&str, &str) {
    text.split_at(text.bytes().position(|b| !WORD[usize::from(b)]).unwrap_or(text.len()))
}

static WORD: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 128 {
        table[byte] = (byte as u8).is_ascii_alphanumeric() || matches!(byte as u8, b'-' | b'_' | b'.' | b'*' | b'@');
        byte += 1;
    }
    table
};

/// Reads a `Signature` with this label, which is one.
pub(super) fn signature(field: &[u8], label: &str) -> Option<[u8; SIGNATURE_LENGTH]> {
    let text = field.strip_prefix(label.as_bytes())?.strip_prefix(b"=:")?.strip_suffix(b":")?;
    let mut bytes = [0; SIGNATURE_LENGTH];
    let length = STANDARD.decode_slice(text, &mut bytes).ok()?;
    (length == SIGNATURE_LENGTH).then_some(bytes)
}

/// A key of a structured field (RFC 9651, section 3.1.2).
fn is_label(text: &str) -> bool {
    let first = text.bytes().next().is_some_and(|b| b.is_ascii_lowercase() || b == b'*');
    first
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-' | b'.' | b'*'))
}

/// An integer of a structured field (RFC 9651, section 3.3.1), if it is not below 0.
fn seconds(digits: &str) -> Option<i64> {
    let fits = (1..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    digits.parse().ok().filter(|_| fits)
}
