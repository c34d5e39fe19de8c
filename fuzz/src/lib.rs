//! What the targets share: bytes cut into the things that a parser is given.

use yaopai_wire::fields::Fields;

/// Header fields as a listener hands them over: one a line, `name:value`, without the white space around the value.
#[derive(Clone, Debug)]
pub struct Lines<'a>(pub Vec<(&'a [u8], &'a [u8])>);

impl<'a> Lines<'a> {
    /// Cuts bytes into lines; one without a colon is a field without a value.
    pub fn cut(bytes: &'a [u8]) -> Self {
        let field = |line: &'a [u8]| match line.iter().position(|b| *b == b':') {
            Some(at) => (&line[..at], line[at + 1..].trim_ascii()),
            None => (line, &[][..]),
        };
        Self(bytes.split(|b| *b == b'\n').filter(|line| !line.is_empty()).map(field).collect())
    }
}

impl Fields for Lines<'_> {
    fn each(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.0.iter().copied()
    }
}

/// The first byte as a choice, and the rest.
pub fn choice(bytes: &[u8]) -> (u8, &[u8]) {
    bytes.split_first().map_or((0, &[]), |(first, rest)| (*first, rest))
}
