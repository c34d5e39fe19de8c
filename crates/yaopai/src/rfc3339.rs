//! An instant as it stands on every wire of ours: RFC 3339, in UTC, with milliseconds.

use jiff::fmt::StdIoWrite;
use jiff::fmt::temporal::DateTimePrinter;
use yaopai_core::time::Timestamp;

/// Of `2026-11-27T08:30:00.000Z`.
pub const LENGTH: usize = 24;
static PRINTER: DateTimePrinter = DateTimePrinter::new().precision(Some(3));

/// The instant as text.
pub fn rfc3339(at: Timestamp) -> String {
    String::from_utf8_lossy(&bytes(at)).into_owned()
}

/// The same without a string. An instant outside the years 0 to 9999, which no clock of ours shows, is written as 1970.
pub fn bytes(at: Timestamp) -> [u8; LENGTH] {
    let mut text = *b"1970-01-01T00:00:00.000Z";
    let years = jiff::Timestamp::from_millisecond(at.0).ok().filter(|_| (FIRST..=LAST).contains(&at.0));
    if let Some(at) = years {
        // It can't fail: what is written is as long as this.
        let _ = PRINTER.print_timestamp(&at, StdIoWrite(&mut text[..]));
    }
    text
}

/// The first instant of the year 0, in milliseconds.
const FIRST: i64 = -62_167_219_200_000;
/// The last one of the year 9999 that jiff can hold, but for a second.
const LAST: i64 = 253_402_207_199_999;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn instants() {
        assert_eq!(rfc3339(Timestamp(1_700_000_000_123)), "2023-11-14T22:13:20.123Z");
        assert_eq!(rfc3339(Timestamp(FIRST)), "0000-01-01T00:00:00.000Z");
        assert_eq!(rfc3339(Timestamp(LAST)), "9999-12-30T21:59:59.999Z");
        for out in [FIRST - 1, LAST + 1, i64::MIN, i64::MAX] {
            assert_eq!(rfc3339(Timestamp(out)), "1970-01-01T00:00:00.000Z");
        }
    }

    proptest! {
        #[test]
        fn it_reads_back(at in FIRST..=LAST) {
            let read: jiff::Timestamp = rfc3339(Timestamp(at)).parse().unwrap();
            prop_assert_eq!(read.as_millisecond(), at);
        }
    }
}
