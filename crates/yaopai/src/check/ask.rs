//! What a check needs: `require=bound&apps=shop,pay&vouched=300`.

use yaopai_core::time::Timestamp;
use yaopai_wire::problem::Code;

use super::Principal;

/// What a check needs, as slices of its own URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ask<'a> {
    /// Which sessions pass.
    pub require: Require,
    /// The realm that the check belongs to.
    pub realm: &'a str,
    /// The apps whose sessions pass, separated by commas; `None`: all of the realm.
    pub apps: Option<&'a str>,
    /// How old the platform's word may be, in seconds.
    pub vouched: Option<i64>,
    /// May a signature leave out the body's digest?
    pub unsigned_body: bool,
    /// May the path be one that two readers could read differently?
    pub unclean_path: bool,
}

/// Which sessions pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Require {
    /// A session bound to a user. The default.
    Bound,
    /// Any session.
    Session,
    /// No session needed; one that is shown must still be valid.
    Open,
}

/// A check's URL asks for something we don't know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the check's URL asks for something unknown")]
pub struct NotAsked;

impl<'a> Ask<'a> {
    /// Reads what is asked. An unknown word is refused: a misspelt demand must not pass as none.
    ///
    /// # Errors
    /// An unknown word.
    pub fn parse(text: &'a str) -> Result<Self, NotAsked> {
        let mut ask = Self {
            require: Require::Bound,
            realm: "default",
            apps: None,
            vouched: None,
            unsigned_body: false,
            unclean_path: false,
        };
        let flag = |value| match value {
            "1" => Ok(true),
            "0" => Ok(false),
            _ => Err(NotAsked),
        };
        for pair in text.split('&').filter(|p| !p.is_empty()) {
            let (key, value) = pair.split_once('=').ok_or(NotAsked)?;
            match key {
                "require" => {
                    ask.require = match value {
                        "bound" => Require::Bound,
                        "session" => Require::Session,
                        "open" => Require::Open,
                        _ => return Err(NotAsked),
                    }
                }
                "realm" if !value.is_empty() => ask.realm = value,
                "apps" if !value.is_empty() => ask.apps = Some(value),
                "vouched" => ask.vouched = Some(value.parse::<u32>().map_err(|_| NotAsked)?.into()),
                "unsigned_body" => ask.unsigned_body = flag(value)?,
                "unclean_path" => ask.unclean_path = flag(value)?,
                _ => return Err(NotAsked),
            }
        }
        Ok(ask)
    }

    /// Does a session's principal meet what is asked?
    ///
    /// # Errors
    /// The refusal's code.
    pub fn meets(&self, principal: &Principal, now: Timestamp) -> Result<(), Code> {
        let place = principal.place();
        // Another realm's session doesn't exist here.
        if place.realm.as_str() != self.realm {
            return Err(Code::SessionUnknown);
        }
        if self.apps.is_some_and(|apps| !apps.split(',').any(|a| a == place.app.as_str())) {
            return Err(Code::AppNotAllowed);
        }
        if self.vouched.is_some_and(|seconds| now.0 - principal.vouched_at().0 > seconds * 1000) {
            return Err(Code::LoginRequired);
        }
        if self.require == Require::Bound && !principal.is_bound() {
            return Err(Code::NotBound);
        }
        Ok(())
    }

    /// The same, to be kept while the store is asked.
    pub fn to_owned(self) -> OwnedAsk {
        OwnedAsk {
            require: self.require,
            realm: self.realm.into(),
            apps: self.apps.map(Into::into),
            vouched: self.vouched,
        }
    }
}

/// What must be met, kept while the store is asked.
pub struct OwnedAsk {
    require: Require,
    realm: Box<str>,
    apps: Option<Box<str>>,
    vouched: Option<i64>,
}

impl OwnedAsk {
    /// The same, borrowed.
    pub fn borrow(&self) -> Ask<'_> {
        Ask {
            require: self.require,
            realm: &self.realm,
            apps: self.apps.as_deref(),
            vouched: self.vouched,
            // Decided before the store was asked.
            unsigned_body: false,
            unclean_path: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_strict() {
        let ask = Ask::parse("").unwrap();
        assert_eq!((ask.require, ask.realm, ask.apps, ask.vouched), (Require::Bound, "default", None, None));
        assert!(!ask.unclean_path && !ask.unsigned_body);
    }

    #[test]
    fn misspelt_demands_are_refused() {
        for text in [
            "requir=bound",
            "require=Bound",
            "require=",
            "vouched=-1",
            "vouched=x",
            "apps=",
            "realm=",
            "bound",
            "unclean_path=yes",
        ] {
            assert_eq!(Ask::parse(text), Err(NotAsked), "{text}");
        }
    }

    #[test]
    fn all_of_it() {
        let ask = Ask::parse("require=open&realm=r&apps=a,b&vouched=300&unsigned_body=1&unclean_path=1").unwrap();
        assert_eq!(ask.require, Require::Open);
        assert_eq!((ask.realm, ask.apps, ask.vouched), ("r", Some("a,b"), Some(300)));
        assert!(ask.unclean_path && ask.unsigned_body);
    }
}
