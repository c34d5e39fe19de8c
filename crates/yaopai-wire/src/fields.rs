//! A request's header fields, however they were read. What they mean is decided once, over this trait: two ways of reading
//! that told a forged header or a carrier apart differently would be a hole.

use http::HeaderMap;

/// Header fields in the order they came.
pub trait Fields {
    /// Each field: its name in any case, its value as it came (without the white space around it).
    fn each(&self) -> impl Iterator<Item = (&[u8], &[u8])>;

    /// The values of the fields of this name, which is given in lower case.
    fn named<'a>(&'a self, name: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
        self.each().filter(move |(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

impl Fields for HeaderMap {
    fn each(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.iter().map(|(name, value)| (name.as_str().as_bytes(), value.as_bytes()))
    }
}
