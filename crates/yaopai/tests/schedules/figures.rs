//! What the schedules played, in numbers: a test that played nothing proves nothing.

use std::fmt;

macro_rules! figures {
    ($($name:ident: $text:literal,)*) => {
        #[derive(Debug, Clone, Default, PartialEq, Eq)]
        pub struct Figures { $(pub $name: u64,)* }

        impl Figures {
            pub fn add(&mut self, other: &Self) {
                $(self.$name += other.$name;)*
            }
        }

        impl fmt::Display for Figures {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                $(writeln!(f, "{:>10}  {}", self.$name, $text)?;)*
                Ok(())
            }
        }
    };
}

figures! {
    schedules: "schedules",
    steps: "steps",
    delivered: "requests that reached the server",
    lost_requests: "requests lost",
    duplicates: "copies of requests delivered again",
    late: "requests more than 30 s late",
    lost_answers: "answers lost",
    dropped_answers: "answers of refreshes and binds that came after another",
    logins: "sessions opened",
    same_logins: "logins answered again",
    refreshes: "refreshes answered",
    repeated: "of them with the secret that the same request was given before",
    binds: "binds answered",
    step_ups: "step-ups done",
    step_ups_lost: "of them whose answer was asked for more than a minute later: the client logs in",
    superseded: "times an honest client was told session_superseded and went on",
    crashes: "crashes",
    crashes_in_a_call: "of them inside a call of the store, the platform or the back end",
    stops: "graceful stops",
    ends_played: "log-outs, kicks and unbinds played",
    expired: "honest clients that were idle too long, or too old",
    forgotten_slides: "of them because a crash forgot a use since the last flush",
    thefts_played: "thefts played",
    thefts_found: "thefts found",
    thefts_moot: "thefts whose session ended for another reason first",
    logouts: "honest clients logged out without cause",
}
