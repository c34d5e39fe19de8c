//! Rows of a CSV file (RFC 4180), in bounded memory. The `csv` crate's own reader would read a file with a forgotten quote
//! into memory whole; its core leaves the buffers to us.

use std::io::{self, BufRead};

use csv_core::{ReadRecordResult, Reader};

/// The longest row in bytes, quotes undone. Four times what the values of a good one can take.
const ROW_MAX: usize = 8 * 1024;
/// The most fields. More than there are columns.
const FIELDS_MAX: usize = 32;
const BOM: &[u8] = b"\xef\xbb\xbf";

/// Reads them one after the other.
pub struct Rows<R> {
    input: R,
    csv: Reader,
    bytes: Vec<u8>,
    ends: Vec<usize>,
    place: Place,
}

/// Where a row may begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// From the start of the file.
    pub byte: u64,
    /// Counted from 1.
    pub line: u64,
}

/// A row as it stands there.
pub struct Raw<'r> {
    /// The line that it begins on.
    pub line: u64,
    /// Why its fields can't be told, if they can't.
    pub broken: Option<Broken>,
    bytes: &'r [u8],
    ends: &'r [usize],
}

/// What can be wrong with a row as such.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broken {
    /// The file ends within quotes.
    OpenQuote,
    /// Longer than any good row.
    TooLong,
    /// More fields than there are columns.
    TooManyFields,
}

impl Raw<'_> {
    /// How many fields it has.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// A field.
    pub fn field(&self, n: usize) -> &[u8] {
        let start = if n == 0 { 0 } else { self.ends[n - 1] };
        &self.bytes[start..self.ends[n]]
    }
}

impl<R: BufRead> Rows<R> {
    /// Begins at the start of a file.
    pub fn new(mut input: R) -> io::Result<Self> {
        let mut place = Place { byte: 0, line: 1 };
        // What Excel writes in front of UTF-8.
        if input.fill_buf()?.starts_with(BOM) {
            input.consume(BOM.len());
            place.byte = 3;
        }
        Ok(Self { input, csv: Reader::new(), bytes: vec![0; ROW_MAX + 1], ends: vec![0; FIELDS_MAX], place })
    }

    /// The next row.
    pub fn next(&mut self) -> io::Result<Option<Raw<'_>>> {
        self.skip_line_ends()?;
        let line = self.place.line;
        let (mut wrote, mut ended, mut broken) = (0, 0, None);
        if self.input.fill_buf()?.is_empty() {
            return Ok(None);
        }
        loop {
            let input = self.input.fill_buf()?;
            // A last line without its end gets one; what still goes on then is within quotes.
            let last = input.is_empty();
            let input = if last { b"\n" } else { input };
            let (result, used, bytes, fields) =
                self.csv.read_record(input, &mut self.bytes[wrote..], &mut self.ends[ended..]);
            wrote += bytes;
            ended += fields;
            if !last {
                self.place.line += newlines(&input[..used]);
                self.place.byte += used as u64;
                self.input.consume(used);
            }
            match result {
                ReadRecordResult::Record | ReadRecordResult::End => break,
                ReadRecordResult::InputEmpty if last => {
                    broken = Some(Broken::OpenQuote);
                    self.csv.reset();
                    break;
                }
                ReadRecordResult::InputEmpty => {}
                // What follows of it is read over the rest.
                ReadRecordResult::OutputFull => (broken, wrote) = (Some(Broken::TooLong), 0),
                ReadRecordResult::OutputEndsFull => (broken, ended) = (Some(Broken::TooManyFields), 0),
            }
        }
        let ends = if broken.is_some() { &[] } else { &self.ends[..ended] };
        Ok(Some(Raw { line, broken, bytes: &self.bytes, ends }))
    }

    /// Where the next row begins, or a line's end before it.
    pub fn place(&self) -> Place {
        self.place
    }

    pub(super) fn input(&mut self) -> &mut R {
        &mut self.input
    }

    /// The input was moved to a place where a row ended.
    pub(super) fn moved(&mut self, byte: u64, line: u64) {
        self.place = Place { byte, line };
    }

    /// Blank lines, and what is left of a CRLF.
    fn skip_line_ends(&mut self) -> io::Result<()> {
        loop {
            let input = self.input.fill_buf()?;
            let blank = input.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
            if blank == 0 {
                return Ok(());
            }
            self.place.line += newlines(&input[..blank]);
            self.place.byte += blank as u64;
            self.input.consume(blank);
        }
    }
}

fn newlines(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|b| **b == b'\n').count() as u64
}

#[cfg(test)]
mod tests {
    use std::io::{BufReader, Cursor};

    use super::*;

    /// Line, and fields or what is broken.
    type Seen = Vec<(u64, Result<Vec<String>, Broken>)>;

    fn seen(row: &Raw<'_>) -> (u64, Result<Vec<String>, Broken>) {
        let fields = (0..row.len()).map(|n| String::from_utf8_lossy(row.field(n)).into_owned()).collect();
        (row.line, row.broken.map_or(Ok(fields), Err))
    }

    /// Whatever the size of the chunks, and wherever it goes on.
    fn all(text: &[u8]) -> Seen {
        let whole = from(text, 1 << 20);
        for chunk in 3..20 {
            assert_eq!(from(text, chunk), whole, "in chunks of {chunk}");
        }
        whole
    }

    fn from(text: &[u8], chunk: usize) -> Seen {
        let mut rows = Rows::new(BufReader::with_capacity(chunk, Cursor::new(text))).unwrap();
        let (mut all, mut places) = (Vec::new(), Vec::new());
        while let Some(row) = rows.next().unwrap() {
            all.push(seen(&row));
            places.push(rows.place());
        }
        for (n, place) in places.into_iter().enumerate() {
            rows.input().get_mut().set_position(place.byte);
            let rest = rows.input().buffer().len();
            rows.input().consume(rest);
            rows.moved(place.byte, place.line);
            let mut rest = Vec::new();
            while let Some(row) = rows.next().unwrap() {
                rest.push(seen(&row));
            }
            assert_eq!(rest, all[n + 1..], "from {place:?} on");
        }
        all
    }

    fn fields(line: u64, fields: &[&str]) -> (u64, Result<Vec<String>, Broken>) {
        (line, Ok(fields.iter().map(|f| (*f).to_owned()).collect()))
    }

    #[test]
    fn lines_end_in_any_way() {
        let expected = vec![fields(1, &["a", "b"]), fields(2, &["1", "2"]), fields(4, &["3", ""])];
        for text in ["a,b\n1,2\n\n3,\n", "a,b\r\n1,2\r\n\r\n3,\r\n", "\u{feff}a,b\n1,2\n\n3,"] {
            assert_eq!(all(text.as_bytes()), expected, "{text:?}");
        }
        assert!(all(b"").is_empty() && all(b"\r\n\n").is_empty());
    }

    #[test]
    fn quotes_hold_commas_quotes_and_lines() {
        let text = b"a,\"x,\"\"y\"\"\nX,victim\n\"\nb,c\n";
        assert_eq!(all(text), [fields(1, &["a", "x,\"y\"\nX,victim\n"]), fields(4, &["b", "c"])]);
    }

    #[test]
    fn broken_rows_cost_no_memory() {
        assert_eq!(all(b"a,b\nc,\"d\ne,f\n"), [fields(1, &["a", "b"]), (2, Err(Broken::OpenQuote))]);
        let long = format!("a,{}\nb,c\n", "x".repeat(3 * ROW_MAX));
        assert_eq!(all(long.as_bytes()), [(1, Err(Broken::TooLong)), fields(2, &["b", "c"])]);
        let many = format!("a{}\nb,c\n", ",".repeat(100));
        assert_eq!(all(many.as_bytes()), [(1, Err(Broken::TooManyFields)), fields(2, &["b", "c"])]);
        let fits = "x".repeat(ROW_MAX - 1);
        assert_eq!(all(format!("a{fits}\n").as_bytes()), [fields(1, &[&format!("a{fits}")])]);
    }
}
