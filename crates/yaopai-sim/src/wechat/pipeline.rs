//! The way of every call: count, find the fault that hits it, do the work, answer.

use std::{net::IpAddr, sync::Arc};

use axum::{
    Extension, Router,
    body::Bytes,
    extract::State as Shared,
    http::{Method, Uri},
    response::Response,
    routing::any,
};
use serde_json::{Map, Value, json};

use super::{
    answer,
    call::Call,
    cgi_bin,
    refusal::Refusal,
    sns,
    spoil::{bend_shape, change_world, in_place_of, spoil_fields, spoil_refusal, spoil_text, spoilt},
    wxa,
};
use crate::{AnswerShape, Effect, Endpoint, Fault, FaultKind, MOCK_CODE, When, simulator::Core, state::State};

/// Who is on the other end of the connection; the listener puts it into each request.
#[derive(Clone, Copy)]
pub(crate) struct Peer(pub(crate) IpAddr);

pub(crate) fn routes() -> Router<Arc<Core>> {
    Endpoint::ALL.into_iter().fold(Router::new(), |router, endpoint| {
        let handler = move |Shared(core): Shared<Arc<Core>>,
                            Extension(Peer(peer)): Extension<Peer>,
                            method: Method,
                            uri: Uri,
                            body: Bytes| async move {
            let call = Call::new(endpoint, method, peer, &uri, &body, core.clock.now_ms());
            run(&core, &call).await
        };
        router.route(endpoint.path(), any(handler))
    })
}

async fn run(core: &Core, call: &Call) -> Response {
    let endpoint = call.endpoint;
    let fault = arrive(&mut core.state(), call);
    if let Some(fault) = fault.as_ref().filter(|fault| fault.moment() == When::Before) {
        match fault.kind {
            FaultKind::Delay => tokio::time::sleep(fault.pause()).await,
            FaultKind::Errcode => {
                let refused = Err(Refusal::asked_for(fault.errcode, call.peer));
                return answer::ok(endpoint, finish(&mut core.state(), call, refused, None));
            }
            kind if kind.effect() == Effect::Changed => change_world(&mut core.state(), call, fault),
            _ => return in_place_of(endpoint, fault),
        }
    }
    let after = fault.filter(|fault| fault.moment() == When::After);
    let body = {
        let mut state = core.state();
        let result = work(&mut state, call);
        let body = finish(&mut state, call, result, after.as_ref());
        if let Some(fault) = &after {
            change_world(&mut state, call, fault);
        }
        body
    };
    match after {
        None => answer::ok(endpoint, body),
        Some(fault) => {
            if fault.kind == FaultKind::Delay {
                tokio::time::sleep(fault.pause()).await;
            }
            spoilt(endpoint, body, &fault)
        }
    }
}

fn arrive(state: &mut State, call: &Call) -> Option<Fault> {
    state.counters.call(call.endpoint);
    match (call.endpoint, call.param("js_code")) {
        (Endpoint::Jscode2session, Some(MOCK_CODE)) => state.counters.mock_exchanges += 1,
        (Endpoint::Jscode2session, Some(code)) => state.codes.count(code),
        (Endpoint::Getuserphonenumber, _) => {
            if let Some(code) = call.text("code") {
                state.phone_codes.count(code);
            }
        }
        _ => {}
    }
    let (app, subject) = call.about(state);
    let fault = state.faults.strike(call.endpoint, app.as_deref(), subject.as_ref());
    state.counters.faults += u64::from(fault.is_some());
    fault
}

fn work(state: &mut State, call: &Call) -> Result<Map<String, Value>, Refusal> {
    match call.endpoint {
        Endpoint::Jscode2session => sns::jscode2session(state, call),
        Endpoint::Token => cgi_bin::token(state, call),
        Endpoint::StableToken => cgi_bin::stable_token(state, call),
        Endpoint::Checksession => wxa::checksession(state, call),
        Endpoint::Resetusersessionkey => wxa::resetusersessionkey(state, call),
        Endpoint::Getuserphonenumber => wxa::business::getuserphonenumber(state, call),
        Endpoint::Getuserencryptkey => wxa::business::getuserencryptkey(state, call),
        Endpoint::Checkencryptedmsg => wxa::business::checkencryptedmsg(state, call),
    }
}

/// Turns a result into the bytes of an answer; faults that change its fields or its text have their say here.
fn finish(
    state: &mut State,
    call: &Call,
    mut result: Result<Map<String, Value>, Refusal>,
    after: Option<&Fault>,
) -> Vec<u8> {
    state.counters.errcode(result.as_ref().map_or_else(|refusal| refusal.errcode, |_| 0));
    if let Some(fault) = after.filter(|fault| fault.kind == FaultKind::Errcode) {
        result = Err(Refusal::asked_for(fault.errcode, call.peer));
    }
    let mut shape = shape_for(state, call);
    if let Some(fault) = after {
        bend_shape(&mut shape, fault.kind);
    }
    let rid = state.rid(call.now);
    let fields = match result {
        Ok(mut fields) => {
            answer::dress(&mut fields, &shape, call.endpoint);
            if let Some(fault) = after {
                spoil_fields(&mut fields, fault, call, &rid);
            }
            fields
        }
        Err(refusal) => {
            let old = after.is_some_and(|fault| fault.kind == FaultKind::OldErrmsg);
            let errmsg = if old { refusal.old_errmsg(&state.dice.alphanumeric(16)) } else { refusal.errmsg(&rid) };
            let mut fields =
                Map::from_iter([("errcode".to_owned(), json!(refusal.errcode)), ("errmsg".to_owned(), json!(errmsg))]);
            if let Some(fault) = after {
                spoil_refusal(&mut fields, fault.kind);
            }
            fields
        }
    };
    let text = answer::render(fields, &shape, &mut state.dice);
    match after {
        None => text.into_bytes(),
        Some(fault) => spoil_text(text, fault),
    }
}

fn shape_for(state: &State, call: &Call) -> AnswerShape {
    let (app, _) = call.about(state);
    app.and_then(|appid| state.apps.get(&appid)).map(|app| app.answer.clone()).unwrap_or_default()
}
