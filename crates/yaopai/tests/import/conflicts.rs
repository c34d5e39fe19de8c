//! What stands in a row's way.

use crate::support::World;

#[test]
fn of_every_kind() {
    let world = World::new();
    let before = "app,openid,user,unionid\nshop,o1,u1,un1\nshop,o2,u2,\nmall,m1,u1,\n";
    assert_eq!(world.import_text(before, &[]).code, 0);
    let db = world.database();
    db.execute("UPDATE identities SET realm = 'old' WHERE openid = 'o2'", []).unwrap();
    drop(db);
    let rows = world.rows();
    let file = "app,openid,user,unionid,claims\n\
                shop,o1,u9,,\"{\"\"a\"\":1}\"\n\
                shop,o3,u1,,\"{\"\"a\"\":1}\"\n\
                shop,o2,u2,,\n\
                shop,o1,u1,un2,\n\
                mall,m2,u1,,\n\
                shop,o4,u4,,\n\
                shop,o4,u4,,\n\
                shop,o5,u4,,\n";
    let ran = world.import_text(file, &["--report", "bad.csv"]);
    let expected = [
        "2|o1|u9|identity_has_other_user|user u1",
        "3|o3|u1|user_has_other_identity|openid o1",
        "4|o2|u2|identity_in_other_realm|realm old",
        "5|o1|u1|identity_has_other_unionid|unionid un1",
        "9|o5|u4|user_has_other_identity|openid o4",
    ];
    assert_eq!(world.report("bad.csv"), expected);
    assert_eq!((ran.code, ran.count("conflicts"), ran.count("bound"), ran.count("already so")), (1, 5, 2, 1));
    assert_eq!((ran.count("user_has_other_identity"), ran.count("identity_has_other_user")), (2, 1));
    assert!(rows.iter().all(|row| world.rows().contains(row)), "what stood there stands");
    assert_eq!(world.bound("mall"), "m1=u1 m2=u1", "where a second identity is allowed there is none");
    // The conflicts are found again, and what came in is so already.
    let ran = world.import_text(file, &["--report", "again.csv"]);
    assert_eq!((ran.code, ran.count("bound"), ran.count("already so")), (1, 0, 3));
    assert_eq!(world.report("again.csv"), expected);
}

#[test]
fn the_report_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = World::new();
    world.import_text("app,openid,user\nshop,o1,\n", &["--report", "bad.csv"]);
    let mode = std::fs::metadata(world.path("bad.csv")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}
