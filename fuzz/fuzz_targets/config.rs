//! The configuration: whatever it holds, an error says what is wrong and never a secret's value.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use yaopai::config::Config;

const SECRETS: [(&str, &str); 3] = [
    ("master.key", "QWxsIHRoYXQgaXMgZ29sZCBkb2VzIG5vdCBnbGl0dGU="),
    ("app.secret", "0f1e2d3c4b5a69788796a5b4c3d2e1f0"),
    ("webhook.secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
];

static FOLDER: LazyLock<tempfile::TempDir> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, secret) in SECRETS {
        std::fs::write(folder.path().join(name), secret).expect("a file");
    }
    folder
});

fuzz_target!(|text: &str| {
    // Paths that lead out of the folder name this machine's files, which no run has in common with another.
    if text.contains("file:/") || text.contains("..") || text.contains('\\') {
        return;
    }
    let said = match Config::parse(text, FOLDER.path()) {
        Ok(config) => {
            let _ = (config.check_loopback(false), config.webhooks.values().filter(|w| w.is_loopback()).count());
            assert!(config.apps.iter().all(|app| config.platforms.contains_key(&app.name)));
            format!("{config:?}")
        }
        Err(e) => {
            assert!(e.to_string().starts_with("configuration, "));
            e.to_string()
        }
    };
    for (name, secret) in SECRETS {
        assert!(!said.contains(secret) || text.contains(secret), "{name} is told");
    }
});
