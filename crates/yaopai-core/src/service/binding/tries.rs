//! Who guesses at accounts and codes is slowed down: by identity, by network and by the account that the form names.

use std::net::IpAddr;

use serde_json::Value;

use super::Offer;
use crate::app::App;
use crate::error::{Error, Result};
use crate::limit::{self, By, Kind, Taken, Want, What};
use crate::service::Service;
use crate::session::Session;

impl Service {
    /// Counts one bind or preview, or refuses it.
    pub(super) async fn may_try(
        &self,
        session: &Session,
        app: &App,
        from: IpAddr,
        account: Option<&str>,
    ) -> Result<Taken> {
        let limits = self.world().limits;
        let network = limit::network(from);
        let by = [
            (By::Identity, session.identity.0.as_slice()),
            (By::Network, network.as_slice()),
            (By::App, app.name.as_str().as_bytes()),
        ];
        let mut wants = limits.wants(What::Bind, &by);
        // A realm's apps share their back end, so an account is the same one in all of them.
        wants.extend(account.map(|account| {
            let name = vec![app.realm.as_str().as_bytes(), account.as_bytes()];
            Want { kind: Kind(What::Bind, By::Account), max: limits.binds_per_account, name }
        }));
        // Which of them it was would tell a guesser what to change.
        self.count(&wants, "There were too many tries to bind; wait, then try again.").await
    }
}

/// The account that a form names, where the app says in which field. A form that names none is refused: its account could not
/// be counted.
pub(super) fn account_of(app: &App, offer: &Offer) -> Result<Option<String>> {
    let (Some(field), Offer::Form(form)) = (&app.policy.account_field, offer) else { return Ok(None) };
    // A back end that reads names without case may take another field than the one that is counted.
    let same = limit::account(field);
    if form.keys().filter(|name| limit::account(name) == same).count() > 1 {
        return Err(Error::field(
            "form",
            "The form names the account twice, in fields whose names differ in case only.",
        ));
    }
    match form.get(field) {
        Some(Value::String(named)) if !named.is_empty() => Ok(Some(limit::account(named))),
        // `1.38e10` and `13800000000` are one number.
        Some(Value::Number(named)) => match named.as_f64().filter(|n| named.is_f64() && n.fract() == 0.0) {
            Some(whole) => Ok(Some(limit::account(&format!("{whole:.0}")))),
            None => Ok(Some(limit::account(&named.to_string()))),
        },
        _ => Err(Error::field(
            "form",
            "The form must name the account, as a string or a number, in the app's account_field.",
        )),
    }
}
