//! hyper as a proxy that changes nothing and looks at nothing, with a connection of its own to the upstream for each client's: what
//! a gateway on this library costs at least.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Body;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{client, server};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex;

/// Serves for ever.
///
/// # Errors
/// The listener's, or the upstream takes no connection.
pub async fn serve(listener: TcpListener, upstream: SocketAddr) -> anyhow::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let to = TcpStream::connect(upstream).await?;
        to.set_nodelay(true)?;
        let (sender, connection) = client::conn::http1::handshake::<_, Incoming>(TokioIo::new(to)).await?;
        tokio::spawn(connection);
        let sender = Arc::new(Mutex::new(sender));
        let pass = service_fn(move |request: Request<Incoming>| {
            let sender = sender.clone();
            async move {
                let answered = sender.lock().await.send_request(request).await;
                Ok::<_, Infallible>(answered.map_or_else(|_| bad(), |response| response.map(Body::new)))
            }
        });
        tokio::spawn(server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), pass));
    }
}

fn bad() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = http::StatusCode::BAD_GATEWAY;
    response
}
