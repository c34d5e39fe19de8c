//! One suite for every engine. A case is an async function that gets a [`Lab`]: an engine on a disk of its own, with the
//! changes it hands out. `suite!` makes a test of each case for one engine.

// Each test crate that includes this uses some of it.
#![allow(dead_code, unused_imports, unused_macros, clippy::unwrap_used)]

pub mod act;
pub mod audit;
pub mod bind;
pub mod claims;
pub mod codes;
pub mod disabled;
pub mod end;
pub mod fixtures;
pub mod import;
pub mod jar;
pub mod keyed;
pub mod linking;
pub mod lists;
pub mod login;
pub mod moving;
pub mod read;
pub mod rebind;
pub mod rotate;
pub mod shared;
pub mod signing;
pub mod stepup;
pub mod tokens;
pub mod tries;
pub mod upkeep;

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use yaopai_core::ids::{IdentityId, SessionId};
use yaopai_core::ports::{AuditStore, Bind, Change, ChangeSink, JarStore, LoginRecord, Store, Which};
use yaopai_core::session::Session;
use yaopai_core::time::Uptime;
use yaopai_store::{Disk, Model, Options, Postgres, Sqlite};

pub use fixtures::*;

/// An engine, and what a test wants to see of it that the port does not show.
#[async_trait]
pub trait Engine: Store {
    async fn kept_key(&self, identity: IdentityId) -> Option<Vec<u8>>;
}

/// Where an engine keeps its state over restarts.
pub trait Home {
    fn open(&self, sink: Arc<dyn ChangeSink>) -> Arc<dyn Engine>;
}

/// An engine under test. It derefs to its [`Engine`].
pub struct Lab {
    home: Box<dyn Home>,
    engine: Option<Arc<dyn Engine>>,
    pub log: Arc<Log>,
}

/// The changes an engine has handed out.
#[derive(Default)]
pub struct Log(Mutex<Vec<Change>>);

impl ChangeSink for Log {
    fn apply(&self, change: Change) {
        self.0.lock().unwrap().push(change);
    }
}

/// A change, short: `Put` with the session's id, or `Ended`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Did {
    Put(SessionId),
    Ended(SessionId),
}

impl Log {
    /// What happened since the last call.
    pub fn take(&self) -> Vec<Change> {
        std::mem::take(&mut self.0.lock().unwrap())
    }

    /// The same, short.
    pub fn did(&self) -> Vec<Did> {
        let short = |change| match change {
            Change::Put(s) => Did::Put(s.id),
            Change::Ended(id) => Did::Ended(id),
        };
        self.take().into_iter().map(short).collect()
    }
}

/// A table of live sessions, made of changes alone.
#[derive(Default)]
pub struct Table(pub BTreeMap<SessionId, Session>);

impl Table {
    pub fn apply(&mut self, changes: Vec<Change>) {
        for change in changes {
            match change {
                Change::Put(s) => {
                    assert!(s.ended.is_none(), "an ended session is never put");
                    self.0.insert(s.id, *s);
                }
                Change::Ended(id) => assert!(self.0.remove(&id).is_some(), "{id} ended twice"),
            }
        }
    }

    /// Its sessions, but for `last_seen`, which is not handed out.
    pub fn sessions(&self) -> Vec<Session> {
        self.0.values().cloned().map(unseen).collect()
    }
}

pub fn unseen(mut s: Session) -> Session {
    s.last_seen = Uptime(0);
    s
}

impl Lab {
    pub fn new(home: Box<dyn Home>) -> Self {
        let log = Arc::new(Log::default());
        let engine = Some(home.open(Arc::clone(&log) as Arc<dyn ChangeSink>));
        Self { home, engine, log }
    }

    /// Drops the engine and opens it again on the same state.
    pub fn reopen(&mut self) {
        self.engine = None;
        self.engine = Some(self.home.open(Arc::clone(&self.log) as Arc<dyn ChangeSink>));
    }

    pub fn engine(&self) -> Arc<dyn Engine> {
        Arc::clone(self.engine.as_ref().unwrap())
    }

    /// Every live session.
    pub async fn live(&self) -> Vec<Session> {
        let mut live = Vec::new();
        self.scan_live(&mut |s| live.push(s)).await.unwrap();
        live
    }
}

impl Deref for Lab {
    type Target = dyn Engine;
    fn deref(&self) -> &Self::Target {
        self.engine.as_deref().unwrap()
    }
}

#[async_trait]
impl Engine for Model {
    async fn kept_key(&self, identity: IdentityId) -> Option<Vec<u8>> {
        self.session_key(identity).await.unwrap()
    }
}

#[async_trait]
impl Engine for Sqlite {
    async fn kept_key(&self, identity: IdentityId) -> Option<Vec<u8>> {
        self.session_key(identity).await.unwrap()
    }
}

#[async_trait]
impl Engine for Postgres {
    async fn kept_key(&self, identity: IdentityId) -> Option<Vec<u8>> {
        self.session_key(identity).await.unwrap()
    }
}

impl Home for Disk {
    fn open(&self, sink: Arc<dyn ChangeSink>) -> Arc<dyn Engine> {
        Arc::new(Model::open(self.clone(), sink))
    }
}

/// A folder that goes when the test ends.
impl Home for tempfile::TempDir {
    fn open(&self, sink: Arc<dyn ChangeSink>) -> Arc<dyn Engine> {
        Arc::new(Sqlite::open(self.path().join("yaopai.db"), sink, Options::default()).unwrap())
    }
}

/// The whole suite for one engine, a test for each case. `$home` makes an empty [`Home`].
macro_rules! suite {
    ($home:expr) => {
        $crate::conformance::listed! { cases, $home }
    };
}

/// The whole suite for an engine whose server takes its time to start: a test for each group of cases, with one server. `$server`
/// starts it, and its `home()` makes an empty [`Home`].
macro_rules! suite_on {
    ($server:expr) => {
        $crate::conformance::listed! { groups, $server }
    };
}

/// Hands the cases to the macro `$to`.
macro_rules! listed {
    ($to:ident, $where:expr) => {
        $crate::conformance::$to! { $where;
            login: a_first_login, a_new_login_finds_the_identity, the_same_login_again, an_expired_record_is_replaced,
                a_binding_wins, a_proposed_user_is_bound, a_second_identity_is_refused_whole,
                a_second_identity_where_allowed, claims_reach_the_other_sessions, a_new_unionid_reaches_the_others,
                the_oldest_yields, the_newest_yields, a_device_type_has_its_own_limit, idle_and_old_ones_do_not_count,
                a_guest_is_counted_by_identity, a_taken_id_is_an_error, an_app_can_not_change_realms;
            rotate: a_refresh_is_put_and_kept, the_same_request_the_same_secret, a_lost_answer_after_a_crash,
                the_first_use_confirms, refreshing_a_successor_confirms_it, theft_ends_the_session,
                an_unknown_secret_learns_nothing, an_ended_session_says_why, superseded_and_too_many_change_nothing;
            stepup: everything_is_renewed_in_one_step, nothing_else_passes, the_same_step_up_again,
                the_answer_outlives_a_crash, a_refused_one_changes_nothing, no_step_up_after_the_end,
                without_a_session_key_the_old_one_stays;
            bind: the_session_rises_and_no_other, the_same_bind_again, a_bind_by_whom_the_identity_has,
                conflicts_change_nothing, no_bind_without_a_good_secret, claims_with_a_bind, the_back_end_binds, the_same_word_again_raises_no_guest, a_bind_makes_room,
                a_bind_makes_room_by_device_type, or_a_bind_is_refused_whole, the_back_ends_bind_makes_room,
                the_back_ends_bind_makes_room_by_device_type,
                the_back_end_can_not_bind_otherwise, unbinding_ends_the_bound_sessions, bindings_are_the_realms_own;
            import: an_openid_never_seen_gets_its_user, a_known_one_rises_as_by_the_back_end, what_is_so_already_stays,
                conflicts_leave_all_as_it_was, a_row_sees_those_before_it, a_piece_is_taken_once_with_its_note,
                a_failing_log_leaves_no_trace;
            linking: a_new_identity_gets_the_user_of_its_unionid, several_users_are_not_guessed,
                only_the_apps_that_count_and_the_realm, a_user_with_an_identity_of_the_app_gets_no_second,
                the_back_end_s_word_goes_first, one_that_is_not_new_is_not_linked, a_linked_session_is_the_user_s_whole;
            read: a_bind_by_the_back_end_is_news_until_read, what_is_no_news_changes_nothing;
            rebind: a_fresh_bound_session_changes_its_user, only_who_acts_as_the_user_rebinds, a_stale_word_rebinds_nobody,
                the_login_s_own_word_rebinds_nobody, the_new_user_s_limits_and_identities_count, a_lost_answer_is_asked_for_again,
                a_bind_to_the_same_user_is_no_rebind;
            codes: a_code_is_seen_then_redeemed_once, the_first_to_see_a_code_keeps_it,
                a_code_is_good_for_its_user_place_and_time, a_refused_bind_redeems_no_code, a_user_has_few_codes,
                expired_codes_go, a_number_alone_never_binds_a_user_with_an_identity;
            disabled: the_sessions_end_and_no_new_one_opens, nobody_binds_to_one, since_when_is_kept, in_one_realm,
                several_by_id;
            audit: nothing_without_a_scribe, each_change_has_its_row, everybody_whom_a_call_ends_is_told,
                what_belongs_to_no_change, retention_leaves_a_checkpoint, a_person_is_forgotten;
            keyed: a_key_of_every_kind_comes_back, a_newer_version_is_kept_and_told, an_older_version_is_not_kept,
                only_a_live_session_of_that_kind_gets_one, key_and_secret_stay_for_life, no_refresh_rotates_its_secret,
                its_step_up_is_answered_again, its_bind_is_answered_again_and_refused_to_others, a_lease_never_goes_back,
                kept_nonces_are_taken_once;
            act: the_answer_is_kept_with_the_change, a_refusal_is_not_kept, without_its_answer_nothing_is_changed,
                a_realm_keeps_so_many_answers, a_moved_identity_leaves_its_sessions, a_move_that_can_not_be_changes_nothing,
                one_persons_identities_become_one_users, a_merge_guesses_nobody, a_merge_gives_nobody_two_of_an_app,
                a_merge_stays_in_its_realm, users_are_listed_once, identities_are_found_by_all_that_they_have,
                when_the_platform_vouched_last;
            end: one_of_the_realm, only_ones_own, all_of_a_user, all_of_a_guest, all_of_an_identity_opened_before,
                once_for_one_reason, expiry;
            lists: by_subject_and_app, page_by_page, only_live_ones, bindings, every_live_one_in_order, any_character_in_a_name;
            jar: a_cookie_is_kept_whole, the_same_again_keeps_its_place, what_has_expired_goes, bounded_by_number_and_bytes,
                a_domain_makes_room_for_its_own, the_webhook_s_and_the_answer_s_stand_for_each_other,
                a_jar_ends_with_its_session, a_change_of_user_empties_it;
            claims: are_kept_and_told, are_of_one_realm;
            moving: a_state_comes_back_whole, a_move_is_of_one_app_in_one_realm, one_person_is_looked_up,
                who_stays_opens_nothing, who_is_linked_has_moved_with_the_user, staying_goes_before_other_refusals,
                who_goes_back_leaves, each_new_state_and_each_return_has_its_row, without_its_answer_there_is_no_new_state;
            signing: they_come_back_in_order, of_two_that_make_the_next_one_does, of_several_all_are_added_or_none,
                one_alone_drives_out_the_others_of_its_alg, dropped_ones_are_gone;
            upkeep: down_time, seen_never_goes_back, stale_ones_end, a_sweep_is_bounded, data_keys, a_field_of_every_kind_comes_back;
        }
    };
}

macro_rules! cases {
    ($home:expr; $($module:ident: $($case:ident),+;)+) => {
        $(mod $module {
            $(
                #[tokio::test]
                async fn $case() {
                    $crate::conformance::$module::$case($crate::conformance::Lab::new(Box::new($home))).await;
                }
            )+
        })+
    };
}

macro_rules! groups {
    ($server:expr; $($module:ident: $($case:ident),+;)+) => {
        $(
            #[tokio::test]
            async fn $module() {
                let server = $server;
                $(
                    // The last one named is the one that failed.
                    println!("{}", stringify!($case));
                    $crate::conformance::$module::$case($crate::conformance::Lab::new(Box::new(server.home()))).await;
                )+
            }
        )+
    };
}

pub(crate) use {cases, groups, listed, suite, suite_on};
