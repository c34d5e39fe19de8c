/// Why the simulator could not do what its handle or its control API was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SimError {
    /// No app has this appid.
    #[error("no app has the appid {0:?}")]
    UnknownApp(String),
    /// No user has this name.
    #[error("no user has the name {0:?}")]
    UnknownUser(String),
    /// No app was named, and there is more than one to choose from.
    #[error("name an app: there is more than one")]
    AppMissing,
    /// A user of this name, or with one of these ids, exists already.
    #[error("{0} exists already")]
    Exists(String),
    /// A value is not one the simulator can work with.
    #[error("{0}")]
    Invalid(String),
    /// A list is full; the simulator keeps everything bounded.
    #[error("too many {0}")]
    TooMany(&'static str),
    /// The user has no session_key of the wanted kind in this app.
    #[error("the user has no such session_key in this app: the phone must call wx.login first")]
    NoSessionKey,
    /// The clock is the machine's own and can't be moved.
    #[error("the clock is the machine's own: set `clock = \"manual\"` to be able to move it")]
    ClockNotManual,
}
