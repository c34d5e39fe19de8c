//! The five proxies: their files, and how each is started.

use std::path::Path;
use std::process::Command;

use crate::running::binary;

/// A proxy under test.
pub struct Kind {
    /// As the table calls it.
    pub name: &'static str,
    /// Its folder under `examples/`.
    pub folder: &'static str,
    /// What it runs on, and all that is copied.
    pub files: &'static [&'static str],
    /// Starts it, in a folder with these files, in the foreground and as one process.
    pub command: fn(&Path) -> Command,
    /// How often it asks one check whose kept connection is cut before an answer. Once, where that can be configured.
    pub asks_when_cut: usize,
}

pub static KINDS: [&Kind; 5] = [&NGINX, &CADDY, &HAPROXY, &TRAEFIK, &ENVOY];

pub static NGINX: Kind = Kind {
    name: "nginx",
    folder: "nginx",
    files: &["nginx.conf"],
    command: |folder| {
        let mut command = Command::new(binary("nginx"));
        command.arg("-p").arg(folder).args(["-c", "nginx.conf", "-e", "stderr", "-g", "master_process off;"]);
        command
    },
    asks_when_cut: 1,
};

pub static CADDY: Kind = Kind {
    name: "Caddy",
    folder: "caddy",
    files: &["Caddyfile"],
    command: |folder| {
        let mut command = Command::new(binary("caddy"));
        command.arg("run").env("HOME", folder).env("XDG_CONFIG_HOME", folder).env("XDG_DATA_HOME", folder);
        command
    },
    asks_when_cut: 1,
};

pub static HAPROXY: Kind = Kind {
    name: "HAProxy",
    folder: "haproxy",
    files: &["haproxy.cfg", "yaopai.lua"],
    command: |_| {
        let mut command = Command::new(binary("haproxy"));
        command.args(["-f", "haproxy.cfg", "-db"]);
        command
    },
    asks_when_cut: 1,
};

pub static TRAEFIK: Kind = Kind {
    name: "Traefik",
    folder: "traefik",
    files: &["traefik.yml", "dynamic.yml"],
    command: |_| {
        let mut command = Command::new(binary("traefik"));
        command.arg("--configFile=traefik.yml");
        command
    },
    // Go's HTTP client does, and ForwardAuth has no setting against it.
    asks_when_cut: 2,
};

pub static ENVOY: Kind = Kind {
    name: "Envoy",
    folder: "envoy",
    files: &["envoy.yaml"],
    command: |_| {
        let mut command = Command::new(binary("envoy"));
        command.args(["-c", "envoy.yaml", "--disable-hot-restart", "--concurrency", "1", "--log-level", "warn"]);
        command
    },
    asks_when_cut: 1,
};
