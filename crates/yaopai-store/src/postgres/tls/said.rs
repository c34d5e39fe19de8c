//! What a connection string says of TLS, in libpq's words
//! (<https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS>). It is taken out before `tokio-postgres` reads the
//! rest, which knows three modes and no files.

use percent_encoding::percent_decode_str;

/// The words, as they stand.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Said {
    pub mode: Option<String>,
    pub root: Option<String>,
    pub cert: Option<String>,
    pub key: Option<String>,
}

impl Said {
    fn place(&mut self, word: &str) -> Option<&mut Option<String>> {
        Some(match word {
            "sslmode" => &mut self.mode,
            "sslrootcert" => &mut self.root,
            "sslcert" => &mut self.cert,
            "sslkey" => &mut self.key,
            _ => return None,
        })
    }

    /// Takes the words out of a connection string of either form. One that can't be read stays as it is: whoever reads the rest
    /// says so.
    pub fn take_from(url: &str) -> (String, Self) {
        let is_url = ["postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme));
        let taken = if is_url { from_url(url) } else { from_pairs(url) };
        taken.unwrap_or_else(|| (url.to_owned(), Self::default()))
    }
}

fn from_url(url: &str) -> Option<(String, Said)> {
    let (place, query) = url.split_once('?')?;
    let (mut said, mut rest) = (Said::default(), Vec::new());
    for pair in query.split('&') {
        let (word, value) = pair.split_once('=').unwrap_or((pair, ""));
        match said.place(word) {
            Some(place) => *place = Some(percent_decode_str(value).decode_utf8().ok()?.into_owned()),
            None => rest.push(pair),
        }
    }
    let mark = if rest.is_empty() { "" } else { "?" };
    Some((format!("{place}{mark}{}", rest.join("&")), said))
}

/// `word = value`, the value bare or in quotes, with backslashes in either.
fn from_pairs(text: &str) -> Option<(String, Said)> {
    let (mut said, mut rest, mut left) = (Said::default(), String::new(), text.trim_start());
    while !left.is_empty() {
        let (word, after) = left.split_once('=')?;
        let after = after.trim_start();
        let (value, end) = value(after)?;
        match said.place(word.trim_end()) {
            Some(place) => *place = Some(value),
            None => {
                rest.push_str(&left[..left.len() - after.len() + end]);
                rest.push(' ');
            }
        }
        left = after[end..].trim_start();
    }
    rest.pop();
    Some((rest, said))
}

/// A value at the beginning of a text, and where it ends.
fn value(text: &str) -> Option<(String, usize)> {
    let quoted = text.starts_with('\'');
    let (mut value, mut letters) = (String::new(), text.char_indices().skip(usize::from(quoted)));
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' => value.push(letters.next()?.1),
            '\'' if quoted => return Some((value, at + 1)),
            letter if !quoted && letter.is_whitespace() => return Some((value, at)),
            letter => value.push(letter),
        }
    }
    (!quoted).then_some((value, text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(mode: &str, root: Option<&str>) -> Said {
        Said { mode: Some(mode.into()), root: root.map(Into::into), ..Said::default() }
    }

    #[test]
    fn both_forms() {
        for (text, rest, expected) in [
            ("postgres://u:p@a,b/d?sslmode=disable", "postgres://u:p@a,b/d", said("disable", None)),
            (
                "postgresql://u@a/d?x=1&sslmode=verify-full&sslrootcert=%2Fa%20b&y=%26",
                "postgresql://u@a/d?x=1&y=%26",
                said("verify-full", Some("/a b")),
            ),
            ("host=a sslmode=disable user=b", "host=a user=b", said("disable", None)),
            ("sslmode = 'verify-ca'  sslrootcert='/it\\'s' host=a", "host=a", said("verify-ca", Some("/it's"))),
            (
                "host=a password='x sslmode=disable ' sslmode=require",
                "host=a password='x sslmode=disable '",
                said("require", None),
            ),
            ("password=a\\ b sslmode=require host=c", "password=a\\ b host=c", said("require", None)),
            ("sslmode=require sslmode=disable host=a", "host=a", said("disable", None)),
            ("host=a sslmode=", "host=a", said("", None)),
        ] {
            assert_eq!(Said::take_from(text), (rest.to_owned(), expected), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_read_stays() {
        for text in ["", "host", "host='a sslmode=disable", "a=b\\", "postgres://a/b", "postgres://a?sslmode=%ff"] {
            assert_eq!(Said::take_from(text), (text.to_owned(), Said::default()), "{text}");
        }
    }

    #[test]
    fn all_four() {
        let (rest, said) = Said::take_from("sslcert=a sslkey=b sslrootcert=c sslmode=d host=e");
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(said, Said { mode: some("d"), root: some("c"), cert: some("a"), key: some("b") });
        assert_eq!(rest, "host=e");
    }
}
