//! The `Cookie` field: RFC 6265, section 5.4.

use std::cmp::Reverse;

use zeroize::Zeroizing;

use super::{Cookie, To};

/// The field for a request that goes there, of cookies in the order in which they were created; `None` if none goes.
/// `sent` is called with each that does, by its place among them.
pub fn header<'a>(
    cookies: impl IntoIterator<Item = &'a Cookie>,
    to: To<'_>,
    mut sent: impl FnMut(usize),
) -> Option<Zeroizing<String>> {
    let mut going: Vec<_> = cookies.into_iter().enumerate().filter(|(_, cookie)| cookie.goes_to(to)).collect();
    // Step 2: longer paths first; the sort is stable, so the older first among equals.
    going.sort_by_key(|(_, cookie)| Reverse(cookie.path().len()));
    // In one piece: what a string grows out of is not wiped.
    let len = going.iter().map(|(_, cookie)| cookie.name().len() + cookie.value().len() + 3).sum();
    let mut field = Zeroizing::new(String::with_capacity(len));
    for (place, cookie) in &going {
        if !field.is_empty() {
            field.push_str("; ");
        }
        field.push_str(cookie.name());
        field.push('=');
        field.push_str(cookie.value());
        sent(*place);
    }
    (!going.is_empty()).then_some(field)
}
