use std::net::IpAddr;

/// A business error: HTTP 200 with `errcode` and `errmsg`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) errcode: i64,
    errmsg: String,
    /// What stands before `rid:`. Observed both with and without the comma, so nobody may rely on either.
    joint: &'static str,
}

impl Refusal {
    pub(crate) fn errmsg(&self, rid: &str) -> String {
        format!("{}{}{rid}", self.errmsg, self.joint)
    }

    /// `errmsg, hints: [ req_id: … ]`, as until 2020.
    pub(crate) fn old_errmsg(&self, req_id: &str) -> String {
        format!("{}, hints: [ req_id: {req_id} ]", self.errmsg)
    }

    /// The address is not in the app's whitelist.
    pub(crate) fn address(peer: IpAddr) -> Self {
        let mapped = if peer.is_ipv4() { format!("::ffff:{peer}") } else { peer.to_string() };
        let errmsg = format!("invalid ip {peer} ipv6 {mapped}, not in whitelist");
        Self { errcode: 40164, errmsg, joint: " rid: " }
    }

    /// What a fault asks for, to this address.
    pub(crate) fn asked_for(errcode: i64, peer: IpAddr) -> Self {
        if errcode == 40164 { Self::address(peer) } else { Self::by_code(errcode) }
    }

    /// The usual text of an errcode.
    pub(crate) fn by_code(errcode: i64) -> Self {
        let (joint, errmsg) = match errcode {
            -1 => (", rid: ", "system error"),
            0 => (", rid: ", "ok"),
            40001 => (" rid: ", "invalid credential, access_token is invalid or not latest"),
            40002 => (", rid: ", "invalid grant_type"),
            40003 => (", rid: ", "invalid openid"),
            40013 => (", rid: ", "invalid appid"),
            40014 => (" rid: ", "invalid access_token"),
            40029 => (", rid: ", "invalid code"),
            40125 => (" rid: ", "invalid appsecret"),
            40163 => (", rid: ", "code been used"),
            40226 => (", rid: ", "code blocked"),
            40243 => (", rid: ", "appsecret is frozen"),
            41001 => (", rid: ", "access_token missing"),
            41002 => (", rid: ", "appid missing"),
            41004 => (", rid: ", "appsecret missing"),
            41008 => (", rid: ", "missing code"),
            42001 => (" rid: ", "access_token expired"),
            42003 => (", rid: ", "code expired"),
            43001 => (", rid: ", "require GET method"),
            43002 => (", rid: ", "require POST method"),
            45009 => (", rid: ", "reach max api daily quota limit"),
            45011 => (", rid: ", "api minute-quota reach limit  mustslower  retry next minute"),
            47001 => (", rid: ", "data format error"),
            87008 => (" rid: ", "invalid sig_method"),
            87009 => (" rid: ", "invalid signature"),
            _ => (", rid: ", "error"),
        };
        Self { errcode, errmsg: errmsg.to_owned(), joint }
    }
}
