use serde::{Deserialize, Serialize};

/// What nobody has confirmed (INF), to be tried both ways.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Guesses {
    /// A signature in upper-case hex gets 87009. A widespread SDK sends upper case, so it probably passes.
    pub lower_case_signatures: bool,
    /// How getuserencryptkey is called; the vendor's pages differ.
    pub user_key_method: UserKeyMethod,
    /// 40226 and 45011 consume the code.
    pub refusals_consume_code: bool,
}

/// The methods that getuserencryptkey takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum UserKeyMethod {
    /// GET and POST.
    #[default]
    Any,
    /// GET only; another gets 43001.
    Get,
    /// POST only; another gets 43002.
    Post,
}
