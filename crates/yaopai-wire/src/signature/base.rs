//! The signature base (RFC 9421, section 2.5): what is signed, line by line.

use super::{Component, NotAProof, Param, Proof, TAG};
use crate::digest::CONTENT_DIGEST;
use crate::fields::Fields;
use crate::original::Original;

/// What a request's signature has to cover beside method, authority, path and query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Needs {
    /// Does `Authorization` carry the token?
    pub authorization: bool,
    /// May the body stay unsigned, because the route says so?
    pub unsigned_body: bool,
}

impl Needs {
    /// Must this component be covered? If not, it may not be.
    pub(super) fn covers(self, component: Component, original: &Original<'_>, fields: &impl Fields) -> bool {
        match component {
            Component::Authorization => self.authorization,
            Component::ContentDigest => {
                let reads = matches!(original.method, "GET" | "HEAD");
                // A digest that nobody signed would be anybody's.
                !(reads || self.unsigned_body) || fields.named(CONTENT_DIGEST.as_bytes()).next().is_some()
            }
            Component::Method | Component::Authority | Component::Path | Component::Query => true,
        }
    }
}

impl Proof<'_> {
    /// Hands over the signature base piece by piece.
    ///
    /// # Errors
    /// The proof doesn't cover what it must, covers something else, or the request can be written in two ways.
    pub(super) fn feed(
        &self,
        original: &Original<'_>,
        fields: &impl Fields,
        needs: Needs,
        to: &mut impl FnMut(&[u8]),
    ) -> Result<(), NotAProof> {
        for component in Component::ALL {
            match (needs.covers(component, original, fields), self.components.contains(component)) {
                (true, false) => return Err(NotAProof::NotCovered(component.name())),
                (false, true) => return Err(NotAProof::WrongComponent),
                _ => {}
            }
        }
        for component in self.components.each() {
            to(component.quoted().as_bytes());
            to(b": ");
            value(component, original, fields, to)?;
            to(b"\n");
        }
        to(b"\"@signature-params\": ");
        self.params(to);
        Ok(())
    }

    /// Does it cover the digest of the body?
    pub fn signs_body(&self) -> bool {
        self.components.contains(Component::ContentDigest)
    }

    /// The value of `@signature-params` as a text: what follows the label and `=` in a `Signature-Input` without needless white
    /// space.
    pub fn signature_params(&self) -> String {
        let mut text = Vec::new();
        self.params(&mut |piece| text.extend_from_slice(piece));
        String::from_utf8_lossy(&text).into_owned()
    }

    /// The value of `@signature-params`, as the structured fields write it (RFC 9421, section 2.3): one way only, whatever white
    /// space the client sent.
    pub(super) fn params(&self, to: &mut impl FnMut(&[u8])) {
        to(b"(");
        for (n, component) in self.components.each().enumerate() {
            if n > 0 {
                to(b" ");
            }
            to(component.quoted().as_bytes());
        }
        to(b")");
        for param in self.params.each() {
            to(b";");
            to(param.name().as_bytes());
            to(b"=");
            let text = match param {
                Param::Created => {
                    to(itoa(self.created, &mut [0; 20]));
                    continue;
                }
                Param::Nonce => self.nonce,
                Param::KeyId => self.key_id,
                Param::Alg => self.alg,
                Param::Tag => TAG,
            };
            to(b"\"");
            to(text.as_bytes());
            to(b"\"");
        }
    }
}

/// A component's value (RFC 9421, sections 2.1 and 2.2).
fn value(
    component: Component,
    original: &Original<'_>,
    fields: &impl Fields,
    to: &mut impl FnMut(&[u8]),
) -> Result<(), NotAProof> {
    match component {
        Component::Method => to(original.method.as_bytes()),
        Component::Authority => to(authority(original)?.as_bytes()),
        Component::Path => {
            to(ascii(original.prefix, "path")?.as_bytes());
            to(ascii(original.path, "path")?.as_bytes());
        }
        Component::Query => {
            to(b"?");
            // RFC 9421 gives an empty query and none the same value. So only one of them is taken.
            match original.query {
                Some("") => return Err(NotAProof::NotCanonical("query")),
                Some(query) => to(ascii(query, "query")?.as_bytes()),
                None => {}
            }
        }
        Component::Authorization | Component::ContentDigest => to(field(fields, component.name())?),
    }
    Ok(())
}

/// As RFC 9421, section 2.2.3, wants it. What would have to be changed for that is refused: `HOST`, `host:` and `host:443` are other
/// requests than `host`, and a signature is of one.
fn authority<'a>(original: &Original<'a>) -> Result<&'a str, NotAProof> {
    let host = ascii(original.host, "host")?;
    let own = if original.scheme == "https" { ":443" } else { ":80" };
    if host.bytes().any(|b| b.is_ascii_uppercase()) || host.ends_with(':') || host.ends_with(own) {
        return Err(NotAProof::NotCanonical("host"));
    }
    Ok(host)
}

fn ascii<'a>(text: &'a str, part: &'static str) -> Result<&'a str, NotAProof> {
    if text.is_ascii() { Ok(text) } else { Err(NotAProof::NotCanonical(part)) }
}

/// A field's one value, without line breaks and the white space around it.
fn field<'a>(fields: &'a impl Fields, name: &'static str) -> Result<&'a [u8], NotAProof> {
    let mut values = fields.named(name.as_bytes());
    let value = values.next().ok_or(NotAProof::Missing(name))?.trim_ascii();
    if values.next().is_some() {
        return Err(NotAProof::Doubled(name));
    }
    if value.iter().all(|b| (b' '..=b'~').contains(b)) { Ok(value) } else { Err(NotAProof::NotCanonical(name)) }
}

/// An integer without a string. `created` is never below 0.
fn itoa(number: i64, to: &mut [u8; 20]) -> &[u8] {
    let (mut at, mut rest) = (to.len(), number.unsigned_abs());
    loop {
        at -= 1;
        to[at] = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
        if rest == 0 {
            return &to[at..];
        }
    }
}
