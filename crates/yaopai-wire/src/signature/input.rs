//! Reading `Signature-Input` and `Signature`. The structured fields' own rule for something that is there twice is that the last
//! one counts; here it is refused, since another reader may take the first.

use std::borrow::Cow;

use sfv::visitor::{DictionaryVisitor, EntryVisitor, InnerListVisitor, ItemVisitor, ParameterVisitor};
use sfv::{BareItemFromInput, KeyRef, Parser};

use super::{
    Component, INPUT_MAX, KEY_ID_MAX, NONCE_LENGTH, NotAProof, Param, SIGNATURE, SIGNATURE_INPUT, SIGNATURE_LENGTH,
    TAG, usual,
};
use crate::fields::Fields;

/// A request's proof as it was sent: well-formed, and not verified yet.
#[derive(Debug)]
pub struct Proof<'a> {
    /// When it was made by the client's clock, in seconds since 1970.
    pub created: i64,
    /// What makes it unlike any other of its key's.
    pub nonce: &'a str,
    /// Which key it names.
    pub key_id: &'a str,
    pub(super) alg: &'a str,
    /// In the order in which they are covered: it is part of what is signed.
    pub(super) components: Ordered<Component, 6>,
    pub(super) params: Ordered<Param, 5>,
    pub(super) signature: [u8; SIGNATURE_LENGTH],
}

/// A few different things in an order.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Ordered<T, const N: usize>([Option<T>; N]);

impl<T: Copy + PartialEq, const N: usize> Ordered<T, N> {
    pub(super) const EMPTY: Self = Self([None; N]);

    /// False if it is there already.
    pub(super) fn push(&mut self, item: T) -> bool {
        let free = self.0.iter_mut().take_while(|place| **place != Some(item)).find(|place| place.is_none());
        free.is_some_and(|place| {
            *place = Some(item);
            true
        })
    }

    pub(super) fn contains(&self, item: T) -> bool {
        self.0.contains(&Some(item))
    }

    pub(super) fn each(&self) -> impl Iterator<Item = T> {
        self.0.iter().copied().flatten()
    }
}

impl<'a> Proof<'a> {
    /// Reads a request's proof. `None`: it shows none.
    ///
    /// # Errors
    /// [`NotAProof`]: there is something, and it isn't one.
    pub fn read(fields: &'a impl Fields) -> Result<Option<Self>, NotAProof> {
        let (input, signature) = match (one(fields, SIGNATURE_INPUT)?, one(fields, SIGNATURE)?) {
            (None, None) => return Ok(None),
            (None, Some(_)) => return Err(NotAProof::Missing(SIGNATURE_INPUT)),
            (Some(_), None) => return Err(NotAProof::Missing(SIGNATURE)),
            (Some(input), Some(signature)) => (input, signature),
        };
        let read = usual::input(input).map_or_else(|| Input::parse(input), Ok)?;
        let usual = read.label.and_then(|label| usual::signature(signature, label));
        let value = match usual {
            Some(bytes) => Value { label: read.label, signature: Some(bytes), wrong: None },
            None => Value::parse(signature)?,
        };
        let missing = |param: Param| NotAProof::NoParameter(param.name());
        let proof = Self {
            created: read.created.ok_or_else(|| missing(Param::Created))?,
            nonce: read.nonce.ok_or_else(|| missing(Param::Nonce))?,
            key_id: read.key_id.ok_or_else(|| missing(Param::KeyId))?,
            alg: read.alg.ok_or_else(|| missing(Param::Alg))?,
            components: read.components,
            params: read.params,
            signature: value.signature.ok_or(NotAProof::Malformed(SIGNATURE))?,
        };
        if !read.params.contains(Param::Tag) {
            return Err(missing(Param::Tag));
        }
        if read.label != value.label {
            return Err(NotAProof::OtherLabel);
        }
        Ok(Some(proof))
    }
}

/// The field's one value.
fn one<'a>(fields: &'a impl Fields, name: &'static str) -> Result<Option<&'a [u8]>, NotAProof> {
    let mut values = fields.named(name.as_bytes());
    let Some(value) = values.next() else { return Ok(None) };
    match values.next() {
        Some(_) => Err(NotAProof::Doubled(name)),
        None if value.len() > INPUT_MAX => Err(NotAProof::TooLong(name)),
        None => Ok(Some(value)),
    }
}

/// A refusal, by way of the parser.
type Refused<T> = Result<T, NotAProof>;

/// `Signature-Input`, as far as it is read.
#[derive(Debug, PartialEq)]
pub(super) struct Input<'a> {
    pub label: Option<&'a str>,
    pub created: Option<i64>,
    nonce: Option<&'a str>,
    key_id: Option<&'a str>,
    alg: Option<&'a str>,
    pub components: Ordered<Component, 6>,
    pub params: Ordered<Param, 5>,
    wrong: Option<NotAProof>,
}

impl Default for Input<'_> {
    fn default() -> Self {
        let (components, params) = (Ordered::EMPTY, Ordered::EMPTY);
        Self { label: None, created: None, nonce: None, key_id: None, alg: None, components, params, wrong: None }
    }
}

impl Input<'_> {
    fn refuse<T>(&mut self, why: NotAProof) -> Refused<T> {
        self.wrong.get_or_insert(why);
        Err(why)
    }
}

impl<'a> DictionaryVisitor<'a> for &mut Input<'a> {
    type Out = ();
    type Error = NotAProof;

    fn entry(&mut self, label: &'a KeyRef) -> Refused<impl EntryVisitor<'a>> {
        if self.label.replace(label.as_str()).is_some() {
            return self.refuse(NotAProof::Doubled(SIGNATURE_INPUT));
        }
        Ok(Member(self))
    }

    fn finish(self) -> Refused<()> {
        if self.label.is_none() {
            return self.refuse(NotAProof::Malformed(SIGNATURE_INPUT));
        }
        Ok(())
    }
}

struct Member<'i, 'a>(&'i mut Input<'a>);

impl<'a> EntryVisitor<'a> for Member<'_, 'a> {
    type Error = NotAProof;

    fn item(self) -> Refused<impl ItemVisitor<'a>> {
        self.0.refuse::<sfv::visitor::Ignored>(NotAProof::Malformed(SIGNATURE_INPUT))
    }

    fn inner_list(self) -> Refused<impl InnerListVisitor<'a>> {
        Ok(self)
    }
}

impl<'a> InnerListVisitor<'a> for Member<'_, 'a> {
    type Error = NotAProof;

    fn item(&mut self) -> Refused<impl ItemVisitor<'a>> {
        Ok(Covered(self.0))
    }

    fn finish(self) -> Refused<impl ParameterVisitor<'a>> {
        Ok(Parameters(self.0))
    }
}

struct Covered<'i, 'a>(&'i mut Input<'a>);

impl<'a> ItemVisitor<'a> for Covered<'_, 'a> {
    type Out = ();
    type Error = NotAProof;

    fn bare_item(self, item: BareItemFromInput<'a>) -> Refused<impl ParameterVisitor<'a, Out = ()>> {
        let name = if let BareItemFromInput::String(name) = &item { name.as_str() } else { "" };
        match Component::named(name) {
            Some(component) if self.0.components.push(component) => Ok(NoParameters(self.0)),
            _ => self.0.refuse(NotAProof::WrongComponent),
        }
    }
}

/// A component's: `;sf`, `;bs`, `;key`, `;req` and `;tr` each make another value of the same name.
struct NoParameters<'i, 'a>(&'i mut Input<'a>);

impl<'a> ParameterVisitor<'a> for NoParameters<'_, 'a> {
    type Out = ();
    type Error = NotAProof;

    fn parameter(&mut self, _: &'a KeyRef, _: BareItemFromInput<'a>) -> Refused<()> {
        self.0.refuse(NotAProof::WrongComponent)
    }

    fn finish(self) -> Refused<()> {
        Ok(())
    }
}

struct Parameters<'i, 'a>(&'i mut Input<'a>);

impl<'a> ParameterVisitor<'a> for Parameters<'_, 'a> {
    type Out = ();
    type Error = NotAProof;

    fn parameter(&mut self, key: &'a KeyRef, value: BareItemFromInput<'a>) -> Refused<()> {
        let input = &mut *self.0;
        let Some(param) = Param::named(key.as_str()).filter(|param| input.params.push(*param)) else {
            return input.refuse(NotAProof::WrongParameter);
        };
        let fits = match (param, value) {
            (Param::Created, BareItemFromInput::Integer(at)) => {
                input.created = Some(i64::from(at));
                i64::from(at) >= 0
            }
            (_, BareItemFromInput::String(Cow::Borrowed(text))) => input.take(param, text.as_str()),
            // Also a string with escapes: no value of ours has what would need them.
            _ => false,
        };
        if fits { Ok(()) } else { input.refuse(NotAProof::WrongParameter) }
    }

    fn finish(self) -> Refused<()> {
        Ok(())
    }
}

impl<'a> Input<'a> {
    /// Reads it in whatever way it is written.
    pub fn parse(input: &'a [u8]) -> Result<Self, NotAProof> {
        let mut read = Self::default();
        let parsed = Parser::new(input).parse_dictionary_with_visitor(&mut read);
        // What we refuse goes before what the parser says of it: its errors are ours, in its words.
        if let Some(wrong) = read.wrong {
            return Err(wrong);
        }
        parsed.map_err(|_| NotAProof::Malformed(SIGNATURE_INPUT))?;
        Ok(read)
    }

    /// Takes a text parameter. False: it can't have this value.
    pub fn take(&mut self, param: Param, text: &'a str) -> bool {
        match param {
            Param::Nonce => self.nonce.insert(text).bytes().all(is_plain) && NONCE_LENGTH.contains(&text.len()),
            Param::KeyId => self.key_id.insert(text).bytes().all(is_plain) && (1..=KEY_ID_MAX).contains(&text.len()),
            Param::Alg => !self.alg.insert(text).is_empty(),
            Param::Tag => text == TAG,
            Param::Created => false,
        }
    }
}

/// base64url, hex, ids: nothing that is written in two ways.
fn is_plain(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.')
}

/// `Signature`, as far as it is read.
#[derive(Default)]
pub(super) struct Value<'a> {
    pub label: Option<&'a str>,
    pub signature: Option<[u8; SIGNATURE_LENGTH]>,
    wrong: Option<NotAProof>,
}

impl<'a> Value<'a> {
    /// Reads it in whatever way it is written.
    pub fn parse(signature: &'a [u8]) -> Result<Self, NotAProof> {
        let mut value = Self::default();
        let parsed = Parser::new(signature).parse_dictionary_with_visitor(&mut value);
        if let Some(wrong) = value.wrong {
            return Err(wrong);
        }
        parsed.map_err(|_| NotAProof::Malformed(SIGNATURE))?;
        Ok(value)
    }
}

impl<'a> DictionaryVisitor<'a> for &mut Value<'a> {
    type Out = ();
    type Error = NotAProof;

    fn entry(&mut self, label: &'a KeyRef) -> Refused<impl EntryVisitor<'a>> {
        if self.label.replace(label.as_str()).is_some() {
            self.wrong = Some(NotAProof::Doubled(SIGNATURE));
            return Err(NotAProof::Doubled(SIGNATURE));
        }
        Ok(Bytes(&mut self.signature))
    }

    fn finish(self) -> Refused<()> {
        Ok(())
    }
}

struct Bytes<'i>(&'i mut Option<[u8; SIGNATURE_LENGTH]>);

const NOT_BYTES: NotAProof = NotAProof::Malformed(SIGNATURE);

impl<'a> EntryVisitor<'a> for Bytes<'_> {
    type Error = NotAProof;

    fn item(self) -> Refused<impl ItemVisitor<'a>> {
        Ok(move |item: BareItemFromInput<'a>| -> Refused<NothingElse> {
            let BareItemFromInput::ByteSequence(bytes) = item else { return Err(NOT_BYTES) };
            *self.0 = Some(bytes.try_into().map_err(|_| NOT_BYTES)?);
            Ok(NothingElse)
        })
    }

    fn inner_list(self) -> Refused<impl InnerListVisitor<'a>> {
        Err::<sfv::visitor::Ignored, _>(NOT_BYTES)
    }
}

struct NothingElse;

impl<'a> ParameterVisitor<'a> for NothingElse {
    type Out = ();
    type Error = NotAProof;

    fn parameter(&mut self, _: &'a KeyRef, _: BareItemFromInput<'a>) -> Refused<()> {
        Err(NOT_BYTES)
    }

    fn finish(self) -> Refused<()> {
        Ok(())
    }
}
