//! What the demo prints, and the only place that prints it: who does what, and what crossed the wire.

use std::io::{IsTerminal as _, Write as _};
use std::sync::{Mutex, PoisonError};

use http::StatusCode;
use serde_json::Value;

/// Lines of the wire are cut here, in columns of a terminal.
const WIDTH: usize = 100;
/// What is not worth a reader's time.
const QUIET: [&str; 8] = [
    "expires_in",
    "refresh_in",
    "absolute_expires_in",
    "vouched_at",
    "server_time",
    "created_at",
    "last_seen_at",
    "id",
];
/// What comes first, so that it isn't what is cut off.
const FIRST: [&str; 5] = ["token", "bound", "user", "claims", "current"];

/// Where the demo's story goes.
pub struct Tale {
    colour: bool,
    /// A test keeps the story; otherwise it goes to standard output.
    kept: Option<Mutex<String>>,
}

impl Tale {
    /// To standard output, in colours if that is a terminal whose user hasn't said otherwise (<https://no-color.org>).
    pub fn to_stdout() -> Self {
        let colour = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
        Self { colour, kept: None }
    }

    /// To memory.
    #[cfg(test)]
    pub fn kept() -> Self {
        Self { colour: false, kept: Some(Mutex::default()) }
    }

    /// What was told so far.
    #[cfg(test)]
    pub fn text(&self) -> String {
        self.kept.as_ref().map(|k| k.lock().unwrap().clone()).unwrap_or_default()
    }

    /// A line as it is.
    pub fn say(&self, text: &str) {
        self.line(text);
    }

    /// A headline, and what it says in Chinese.
    pub fn step(&self, number: usize, english: &str, chinese: &str) {
        self.line("");
        self.line(&self.paint("1", &format!("{number}. {english}")));
        self.line(&format!("   {chinese}"));
    }

    /// Something crossed the wire.
    pub fn wire(&self, from: &str, to: &str, what: &str) {
        self.line(&fit(&format!("   {from:>6} → {to:<6}  {what}")));
    }

    /// Somebody did something.
    pub fn act(&self, who: &str, what: &str) {
        self.line(&fit(&format!("   {who:>6}           {what}")));
    }

    /// An expectation was met.
    pub fn right(&self, what: &str) {
        self.line(&format!("   {} {what}", self.paint("32", "✓")));
    }

    /// An expectation was not met.
    pub fn wrong(&self, what: &str) {
        self.line(&format!("   {} {what}", self.paint("31", "✗")));
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    fn line(&self, text: &str) {
        match &self.kept {
            Some(kept) => {
                let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                kept.push_str(text);
                kept.push('\n');
            }
            // Whoever reads may have gone (`| head`): not a reason to leave the temporary folder behind.
            None => drop(writeln!(std::io::stdout().lock(), "{text}")),
        }
    }
}

/// An answer in a few words: the status and either its refusal or its fields.
pub fn answer(status: StatusCode, code: Option<&str>, body: &[u8]) -> String {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    match code {
        Some(code) => {
            let message = body.get("message").and_then(Value::as_str);
            let message = message.map(|m| format!(" {m:?}")).unwrap_or_default();
            format!("{} {code}{message}", status.as_u16())
        }
        None if body.is_null() => status.as_u16().to_string(),
        None => format!("{} {}", status.as_u16(), brief(&body)),
    }
}

/// JSON in a few words.
pub fn brief(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let mut shown: Vec<_> = fields.iter().filter(|(k, _)| !QUIET.contains(&k.as_str())).collect();
            // Stable: the rest stays as it came.
            shown.sort_by_key(|(k, _)| FIRST.iter().position(|f| f == k).unwrap_or(FIRST.len()));
            let shown = shown.iter().map(|(k, v)| match k.as_str() {
                k if ["password", "secret"].iter().any(|s| k.eq_ignore_ascii_case(s)) => format!("{k}: •••"),
                _ => format!("{k}: {}", brief(v)),
            });
            format!("{{{}}}", shown.collect::<Vec<_>>().join(", "))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(brief).collect::<Vec<_>>().join(", ")),
        Value::String(text) => format!("{:?}", short(text)),
        other => other.to_string(),
    }
}

/// Enough of a long word without spaces (a token, a code, an id) to tell it from others, and too little to use it.
pub fn short(text: &str) -> String {
    if !text.is_ascii() || text.len() <= 20 || text.contains(' ') {
        return text.to_owned();
    }
    format!("{}…{}", &text[..8], &text[text.len() - 4..])
}

/// Cuts a line to the width, and takes out what could talk to the terminal: phones send what they like.
fn fit(text: &str) -> String {
    let mut columns = 0;
    let mut fitted = String::with_capacity(text.len());
    for c in text.chars() {
        let c = if c.is_control() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}') { '·' } else { c };
        columns += columns_of(c);
        if columns > WIDTH {
            // Its own column is free: the last character that fitted may have been at WIDTH, so one is taken back.
            fitted.pop();
            fitted.push('…');
            break;
        }
        fitted.push(c);
    }
    fitted.trim_end().to_owned()
}

/// East Asian wide characters take two columns (Unicode UAX #11, the ranges that matter here).
fn columns_of(c: char) -> usize {
    if matches!(c, '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe6f}' | '\u{ff00}'..='\u{ff60}' | '\u{ffe0}'..='\u{ffe6}' | '\u{1f300}'..='\u{1faff}')
    {
        2
    } else {
        1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn secrets_are_shortened_and_passwords_hidden() {
        let token = format!("yp1_{}", "AaIDbcdefghijk".repeat(5));
        let shown = brief(&json!({ "form": { "password": "123" }, "expires_in": 1800, "bound": true, "token": token }));
        assert_eq!(shown, r#"{token: "yp1_AaID…hijk", bound: true, form: {password: •••}}"#);
        assert_eq!(brief(&json!({ "key": { "secret": "c2VjcmV0IG9mIGEgc2Vzc2lvbg==" } })), "{key: {secret: •••}}");
    }

    #[test]
    fn a_line_is_cut_and_cannot_talk_to_the_terminal() {
        assert_eq!(fit("a\x1b[2Jb\u{202e}c\n"), "a·[2Jb·c·");
        let cut = fit(&"牌".repeat(80));
        assert!(cut.chars().map(columns_of).sum::<usize>() <= WIDTH && cut.ends_with('…'));
        assert_eq!(fit(&"a".repeat(100)).len(), 100);
    }

    #[test]
    fn answers() {
        assert_eq!(answer(StatusCode::NO_CONTENT, None, b""), "204");
        let refusal = br#"{"code":"binding_rejected","message":"No."}"#;
        assert_eq!(
            answer(StatusCode::UNPROCESSABLE_ENTITY, Some("binding_rejected"), refusal),
            "422 binding_rejected \"No.\""
        );
    }
}
