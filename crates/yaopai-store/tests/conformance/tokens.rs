//! Stores of access tokens: what holds for each of them. Some of their own time goes by in a test, so nothing here is near an edge;
//! the edges themselves are in `yaopai-core/src/shared_token/tests.rs`.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use yaopai_core::ports::{SharedToken, SharedTokens, TokenAsked, TokenDigest, TokenLease};

pub const KEY: &str = "wechat/stable/shop/wx1/0123";
pub const LEASE: Duration = Duration::from_secs(20);

/// A store under test, which is empty.
#[async_trait]
pub trait Shelf: Send + Sync {
    /// A node's connection.
    async fn connect(&self, node: &str) -> Arc<dyn SharedTokens>;
    /// Its clock goes on by so much.
    fn pass(&self, seconds: i64);
}

/// A token, by its number.
pub fn token(n: u8) -> SharedToken {
    let (refresh_in, expires_in) = (Duration::from_secs(6_000), Duration::from_secs(7_000));
    SharedToken { sealed: vec![n; 600], digest: digest(n), refresh_in, expires_in }
}

pub fn digest(n: u8) -> TokenDigest {
    [n; 32]
}

/// What an answer says, without the times.
#[derive(Debug, PartialEq, Eq)]
pub enum Said {
    Good(u8),
    Yours(TokenLease, Option<u8>),
    Others(Option<u8>),
    Enough,
}

pub fn said(asked: &TokenAsked) -> Said {
    let number = |token: &SharedToken| {
        assert_eq!((token.sealed.len(), token.sealed[0]), (600, token.digest[0]));
        assert!(token.refresh_in <= Duration::from_secs(6_000) && token.expires_in <= Duration::from_secs(7_000));
        token.digest[0]
    };
    match asked {
        TokenAsked::Good(token) => Said::Good(number(token)),
        TokenAsked::Yours(lease, old) => Said::Yours(*lease, old.as_ref().map(number)),
        TokenAsked::Others(old, left) => {
            assert!(*left <= LEASE, "{left:?}");
            Said::Others(old.as_ref().map(number))
        }
        TokenAsked::Enough => Said::Enough,
    }
}

async fn ask(store: &Arc<dyn SharedTokens>, dead: Option<u8>) -> Said {
    said(&store.ask(KEY, LEASE, dead.map(digest)).await.unwrap())
}

async fn lease(store: &Arc<dyn SharedTokens>, dead: Option<u8>) -> TokenLease {
    match ask(store, dead).await {
        Said::Yours(lease, _) => lease,
        other => panic!("{other:?}"),
    }
}

async fn keep(store: &Arc<dyn SharedTokens>, lease: TokenLease, n: u8) -> bool {
    store.keep(KEY, lease.fence, token(n)).await.unwrap()
}

pub async fn one_fetches_and_the_others_wait(shelf: &dyn Shelf) {
    let (a, b) = (shelf.connect("a").await, shelf.connect("b").await);
    let first = lease(&a, None).await;
    assert_eq!(ask(&b, None).await, Said::Others(None));
    assert!(keep(&a, first, 1).await);
    for store in [&a, &b] {
        assert_eq!(ask(store, None).await, Said::Good(1));
    }
    shelf.pass(6_500);
    let Said::Yours(second, old) = ask(&b, None).await else { panic!("it is time for another one") };
    assert_eq!((old, ask(&a, None).await), (Some(1), Said::Others(Some(1))));
    assert!(keep(&b, second, 2).await);
    assert_eq!(ask(&a, None).await, Said::Good(2));
}

pub async fn an_owner_that_died_is_followed(shelf: &dyn Shelf) {
    let (a, b) = (shelf.connect("a").await, shelf.connect("b").await);
    let first = lease(&a, None).await;
    shelf.pass(10);
    assert_eq!(ask(&b, None).await, Said::Others(None));
    shelf.pass(20);
    let second = lease(&b, None).await;
    assert!(!keep(&a, first, 1).await && !a.force(KEY, first.fence, LEASE).await.unwrap());
    assert!(keep(&b, second, 2).await);
    assert!(!keep(&a, first, 1).await);
    a.give_back(KEY, first.fence).await.unwrap();
    assert_eq!(ask(&a, None).await, Said::Good(2));
}

pub async fn a_death_counts_once(shelf: &dyn Shelf) {
    let (a, b) = (shelf.connect("a").await, shelf.connect("b").await);
    let first = lease(&a, None).await;
    assert!(keep(&a, first, 1).await);
    let second = lease(&b, Some(1)).await;
    assert_eq!(second.dead, Some(digest(1)));
    assert_eq!(ask(&a, Some(1)).await, Said::Others(None));
    assert!(!keep(&b, second, 1).await, "it is the dead one");
    assert!(b.force(KEY, second.fence, LEASE).await.unwrap());
    assert!(!b.force(KEY, second.fence, LEASE).await.unwrap(), "so soon again");
    assert!(keep(&b, second, 2).await);
    for store in [&a, &b] {
        assert_eq!(ask(store, Some(1)).await, Said::Good(2));
    }
}

pub async fn what_is_given_back_is_the_next_ones(shelf: &dyn Shelf) {
    let (a, b) = (shelf.connect("a").await, shelf.connect("b").await);
    let first = lease(&a, None).await;
    b.give_back(KEY, first.fence).await.unwrap();
    assert_eq!(ask(&b, None).await, Said::Others(None), "it isn't b's to give");
    a.give_back(KEY, first.fence).await.unwrap();
    lease(&b, None).await;
}

pub async fn apps_are_apart(shelf: &dyn Shelf) {
    let a = shelf.connect("a").await;
    let first = lease(&a, None).await;
    assert!(keep(&a, first, 1).await);
    let other = a.ask("wechat/stable/kiosk/wx2/0123", LEASE, None).await.unwrap();
    assert!(matches!(said(&other), Said::Yours(_, None)));
}

/// All nodes at the same instant, over and over.
pub async fn of_many_nodes_one_fetches(shelf: &dyn Shelf) {
    let mut stores = Vec::new();
    for node in 0..6 {
        stores.push(shelf.connect(&format!("n{node}")).await);
    }
    for round in 1..20 {
        let dead = (round > 1).then(|| digest(round - 1));
        let asked: Vec<_> = stores
            .iter()
            .map(|store| {
                let store = Arc::clone(store);
                tokio::spawn(async move { (said(&store.ask(KEY, LEASE, dead).await.unwrap()), store) })
            })
            .collect();
        let mut leases = Vec::new();
        for asked in asked {
            match asked.await.unwrap() {
                (Said::Yours(lease, None), store) => leases.push((lease, store)),
                (Said::Others(None), _) => {}
                other => panic!("{:?}", other.0),
            }
        }
        assert_eq!(leases.len(), 1, "in round {round}");
        let (lease, store) = leases.remove(0);
        assert!(keep(&store, lease, round).await);
        shelf.pass(61);
    }
}

/// A test of each case for a place.
macro_rules! tokens_suite {
    ($shelf:expr) => {
        $crate::conformance::tokens::tokens_suite! {
            $shelf;
            one_fetches_and_the_others_wait, an_owner_that_died_is_followed, a_death_counts_once,
            what_is_given_back_is_the_next_ones, apps_are_apart, of_many_nodes_one_fetches
        }
    };
    ($shelf:expr; $($case:ident),+) => {
        $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $case() {
                $crate::conformance::tokens::$case(&$shelf).await;
            }
        )+
    };
}

pub(crate) use tokens_suite;
