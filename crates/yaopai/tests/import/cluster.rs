//! Where nodes share PostgreSQL: they run meanwhile, and a dry run says what the real one would.

use crate::postgres::Server;
use crate::support::World;

fn without_speed(out: &str) -> Vec<String> {
    let kept = |l: &&str| !l.starts_with("rows/s") && !l.starts_with("peak") && !l.starts_with("dry run");
    out.lines().filter(kept).map(str::to_owned).collect()
}

#[test]
fn a_dry_run_says_what_the_real_one_says_and_changes_nothing() {
    let (world, server) = (World::new(), Server::start());
    world.write("postgres", server.url());
    world.configure(
        "[[apps]]\nkeyed = \"offered\"\nname = \"shop\"",
        "[cluster]\npostgres = \"file:postgres\"\nnode = \"a\"\n[[apps]]\nkeyed = \"offered\"\nname = \"shop\"",
    );
    assert_eq!(world.import_text("app,openid,user\nshop,o1,u1\nmall,o9,u9\n", &[]).code, 0);
    let rows = || {
        server.sql("SELECT count(*) || ' ' || count(user_id) || ' ' || (SELECT count(*) FROM nodes) || ' ' || (SELECT sum(batch) FROM nodes) FROM identities")
    };
    let before = rows();
    let file = "app,openid,user,claims\nshop,o1,u1,{}\nshop,o2,u1,\nshop,o3,\nshop,o1,u3,\nmall,o1,u1,\n";
    let dry = world.import_text(file, &["--dry-run", "--report", "dry.csv"]);
    assert!(dry.out.starts_with("dry run: nothing was changed"), "{}", dry.err);
    assert_eq!(rows(), before);
    let left = std::fs::read_dir(std::env::temp_dir()).unwrap().filter(|entry| {
        let name = entry.as_ref().unwrap().file_name().into_string().unwrap_or_default();
        // Others may be at theirs.
        name.starts_with("yaopai-dry-run-")
            && name["yaopai-dry-run-".len()..]
                .parse::<u32>()
                .is_ok_and(|pid| !std::path::Path::new(&format!("/proc/{pid}")).exists())
    });
    assert_eq!(left.count(), 0);
    let real = world.import_text(file, &["--report", "real.csv"]);
    assert_eq!((dry.code, without_speed(&dry.out)), (real.code, without_speed(&real.out)), "{}", real.err);
    assert_eq!(world.report("dry.csv"), world.report("real.csv"));
    assert_ne!(rows(), before);
}
