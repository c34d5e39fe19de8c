//! Why a row did not come in.

use yaopai_core::ports::ImportConflict;

/// What is wrong with a malformed row. Says nothing of what stands in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Malformed {
    NotUtf8(&'static str),
    FieldCount,
    OpenQuote,
    RowTooLong,
    Missing(&'static str),
    TooLong(&'static str),
    Space(&'static str),
    Control(&'static str),
    AppUnknown,
    ClaimsNotJson,
    ClaimsTooLarge,
    BoundAt,
}

impl Malformed {
    /// How summary and report name it.
    pub fn kind(self) -> &'static str {
        match self {
            Self::NotUtf8(_) => "not_utf8",
            Self::FieldCount => "field_count",
            Self::OpenQuote => "open_quote",
            Self::RowTooLong => "row_too_long",
            Self::Missing(_) => "value_missing",
            Self::TooLong(_) => "value_too_long",
            Self::Space(_) => "surrounding_space",
            Self::Control(_) => "control_character",
            Self::AppUnknown => "app_unknown",
            Self::ClaimsNotJson => "claims_not_json",
            Self::ClaimsTooLarge => "claims_too_large",
            Self::BoundAt => "bound_at_invalid",
        }
    }

    /// Which column, and what to do.
    pub fn cure(self) -> String {
        match self {
            Self::NotUtf8(column) => format!("column {column}: not UTF-8; export the table as UTF-8"),
            Self::FieldCount => {
                "the row has not as many fields as the header; put values with commas or quotes in quotes".into()
            }
            Self::OpenQuote => "a quote is opened and never closed; no row after it could be read".into(),
            Self::RowTooLong => "the row is longer than any good one; look for a quote that is never closed".into(),
            Self::Missing(column) => format!("column {column}: no value; leave the row out if there is none"),
            Self::TooLong(column) => format!("column {column}: longer than 128 bytes; it can't be right"),
            Self::Space(column) => format!("column {column}: begins or ends with white space; trim it"),
            Self::Control(column) => format!("column {column}: holds a control character; export it without"),
            Self::AppUnknown => "column app: no app of this name is configured; it is not the appid".into(),
            Self::ClaimsNotJson => "column claims: no JSON object; leave it empty if there are none".into(),
            Self::ClaimsTooLarge => "column claims: more than 1024 bytes as JSON in ASCII; say less".into(),
            Self::BoundAt => {
                "column bound_at: no instant between 1970 and now; write it like 2026-01-31T08:00:00Z".into()
            }
        }
    }
}

/// How summary and report name a conflict, what stands there now, and what to do.
pub fn conflict(conflict: &ImportConflict) -> (&'static str, String, &'static str) {
    match conflict {
        ImportConflict::OtherUser(user) => (
            "identity_has_other_user",
            format!("user {user}"),
            "decide which is right; to take the row's, unbind the identity and import again",
        ),
        ImportConflict::OtherIdentity(openid) => (
            "user_has_other_identity",
            format!("openid {openid}"),
            "decide which is right and unbind the other, or set second_identity = \"allow\" for the app",
        ),
        ImportConflict::OtherRealm(realm) => (
            "identity_in_other_realm",
            format!("realm {realm}"),
            "the app was in that realm before; give the app in the new realm a new name",
        ),
        ImportConflict::OtherUnionid(unionid) => (
            "identity_has_other_unionid",
            format!("unionid {unionid}"),
            "look whether the row names the right openid; if so, leave its unionid out",
        ),
    }
}
