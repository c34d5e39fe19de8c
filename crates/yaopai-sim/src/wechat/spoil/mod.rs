//! What a fault does to a call: to the world around it, to the fields of its answer, to their text, to the connection.

mod fields;
mod text;
mod wire;

pub(super) use fields::{spoil_fields, spoil_refusal};
pub(super) use text::spoil_text;
pub(crate) use wire::Hangup;
pub(super) use wire::{in_place_of, spoilt};

use super::call::Call;
use crate::{AnswerShape, Fault, FaultKind, state::State};

/// Faults after which the world is another one.
pub(super) fn change_world(state: &mut State, call: &Call, fault: &Fault) {
    let (app, subject) = call.about(state);
    match (fault.kind, app, subject) {
        (FaultKind::SecretRotated, Some(app), _) => {
            state.rotate_secret(&app, None, call.now);
        }
        (FaultKind::TokensRevoked, Some(app), _) => state.tokens.revoke(&app, call.now),
        (FaultKind::SessionKeyRotated, _, Some(subject)) => {
            let Some(policy) = state.apps.get(&subject.app).map(|app| app.session_key.clone()) else { return };
            let State { session_keys, dice, .. } = state;
            session_keys.replace(&subject, &policy, call.now, dice);
        }
        _ => {}
    }
}

/// Faults that are an app's knob for one answer.
pub(super) fn bend_shape(shape: &mut AnswerShape, kind: FaultKind) {
    match kind {
        FaultKind::ErrcodeZero => shape.errcode_zero = true,
        FaultKind::ExpiresIn => shape.expires_in = true,
        FaultKind::EscapeSlashes => shape.escape_slashes = true,
        FaultKind::ExtraFields => shape.extra_fields = true,
        FaultKind::ShuffleKeys => shape.shuffle_keys = true,
        FaultKind::NoUnionid => shape.unionid = false,
        FaultKind::NumericCountryCode => shape.numeric_country_code = true,
        _ => {}
    }
}
