use std::collections::BTreeMap;

use serde::Serialize;

use crate::Endpoint;

/// How often each endpoint was called and what it answered; what tests assert on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counters {
    /// Calls per endpoint (`jscode2session`, `token` …), faults included.
    pub calls: BTreeMap<&'static str, u64>,
    /// Business answers per errcode, 0 for success; what a fault replaced is counted as what it replaced.
    pub errcodes: BTreeMap<i64, u64>,
    /// Exchanges of DevTools' mock code, which is no code of ours.
    pub mock_exchanges: u64,
    /// Faults that struck.
    pub faults: u64,
}

impl Counters {
    pub(crate) fn call(&mut self, endpoint: Endpoint) {
        *self.calls.entry(endpoint.name()).or_default() += 1;
    }

    pub(crate) fn errcode(&mut self, errcode: i64) {
        *self.errcodes.entry(errcode).or_default() += 1;
    }
}
