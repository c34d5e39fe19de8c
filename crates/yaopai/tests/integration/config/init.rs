//! `yaopai init`, `yaopai config check`

use std::os::unix::fs::PermissionsExt as _;

use crate::support::server_process::{ServerProcess, fails, run};

#[test]
fn what_init_writes_is_what_serve_takes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new");
    let (dir, config) = (path.to_str().unwrap(), path.join("yaopai.toml"));
    let output = run(&["init", dir]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8(output.stdout).unwrap();
    let key = said.lines().find_map(|l| l.trim().strip_prefix("yk_")).expect("the key is shown once");
    let text = std::fs::read_to_string(&config).unwrap();
    assert!(!text.contains(key) && text.contains("sha256:"), "only its hash is kept");
    for secret in ["master.key", "webhook.secret"] {
        let mode = std::fs::metadata(path.join(secret)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{secret}");
        let secret = std::fs::read_to_string(path.join(secret)).unwrap();
        assert!(!said.contains(secret.trim()) && !text.contains(secret.trim()));
    }
    // All that is missing is the app's secret, and it says so.
    let config = config.to_str().unwrap();
    let said = fails(&["config", "check", "--config", config]);
    assert!(said.contains("SHOP_APP_SECRET is not set"), "{said}");
    std::fs::write(path.join("app.secret"), "s").unwrap();
    let ports = ["public = \"127.0.0.1:0\"", "check = \"127.0.0.1:0\"", "admin = \"127.0.0.1:0\""].join("\n");
    let text =
        text.replace("env:SHOP_APP_SECRET", "file:app.secret").replace("[listen]", &format!("[listen]\n{ports}"));
    std::fs::write(config, text).unwrap();
    assert!(run(&["config", "check", "--config", config]).status.success());
    let mut server = ServerProcess::start(config.as_ref(), &[]);
    assert!(server.terminate().success());

    // A second time it neither loses a key nor leaves half a set.
    let said = fails(&["init", dir]);
    assert!(said.contains("is there already; nothing was written"), "{said}");
    std::fs::remove_file(path.join("master.key")).unwrap();
    fails(&["init", dir]);
    assert!(!path.join("master.key").exists());
}
