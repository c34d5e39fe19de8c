//! The file of heads: a line each, `{"seq":…,"mac":"…","at":"…"}`, only appended. It is worth something only where whoever can
//! write to the database can't write to it.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::Path;

use serde::Deserialize;
use yaopai_core::audit::Head;
use yaopai_core::time::Timestamp;

#[derive(Deserialize)]
struct Line {
    seq: u64,
    #[serde(with = "hex")]
    mac: [u8; 32],
}

/// A file of heads can't be read.
#[derive(Debug, thiserror::Error)]
pub enum BadHeads {
    /// The file.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// A line of it.
    #[error("line {0} is no head: {{\"seq\":…,\"mac\":\"64 hex digits\",\"at\":\"…\"}}")]
    Line(usize),
}

/// The heads of a file. A last line that was cut off in the middle of being written is left out.
///
/// # Errors
/// [`BadHeads`].
pub fn read(path: &Path) -> Result<Vec<Head>, BadHeads> {
    let text = std::fs::read_to_string(path)?;
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let mut heads = Vec::new();
    for (at, line) in whole.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let Line { seq, mac } = serde_json::from_str(line).map_err(|_| BadHeads::Line(at + 1))?;
        heads.push(Head { seq, mac });
    }
    Ok(heads)
}

/// The last one, if there is a file. Looks at its end only: it grows for years.
pub(super) fn last(path: &Path) -> Result<Option<Head>, BadHeads> {
    use std::io::{Read as _, Seek as _, SeekFrom};
    let mut file = match std::fs::File::open(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    let len = file.metadata()?.len();
    file.seek(SeekFrom::Start(len.saturating_sub(4096)))?;
    let mut end = Vec::new();
    file.read_to_end(&mut end)?;
    let text = String::from_utf8_lossy(&end);
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let Some(line) = whole.lines().next_back() else { return Ok(None) };
    let Line { seq, mac } = serde_json::from_str(line).map_err(|_| BadHeads::Line(0))?;
    Ok(Some(Head { seq, mac }))
}

/// Appends one.
pub(super) fn append(path: &Path, head: &Head, at: Timestamp) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    // One write: two lines never lie in one another.
    options.open(path)?.write_all(format!("{}\n", super::json::head(head, at)).as_bytes())
}
