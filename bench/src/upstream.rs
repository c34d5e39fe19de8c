//! What stands behind a gateway that is measured: hyper, with a page of an order list as the answer to everything. Its own CPU
//! is nobody's.

use std::convert::Infallible;
use std::future::{Ready, ready};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, header};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

/// What the gateway's configuration says: prefix, check and cookies of each route.
pub const ROUTES: [(&str, &str, &str); 4] = [
    ("/", "require=bound", "pass"),
    ("/catalogue", "require=open", "pass"),
    ("/basket", "require=bound", "keep"),
    ("/default", "require=bound", "keep"),
];
/// A path of the open route.
pub const CATALOGUE: &str = "/catalogue/v1/orders?page=2&size=20";
/// A path whose answer sets a cookie if none was shown.
pub const BASKET: &str = "/basket/v1/orders?page=2&size=20";
/// A path of a route as it is by default, whose answers set nothing.
pub const DEFAULT: &str = "/default/v1/orders?page=2&size=20";
/// What it sets.
pub const COOKIE: &str = "JSESSIONID=5F2B8C1D9E0A4736B1C2D3E4F5A60718";

/// Some 500 bytes.
const ORDERS: &str = concat!(
    r#"{"page":2,"size":20,"total":41,"orders":[{"id":"202611280001","state":"paid","cents":12900,"lines":[{"sku":"A-1024","#,
    r#""count":2},{"sku":"B-2048","count":1}]},{"id":"202611270017","state":"sent","cents":4500,"lines":[{"sku":"C-0042","#,
    r#""count":3}]},{"id":"202611260009","state":"done","cents":990,"lines":[{"sku":"D-0007","count":1}]},{"id":"#,
    r#""202611250003","state":"done","cents":25800,"lines":[{"sku":"A-1024","count":4},{"sku":"E-1111","count":1}]}]}"#
);

/// Serves for ever.
///
/// # Errors
/// The listener's.
pub async fn serve(listener: TcpListener) -> anyhow::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(answer)));
    }
}

fn answer(request: Request<Incoming>) -> Ready<Result<Response<Full<Bytes>>, Infallible>> {
    let mut response = Response::new(Full::new(Bytes::from_static(ORDERS.as_bytes())));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, max-age=0"));
    if request.uri().path().starts_with("/basket/") && !request.headers().contains_key(header::COOKIE) {
        let cookie = format!("{COOKIE}; Path=/; HttpOnly");
        headers.insert(header::SET_COOKIE, HeaderValue::try_from(cookie).expect("a cookie is ASCII"));
    }
    ready(Ok(response))
}
