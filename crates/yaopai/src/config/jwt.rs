//! `[jwt]` and `[[audiences]]`: who gets JWTs, and what they say.

use std::time::Duration;

use yaopai_core::ids::Realm;
use yaopai_core::ports::SigningAlg;
use yaopai_core::signing::{LIFE_MAX, Rotation};

use super::{ConfigError, file};

/// How JWTs are made.
#[derive(Debug, Clone)]
pub struct Jwt {
    /// `iss`: the URL at which back ends reach the admin listener. There where there are audiences.
    pub issuer: Option<String>,
    /// When signing keys change.
    pub rotation: Rotation,
    /// How many JWTs are kept ready.
    pub cached: usize,
    /// Who gets them.
    pub audiences: Vec<Audience>,
}

/// A back end that gets JWTs, or introspects.
#[derive(Debug, Clone)]
pub struct Audience {
    /// `aud`, and the client id with which it introspects.
    pub name: String,
    /// Its realm.
    pub realm: Realm,
    /// How its JWTs are signed.
    pub alg: SigningAlg,
    /// What their header calls them.
    pub typ: Typ,
    /// How long they live.
    pub lifetime: Duration,
    /// Which of the user's claims is their `scope`.
    pub scope_from: Option<String>,
    /// Which of the user's claims stand beside `claims`, too.
    pub top_level: Vec<String>,
}

/// A JWT's `typ`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Typ {
    /// `JWT`: what libraries take by themselves.
    Jwt,
    /// `at+jwt` (RFC 9068): can't be taken for an ID token.
    AtJwt,
}

impl Typ {
    /// As it stands in the header.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Jwt => "JWT",
            Self::AtJwt => "at+jwt",
        }
    }

    /// Reads it.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Jwt, Self::AtJwt].into_iter().find(|typ| typ.as_str() == text)
    }
}

/// What a claim of the back end's can't be called at the top level: names that are ours, and those that libraries act on.
const TAKEN: [&str; 33] = [
    "iss",
    "sub",
    "aud",
    "exp",
    "nbf",
    "iat",
    "jti",
    "typ",
    "azp",
    "act",
    "may_act",
    "cnf",
    "acr",
    "amr",
    "nonce",
    "scope",
    "client_id",
    "sid",
    "auth_time",
    "active",
    "token_type",
    "username",
    "user",
    "app",
    "session_id",
    "identity_id",
    "openid",
    "unionid",
    "vouched_at",
    "env_version",
    "claims",
    "body_signed",
    "realm",
];

/// May a claim of the back end's not be called so at the top level?
pub fn is_taken(name: &str) -> bool {
    name.is_empty() || TAKEN.contains(&name)
}

pub(super) fn read(jwt: &file::Jwt, entries: &[file::Audience]) -> Result<Jwt, ConfigError> {
    let issuer = jwt.issuer.as_deref().map(issuer).transpose()?;
    if issuer.is_none() && !entries.is_empty() {
        let what = "[[audiences]] needs it: the URL at which back ends reach the admin listener, like \"http://127.0.0.1:9702\"";
        return Err(ConfigError::value("jwt.issuer", what.into()));
    }
    if !(1..=3650).contains(&jwt.rotate_after_days) {
        return Err(ConfigError::value("jwt.rotate_after_days", "must be between 1 and 3650".into()));
    }
    if !(1..=43_200).contains(&jwt.publish_ahead) {
        return Err(ConfigError::value("jwt.publish_ahead", "must be 1 to 43200 seconds".into()));
    }
    if !(1..=10_000_000).contains(&jwt.max_cached) {
        return Err(ConfigError::value("jwt.max_cached", "must be between 1 and 10000000".into()));
    }
    let audiences = entries.iter().map(audience).collect::<Result<Vec<_>, _>>()?;
    for (n, entry) in audiences.iter().enumerate() {
        if audiences[..n].iter().any(|before| before.name == entry.name) {
            // In another realm too: a back end that looks at `aud` alone must not take the other realm's users for its own.
            return Err(ConfigError::value("audiences.name", format!("two audiences are called {:?}", entry.name)));
        }
    }
    let every = Duration::from_secs(u64::from(jwt.rotate_after_days) * 24 * 3600);
    let rotation = Rotation { every, ahead: Duration::from_secs(jwt.publish_ahead) };
    Ok(Jwt { issuer, rotation, cached: jwt.max_cached, audiences })
}

/// Compared byte by byte by whoever verifies, and the documents' URLs begin with it.
fn issuer(text: &str) -> Result<String, ConfigError> {
    let url = reqwest::Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    let bare = url.is_some_and(|url| {
        let nothing_else = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        nothing_else && url.username().is_empty() && url.password().is_none()
    });
    if bare && !text.ends_with(['/', '?', '#']) && text.is_ascii() {
        return Ok(text.to_owned());
    }
    let what = format!("{text:?} is no URL like https://yaopai.internal:9702, without a path or a slash at its end");
    Err(ConfigError::value("jwt.issuer", what))
}

fn audience(entry: &file::Audience) -> Result<Audience, ConfigError> {
    let name_ok = |s: &str| {
        (1..=64).contains(&s.len()) && s.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
    };
    if !name_ok(&entry.name) || !name_ok(&entry.realm) {
        let what = format!("{:?} in realm {:?}: use 1–64 letters, digits, '-', '_' or '.'", entry.name, entry.realm);
        return Err(ConfigError::value("audiences.name", what));
    }
    let lifetime = Duration::from_secs(entry.lifetime);
    if !(Duration::from_secs(10)..=LIFE_MAX).contains(&lifetime) {
        return Err(ConfigError::value(
            "audiences.lifetime",
            format!("audience {:?}: must be 10 to 600 seconds: a kicked session's JWT is good for so long", entry.name),
        ));
    }
    if let Some(taken) = entry.top_level.iter().find(|name| is_taken(name)) {
        return Err(ConfigError::value(
            "audiences.top_level",
            format!("audience {:?}: {taken:?} is a name that we or the libraries have another meaning for", entry.name),
        ));
    }
    Ok(Audience {
        name: entry.name.clone(),
        realm: entry.realm.as_str().into(),
        alg: match entry.alg {
            file::Alg::Es256 => SigningAlg::Es256,
            file::Alg::EdDsa => SigningAlg::EdDsa,
        },
        typ: match entry.typ {
            file::Typ::Jwt => Typ::Jwt,
            file::Typ::AtJwt => Typ::AtJwt,
        },
        lifetime,
        scope_from: entry.scope_from.clone(),
        top_level: entry.top_level.clone(),
    })
}
