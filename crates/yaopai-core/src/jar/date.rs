//! `Expires`, as RFC 6265, section 5.1.1, reads it: anything that servers ever sent.

use crate::time::Timestamp;

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// The instant, or `None` if it is no date.
pub(super) fn read(text: &str) -> Option<Timestamp> {
    let (mut time, mut day, mut month, mut year) = (None, None, None, None);
    for token in text.split(is_delimiter).filter(|token| !token.is_empty()) {
        if time.is_none() && set(&mut time, clock(token)) {
            continue;
        }
        if day.is_none() && set(&mut day, number(token, 1..=2)) {
            continue;
        }
        if month.is_none() && set(&mut month, month_of(token)) {
            continue;
        }
        if year.is_none() {
            set(&mut year, number(token, 2..=4));
        }
    }
    let (hour, minute, second) = time?;
    let year = match year? {
        year @ 0..=69 => year + 2000,
        year @ 70..=99 => year + 1900,
        year => year,
    };
    if year < 1601 || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let days = days_before(year, month?, day?)?;
    Some(Timestamp((((days * 24 + hour) * 60 + minute) * 60 + second) * 1000))
}

fn set<T>(place: &mut Option<T>, found: Option<T>) -> bool {
    *place = found;
    place.is_some()
}

/// `delimiter` of the grammar.
fn is_delimiter(c: char) -> bool {
    matches!(c, '\t' | ' '..='/' | ';'..='@' | '['..='`' | '{'..='~')
}

/// `hms-time`, and something behind it that is no digit.
fn clock(token: &str) -> Option<(i64, i64, i64)> {
    let mut fields = token.splitn(3, ':');
    let mut strictly = || {
        let field = fields.next()?;
        let all = field.bytes().all(|b| b.is_ascii_digit());
        number(field, 1..=2).filter(|_| all)
    };
    let (hour, minute) = (strictly()?, strictly()?);
    Some((hour, minute, number(fields.next()?, 1..=2)?))
}

/// So many digits, and something behind them that is no digit.
fn number(token: &str, digits: std::ops::RangeInclusive<usize>) -> Option<i64> {
    let many = token.bytes().take_while(u8::is_ascii_digit).count();
    if digits.contains(&many) { token[..many].parse().ok() } else { None }
}

/// January is 1.
fn month_of(token: &str) -> Option<i64> {
    let start = token.get(..3)?;
    (1..).zip(MONTHS).find(|(_, month)| start.eq_ignore_ascii_case(month)).map(|(n, _)| n)
}

/// Days from 1970-01-01 to a date of the Gregorian calendar; `None` if there is no such date.
fn days_before(year: i64, month: i64, day: i64) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let long = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    if !(1..=long).contains(&day) {
        return None;
    }
    // Years begin in March here, so that a leap day is a year's last.
    let (years, months) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = years * 365 + years / 4 - years / 100 + years / 400 + (months * 153 + 2) / 5 + day - 1;
    Some(days - 719_468)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Option<i64> {
        read(text).map(|at| at.0 / 1000)
    }

    #[test]
    fn whatever_servers_send() {
        for text in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            "06 nov 1994 8:49:37",
            "1994 NOVEMBER 6 08:49:37",
            "08:49:37GMT;6th/Novem/94th",
            "Sun, 06-Nov-1994 08:49:37 UTC",
            "6 Nov 94 08:49:37 07:00:00",
        ] {
            assert_eq!(at(text), Some(784_111_777), "{text}");
        }
        assert_eq!(at("1 Jan 1970 00:00:00"), Some(0));
        assert_eq!(at("29 Feb 2000 0:0:0"), Some(951_782_400));
        assert_eq!(at("31 Dec 69 23:59:59"), Some(3_155_759_999), "69 is 2069");
        assert_eq!(at("1 Jan 1601 00:00:00"), Some(-11_644_473_600));
        assert_eq!(at("31 Dec 9999 23:59:59"), Some(253_402_300_799));
    }

    #[test]
    fn what_is_no_date() {
        for text in [
            "",
            "soon",
            "6 Nov 1994",
            "Nov 1994 08:49:37",
            "6 1994 08:49:37",
            "6 Nov 08:49:37",
            "31 Feb 2027 00:00:00",
            "29 Feb 1900 00:00:00",
            "0 Nov 1994 08:49:37",
            "32 Jan 1994 08:49:37",
            "6 Nov 1600 08:49:37",
            "6 Nov 1994 24:00:00",
            "6 Nov 1994 08:60:00",
            "6 Nov 1994 08:49:60",
            "6 Nov 1994 08:49",
            "6 Nov 19940 08:49:37",
            "6 Nov 1994 008:49:37",
            "6 Nov 1994 08:x49:37",
            "6 十一月 1994 08:49:37",
        ] {
            assert_eq!(at(text), None, "{text}");
        }
    }
}
