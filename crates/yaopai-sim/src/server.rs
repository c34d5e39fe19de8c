//! The listener. Not `axum::serve`, because that has no time-out for slow headers and can't reset a connection.

use std::{convert::Infallible, future::poll_fn, io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request},
    http::{HeaderName, HeaderValue, StatusCode},
    response::{IntoResponse, Response},
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    task::JoinHandle,
};
use tower::ServiceExt;

use crate::{
    SIM_HEADER, SimHandle, control,
    simulator::Core,
    wechat::{self, Hangup, Peer},
};

const MAX_BODY: usize = 64 * 1024;
const MAX_HEADERS: usize = 64 * 1024;
const MAX_CONNECTIONS: usize = 1024;
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);

/// A simulator that is listening. Dropping it stops it.
#[derive(Debug)]
pub struct RunningSim {
    addr: SocketAddr,
    handle: SimHandle,
    stop: watch::Sender<bool>,
    accepting: Option<JoinHandle<()>>,
}

impl RunningSim {
    pub(crate) async fn start(core: Arc<Core>, listener: TcpListener) -> io::Result<Self> {
        let addr = listener.local_addr()?;
        let handle = SimHandle::new(Arc::clone(&core));
        let (stop, stopped) = watch::channel(false);
        let accepting = Some(tokio::spawn(accept(listener, router(core), stopped)));
        Ok(Self { addr, handle, stop, accepting })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// What to give a client in place of `https://api.weixin.qq.com`; no slash at the end. A wildcard address is shown as
    /// loopback.
    pub fn base_url(&self) -> String {
        let mut addr = self.addr;
        if addr.ip().is_unspecified() {
            addr.set_ip(if addr.is_ipv4() { [127, 0, 0, 1].into() } else { std::net::Ipv6Addr::LOCALHOST.into() });
        }
        format!("http://{addr}")
    }

    /// Control without HTTP.
    pub fn handle(&self) -> &SimHandle {
        &self.handle
    }

    /// Stops listening and closes every connection; returns when the port is free.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(true);
        if let Some(accepting) = self.accepting.take() {
            // Ends by itself; a panic in it has been reported by the runtime.
            let _ = accepting.await;
        }
    }

    /// Runs until the process ends or the listener is stopped from elsewhere.
    pub async fn wait(mut self) {
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.await;
        }
    }
}

impl std::ops::Deref for RunningSim {
    type Target = SimHandle;

    fn deref(&self) -> &SimHandle {
        &self.handle
    }
}

impl Drop for RunningSim {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        if let Some(accepting) = &self.accepting {
            accepting.abort();
        }
    }
}

fn router(core: Arc<Core>) -> Router {
    Router::new()
        .merge(wechat::routes())
        .nest("/_sim", control::routes(Arc::clone(&core)))
        .fallback(async || (StatusCode::NOT_FOUND, "The simulator has no such path; see the README of yaopai-sim.\n"))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(core)
}

async fn accept(listener: TcpListener, router: Router, mut stopped: watch::Receiver<bool>) {
    let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let stop = stopped.clone();
    let serve_all = async {
        loop {
            let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { return };
            match listener.accept().await {
                Ok((stream, peer)) => {
                    let (router, mut stop) = (router.clone(), stop.clone());
                    tokio::spawn(async move {
                        let _slot = slot;
                        tokio::select! {
                            () = connection(stream, peer, router) => {}
                            _ = stop.wait_for(|stop| *stop) => {}
                        }
                    });
                }
                // Out of descriptors, most likely: give the connections time to end.
                Err(error) => {
                    tracing::warn!(%error, "the simulator could not accept a connection");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    };
    tokio::select! {
        () = serve_all => {}
        _ = stopped.wait_for(|stop| *stop) => {}
    }
}

async fn connection(stream: TcpStream, peer: SocketAddr, router: Router) {
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(Peer(peer.ip()));
        // Boxed, because taking the socket back out of the connection needs a service whose future can be moved.
        Box::pin(answer(router.clone(), request.map(axum::body::Body::new)))
    });
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(MAX_HEADERS)
        .serve_connection(TokioIo::new(stream), service);
    let served = poll_fn(|cx| connection.poll_without_shutdown(cx)).await;
    let mut stream = connection.into_parts().io.into_inner();
    match served {
        // RST in place of FIN: a reset was asked for, or the peer is gone.
        Err(error) if !is_orderly(&error) => drop(stream.set_zero_linger()),
        _ => drop(tokio::io::AsyncWriteExt::shutdown(&mut stream).await),
    }
}

/// Whether the service refused to answer by an orderly end.
fn is_orderly(error: &hyper::Error) -> bool {
    let source = std::error::Error::source(error).and_then(|source| source.downcast_ref::<io::Error>());
    source.is_some_and(|error| error.kind() == io::ErrorKind::ConnectionAborted)
}

/// An error makes hyper give up the connection, which is how it is ended without an answer.
async fn answer(router: Router, request: Request) -> io::Result<Response> {
    let mut response = router.oneshot(request).await.unwrap_or_else(|never: Infallible| match never {});
    match response.extensions().get::<Hangup>() {
        Some(Hangup::Reset) => return Err(io::ErrorKind::ConnectionReset.into()),
        Some(Hangup::Close) => return Err(io::ErrorKind::ConnectionAborted.into()),
        None => {}
    }
    response.headers_mut().insert(HeaderName::from_static(SIM_HEADER), HeaderValue::from_static("1"));
    Ok(response.into_response())
}
