//! The server with a gateway, its upstream, and a phone.

use std::ops::Deref;

use super::upstream::Upstream;
use crate::support::{Phone, Setup, TestApp};

/// Who may pass is told by the path.
const ROUTES: &str = r#"
    [[routes]]
    prefix = "/"
    upstream = "shop"
    cookies = "pass"
    check = "require=open"
    [[routes]]
    prefix = "/shop"
    upstream = "shop"
    cookies = "pass"
    [[routes]]
    prefix = "/session"
    upstream = "shop"
    cookies = "pass"
    check = "require=session"
    [[routes]]
    prefix = "/files"
    upstream = "shop"
    cookies = "pass"
    check = "unsigned_body=1"
    [[routes]]
    prefix = "/dropped"
    upstream = "shop"
    cookies = "drop"
    [[routes]]
    prefix = "/kept"
    upstream = "shop"
    check = "require=session"
    [[routes]]
    prefix = "/kept/open"
    upstream = "shop"
    check = "require=open"
    [[routes]]
    prefix = "/read"
    upstream = "shop"
    cookies = "pass"
    methods = ["GET"]
    "#;

pub struct World {
    pub app: TestApp,
    pub upstream: Upstream,
}

impl Deref for World {
    type Target = TestApp;

    fn deref(&self) -> &TestApp {
        &self.app
    }
}

impl World {
    pub async fn start() -> Self {
        Self::with("", Setup::default()).await
    }

    /// With these keys of the upstream.
    pub async fn with(keys: &str, setup: Setup) -> Self {
        let upstream = Upstream::start().await;
        let urls = format!("[\"http://{}\"]", upstream.address);
        let app = start_at(&urls, keys, setup).await;
        Self { app, upstream }
    }

    /// Where it is, without the scheme.
    pub fn public(&self) -> String {
        self.addresses().public
    }

    /// Somebody whom the back end knows, logged in.
    pub async fn customer_in(&self, person: &str, user: &str) -> Phone {
        let phone = self.customer(person, user);
        phone.log_in().await;
        phone
    }
}

/// A server whose one upstream is at these URLs.
pub async fn start_at(urls: &str, keys: &str, setup: Setup) -> TestApp {
    let tables = format!("{}\n[[upstreams]]\nname = \"shop\"\nurls = {urls}\n{keys}\n{ROUTES}", setup.tables);
    // A setup's texts live as long as the tests.
    TestApp::with(Setup { tables: Box::leak(tables.into_boxed_str()), ..setup }).await
}
