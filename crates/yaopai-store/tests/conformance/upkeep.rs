//! What the server itself keeps.

use super::*;
use yaopai_core::ports::{DataKey, Open, Stale, StaleEnded};
use yaopai_core::session::{Device, EndReason, EnvVersion};
use yaopai_core::time::{Downtime, Timestamp};

pub async fn down_time(mut lab: Lab) {
    assert_eq!(lab.resume(T0).await.unwrap(), Downtime(0), "a first start was never down");
    lab.touched(vec![], later(10_000)).await.unwrap();
    lab.touched(vec![], later(4_000)).await.unwrap();
    lab.reopen();
    assert_eq!(lab.resume(later(15_000)).await.unwrap(), Downtime(5_000));
    lab.reopen();
    assert_eq!(lab.resume(later(17_000)).await.unwrap(), Downtime(7_000), "alive since the start itself");
    assert_eq!(lab.resume(later(1_000)).await.unwrap(), Downtime(7_000), "a clock that went back adds nothing");
    lab.reopen();
    assert_eq!(lab.resume(later(18_000)).await.unwrap(), Downtime(8_000), "and is forgotten once it is right again");
}

pub async fn seen_never_goes_back(mut lab: Lab) {
    lab.must_open(login(1, "o")).await;
    lab.must_open(login(2, "o")).await;
    lab.end(&main(), &Which::One(id(2)), EndReason::Logout, T0).await.unwrap();
    lab.log.take();
    let up = |ms| Uptime(T0.0 + ms);
    lab.touched(vec![(id(1), up(50)), (id(2), up(50)), (id(9), up(50))], T0).await.unwrap();
    lab.touched(vec![(id(1), up(20))], T0).await.unwrap();
    lab.reopen();
    assert_eq!(lab.get(1).await.last_seen, up(50));
    assert_eq!(lab.get(2).await.last_seen, up(0), "what has ended stays as it was");
    assert!(lab.log.take().is_empty(), "the table knows better");
    let many = (0..600).map(|ms| (id(1), up(100 + ms))).collect();
    lab.touched(many, T0).await.unwrap();
    assert_eq!(lab.get(1).await.last_seen, up(699));
}

pub async fn stale_ones_end(mut lab: Lab) {
    let hour = 60 * MINUTE;
    let open = |n: u8, app: &str, seen: i64, absolute: i64| {
        let mut open = login(n, &format!("o{n}"));
        open.session.app = app.into();
        open.session.last_seen = Uptime(T0.0 + seen);
        open.session.absolute_at = later(absolute);
        open
    };
    for open in [
        open(1, "shop", 0, 9 * hour),       // idle
        open(2, "shop", 1, 9 * hour),       // not yet
        open(3, "shop", 0, hour),           // idle, and too old: told as that
        open(4, "shop", hour, hour),        // too old
        open(5, "gone", 0, 9 * hour),       // of an app that isn't configured
        open(6, "gone", 0, hour),           // the same, too old
        open(7, "mall", 0, 9 * hour),       // its app lets it idle for longer
        open(8, "mall", 0, hour + 1),       // not yet
        open(9, "shop", -MINUTE, 9 * hour), // was used since, as the flush says
        open(10, "shop", 0, 9 * hour),      // has ended
    ] {
        lab.must_open(open).await;
    }
    lab.touched(vec![(id(9), Uptime(T0.0 + hour))], T0).await.unwrap();
    lab.end(&main(), &Which::One(id(10)), EndReason::Logout, T0).await.unwrap();
    lab.reopen();
    lab.log.take();
    let idle_ms = BTreeMap::from([("shop".into(), hour), ("mall".into(), hour + 1)]);
    let whole = Stale { idle_ms, up: Uptime(T0.0 + hour), now: later(hour), after: None, limit: 99 };
    // In steps of two, each where the last left off.
    let (mut after, mut ended, mut steps) = (None, Vec::new(), 0);
    loop {
        let step = lab.expire_stale(Stale { after, limit: 2, ..whole.clone() }).await.unwrap();
        assert!(step.ended.len() <= 2);
        ended.extend(step.ended);
        steps += 1;
        let Some(next) = step.next else { break };
        assert!(after < Some(next));
        after = Some(next);
    }
    let (idle, old) = (EndReason::ExpiredIdle, EndReason::ExpiredAbsolute);
    assert_eq!(ended, [(id(1), idle), (id(3), old), (id(4), old), (id(6), old)]);
    assert!(steps <= 6, "{steps}");
    assert_eq!(lab.log.did(), [1, 3, 4, 6].map(|n| Did::Ended(id(n))));
    for (n, reason) in [(1, Some(idle)), (2, None), (3, Some(old)), (5, None), (7, None), (8, None), (9, None)] {
        assert_eq!(lab.reason(n).await, reason, "{n}");
    }
    assert_eq!(lab.get(1).await.ended.unwrap().at, later(hour));
    assert_eq!(lab.reason(10).await, Some(EndReason::Logout), "what has ended stays as it was");
    assert_eq!(lab.expire_stale(whole).await.unwrap(), StaleEnded::default(), "once");
}

pub async fn a_sweep_is_bounded(lab: Lab) {
    for n in 1..=9 {
        let mut open = login(n, "o");
        open.login.expires_at = later(i64::from(n));
        lab.must_open(open).await;
        if n != 5 {
            lab.end(&main(), &Which::One(id(n)), EndReason::Logout, later(i64::from(n))).await.unwrap();
        }
    }
    lab.log.take();
    let left = || async {
        let mut left = (Vec::new(), Vec::new());
        for n in 1..=9 {
            if lab.login(&[n; 32]).await.unwrap().is_some() {
                left.0.push(n);
            }
            if lab.load(id(n)).await.unwrap().is_some() {
                left.1.push(n);
            }
        }
        left
    };
    assert_eq!(lab.purge(later(0), later(1), 100).await.unwrap(), 0);
    assert_eq!(lab.purge(later(8), later(8), 2).await.unwrap(), 4);
    assert_eq!(left().await, (vec![3, 4, 5, 6, 7, 8, 9], vec![3, 4, 5, 6, 7, 8, 9]));
    assert_eq!(lab.purge(later(8), later(8), 100).await.unwrap(), 6 + 4);
    assert_eq!(left().await, (vec![9], vec![5, 8, 9]), "a live session stays, and what ended in time");
    assert_eq!(lab.purge(later(8), later(8), 0).await.unwrap(), 0);
    assert!(lab.log.take().is_empty());
    // More than one chunk of them.
    for n in 0..3 {
        for m in 0..=255 {
            let mut open = login(m, "many");
            open.session.id.0[14] = 10 + n;
            open.login.key[0] = 100 + n;
            open.login.session = open.session.id;
            lab.must_open(open).await;
        }
    }
    assert_eq!(lab.purge(later(MINUTE), T0, 600).await.unwrap(), 600);
    assert_eq!(lab.purge(later(MINUTE), T0, 600).await.unwrap(), 169, "and the one from above");
}

pub async fn data_keys(mut lab: Lab) {
    let key = |id| DataKey { id, sealed: vec![9; 40], reserved: 0 };
    assert!(lab.add_data_key(key(2)).await.unwrap());
    assert!(lab.add_data_key(key(1)).await.unwrap());
    assert!(!lab.add_data_key(DataKey { sealed: vec![1], ..key(2) }).await.unwrap(), "never overwritten");
    assert_eq!(lab.reserve_seals(2, 100).await.unwrap(), 100);
    lab.reopen();
    assert_eq!(lab.reserve_seals(2, 11).await.unwrap(), 111);
    assert!(!lab.reserve_seals(3, 1).await.unwrap_err().retry);
    assert_eq!(lab.data_keys().await.unwrap(), [key(1), DataKey { reserved: 111, ..key(2) }]);
    assert_eq!(lab.reserve_seals(1, u64::MAX).await.unwrap(), i64::MAX.unsigned_abs(), "never wraps");
}

pub async fn a_field_of_every_kind_comes_back(mut lab: Lab) {
    let envs = [EnvVersion::Develop, EnvVersion::Trial, EnvVersion::Release];
    for (n, env) in (1..).zip(envs) {
        let text = |what: &str| Some(format!("{what} 张三 ' \" \0 😀"));
        let session = Session {
            unionid: text("un"),
            device: Device { id: text("id"), kind: text("kind"), name: text("name") },
            env_version: Some(env),
            created_at: Timestamp(T0.0 + 1),
            vouched_at: Timestamp(T0.0 + 2),
            absolute_at: Timestamp(T0.0 + 3),
            last_seen: Uptime(T0.0 - 4),
            ..wanted(n, &text("o").unwrap())
        };
        let user = Some(found_as(&text("u").unwrap(), "店长"));
        let s = lab.must_open(Open { session: session.clone(), user, ..login(n, "") }).await;
        lab.reopen();
        assert_eq!(lab.get(n).await, s);
        assert_eq!((s.device, s.env_version), (session.device, session.env_version));
        assert_eq!((s.created_at, s.vouched_at), (session.created_at, session.vouched_at));
        assert_eq!((s.absolute_at, s.last_seen), (session.absolute_at, session.last_seen));
    }
}
