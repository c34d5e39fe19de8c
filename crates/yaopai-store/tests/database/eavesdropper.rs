//! Stands between a client and a PostgreSQL, with a certificate of his own: speaks TLS with either, and hears all that is said.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, ServerConfig, SignatureScheme};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::database::tls::{Certificate, address};

/// <https://www.postgresql.org/docs/current/protocol-message-formats.html>, SSLRequest.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

pub struct Eavesdropper {
    pub address: String,
    _runtime: Runtime,
}

impl Eavesdropper {
    pub fn before(server: &str, certificate: &Certificate) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let address = address();
        let chain = CertificateDer::pem_file_iter(&certificate.cert).unwrap().map(Result::unwrap).collect();
        let key = PrivateKeyDer::from_pem_file(&certificate.key).unwrap();
        let provider = Arc::new(default_provider());
        let here = ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions();
        let here = here.unwrap().with_no_client_auth().with_single_cert(chain, key).unwrap();
        let there = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let there = there.dangerous().with_custom_certificate_verifier(Arc::new(Anybody)).with_no_client_auth();
        let (here, there) = (TlsAcceptor::from(Arc::new(here)), TlsConnector::from(Arc::new(there)));
        let listener = runtime.block_on(TcpListener::bind((address.clone(), 5432))).unwrap();
        let server = server.to_owned();
        runtime.spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                // Who gives up is of no interest.
                tokio::spawn(between(client, server.clone(), here.clone(), there.clone()));
            }
        });
        Self { address, _runtime: runtime }
    }
}

async fn between(mut client: TcpStream, server: String, here: TlsAcceptor, there: TlsConnector) -> Option<()> {
    let mut asked = [0; 8];
    client.read_exact(&mut asked).await.ok()?;
    assert_eq!(asked, SSL_REQUEST);
    client.write_all(b"S").await.ok()?;
    let mut client = here.accept(client).await.ok()?;
    let mut server = TcpStream::connect((server, 5432)).await.ok()?;
    server.write_all(&SSL_REQUEST).await.ok()?;
    assert_eq!(server.read_u8().await.ok()?, b'S');
    let mut server = there.connect(ServerName::try_from("db.example").unwrap(), server).await.ok()?;
    copy_bidirectional(&mut client, &mut server).await.ok()?;
    Some(())
}

#[derive(Debug)]
struct Anybody;

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        default_provider().signature_verification_algorithms.supported_schemes()
    }
}
