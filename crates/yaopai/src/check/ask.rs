//! What a check needs: `require=bound&apps=shop,pay&vouched=300`.

use yaopai_core::time::Timestamp;
use yaopai_wire::original::is_prefix;
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
    /// What the proxy took off the front of the path before it asked.
    pub prefix: &'a str,
    /// May the path be one that two readers could read differently?
    pub unclean_path: bool,
    /// The audience of the JWT that the answer is to carry.
    pub jwt: Option<&'a str>,
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

/// A check's URL asks for something we don't know, or twice for something we do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the check's URL asks for something unknown, or for the same twice")]
pub struct NotAsked;

impl<'a> Ask<'a> {
    /// Reads what is asked. An unknown word is refused: a misspelt demand must not pass as none. So is one that stands twice:
    /// behind a proxy that adds its client's query to the check's own, the second would be the client's.
    ///
    /// # Errors
    /// An unknown word, or one twice.
    pub fn parse(text: &'a str) -> Result<Self, NotAsked> {
        let mut ask = Self {
            require: Require::Bound,
            realm: "default",
            apps: None,
            vouched: None,
            unsigned_body: false,
            prefix: "",
            unclean_path: false,
            jwt: None,
        };
        let flag = |value| match value {
            "1" => Ok(true),
            "0" => Ok(false),
            _ => Err(NotAsked),
        };
        let mut heard = 0u8;
        for pair in text.split('&').filter(|p| !p.is_empty()) {
            let (key, value) = pair.split_once('=').ok_or(NotAsked)?;
            let word = match key {
                "require" => {
                    ask.require = match value {
                        "bound" => Require::Bound,
                        "session" => Require::Session,
                        "open" => Require::Open,
                        _ => return Err(NotAsked),
                    };
                    1
                }
                "realm" if !value.is_empty() => {
                    ask.realm = value;
                    2
                }
                "apps" if !value.is_empty() => {
                    ask.apps = Some(value);
                    4
                }
                "vouched" => {
                    ask.vouched = Some(value.parse::<u32>().map_err(|_| NotAsked)?.into());
                    8
                }
                "unsigned_body" => {
                    ask.unsigned_body = flag(value)?;
                    16
                }
                "unclean_path" => {
                    ask.unclean_path = flag(value)?;
                    32
                }
                "prefix" if is_prefix(value) => {
                    ask.prefix = value;
                    64
                }
                "jwt" if !value.is_empty() => {
                    ask.jwt = Some(value);
                    128
                }
                _ => return Err(NotAsked),
            };
            if heard & word != 0 {
                return Err(NotAsked);
            }
            heard |= word;
        }
        Ok(ask)
    }

    /// What nobody meets: no realm has an empty name.
    pub fn nobody() -> Self {
        let require = Require::Bound;
        Self {
            require,
            realm: "",
            apps: None,
            vouched: None,
            unsigned_body: false,
            prefix: "",
            unclean_path: false,
            jwt: None,
        }
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

    /// The same, to be kept: with a route, or while the store is asked.
    pub fn to_owned(self) -> OwnedAsk {
        OwnedAsk {
            require: self.require,
            realm: self.realm.into(),
            apps: self.apps.map(Into::into),
            vouched: self.vouched,
            unsigned_body: self.unsigned_body,
            prefix: self.prefix.into(),
            unclean_path: self.unclean_path,
            jwt: self.jwt.map(Into::into),
        }
    }
}

/// What a check needs, kept.
pub struct OwnedAsk {
    require: Require,
    realm: Box<str>,
    apps: Option<Box<str>>,
    vouched: Option<i64>,
    unsigned_body: bool,
    prefix: Box<str>,
    unclean_path: bool,
    jwt: Option<Box<str>>,
}

impl OwnedAsk {
    /// The same, borrowed.
    pub fn borrow(&self) -> Ask<'_> {
        Ask {
            require: self.require,
            realm: &self.realm,
            apps: self.apps.as_deref(),
            vouched: self.vouched,
            unsigned_body: self.unsigned_body,
            prefix: &self.prefix,
            unclean_path: self.unclean_path,
            jwt: self.jwt.as_deref(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn defaults_are_strict() {
        let ask = Ask::parse("").unwrap();
        assert_eq!((ask.require, ask.realm, ask.apps, ask.vouched), (Require::Bound, "default", None, None));
        assert!(!ask.unclean_path && !ask.unsigned_body && ask.jwt.is_none());
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
            "prefix=",
            "prefix=api",
            "prefix=/api/",
            "prefix=/a/../b",
            "jwt=",
            "jwt",
            "jwt=a&jwt=a",
            "require=bound&require=open",
            "vouched=300&apps=a&vouched=300",
        ] {
            assert_eq!(Ask::parse(text), Err(NotAsked), "{text}");
        }
    }

    #[test]
    fn all_of_it() {
        let ask =
            Ask::parse("require=open&realm=r&apps=a,b&vouched=300&unsigned_body=1&unclean_path=1&prefix=/api").unwrap();
        assert_eq!(ask.prefix, "/api");
        assert_eq!(ask.require, Require::Open);
        assert_eq!((ask.realm, ask.apps, ask.vouched), ("r", Some("a,b"), Some(300)));
        assert!(ask.unclean_path && ask.unsigned_body);
    }

    const WORDS: [&str; 13] = [
        "require=bound",
        "require=session",
        "require=open",
        "realm=r",
        "apps=a",
        "apps=b",
        "vouched=300",
        "unsigned_body=1",
        "unclean_path=1",
        "unclean_path=0",
        "prefix=/api",
        "jwt=orders",
        "jwt=stock",
    ];

    fn said<'a>(text: &'a str, word: &str) -> Vec<&'a str> {
        text.split('&')
            .filter_map(|pair| pair.split_once('='))
            .filter(|(key, _)| *key == word)
            .map(|(_, v)| v)
            .collect()
    }

    proptest! {
        /// Nothing is granted that wasn't asked for, and no word that stands there goes unheard.
        #[test]
        fn an_ask_means_what_it_says(words in prop::collection::vec(prop::sample::select(WORDS.to_vec()), 0..4)) {
            let text = words.join("&");
            let Ok(ask) = Ask::parse(&text) else { return Ok(()) };
            let require = match said(&text, "require")[..] {
                [] | ["bound"] => Require::Bound,
                ["session"] => Require::Session,
                ["open"] => Require::Open,
                _ => return Err(TestCaseError::fail(text)),
            };
            prop_assert_eq!(ask.require, require);
            prop_assert_eq!(vec![ask.realm], [said(&text, "realm"), vec!["default"]].concat()[..1].to_vec());
            prop_assert_eq!(ask.apps.into_iter().collect::<Vec<_>>(), said(&text, "apps"));
            let vouched = ask.vouched.map(|seconds| seconds.to_string());
            prop_assert_eq!(vouched.iter().map(String::as_str).collect::<Vec<_>>(), said(&text, "vouched"));
            prop_assert!(!ask.unsigned_body || said(&text, "unsigned_body") == ["1"]);
            prop_assert_eq!(ask.prefix, *said(&text, "prefix").first().unwrap_or(&""));
            prop_assert_eq!(ask.jwt.into_iter().collect::<Vec<_>>(), said(&text, "jwt"));
            prop_assert!(!ask.unclean_path || said(&text, "unclean_path") == ["1"]);
        }

        #[test]
        fn never_panics(text: String) {
            let _ = Ask::parse(&text);
        }
    }
}
