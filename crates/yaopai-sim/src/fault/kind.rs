//! The one table of what can go wrong: every kind, what a client makes of it, and when it can strike.

use serde::{Deserialize, Serialize};

use super::When;
use crate::Endpoint;

/// What a client that does everything right makes of a call that a fault has hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// The right answer, late; whether it is too late is the client's patience.
    Late,
    /// No whole answer: whether the work was done can't be known.
    Lost,
    /// An answer, but not the platform's: wrong status, HTML, no JSON, or more than anybody should read.
    Unreadable,
    /// The platform's answer, with an errcode that is an error.
    Refused,
    /// The platform's answer, and no error in it; yet it isn't the success it claims to be.
    Incomplete,
    /// An unusual answer that means what the usual one means.
    Odd,
    /// The answer is the usual one of a world that has changed under the server: a secret, a token, a key.
    Changed,
}

/// Writes the enum and everything that is known of each kind from one table.
macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $kind:ident $name:literal $effect:ident $moments:expr, $endpoints:expr;)+) => {
        /// What goes wrong. [`FaultKind::ALL`], [`FaultKind::effect`], [`FaultKind::moments`] and [`FaultKind::touches`]
        /// are a table from which every fault of every call can be gone through.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
        pub enum FaultKind {
            $($(#[doc = $doc])+ #[serde(rename = $name)] $kind,)+
        }

        impl FaultKind {
            /// All of them, in the README's order.
            pub const ALL: &'static [Self] = &[$(Self::$kind),+];

            /// Its name in JSON.
            pub fn name(self) -> &'static str {
                match self { $(Self::$kind => $name,)+ }
            }

            /// What a correct client makes of it.
            pub fn effect(self) -> Effect {
                match self { $(Self::$kind => Effect::$effect,)+ }
            }

            /// When it can strike; the first is the one unless another is asked for.
            pub fn moments(self) -> &'static [When] {
                match self { $(Self::$kind => $moments,)+ }
            }

            /// Whether it makes a difference to a successful call of this endpoint.
            pub fn touches(self, endpoint: Endpoint) -> bool {
                let touched: fn(Endpoint) -> bool = match self { $(Self::$kind => $endpoints,)+ };
                touched(endpoint)
            }
        }
    };
}

const AFTER: &[When] = &[When::After];
const AFTER_BEFORE: &[When] = &[When::After, When::Before];
const BEFORE_AFTER: &[When] = &[When::Before, When::After];

fn any(_: Endpoint) -> bool {
    true
}

/// Those whose success says more than that it is one.
fn with_content(endpoint: Endpoint) -> bool {
    endpoint.chief_field().is_some()
}

fn with_errcode(endpoint: Endpoint) -> bool {
    !without_errcode(endpoint)
}

fn without_errcode(endpoint: Endpoint) -> bool {
    matches!(endpoint, Endpoint::Jscode2session | Endpoint::Token | Endpoint::StableToken)
}

fn login(endpoint: Endpoint) -> bool {
    endpoint == Endpoint::Jscode2session
}

fn phone(endpoint: Endpoint) -> bool {
    endpoint == Endpoint::Getuserphonenumber
}

fn with_secret(endpoint: Endpoint) -> bool {
    without_errcode(endpoint)
}

fn with_numbers(endpoint: Endpoint) -> bool {
    !login(endpoint)
}

/// Those with a key in them, which may have a slash.
fn with_base64(endpoint: Endpoint) -> bool {
    matches!(endpoint, Endpoint::Jscode2session | Endpoint::Resetusersessionkey | Endpoint::Getuserencryptkey)
}

/// Those that are about one user whom the call names.
fn with_user(endpoint: Endpoint) -> bool {
    !matches!(endpoint, Endpoint::Token | Endpoint::StableToken | Endpoint::Checkencryptedmsg)
}

kinds! {
    /// Waits `ms` of real time, whatever the clock.
    Delay "delay" Late AFTER_BEFORE, any;
    /// The body comes in eight pieces with `ms` of real time before each.
    SlowBody "slow_body" Late AFTER, any;
    /// The connection is reset (TCP RST) without an answer.
    Reset "reset" Lost AFTER_BEFORE, any;
    /// The connection is closed in an orderly way (TCP FIN) without an answer, which clients like to take for "try again".
    Close "close" Lost AFTER_BEFORE, any;
    /// The connection breaks in the middle of the body.
    CutBody "cut_body" Lost AFTER, any;
    /// HTTP 502 with an HTML page, as a gateway in between answers.
    BadGateway "bad_gateway" Unreadable BEFORE_AFTER, any;
    /// HTTP `status`, 500 unless given; after the work the body is the true answer, which a client must not believe.
    HttpStatus "http_status" Unreadable BEFORE_AFTER, any;
    /// HTTP 302 to another host, as a captive portal answers.
    Redirect "redirect" Unreadable BEFORE_AFTER, any;
    /// HTTP 200 with an HTML page.
    HtmlPage "html_page" Unreadable BEFORE_AFTER, any;
    /// HTTP 200, no body.
    EmptyBody "empty_body" Unreadable AFTER_BEFORE, any;
    /// A whole HTTP answer whose JSON stops in the middle.
    TruncatedBody "truncated_body" Unreadable AFTER, any;
    /// The fields as `key=value&…` in place of JSON.
    NotJson "not_json" Unreadable AFTER, any;
    /// The object inside a JSON array.
    ArrayBody "array_body" Unreadable AFTER, any;
    /// A text in the JSON isn't UTF-8.
    InvalidUtf8 "invalid_utf8" Unreadable AFTER, any;
    /// The true answer with 2 MiB of an unknown field in it; the length is announced.
    OversizedBody "oversized_body" Unreadable AFTER, any;
    /// A JSON text that doesn't end before 64 MiB; no length is announced.
    EndlessBody "endless_body" Unreadable AFTER, any;
    /// HTTP 200 with `errcode`: -1 `system error` unless another is given.
    Errcode "errcode" Refused BEFORE_AFTER, any;
    /// As `errcode`, beside the fields of a success.
    ErrcodeBeside "errcode_beside" Refused AFTER, any;
    /// `"errcode":0` and nothing else.
    BareOk "bare_ok" Incomplete AFTER, with_content;
    /// `{}`
    EmptyObject "empty_object" Incomplete AFTER, with_content;
    /// A field is missing: `field`, or the endpoint's chief one.
    MissingField "missing_field" Incomplete AFTER, with_content;
    /// A field is `""`.
    EmptyField "empty_field" Incomplete AFTER, with_content;
    /// A field is `null`.
    NullField "null_field" Incomplete AFTER, with_content;
    /// A field is the number 40029.
    NumberField "number_field" Incomplete AFTER, with_content;
    /// A field is a text of 16 KiB.
    LongField "long_field" Incomplete AFTER, with_content;
    /// A field is a text with a line break, a quote, a NUL and other things that break headers and logs.
    GarbledField "garbled_field" Incomplete AFTER, with_content;
    /// The watermark names another app.
    WrongWatermark "wrong_watermark" Incomplete AFTER, phone;
    /// The watermark is of a week ago.
    OldWatermark "old_watermark" Incomplete AFTER, phone;
    /// A numeric errcode comes as a string: `"40029"`.
    StringErrcode "string_errcode" Odd AFTER, with_errcode;
    /// Every number comes as a string.
    NumericStrings "numeric_strings" Odd AFTER, with_numbers;
    /// `"errcode":0,"errmsg":"ok"` where a success has none.
    ErrcodeZero "errcode_zero" Odd AFTER, without_errcode;
    /// No errcode where a success has one.
    NoErrcode "no_errcode" Odd AFTER, with_errcode;
    /// errmsg ends in `, hints: [ req_id: … ]`, as until 2020.
    OldErrmsg "old_errmsg" Odd AFTER, |_| false;
    /// Fields that nobody has documented.
    ExtraFields "extra_fields" Odd AFTER, any;
    /// The fields come in another order.
    ShuffleKeys "shuffle_keys" Odd AFTER, any;
    /// Slashes are written `\/`.
    EscapeSlashes "escape_slashes" Odd AFTER, with_base64;
    /// Every character of a text is written `\u0061`.
    UnicodeEscapes "unicode_escapes" Odd AFTER, any;
    /// White space and line breaks around everything.
    PrettyBody "pretty_body" Odd AFTER, any;
    /// `Content-Type: text/html`, and JSON all the same.
    OddContentType "odd_content_type" Odd AFTER, any;
    /// No unionid.
    NoUnionid "no_unionid" Odd AFTER, login;
    /// `"expires_in":7200`, as in 2016.
    ExpiresIn "expires_in" Odd AFTER, login;
    /// `"countryCode":86` in place of `"86"`.
    NumericCountryCode "numeric_country_code" Odd AFTER, phone;
    /// The app's AppSecret is changed for good; its access tokens die.
    SecretRotated "secret_rotated" Changed BEFORE_AFTER, with_secret;
    /// The app's access tokens die.
    TokensRevoked "tokens_revoked" Changed BEFORE_AFTER, any;
    /// Another device of the user logs in: the session_key is replaced.
    SessionKeyRotated "session_key_rotated" Changed AFTER_BEFORE, with_user;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// serde names every variant when it refuses one, so nothing can be missing from the table or have two names.
    #[test]
    fn the_table_and_the_names_in_json_are_the_same() {
        let refused = serde_json::from_str::<FaultKind>("\"nonsense\"").unwrap_err().to_string();
        let (_, expected) = refused.split_once("expected one of ").unwrap();
        let names: Vec<_> = expected.split('`').skip(1).step_by(2).collect();
        let table: Vec<_> = FaultKind::ALL.iter().map(|kind| kind.name()).collect();
        assert_eq!(names, table);
    }

    /// The README's table has a row for each kind, in this order, with its effect and its moment.
    #[test]
    fn the_readme_has_the_same_table() {
        let readme = include_str!("../../README.md");
        let (_, faults) = readme.split_once("## Faults").unwrap();
        let (faults, _) = faults.split_once("\n## ").unwrap();
        let rows: Vec<_> = faults.lines().filter_map(|line| line.strip_prefix("| `")).collect();
        let table: Vec<_> = FaultKind::ALL.iter().map(|kind| kind.name()).collect();
        assert_eq!(rows.iter().map(|row| row.split('`').next().unwrap()).collect::<Vec<_>>(), table);
        for (row, kind) in rows.iter().zip(FaultKind::ALL) {
            let effect = serde_json::to_value(kind.effect()).unwrap();
            let moments: Vec<_> = kind.moments().iter().map(|when| format!("{when:?}").to_lowercase()).collect();
            let end = format!("| {} | {} |", effect.as_str().unwrap(), moments.join(", "));
            assert!(row.ends_with(&end), "{row}: {end}");
        }
    }
}
