//! A signed request kept while something is waited for: what a signature is verified over, and nothing else of it.

use super::base::Needs;
use super::{Component, SIGNATURE, SIGNATURE_INPUT};
use crate::fields::Fields;
use crate::original::{KeptOriginal, Original};

/// A request with its proof, as it came. Nothing about it is verified.
#[derive(Clone)]
pub struct Kept {
    original: KeptOriginal,
    fields: Vec<(&'static str, Box<[u8]>)>,
    needs: Needs,
}

impl Kept {
    /// Copies what matters. `None`: it shows no proof.
    pub fn of(original: &Original<'_>, fields: &impl Fields, needs: Needs) -> Option<Self> {
        let names = [SIGNATURE_INPUT, SIGNATURE, Component::Authorization.name(), Component::ContentDigest.name()];
        // Every one of a name: that there are two is for the reader to find.
        let copy = |name: &'static str| fields.named(name.as_bytes()).map(move |value| (name, value.into()));
        let kept: Vec<(&'static str, Box<[u8]>)> = names.into_iter().flat_map(copy).collect();
        kept.iter().any(|(name, _)| *name == SIGNATURE_INPUT || *name == SIGNATURE).then(|| Self {
            original: KeptOriginal::of(original),
            fields: kept,
            needs,
        })
    }

    /// The request.
    pub fn original(&self) -> Original<'_> {
        self.original.borrow()
    }

    /// What its proof must cover.
    pub fn needs(&self) -> Needs {
        self.needs
    }
}

impl Fields for Kept {
    fn each(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.fields.iter().map(|(name, value)| (name.as_bytes(), &**value))
    }
}

/// Nothing of what it holds: the token is among it.
impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Kept(…)")
    }
}
