//! What may stand in a file, and what is said of what may not.

use std::fmt::Write as _;

use crate::support::World;
use crate::support::server_process::ServerProcess;

#[test]
fn every_column() {
    let world = World::new();
    let file = "claims,bound_at,unionid,user,openid,app\n\
                \"{\"\"role\"\": \"\"店长\"\"}\",2024-02-29T08:00:00+08:00,un1,张三,o1,shop\n\
                ,,,42,o1,mall\n\
                ,,,43,o2,\n";
    let ran = world.import_text(file, &["--app", "mall"]);
    assert_eq!((ran.code, ran.count("rows read"), ran.count("bound")), (0, 3, 3), "{}", ran.err);
    assert!(ran.count("peak memory (MiB)") > 0);
    let rows = world.rows();
    assert_eq!((world.bound("mall"), rows.len()), ("o1=42 o2=43".into(), 3));
    let (_, _, unionid, user, bound_at, claims) = rows.last().unwrap();
    assert_eq!((unionid.as_deref(), user.as_deref(), *bound_at), (Some("un1"), Some("张三"), Some(1_709_164_800_000)));
    assert_eq!(claims.as_deref(), Some("{\"role\":\"\\u5e97\\u957f\"}"));

    // Once more: nothing happens but to claims.
    let ran = world.import_text(file.replace("role", "tenant"), &["--app", "mall"]);
    assert_eq!((ran.code, ran.count("bound"), ran.count("already so")), (0, 0, 3));
    assert!(world.rows()[2].5.as_deref().unwrap().contains("tenant"));
}

#[test]
fn a_bom_and_any_end_of_line() {
    for file in ["app,openid,user\nshop,o1,u1\nshop,o2,u2\n", "\u{feff}app,openid,user\r\nshop,o1,u1\r\n\r\nshop,o2,u2"]
    {
        let world = World::new();
        let ran = world.import_text(file, &[]);
        assert_eq!((ran.code, ran.count("bound"), world.bound("shop")), (0, 2, "o1=u1 o2=u2".into()));
        // In pieces of one row each as well.
        let ran = World::new().import_text(file, &["--batch", "1"]);
        assert_eq!((ran.code, ran.count("bound")), (0, 2));
    }
}

#[test]
fn without_rows() {
    let world = World::new();
    assert!(world.import_text("", &[]).refused().contains("is empty: its first line must name the columns"));
    assert!(!world.path("yaopai.db").exists(), "nor was a database made for it");
    let ran = world.import_text("app,openid,user\n", &[]);
    assert_eq!((ran.code, ran.count("rows read")), (0, 0));
}

#[test]
fn malformed_rows_of_every_kind() {
    let world = World::new();
    let long = "x".repeat(129);
    let large = format!("\"{{\"\"secret\"\":\"\"{}\"\"}}\"", "x".repeat(1100));
    let huge = "y".repeat(20_000);
    let mut file = b"openid,user,claims,bound_at,app\n".to_vec();
    let mut expected = Vec::new();
    let mut row = |bytes: &[u8], said: &str| {
        file.extend_from_slice(bytes);
        file.push(b'\n');
        // Line 1 is the header.
        let line = expected.len() + 2;
        expected.push(if said.is_empty() { String::new() } else { format!("{line}|{said}|") });
    };
    row(b"good1,u1,,,shop", "");
    row(b"o\xff,u2,,,shop", "o\u{fffd}|u2|not_utf8");
    row(b"o3,u\xe5\xbc,,,shop", "o3|u\u{fffd}|not_utf8");
    row(b"o4,u4,{\"secret\":\"\xff\"},,shop", "o4|u4|not_utf8");
    row(b"o5,u5,,", "||field_count");
    row(b"o6,u6,,,shop,more", "||field_count");
    row(b"o7,u\0x,,,shop", "o7|u\u{fffd}x|control_character");
    row(format!("o8,{long},,,shop").as_bytes(), &format!("o8|{}|value_too_long", &long[..128]));
    row(b"o9,,,,shop", "o9||value_missing");
    row(b",u10,,,shop", "|u10|value_missing");
    row(b" o11,u11,,,shop", " o11|u11|surrounding_space");
    row(b"o12,u12,secret,,shop", "o12|u12|claims_not_json");
    row(b"o13,u13,[1],,shop", "o13|u13|claims_not_json");
    row(format!("o14,u14,{large},,shop").as_bytes(), "o14|u14|claims_too_large");
    row(b"o15,u15,,2024-02-30T00:00:00Z,shop", "o15|u15|bound_at_invalid");
    row(b"o16,u16,,2024-02-28 08:00:00,shop", "o16|u16|bound_at_invalid");
    row(b"o17,u17,,2999-01-01T00:00:00Z,shop", "o17|u17|bound_at_invalid");
    row(b"o18,u18,,,wx0000000000000001", "o18|u18|app_unknown");
    row(b"o19,u19,,,", "o19|u19|value_missing");
    row(format!("o20,{huge},,,shop").as_bytes(), "||row_too_long");
    row(b"o21,\"u,21\"\"\",,,shop", "");
    row(b"o22,\"u22,,,shop", "||open_quote");
    row(b"o23,u23,,,shop", "");
    expected.retain(|line| !line.is_empty());

    let ran = world.import_text(&file, &["--report", "bad.csv"]);
    assert_eq!(world.report("bad.csv"), expected);
    assert_eq!(ran.code, 1);
    assert_eq!(world.bound("shop"), "good1=u1 o21=u,21\"", "the good ones are in all the same");
    assert_eq!(ran.count("malformed"), expected.len() as u64);
    assert!(ran.err.contains("line 9: value_too_long: column user: longer than 128 bytes"), "{}", ran.err);
    let report = std::fs::read_to_string(world.path("bad.csv")).unwrap();
    for text in [&ran.out, &ran.err, &report] {
        assert!(!text.contains("secret"), "claims are not echoed: {text}");
    }
    for openid in ["o12", "u12", "good1"] {
        assert!(!ran.err.contains(openid), "nor is anyone named on the terminal");
    }
}

#[test]
fn what_can_not_run_says_why() {
    let world = World::new();
    let good = "app,openid,user\nshop,o1,u1\n";
    assert!(world.import_text("app,openid,usr\n", &[]).refused().contains("did you mean `user`?"));
    assert!(world.import_text("openid,user\n", &[]).refused().contains("give --app"));
    assert!(world.import_text(good, &["--app", "shpo"]).refused().contains("no app of this name"));
    assert!(world.import(&world.path("none.csv"), &[]).refused().contains("none.csv"));
    assert!(world.import(&world.path(""), &[]).refused().contains("it is no file"));
    assert!(world.import_text(good, &["--report", "none/bad.csv"]).refused().contains("cannot write the report"));
    assert!(world.import_text(good, &["--report", "some.csv"]).refused().contains("is no report: name another file"));
    assert_eq!(std::fs::read_to_string(world.path("some.csv")).unwrap(), good, "the table was not written over");
    assert_eq!(world.import_text(good, &["--batch", "0"]).code, 2);
    world.configure("[[apps]]", "[[aps]]");
    assert!(world.import_text(good, &[]).refused().contains("did you mean `apps`?"));
}

#[test]
fn not_while_a_server_runs() {
    let world = World::new();
    let mut server = ServerProcess::start(&world.path("yaopai.toml"), &[]);
    let good = "app,openid,user\nshop,o1,u1\n";
    assert!(world.import_text(good, &[]).refused().contains("stop the server first"));
    let dry = world.import_text(good, &["--dry-run"]);
    assert_eq!((dry.code, dry.count("bound")), (0, 1), "{}", dry.err);
    assert!(server.terminate().success());
    assert_eq!(world.import_text(good, &[]).code, 0);
    let _again = ServerProcess::start(&world.path("yaopai.toml"), &[]);
}

/// Twenty times the rows, the same memory.
#[test]
fn memory_stays_flat() {
    let peak = |rows: u64| {
        let world = World::new();
        let mut file = String::from("openid,user,claims\n");
        for n in 0..rows {
            // Each of them fails, so that the report and the terminal are put to it too.
            writeln!(file, "o{n:0>100},,\"{{\"\"role\"\":\"\"{}\"\"}}\"", "r".repeat(200)).unwrap();
        }
        let ran = world.import_text(file, &["--app", "shop", "--batch", "500", "--report", "r.csv"]);
        assert_eq!((ran.code, ran.count("value_missing")), (1, rows));
        ran.count("peak memory (MiB)")
    };
    let (few, many) = (peak(1_000), peak(20_000));
    assert!(many <= few + 8, "{few} MiB, then {many} MiB");
}
