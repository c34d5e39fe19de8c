//! `<xml><Name><![CDATA[value]]></Name>…</xml>`, and nothing more of XML than that needs: a document type is refused, so there
//! are no entities but XML's own five, and nothing is ever fetched or expanded.

use std::collections::BTreeMap;

use quick_xml::Reader;
use quick_xml::events::{BytesRef, Event};

use super::PushError;

/// Deepest nesting. Real messages have lists in lists at most.
const DEPTH_MAX: usize = 16;

/// The elements below the root that hold text only.
pub(super) fn fields(text: &str) -> Result<BTreeMap<String, String>, PushError> {
    let wrong = PushError::Malformed("the body is not the XML of a push");
    let mut reader = Reader::from_str(text);
    // Else `<a/>` would be a third case.
    reader.config_mut().expand_empty_elements = true;
    let mut fields = BTreeMap::new();
    let mut place = Place::default();
    loop {
        match reader.read_event().map_err(|_| wrong)? {
            Event::Start(tag) => place.enter(tag.name().0).ok_or(wrong)?,
            Event::End(_) => {
                if let Some((name, value)) = place.leave().ok_or(wrong)? {
                    fields.entry(name).or_insert(value);
                }
            }
            Event::Text(piece) => place.say(&piece.xml10_content()).ok_or(wrong)?,
            Event::CData(piece) => place.say(&piece.xml10_content()).ok_or(wrong)?,
            Event::GeneralRef(name) => place.say(resolve(&name).ok_or(wrong)?.encode_utf8(&mut [0; 4])).ok_or(wrong)?,
            Event::Decl(_) | Event::Comment(_) => {}
            Event::DocType(_) | Event::PI(_) => return Err(PushError::Malformed("the body has a document type")),
            Event::Eof if place.ended => return Ok(fields),
            Event::Eof | Event::Empty(_) => return Err(wrong),
        }
    }
}

/// Where in the document the reader is.
#[derive(Default)]
struct Place {
    depth: usize,
    /// The root was closed.
    ended: bool,
    /// Of the element at depth 2.
    name: String,
    value: String,
    nested: bool,
}

impl Place {
    fn enter(&mut self, name: &str) -> Option<()> {
        self.depth += 1;
        match self.depth {
            2 => {
                name.clone_into(&mut self.name);
                self.value.clear();
                self.nested = false;
            }
            3.. => self.nested = true,
            _ => {}
        }
        (!self.ended && self.depth <= DEPTH_MAX).then_some(())
    }

    /// `None` if there was nothing to leave; else the field that ends here, if one does.
    fn leave(&mut self) -> Option<Option<(String, String)>> {
        let field =
            (self.depth == 2 && !self.nested).then(|| (std::mem::take(&mut self.name), self.value.trim().to_owned()));
        self.depth = self.depth.checked_sub(1)?;
        self.ended = self.depth == 0;
        Some(field)
    }

    /// Text between fields is blank, or this is no push.
    fn say(&mut self, text: &str) -> Option<()> {
        match self.depth {
            0 | 1 => text.trim().is_empty().then_some(()),
            _ => {
                self.value.push_str(text);
                Some(())
            }
        }
    }
}

/// A character reference, or one of XML's five (XML 1.0, section 4.6).
fn resolve(name: &BytesRef<'_>) -> Option<char> {
    match name.resolve_char_ref() {
        Ok(Some(c)) => return Some(c),
        Ok(None) => {}
        Err(_) => return None,
    }
    match &**name {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "apos" => Some('\''),
        "quot" => Some('"'),
        _ => None,
    }
}
