/// A business error: HTTP 200 with `errcode` and `errmsg`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) errcode: i64,
    errmsg: String,
    /// What stands before `rid:`. Observed both with and without the comma, so nobody may rely on either.
    joint: &'static str,
}

impl Refusal {
    /// `errmsg, rid: …`
    pub(crate) fn new(errcode: i64, errmsg: impl Into<String>) -> Self {
        Self { errcode, errmsg: errmsg.into(), joint: ", rid: " }
    }

    /// `errmsg rid: …`
    pub(crate) fn spaced(errcode: i64, errmsg: impl Into<String>) -> Self {
        Self { errcode, errmsg: errmsg.into(), joint: " rid: " }
    }

    pub(crate) fn errmsg(&self, rid: &str) -> String {
        format!("{}{}{rid}", self.errmsg, self.joint)
    }

    /// The usual text of an errcode that a fault asks for.
    pub(crate) fn by_code(errcode: i64) -> Self {
        let errmsg = match errcode {
            -1 => "system error",
            40001 => return Self::spaced(errcode, "invalid credential, access_token is invalid or not latest"),
            40029 => "invalid code",
            40163 => "code been used",
            40226 => "code blocked",
            42001 => return Self::spaced(errcode, "access_token expired"),
            45009 => "reach max api daily quota limit",
            45011 => "api minute-quota reach limit  mustslower  retry next minute",
            _ => "error",
        };
        Self::new(errcode, errmsg)
    }
}
