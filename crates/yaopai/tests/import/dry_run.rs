//! A dry run changes nothing and says what a real one would.

use crate::support::World;

fn without_speed(out: &str) -> Vec<String> {
    let kept = |l: &&str| !l.starts_with("rows/s") && !l.starts_with("peak") && !l.starts_with("dry run");
    out.lines().filter(kept).map(str::to_owned).collect()
}

#[test]
fn says_what_the_real_one_says() {
    let world = World::new();
    // Nothing there yet, and nothing there afterwards.
    let file = "app,openid,user\nshop,o1,u1\nshop,o2,u1\nshop,o3,\nshop,o1,u3\nmall,o1,u1\n";
    let dry = world.import_text(file, &["--dry-run", "--report", "dry.csv"]);
    assert!(dry.out.starts_with("dry run: nothing was changed"));
    let left = |folder: std::path::PathBuf| {
        let names = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.filter(|n| n.starts_with("yaopai.db")).collect();
        names.sort();
        names
    };
    assert_eq!(left(world.path("")), ["yaopai.db-dry-run-guard"]);
    let real = world.import_text(file, &["--report", "real.csv", "--batch", "2"]);
    assert_eq!((dry.code, without_speed(&dry.out)), (1, without_speed(&real.out)));
    assert_eq!(world.report("dry.csv"), world.report("real.csv"));
    assert_eq!(world.report("dry.csv").len(), 3);

    // And on a database with rows: not a byte of it changes.
    let bytes = || std::fs::read(world.path("yaopai.db")).unwrap();
    let before = (bytes(), world.rows());
    let more = "app,openid,user,claims\nshop,o1,u1,{}\nshop,o4,u4,\nshop,o5,u1,\n";
    let dry = world.import_text(more, &["--dry-run"]);
    assert_eq!((dry.count("bound"), dry.count("already so"), dry.count("conflicts")), (1, 1, 1), "{}", dry.err);
    assert_eq!((bytes(), world.rows()), before);
    // What a killed one left is no hindrance.
    std::fs::write(world.path("yaopai.db-dry-run"), "junk").unwrap();
    assert_eq!(world.import_text(more, &["--dry-run"]).count("bound"), 1);
}
