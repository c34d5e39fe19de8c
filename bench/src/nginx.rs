//! nginx, as what a gateway is compared with: `proxy_pass` alone, and our own example with `auth_request`. One process; access log
//! off; connections kept on both sides.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, ensure};

use crate::server::{CORE, Process};

/// What a team would copy.
const EXAMPLE: &str = include_str!("../../examples/nginx/nginx.conf");
/// Passes everything on, with the same three headers that our gateway adds.
const PROXY_PASS: &str = "\
daemon off;
pid nginx.pid;
events { worker_connections 1024; }
http {
    access_log off;
    client_body_temp_path tmp-body;
    proxy_temp_path tmp-proxy;
    fastcgi_temp_path tmp-fastcgi;
    uwsgi_temp_path tmp-uwsgi;
    scgi_temp_path tmp-scgi;
    keepalive_requests 100000000;
    upstream shop {
        server {upstream};
        keepalive 64;
        keepalive_requests 100000000;
    }
    server {
        listen {listen};
        location / {
            proxy_pass http://shop;
            proxy_http_version 1.1;
            proxy_set_header Connection \"\";
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-Forwarded-Proto $scheme;
            proxy_set_header X-Forwarded-Host $http_host;
        }
    }
}
";

/// A running nginx.
pub struct Nginx {
    /// Its one process.
    pub process: Process,
    _folder: tempfile::TempDir,
}

impl Nginx {
    /// `proxy_pass` and nothing else.
    ///
    /// # Errors
    /// nginx is missing, or doesn't start.
    pub fn proxy_pass(upstream: SocketAddr) -> anyhow::Result<Self> {
        let listen = free()?;
        let config = PROXY_PASS.replace("{upstream}", &upstream.to_string()).replace("{listen}", &listen.to_string());
        Self::run(&config, listen)
    }

    /// The example in `examples/nginx`, with as many kept connections as there are clients.
    ///
    /// # Errors
    /// nginx is missing or doesn't start, or the example is another one by now.
    pub fn auth_request(upstream: SocketAddr, check: SocketAddr) -> anyhow::Result<Self> {
        let listen = free()?;
        let kept = "keepalive 64; keepalive_requests 100000000;";
        let mut config = EXAMPLE.to_owned();
        for (example, here) in [
            ("127.0.0.1:9701;", format!("{check};")),
            ("127.0.0.1:8080;", format!("{upstream}; {kept}")),
            ("127.0.0.1:8443;", format!("{listen};")),
            ("keepalive 32;", kept.into()),
            ("events { }", "events { worker_connections 1024; }".into()),
            ("access_log off;", "access_log off; keepalive_requests 100000000;".into()),
        ] {
            ensure!(config.matches(example).count() == 1, "examples/nginx/nginx.conf has no {example:?}, or several");
            config = config.replace(example, &here);
        }
        Self::run(&config, listen)
    }

    fn run(config: &str, listen: SocketAddr) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        std::fs::write(folder.path().join("nginx.conf"), config)?;
        let mut command = Command::new("taskset");
        command.args(["--cpu-list", CORE]).arg(binary()?).arg("-p").arg(folder.path());
        // One process: a worker is all that serves, and nothing is left when it is killed.
        command.args(["-c", "nginx.conf", "-e", "stderr", "-g", "master_process off;"]);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().context("nginx does not start")?;
        let mut process = Process::other(child, listen);
        for _ in 0..200 {
            if TcpStream::connect(listen).is_ok() {
                return Ok(Self { process, _folder: folder });
            }
            ensure!(!process.has_ended(), "nginx did not start");
            std::thread::sleep(Duration::from_millis(20));
        }
        anyhow::bail!("nginx does not listen")
    }
}

fn free() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

/// nginx lives in sbin, which is not in everybody's PATH.
fn binary() -> anyhow::Result<PathBuf> {
    let path = std::env::var("PATH").unwrap_or_default();
    let folders = path.split(':').chain(["/usr/sbin", "/sbin", "/usr/local/sbin"]);
    let mut found = folders.map(|folder| Path::new(folder).join("nginx")).filter(|file| file.is_file());
    found.next().context("nginx is missing: run scripts/setup")
}
