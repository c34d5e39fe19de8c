//! Every fault of the simulator against every call that reaches WeChat. What clients get is written down in docs/faults.md,
//! which is compared; what must hold of all of them is asserted, by `row` for each fault and by `storm` for many clients at once.

mod call;
mod row;
mod storm;
mod table;

use call::Call;
use futures_util::future::join_all;
use row::World;
use yaopai_sim::{Endpoint, FaultKind};

/// One world for each call and each endpoint behind it, side by side: the slow faults take as long as the server's patience.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_table_in_the_documents_is_what_happens() {
    let pairs = || Call::ALL.into_iter().flat_map(|call| call.endpoints().iter().map(move |on| (call, *on)));
    let tables = join_all(pairs().map(|(call, endpoint)| rows(call, endpoint))).await;
    let broken: Vec<&String> = tables.iter().flatten().flat_map(|row| &row.broken).collect();
    let sections: Vec<_> = pairs().zip(&tables).map(|((call, on), rows)| table::section(call, on, rows)).collect();
    assert!(broken.is_empty(), "{broken:#?}");
    table::compare(&sections.join("\n"));
}

async fn rows(call: Call, endpoint: Endpoint) -> Vec<row::Row> {
    let world = World::new(call, endpoint).await;
    let mut rows = vec![world.without_fault().await];
    for kind in FaultKind::ALL.iter().filter(|kind| kind.touches(endpoint)) {
        for moment in kind.moments() {
            rows.push(world.with(*kind, *moment).await);
        }
    }
    rows
}
