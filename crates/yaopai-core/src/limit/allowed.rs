//! What is counted, by whom, and how much of it is allowed.

use std::time::Duration;

/// How much of one thing there may be in a window. 0: as much as they like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowed {
    /// By one identity.
    pub per_identity: u32,
    /// From one network: an IPv4 address or an IPv6 /64. Many honest people share one.
    pub per_network: u32,
    /// In one app.
    pub per_app: u32,
}

/// How much there may be in a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TryLimits {
    /// Logins. By identity they are counted once the platform has named it.
    pub logins: Allowed,
    /// Binds, and previews of bind codes.
    pub binds: Allowed,
    /// Phone numbers asked for: each may be a call that the platform counts.
    pub phone_numbers: Allowed,
    /// Requests of keyed sessions that could not be proved. Beyond it the refusal says to wait; one that can be proved passes all
    /// the same, so nobody is shut out by who has copied a token.
    pub failed_proofs: Allowed,
    /// Binds of one account named in a form, in a realm.
    pub binds_per_account: u32,
    /// How long the window is.
    pub window: Duration,
}

impl Default for TryLimits {
    fn default() -> Self {
        let allowed = |per_identity, per_network| Allowed { per_identity, per_network, per_app: 0 };
        Self {
            logins: allowed(60, 6_000),
            binds: allowed(10, 300),
            phone_numbers: allowed(30, 3_000),
            failed_proofs: allowed(100, 3_000),
            binds_per_account: 10,
            window: Duration::from_secs(600),
        }
    }
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    Login,
    Bind,
    PhoneNumber,
    FailedProof,
}

/// By whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    Identity,
    Network,
    App,
    /// The account that a form names.
    Account,
}

/// What is counted apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kind(pub What, pub By);

impl Kind {
    /// How many kinds there are.
    pub const COUNT: usize = 16;

    pub fn place(self) -> usize {
        self.0 as usize * 4 + self.1 as usize
    }
}

/// One thing to be counted.
pub(crate) struct Want<'a> {
    pub kind: Kind,
    pub max: u32,
    pub name: Vec<&'a [u8]>,
}

impl TryLimits {
    fn of(&self, what: What) -> Allowed {
        match what {
            What::Login => self.logins,
            What::Bind => self.binds,
            What::PhoneNumber => self.phone_numbers,
            What::FailedProof => self.failed_proofs,
        }
    }

    /// What is to be counted of it, by those who are known.
    pub(crate) fn wants<'a>(&self, what: What, by: &[(By, &'a [u8])]) -> Vec<Want<'a>> {
        let allowed = self.of(what);
        let max = |by| match by {
            By::Identity => allowed.per_identity,
            By::Network => allowed.per_network,
            By::App => allowed.per_app,
            By::Account => self.binds_per_account,
        };
        let wants = by.iter().map(|(by, name)| Want { kind: Kind(what, *by), max: max(*by), name: vec![name] });
        wants.filter(|want| want.max > 0).collect()
    }
}
