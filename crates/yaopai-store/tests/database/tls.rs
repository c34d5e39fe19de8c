//! A PostgreSQL that speaks TLS, on a loopback address of its own; and who signs its certificate.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tempfile::TempDir;

use super::Server;
use super::postgres::hand_over;

pub const PASSWORD: &str = "9f8c1c0e5d5b4b0f";

/// Signs certificates. Made by the `openssl` command, which shares no code with what verifies them.
pub struct Authority {
    folder: TempDir,
    made: AtomicU32,
}

/// A certificate and its key, as files.
pub struct Certificate {
    pub cert: PathBuf,
    pub key: PathBuf,
}

impl Authority {
    pub fn new() -> Self {
        let this = Self { folder: tempfile::tempdir().unwrap(), made: AtomicU32::new(0) };
        // The server, which is somebody else, reads the root.
        std::fs::set_permissions(this.folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let mut make = this.openssl("req");
        make.args(["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]);
        make.args(["-subj", "/CN=Test CA", "-keyout", "ca.key", "-out", "ca.crt"]);
        done(&mut make);
        this
    }

    pub fn root(&self) -> PathBuf {
        self.folder.path().join("ca.crt")
    }

    /// A server's certificate for these names, as in `DNS:db.example,IP:127.0.0.1`; `days` may be negative.
    pub fn server(&self, names: &str, days: i32) -> Certificate {
        self.sign("/CN=server", &format!("subjectAltName={names}"), days)
    }

    /// A client's.
    pub fn client(&self, name: &str) -> Certificate {
        self.sign(&format!("/CN={name}"), "extendedKeyUsage=clientAuth", 2)
    }

    fn sign(&self, subject: &str, extension: &str, days: i32) -> Certificate {
        let n = self.made.fetch_add(1, Ordering::Relaxed);
        let at = |ending: &str| self.folder.path().join(format!("{n}.{ending}"));
        let mut ask = self.openssl("req");
        ask.args(["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", subject, "-keyout"]);
        done(ask.arg(at("key")).arg("-out").arg(at("csr")));
        std::fs::write(at("ext"), extension).unwrap();
        let mut sign = self.openssl("x509");
        sign.args(["-req", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", &days.to_string()]);
        done(sign.arg("-in").arg(at("csr")).arg("-out").arg(at("crt")).arg("-extfile").arg(at("ext")));
        Certificate { cert: at("crt"), key: at("key") }
    }

    fn openssl(&self, what: &str) -> Command {
        let mut openssl = Command::new("openssl");
        openssl.current_dir(self.folder.path()).arg(what);
        openssl
    }
}

fn done(command: &mut Command) {
    let output = command.output().expect("openssl is missing: run scripts/setup");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A server at an address.
pub struct Listening {
    pub server: Arc<Server>,
    pub address: String,
    _folder: TempDir,
}

impl Listening {
    /// With a certificate, and as `pg_hba.conf` says.
    pub fn start(certificate: Option<&Certificate>, root: Option<&Path>, hba: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let address = address();
        let rules = folder.path().join("pg_hba.conf");
        std::fs::write(&rules, format!("local all all trust\n{hba}\n")).unwrap();
        hand_over(&rules);
        let mut settings = vec![format!("listen_addresses={address}"), format!("hba_file={}", rules.display())];
        if let Some(Certificate { cert, key }) = certificate {
            let own = folder.path().join("server.key");
            std::fs::copy(key, &own).unwrap();
            hand_over(&own);
            settings.extend(["ssl=on".into(), format!("ssl_cert_file={}", cert.display())]);
            settings.push(format!("ssl_key_file={}", own.display()));
        }
        settings.extend(root.map(|root| format!("ssl_ca_file={}", root.display())));
        let server = Server::start_with(&settings.iter().map(String::as_str).collect::<Vec<_>>());
        server.sql(&format!("ALTER USER yaopai PASSWORD '{PASSWORD}'"));
        Self { server, address, _folder: folder }
    }

    /// How to reach it as a host of this name.
    pub fn url(&self, host: &str, more: &str) -> String {
        format!("host={host} hostaddr={} user=yaopai password={PASSWORD} dbname=postgres {more}", self.address)
    }
}

/// One of the millions that loopback has: whoever is at the usual port of another isn't in the way.
pub fn address() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let id = std::process::id();
    format!("127.{}.{}.{}", 1 + id / 256 % 254, id % 256, NEXT.fetch_add(1, Ordering::Relaxed) % 255)
}
