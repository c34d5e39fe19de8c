//! What is wrong with a configuration, where, and what to do.

use std::path::Path;

/// A configuration that can't be used.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(String);

impl ConfigError {
    /// The file can't be read.
    pub fn unreadable(path: &Path, e: &std::io::Error) -> Self {
        let hint = if e.kind() == std::io::ErrorKind::NotFound {
            "; `yaopai init` writes one, and --config names another"
        } else {
            ""
        };
        Self(format!("cannot read the configuration {}: {e}{hint}", path.display()))
    }

    /// TOML that can't be parsed, or a key that isn't known.
    pub fn syntax(text: &str, e: &toml::de::Error) -> Self {
        let at = e.span().map(|span| {
            let line = text[..span.start.min(text.len())].lines().count().max(1);
            let starts_line = text[..span.start.min(text.len())].ends_with('\n') || span.start == 0;
            format!("line {}: ", if starts_line && span.start > 0 { line + 1 } else { line })
        });
        let message = e.message();
        let hint = nearest(message).map(|n| format!("; did you mean `{n}`?")).unwrap_or_default();
        // toml's own Display prints the offending line, which may hold a secret that somebody wrote there.
        Self(format!("configuration, {}{message}{hint}", at.unwrap_or_default()))
    }

    /// A value that can't be right.
    pub fn value(key: &str, what: String) -> Self {
        Self(format!("configuration, {key}: {what}"))
    }
}

/// From serde's "unknown field `x`, expected one of `a`, `b`": which of them `x` was likely meant to be.
fn nearest(message: &str) -> Option<&str> {
    let rest = message.strip_prefix("unknown field `").or_else(|| message.strip_prefix("unknown variant `"))?;
    let (wrong, rest) = rest.split_once('`')?;
    let known = rest.split('`').skip(1).step_by(2);
    known
        .map(|k| (strsim::damerau_levenshtein(wrong, k), k))
        .filter(|(distance, k)| *distance <= 2.max(k.len() / 3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, k)| k)
}
