//! TLS to the databases, by rustls as everywhere here: what PostgreSQL and Redis have in common. Nothing goes unverified
//! (docs/decisions/0074, 0079).

use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{CertificateError, ClientConfig, Error, RootCertStore};

/// What an operator calls the files, for messages.
#[derive(Debug)]
pub(crate) struct Words {
    /// Who may have signed the server's certificate.
    pub root: &'static str,
    /// A client's own certificate.
    pub cert: &'static str,
    /// Its key.
    pub key: &'static str,
    /// What else can be done about a certificate that is for another name.
    pub name: &'static str,
}

/// Takes the certificates of these roots, for the name that was asked for.
pub(crate) fn by_name(roots: Arc<RootCertStore>, words: &Words) -> Result<Arc<dyn ServerCertVerifier>, String> {
    let builder = WebPkiServerVerifier::builder_with_provider(roots, Arc::new(default_provider()));
    let verifier = builder.build().map_err(|e| format!("{}: {e}", words.root))?;
    Ok(verifier)
}

/// How connections are made. `own`: a client's certificate and its key, as files.
pub(crate) fn client(
    verifier: Arc<dyn ServerCertVerifier>,
    own: (Option<&str>, Option<&str>),
    words: &Words,
) -> Result<ClientConfig, String> {
    let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|e| e.to_string())?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    match own {
        (None, None) => Ok(builder.with_no_client_auth()),
        (Some(cert), Some(key)) => {
            let chain = certificates(words.cert, cert)?;
            let key = PrivateKeyDer::from_pem_file(key).map_err(|e| format!("{}: {key}: {e}", words.key))?;
            let both = |e| format!("{} and {}: {e}", words.cert, words.key);
            builder.with_client_auth_cert(chain, key).map_err(both)
        }
        _ => Err(format!("{} and {} go together", words.cert, words.key)),
    }
}

/// Who may have signed a server's certificate: a file of certificates in PEM form, or `system`.
pub(crate) fn roots(root: &str, words: &Words) -> Result<RootCertStore, String> {
    let (word, mut store) = (words.root, RootCertStore::empty());
    if root == "system" {
        let found = rustls_native_certs::load_native_certs();
        let (added, _) = store.add_parsable_certificates(found.certs);
        if added == 0 {
            return Err(format!(
                "{word}=system: this system has no root certificates. Install ca-certificates, or name a file"
            ));
        }
        return Ok(store);
    }
    for certificate in certificates(word, root)? {
        store.add(certificate).map_err(|e| format!("{word}: {root}: {e}"))?;
    }
    Ok(store)
}

fn certificates(word: &str, path: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let broken = |e: rustls::pki_types::pem::Error| format!("{word}: {path}: {e}");
    let found: Vec<_> =
        CertificateDer::pem_file_iter(Path::new(path)).map_err(broken)?.collect::<Result<_, _>>().map_err(broken)?;
    if found.is_empty() { Err(format!("{word}: {path} holds no certificate in PEM form")) } else { Ok(found) }
}

/// What went wrong in the operator's words, and what to do where that is known. `None`: it isn't of TLS.
pub(crate) fn why(e: &io::Error, host: &str, words: &Words) -> Option<String> {
    let tls = e.get_ref()?.downcast_ref::<Error>()?;
    Some(match tls {
        // By another one of the same name, too.
        Error::InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::BadSignature) => format!(
            "the server's certificate is signed by nobody whom {} names: is it the right file, and the right server?",
            words.root
        ),
        Error::InvalidCertificate(CertificateError::Expired | CertificateError::ExpiredContext { .. }) => {
            "the server's certificate has expired".into()
        }
        Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => {
            let name = words.name;
            format!(
                "the server's certificate is not for {host} ({tls}): put the name into its subjectAltName, or {name}"
            )
        }
        Error::InvalidMessage(_) => format!("what answers there doesn't speak TLS ({tls}): is it the right port?"),
        tls => tls.to_string(),
    })
}
