use super::*;

fn page(timeline: u32, (xmin, xmax): (u64, u64), xids: &[u64]) -> LogPage {
    let changes = xids.iter().map(|xid| Changed { xid: *xid, session: SessionId([1; 16]), ended: true }).collect();
    LogPage { timeline, xmin, xmax, kept_from: 0, changes }
}

fn xids(news: Result<News<'_>, NotFollowed>) -> Vec<u64> {
    match news {
        Ok(News::Changed(changes)) => changes.iter().map(|change| change.xid).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_late_commit_is_not_missed_and_an_early_one_not_told_twice() {
    let mut follower = Follower::default();
    assert_eq!(follower.take(&page(1, (10, 10), &[])), Ok(News::Lost), "what came before is not known");
    // 10 is still open while 11 has committed.
    assert_eq!(xids(follower.take(&page(1, (10, 12), &[11]))), [11]);
    assert_eq!(follower.cursor(), 10);
    assert_eq!(xids(follower.take(&page(1, (12, 12), &[10, 11]))), [10]);
    assert_eq!(follower.cursor(), 12);
}

#[test]
fn another_servers_numbers_say_nothing_about_ours() {
    let mut follower = Follower::default();
    let _ = follower.take(&page(1, (100, 100), &[]));
    assert_eq!(follower.take(&page(2, (90, 95), &[92])), Ok(News::Lost));
    assert_eq!(xids(follower.take(&page(2, (93, 95), &[92, 94]))), [94]);
    // The old one is still there, and answers.
    assert_eq!(follower.take(&page(1, (120, 120), &[110])), Err(NotFollowed::Replaced));
}

#[test]
fn what_was_deleted_may_have_been_missed() {
    let mut follower = Follower::default();
    let _ = follower.take(&page(1, (100, 100), &[]));
    assert_eq!(follower.take(&LogPage { kept_from: 101, ..page(1, (200, 200), &[150]) }), Ok(News::Lost));
    assert_eq!(xids(follower.take(&LogPage { kept_from: 200, ..page(1, (210, 210), &[205]) })), [205]);
    assert_eq!(follower.take(&page(1, (150, 190), &[])), Ok(News::Lost), "a past that is not ours");
}
