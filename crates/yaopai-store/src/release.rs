//! Which schema this program is made for.

use std::sync::OnceLock;

use refinery::{Migration, Runner};

/// The oldest schema whose programs work on PostgreSQL's newest, as the newest migration says itself (`meta.compatible_from`): it has to be known
/// before they run. `tests/newer_schema.rs` compares the two.
const POSTGRES_COMPATIBLE_FROM: i64 = 1;

static NEXT: OnceLock<Next> = OnceLock::new();

/// One migration more than there is.
#[derive(Debug)]
struct Next {
    sql: String,
    works_with_this: bool,
}

/// Makes this process a program of the next release: one migration more than there is, for either engine. For tests of upgrades, which need two
/// programs where there is one source; nothing that ships calls it, and no configuration leads here. To be called once, before any
/// store is opened.
///
/// `sql` is the migration, but for its last statement. `works_with_this`: may programs of this release run on what comes of it?
#[doc(hidden)]
pub fn play_the_next_release(sql: &str, works_with_this: bool) {
    let _ = NEXT.set(Next { sql: sql.to_owned(), works_with_this });
}

/// What this program brings a database to.
pub(crate) fn migrations(ours: &Runner) -> Runner {
    let mut migrations = ours.get_migrations().clone();
    if let Some(Next { sql, works_with_this }) = NEXT.get() {
        let version = newest(&migrations) + 1;
        let from = next_compatible_from(version, *works_with_this);
        let says = format!("{sql}; UPDATE meta SET schema = {version}, compatible_from = {from}");
        migrations.extend(Migration::unapplied(&format!("V{version}__next_release"), &says));
    }
    Runner::new(&migrations)
}

/// The newest schema that a program with these migrations knows.
pub(crate) fn newest(migrations: &[Migration]) -> i64 {
    migrations.iter().map(|m| i64::from(m.version())).max().unwrap_or(0)
}

/// The oldest schema whose programs work on what this program makes of a PostgreSQL; `known` is the newest that it knows.
pub(crate) fn postgres_compatible_from(known: i64) -> i64 {
    NEXT.get().map_or(POSTGRES_COMPATIBLE_FROM, |next| next_compatible_from(known, next.works_with_this))
}

fn next_compatible_from(version: i64, works_with_this: bool) -> i64 {
    if works_with_this { version - 1 } else { version }
}
