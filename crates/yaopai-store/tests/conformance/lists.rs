//! Lists and the scan.

use super::*;
use yaopai_core::ids::AppName;
use yaopai_core::ports::{BindCode, BindingFilter, Filter, Open, Subject};
use yaopai_core::session::{Device, EndReason};

fn mall(n: u8, openid: &str) -> Open {
    Open { session: Session { app: AppName::from("mall"), ..wanted(n, openid) }, ..login(n, openid) }
}

/// 1, 2: u in shop; 3: u in mall; 4: guest g in shop; 5: guest h in mall; 6: u in the other realm.
async fn people(lab: &Lab) {
    lab.must_open(login_as(1, "o", "u")).await;
    lab.must_open(login(2, "o")).await;
    lab.must_open(Open { user: Some(found("u")), ..mall(3, "m") }).await;
    lab.must_open(login(4, "g")).await;
    lab.must_open(mall(5, "h")).await;
    let far = Session { app: AppName::from("far"), realm: other_realm(), ..wanted(6, "f") };
    lab.must_open(Open { session: far, ..login_as(6, "f", "u") }).await;
}

const NONE: [u8; 0] = [];

async fn listed(lab: &Lab, filter: Filter) -> Vec<u8> {
    let list = lab.list(&main(), &filter).await.unwrap();
    for s in &list {
        assert_eq!(lab.load(s.id).await.unwrap().as_ref(), Some(s));
    }
    list.iter().map(|s| s.id.0[15]).collect()
}

fn all() -> Filter {
    Filter { limit: 100, ..Filter::default() }
}

pub async fn by_subject_and_app(lab: Lab) {
    people(&lab).await;
    let u = Some(Subject::User(user("u")));
    let g = Some(Subject::Guest(who(4)));
    let app = |name: &str| Some(AppName::from(name));
    assert_eq!(listed(&lab, all()).await, [1, 2, 3, 4, 5]);
    assert_eq!(listed(&lab, Filter { app: app("shop"), ..all() }).await, [1, 2, 4]);
    assert_eq!(listed(&lab, Filter { subject: u.clone(), ..all() }).await, [1, 2, 3]);
    assert_eq!(listed(&lab, Filter { subject: u.clone(), app: app("mall"), ..all() }).await, [3]);
    assert_eq!(listed(&lab, Filter { subject: g.clone(), ..all() }).await, [4]);
    assert_eq!(listed(&lab, Filter { subject: g, app: app("mall"), ..all() }).await, NONE);
    assert_eq!(listed(&lab, Filter { subject: Some(Subject::Guest(who(1))), ..all() }).await, NONE);
    let far = lab.list(&other_realm(), &Filter { subject: u, ..all() }).await.unwrap();
    assert_eq!(far.iter().map(|s| s.id).collect::<Vec<_>>(), [id(6)]);
    let guest = Filter { subject: Some(Subject::Guest(who(4))), ..all() };
    assert!(lab.list(&other_realm(), &guest).await.unwrap().is_empty());
}

pub async fn page_by_page(lab: Lab) {
    people(&lab).await;
    for subject in [None, Some(Subject::User(user("u")))] {
        let whole = listed(&lab, Filter { subject: subject.clone(), ..all() }).await;
        let mut pages = Vec::new();
        let mut after = None;
        loop {
            let page = listed(&lab, Filter { subject: subject.clone(), after, limit: 2, ..all() }).await;
            let Some(last) = page.last() else { break };
            assert!(page.len() <= 2);
            after = Some(id(*last));
            pages.extend(page);
        }
        assert_eq!(pages, whole);
    }
    assert_eq!(listed(&lab, Filter { limit: 0, ..all() }).await, NONE);
    assert_eq!(listed(&lab, Filter { limit: u32::MAX, ..all() }).await.len(), 5);
}

pub async fn only_live_ones(lab: Lab) {
    people(&lab).await;
    for n in [1, 4] {
        lab.end(&main(), &Which::One(id(n)), EndReason::Logout, T0).await.unwrap();
    }
    assert_eq!(listed(&lab, all()).await, [2, 3, 5]);
    assert_eq!(listed(&lab, Filter { subject: Some(Subject::User(user("u"))), ..all() }).await, [2, 3]);
    assert_eq!(listed(&lab, Filter { subject: Some(Subject::Guest(who(4))), ..all() }).await, NONE);
}

pub async fn bindings(lab: Lab) {
    people(&lab).await;
    lab.must_open(login_as(7, "q", "w")).await;
    let all = BindingFilter { limit: 100, ..BindingFilter::default() };
    async fn ids_of(lab: &Lab, f: BindingFilter) -> Vec<IdentityId> {
        lab.bindings(&main(), &f).await.unwrap().iter().map(|i| i.id).collect()
    }
    let ids = |f| ids_of(&lab, f);
    let (u, shop, mall) = (Some(user("u")), Some(shop()), Some(AppName::from("mall")));
    assert_eq!(ids(all.clone()).await, [who(1), who(3), who(7)], "guests have none");
    assert_eq!(ids(BindingFilter { user: u.clone(), ..all.clone() }).await, [who(1), who(3)]);
    assert_eq!(ids(BindingFilter { user: u.clone(), app: mall, ..all.clone() }).await, [who(3)]);
    assert_eq!(ids(BindingFilter { app: shop.clone(), ..all.clone() }).await, [who(1), who(7)]);
    let by_openid = BindingFilter { app: shop, openid: Some("q".into()), ..all.clone() };
    assert_eq!(ids(by_openid.clone()).await, [who(7)]);
    assert_eq!(ids(BindingFilter { openid: Some("g".into()), ..by_openid.clone() }).await, [], "a guest's");
    assert_eq!(ids(BindingFilter { user: u, ..by_openid }).await, []);
    assert_eq!(ids(BindingFilter { after: Some(who(1)), limit: 1, ..all.clone() }).await, [who(3)]);
    assert_eq!(ids(BindingFilter { after: Some(who(3)), ..all }).await, [who(7)]);
    assert_eq!(lab.identity_of("g").await.unwrap().user, None, "guests are found by their openid all the same");
    assert_eq!(lab.identity_of("nobody").await, None);
}

pub async fn every_live_one_in_order(mut lab: Lab) {
    people(&lab).await;
    lab.end(&main(), &Which::One(id(2)), EndReason::Logout, T0).await.unwrap();
    let mut table = Table::default();
    table.apply(lab.log.take());
    lab.reopen();
    let live = lab.live().await;
    assert_eq!(live.iter().map(|s| s.id.0[15]).collect::<Vec<_>>(), [1, 3, 4, 5, 6]);
    assert_eq!(live.into_iter().map(unseen).collect::<Vec<_>>(), table.sessions());
    assert!(lab.log.take().is_empty(), "a scan is no change");
    for n in 0..3 {
        for m in 0..200 {
            let mut open = login(m, "many");
            open.session.id.0[14] = 10 + n;
            open.login.key[0] = 100 + n;
            open.limits.max = u32::MAX;
            lab.must_open(open).await;
        }
    }
    let live = lab.live().await;
    assert_eq!(live.len(), 605, "more than one chunk");
    assert!(live.is_sorted_by_key(|s| s.id));
}

/// Names are others': any character may be in one, and their order is that of their bytes.
pub async fn any_character_in_a_name(lab: Lab) {
    let names = ["u", "u\0", "u\0x", "u ", "v", "张三", "\u{10ffff}"];
    for (n, name) in (1..).zip(names) {
        let mut open = login_as(n, &format!("o{name}"), name);
        open.session.unionid = Some(format!("un{name}"));
        open.session.device =
            Device { id: Some(name.into()), kind: Some(name.into()), name: Some(format!("{name}\0 phone")) };
        let s = lab.must_open(open.clone()).await;
        assert_eq!(lab.get(n).await, s);
        assert_eq!((s.openid, s.unionid, s.device), (open.session.openid, open.session.unionid, open.session.device));
        let filter = Filter { subject: Some(Subject::User(user(name))), limit: 9, ..Filter::default() };
        assert_eq!(lab.list(&main(), &filter).await.unwrap().len(), 1, "{name:?}");
        let found = lab.identity_of(&format!("o{name}")).await.unwrap();
        assert_eq!(found.user, Some(user(name)));
        let code = BindCode { masked: format!("{name}\0"), ..codes::code(n, name) };
        lab.keep_bind_code(code.clone()).await.unwrap();
        assert_eq!(lab.bind_code(&code.hash).await.unwrap(), Some(code));
        lab.set_disabled(&main(), &user(name), Some(T0)).await.unwrap();
    }
    let mut all = Vec::new();
    loop {
        let page = lab.users(&main(), all.last(), 3).await.unwrap();
        if page.is_empty() {
            break;
        }
        all.extend(page.into_iter().map(|known| known.user));
    }
    let mut sorted = names.map(user).to_vec();
    sorted.sort_by(|a, b| a.as_str().as_bytes().cmp(b.as_str().as_bytes()));
    assert_eq!(all, sorted);
}
