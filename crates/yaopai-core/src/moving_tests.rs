use proptest::prelude::*;

use super::*;

fn shop() -> AppName {
    AppName::from("shop")
}

fn moving(percent: f64) -> AppMove {
    let share = Share::of_percent(percent).unwrap();
    AppMove { share, openids: BTreeSet::new(), users: BTreeSet::new(), back: false }
}

fn side_of(state: &AppMove, openid: &str, user: Option<&str>) -> (Side, Why) {
    let user = user.map(UserId::from);
    side(Some(&state.of(openid, user.as_ref())), &shop(), openid)
}

/// The formula is in the documents: whoever computes it elsewhere must find the same people.
#[test]
fn a_place_is_what_the_documents_say() {
    for (openid, first) in [("o1", "yaopai move\0shop\0o1"), ("oABC_d-e", "yaopai move\0shop\0oABC_d-e")] {
        let mut eight = [0; 8];
        eight.copy_from_slice(&Sha256::digest(first)[..8]);
        assert_eq!(place(&shop(), openid), u64::from_be_bytes(eight) % 10_000);
    }
    // `printf 'yaopai move\\0shop\\0o1' | sha256sum`
    assert_eq!(place(&shop(), "o1"), PLACE_OF_O1);
}

const PLACE_OF_O1: u64 = 1_984;

#[test]
fn without_a_move_everybody_is_ours() {
    assert_eq!(side(None, &shop(), "o1"), (Side::Yaopai, Why::NoMove));
    assert_eq!(stays(None, &shop(), "o1"), None);
}

#[test]
fn the_ends_of_the_share() {
    for n in 0..500 {
        let openid = format!("o{n}");
        assert_eq!(side_of(&moving(0.0), &openid, None), (Side::Legacy, Why::Share));
        assert_eq!(side_of(&moving(100.0), &openid, None), (Side::Yaopai, Why::Share));
    }
}

#[test]
fn a_share_is_about_that_many() {
    let held = |percent| (0..20_000).filter(|n| moving(percent).share.holds(&shop(), &format!("o{n}"))).count();
    for (percent, expected) in [(0.5, 100), (10.0, 2_000), (50.0, 10_000)] {
        let found = held(percent);
        assert!(found.abs_diff(expected) < 50 + expected / 10, "{percent} %: {found}");
    }
}

/// Guarantee: whoever is listed has moved, and `back` wins over everything.
#[test]
fn lists_win_over_the_share_and_back_wins_over_all() {
    let mut state = moving(0.0);
    state.openids.insert("o1".to_owned());
    state.users.insert("42".into());
    assert_eq!(side_of(&state, "o1", None), (Side::Yaopai, Why::Listed));
    assert_eq!(side_of(&state, "o2", Some("42")), (Side::Yaopai, Why::Listed));
    assert_eq!(side_of(&state, "o2", Some("43")), (Side::Legacy, Why::Share));
    assert_eq!(side_of(&state, "42", Some("o1")), (Side::Legacy, Why::Share), "an openid is no user");
    state.share = Share::EVERYBODY;
    state.back = true;
    for (openid, user) in [("o1", None), ("o2", Some("42")), ("o3", None)] {
        assert_eq!(side_of(&state, openid, user), (Side::Legacy, Why::Back));
    }
}

#[test]
fn percentages() {
    for (percent, hundredths) in
        [(0.0, 0), (0.01, 1), (0.29, 29), (1.15, 115), (33.33, 3_333), (99.99, 9_999), (100.0, 10_000)]
    {
        let share = Share::of_percent(percent).unwrap();
        assert_eq!((share.hundredths(), Share::of_hundredths(hundredths)), (hundredths, Some(share)));
        assert!((share.percent() - percent).abs() < 1e-9, "{percent}");
    }
    for wrong in [-0.01, 100.01, 0.001, 33.333, f64::NAN, f64::INFINITY, -1e300] {
        assert_eq!(Share::of_percent(wrong), None, "{wrong}");
    }
    assert_eq!(Share::of_hundredths(10_001), None);
}

proptest! {
    /// Guarantee: a growing share only adds people.
    #[test]
    fn a_growing_share_only_adds_people(openid in "[ -~]{0,40}", a in 0u16..=10_000, b in 0u16..=10_000) {
        let (less, more) = (Share(a.min(b)), Share(a.max(b)));
        prop_assert!(!less.holds(&shop(), &openid) || more.holds(&shop(), &openid));
    }

    #[test]
    fn every_hundredth_is_read_as_it_is_written(hundredths in 0u16..=10_000) {
        let share = Share(hundredths);
        prop_assert_eq!(Share::of_percent(share.percent()), Some(share));
        let text = serde_json::to_string(&share.percent()).unwrap();
        prop_assert_eq!(Share::of_percent(serde_json::from_str(&text).unwrap()), Some(share));
    }
}

proptest! {
    /// What is told to everybody is what each of them would be told.
    #[test]
    fn all_stay_only_where_each_does(
        share in prop_oneof![Just(0u16), Just(1), 0u16..=10_000],
        (openids, users, back) in any::<(bool, bool, bool)>(),
        openid in "[a-z]{1,6}",
    ) {
        let state = AppMove {
            share: Share::of_hundredths(share).unwrap(),
            openids: openids.then(|| "listed".to_owned()).into_iter().collect(),
            users: users.then(|| UserId::from("listed")).into_iter().collect(),
            back,
        };
        let all = all_stay(Some(&state.of("", None)));
        prop_assert_eq!(all.is_some(), back || (share == 0 && !openids && !users));
        for (openid, user) in [(openid.as_str(), None), ("listed", None), (openid.as_str(), Some(UserId::from("listed")))] {
            let said = state.of(openid, user.as_ref());
            prop_assert!(all.is_none() || stays(Some(&said), &shop(), openid) == all);
        }
    }
}
