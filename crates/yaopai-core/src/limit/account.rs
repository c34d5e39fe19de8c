//! Which account a form names, whatever its spelling.

use icu_normalizer::DecomposingNormalizerBorrowed;

/// One spelling for what a back end may take for the same account: `Alice` and ` alice`, `138-0013-8000` and `13800138000`,
/// and what its database's collation compares as equal (MySQL's usual one: `álice`, `ａｌｉｃｅ`, digits of any script). Two
/// accounts that fall together share a count; that is a nuisance, where a second count for one account is a way around.
pub(crate) fn account(named: &str) -> String {
    let letters = DecomposingNormalizerBorrowed::new_nfkd().normalize_iter(named.chars());
    // Up and down again: `ß` is `ss`, `ı` is `i`.
    let letters = letters.flat_map(char::to_uppercase).flat_map(char::to_lowercase).map(latin_digit);
    let folded: String = letters.filter(|c| c.is_alphanumeric()).collect();
    if folded.is_empty() { named.to_owned() } else { folded }
}

/// The zeros of the scripts that have decimal digits of their own, the other nine behind each (Unicode 15, category Nd), but
/// for those that decomposing makes Latin.
const ZEROS: [u32; 58] = [
    0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xde6, 0xe50, 0xed0, 0xf20,
    0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50, 0x1bb0, 0x1c40, 0x1c50, 0xa620, 0xa8d0,
    0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0x104a0, 0x10d30, 0x11066, 0x110f0, 0x11136, 0x111d0, 0x112f0, 0x11450,
    0x114d0, 0x11650, 0x116c0, 0x11730, 0x118e0, 0x11950, 0x11c50, 0x11d50, 0x11da0, 0x16a60, 0x16ac0, 0x16b50,
    0x1e140, 0x1e2f0, 0x1e950,
];

fn latin_digit(c: char) -> char {
    let behind = ZEROS.partition_point(|zero| *zero <= u32::from(c)).checked_sub(1);
    let digit = behind.and_then(|n| char::from_digit(u32::from(c) - ZEROS[n], 10));
    digit.unwrap_or(c)
}
