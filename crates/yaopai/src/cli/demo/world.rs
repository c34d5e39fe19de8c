//! Everything the demo runs: a simulated WeChat (or the real one), a shop, the server, a front door.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use yaopai_core::ports::{Clock, Entropy};
use yaopai_core::seal::MasterKey;
use yaopai_core::time::{Timestamp, millis};
use yaopai_sim::{DEFAULT_APPID, DEFAULT_SECRET, RunningSim, Simulator};
use zeroize::Zeroizing;

use super::client::Client;
use super::folder::Folder;
use super::front::Front;
use super::shop::{Account, HOOK, Shop};
use super::tale::Tale;
use crate::clock::{SystemClock, SystemEntropy};
use crate::config::{Address, Config, api_key_hash};
use crate::listen::{self, Answer, Bound, Limits, ListenError};
use crate::serve::{Server, StartError};
use crate::{admin, webhook};

/// What the app is called in the server's configuration.
pub const APP: &str = "shop";
/// How many connections the shop and the front door serve at a time.
const CONNECTIONS_MAX: usize = 256;
/// Where things are unless somebody else is there.
const SIM_PORT: u16 = 9380;
const SERVER_PORTS: [u16; 3] = [9700, 9701, 9702];
const FRONT_PORT: u16 = 9800;
const SHOP_PORT: u16 = 9801;

/// What to run.
pub struct Plan {
    pub platform: Platform,
    /// Take any free port in place of the usual ones.
    pub free_ports: bool,
    /// Open the front door, and only that, to the network.
    pub lan: bool,
}

/// Who vouches for users.
pub enum Platform {
    /// A simulated WeChat; the shop's table knows the openid of this user of it from before.
    Simulated { known: &'static str },
    /// WeChat itself.
    Real { appid: String, secret: Secret },
}

/// An AppSecret.
pub enum Secret {
    /// `file:` with an absolute path, or `env:`, as the configuration takes it.
    Reference(String),
    /// As it is.
    Text(Zeroizing<String>),
}

/// All that runs. [`World::stop`] stops it in order; the temporary folder goes in any case.
pub struct World {
    pub sim: Option<RunningSim>,
    pub shop: Shop,
    /// `http://host:port` of the front door, for this machine.
    pub front: String,
    /// Where the front door listens.
    pub front_at: SocketAddr,
    pub shop_at: SocketAddr,
    pub server: Server,
    pub api_key: Zeroizing<String>,
    pub client: Client,
    pub clock: Arc<DemoClock>,
    pub entropy: Arc<dyn Entropy>,
    pub tale: Arc<Tale>,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
    folder: Folder,
}

/// The machine's clock, which the walk can move forward. All that runs in the demo goes by it.
#[derive(Default)]
pub struct DemoClock {
    real: SystemClock,
    ahead: AtomicI64,
}

impl DemoClock {
    /// So much later.
    pub fn advance(&self, by: Duration) {
        self.ahead.fetch_add(millis(by), Ordering::SeqCst);
    }
}

impl Clock for DemoClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.real.now().0 + self.ahead.load(Ordering::SeqCst))
    }
}

impl World {
    /// Starts everything. When it returns, everything answers.
    pub async fn start(plan: Plan, tale: Arc<Tale>) -> anyhow::Result<Self> {
        let (clock, entropy) = (Arc::new(DemoClock::default()), Arc::new(SystemEntropy));
        let folder = Folder::new(&*entropy)?;
        let client = Client::new()?;
        let ports = Ports { free: plan.free_ports, tale: &tale };

        let (sim, known) = match &plan.platform {
            Platform::Simulated { known } => {
                let sim = ports.simulator(&clock).await?;
                let openid = sim.handle().openid(DEFAULT_APPID, known)?;
                (Some(sim), Some(openid))
            }
            Platform::Real { .. } => (None, None),
        };
        let shop_socket = ports.open("the shop", Ipv4Addr::LOCALHOST, SHOP_PORT).await?;
        let host = if plan.lan { Ipv4Addr::UNSPECIFIED } else { Ipv4Addr::LOCALHOST };
        let front_socket = ports.open("the front door", host, FRONT_PORT).await?;
        let (shop_at, front_at) = (tcp(&shop_socket)?, tcp(&front_socket)?);

        let api_key = admin::generate_key(&*entropy);
        let hook = webhook::generate_secret(&*entropy);
        folder.write("master.key", &MasterKey::generate(&*entropy))?;
        folder.write("webhook.secret", &hook)?;
        let hook = webhook::decode_secret(&hook).context("a generated webhook secret is one")?;
        let written = Written { plan: &plan, sim: sim.as_ref(), shop_at, api_key: &api_key };
        let server = ports.server(&written, &folder, clock.clone(), entropy.clone()).await?;

        let shop = Shop::new(accounts(known), hook, clock.clone(), tale.clone());
        let (public, check) = (server.public.to_string(), server.check.to_string());
        let front = Front::new(client.clone(), public, check, format!("http://{shop_at}"), tale.clone());
        let (stop, stopping) = watch::channel(false);
        let tasks = vec![run(front_socket, front, stopping.clone()), run(shop_socket, shop.clone(), stopping)];
        let front = format!("http://127.0.0.1:{}", front_at.port());
        Ok(Self {
            sim,
            shop,
            front,
            front_at,
            shop_at,
            server,
            api_key,
            client,
            clock,
            entropy,
            tale,
            stop,
            tasks,
            folder,
        })
    }

    /// Stops everything in order: the front door first, and what it needs after it.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        for task in self.tasks {
            let _ = task.await;
        }
        self.server.stop().await;
        if let Some(sim) = self.sim {
            sim.shutdown().await;
        }
        drop(self.folder);
    }
}

/// The shop's own table of accounts.
fn accounts(known: Option<String>) -> Vec<Account> {
    let account = |id, account, password, name, openid| Account { id, account, password, name, openid };
    vec![
        account(1001, "xiaoming", "noodles-88", "小明", known),
        account(1002, "lilei", "dumpling-42", "李雷", None),
        account(1003, "xiaohong", "hotpot-66", "小红", None),
    ]
}

fn run<A: Answer>(socket: Bound, answer: A, stopping: watch::Receiver<bool>) -> JoinHandle<()> {
    tokio::spawn(listen::serve(socket, Limits::strangers(CONNECTIONS_MAX), Arc::new(answer), stopping))
}

fn tcp(socket: &Bound) -> anyhow::Result<SocketAddr> {
    match socket.address() {
        Address::Tcp(at) => Ok(at),
        Address::Unix(_) => anyhow::bail!("the demo listens on TCP only"),
    }
}

/// Opens sockets: the usual ports, or free ones if those are taken or unwanted.
struct Ports<'a> {
    free: bool,
    tale: &'a Tale,
}

impl Ports<'_> {
    fn usual(&self, port: u16) -> u16 {
        if self.free { 0 } else { port }
    }

    fn taken(&self, what: &str, port: u16) {
        self.tale.say(&format!("Port {port} is taken: {what} takes a free one. / 端口 {port} 被占用，改用空闲端口。"));
    }

    async fn open(&self, what: &'static str, host: Ipv4Addr, port: u16) -> anyhow::Result<Bound> {
        let at = |port| Address::Tcp((host, port).into());
        match Bound::open(what, &at(self.usual(port))).await {
            Err(ListenError::Taken { .. }) => {
                self.taken(what, port);
                Ok(Bound::open(what, &at(0)).await?)
            }
            opened => Ok(opened?),
        }
    }

    async fn simulator(&self, clock: &Arc<DemoClock>) -> anyhow::Result<RunningSim> {
        let make = || {
            let clock = clock.clone();
            Simulator::builder().clock(move || u64::try_from(clock.now().0).unwrap_or(0)).build()
        };
        match make()?.start((Ipv4Addr::LOCALHOST, self.usual(SIM_PORT))).await {
            Err(e) if e.kind() == ErrorKind::AddrInUse => {
                self.taken("the simulated WeChat", SIM_PORT);
                Ok(make()?.start_local().await?)
            }
            started => started.map_err(|e| anyhow::anyhow!("the simulated WeChat can't listen: {e}")),
        }
    }

    async fn server(
        &self,
        written: &Written<'_>,
        folder: &Folder,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> anyhow::Result<Server> {
        let mut ports = SERVER_PORTS.map(|port| self.usual(port));
        loop {
            let config = written.config(folder, ports)?;
            match Server::start(config, clock.clone(), entropy.clone()).await {
                Err(StartError::Listen(ListenError::Taken { address, .. })) if ports != [0; 3] => {
                    self.tale
                        .say(&format!("{address} is taken: the server takes free ports. / 端口被占用，改用空闲端口。"));
                    ports = [0; 3];
                }
                started => return Ok(started?),
            }
        }
    }
}

/// What the server's configuration is written from.
struct Written<'a> {
    plan: &'a Plan,
    sim: Option<&'a RunningSim>,
    shop_at: SocketAddr,
    api_key: &'a str,
}

impl Written<'_> {
    /// The configuration, read as `serve` reads its own.
    fn config(&self, folder: &Folder, [public, check, admin]: [u16; 3]) -> anyhow::Result<Config> {
        const SECRET: &str = "app.secret";
        let here = |text: &str| -> anyhow::Result<String> {
            folder.write(SECRET, text)?;
            Ok(format!("file:{SECRET}"))
        };
        let (appid, secret) = match &self.plan.platform {
            Platform::Simulated { .. } => (DEFAULT_APPID, here(DEFAULT_SECRET)?),
            Platform::Real { appid, secret: Secret::Reference(reference) } => (appid.as_str(), reference.clone()),
            Platform::Real { appid, secret: Secret::Text(text) } => (appid.as_str(), here(text)?),
        };
        let base_url = self.sim.map(|sim| format!("base_url = {}\n", quoted(&sim.base_url()))).unwrap_or_default();
        let text = format!(
            r#"
development = true
master_key = "file:master.key"
database = "yaopai.db"

[listen]
public = "127.0.0.1:{public}"
check = "127.0.0.1:{check}"
admin = "127.0.0.1:{admin}"

[[apps]]
name = "{APP}"
appid = {appid}
secret = {secret}
{base_url}binding = "webhook"
webhook = {{ url = "http://{shop}{HOOK}", secret = "file:webhook.secret" }}

[[api_keys]]
name = "demo"
hash = "{hash}"
"#,
            appid = quoted(appid),
            secret = quoted(&secret),
            shop = self.shop_at,
            hash = api_key_hash(self.api_key),
        );
        let config = Config::parse(&text, folder.path());
        // It has been read; a real AppSecret needn't lie on the disk while the demo runs.
        folder.remove(SECRET);
        let config = config?;
        config.check_loopback(false)?;
        Ok(config)
    }
}

/// A TOML string.
fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}
