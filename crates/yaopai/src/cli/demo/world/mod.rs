//! Everything the demo runs: a simulated WeChat (or the real one), a shop, the server, a front door.

mod clock;
mod config;
mod ports;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use anyhow::Context as _;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use yaopai_core::ports::Entropy;
use yaopai_core::seal::MasterKey;
use yaopai_sim::{DEFAULT_APPID, RunningSim};
use zeroize::Zeroizing;

pub use clock::DemoClock;
use config::Written;
use ports::Ports;

use super::client::Client;
use super::folder::Folder;
use super::front::Front;
use super::page::{Page, Stage, WeChat};
use super::phone::Ground;
use super::shop::{Account, Shop, Website};
use super::tale::Tale;
use super::tap::Tap;
use super::wire::Wire;
use crate::clock::SystemEntropy;
use crate::config::Address;
use crate::listen::{self, Answer, Bound, Limits};
use crate::serve::Server;
use crate::{admin, webhook};

/// What the app is called in the server's configuration.
pub const APP: &str = "shop";
/// How many connections the shop and the front door serve at a time.
const CONNECTIONS_MAX: usize = 256;
/// Where things are unless somebody else is there.
const FRONT_PORT: u16 = 9800;
const SHOP_PORT: u16 = 9801;
const PAGE_PORT: u16 = 9802;
const TAP_PORT: u16 = 9803;

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
    pub wire: Arc<Wire>,
    free_ports: bool,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
    folder: Folder,
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
        let wire = Arc::new(Wire::new(clock.clone()));
        let told = || (tale.clone(), wire.clone());
        let (stop, stopping) = watch::channel(false);
        let mut tasks = Vec::new();
        let mut wechat = None;
        if let Some(sim) = &sim {
            let socket = ports.open("the tap before WeChat", Ipv4Addr::LOCALHOST, TAP_PORT).await?;
            wechat = Some(format!("http://{}", tcp(&socket)?));
            let tap = Tap::new(client.clone(), sim.base_url(), wire.clone());
            tasks.push(run(socket, tap, stopping.clone()));
        }
        let written = Written { plan: &plan, wechat: wechat.as_deref(), shop_at, api_key: &api_key };
        let server = ports.server(&written, &folder, clock.clone(), entropy.clone()).await?;

        let shop = Shop::new(accounts(known), hook, clock.clone(), told());
        let (public, check) = (server.public.to_string(), server.check.to_string());
        let front = Front::new(client.clone(), public, check, format!("http://{shop_at}"), told());
        tasks.push(run(front_socket, front, stopping.clone()));
        tasks.push(run(shop_socket, shop.clone(), stopping));
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
            wire,
            free_ports: plan.free_ports,
            stop,
            tasks,
            folder,
        })
    }

    /// What phones need of it.
    pub fn ground(&self) -> Ground {
        Ground {
            wx: self.sim.as_ref().map(|sim| sim.handle().clone()),
            front: self.front.clone(),
            client: self.client.clone(),
            entropy: self.entropy.clone(),
            clock: self.clock.clone(),
            tale: self.tale.clone(),
            wire: self.wire.clone(),
        }
    }

    /// Opens the page; answers its URL. Only with the simulated WeChat: the page's phone could not log in at the real one.
    pub async fn page(&mut self) -> anyhow::Result<String> {
        let sim = self.sim.as_ref().context("the page needs the simulated WeChat")?.handle().clone();
        let service = self.server.service().clone();
        let website = Website {
            client: self.client.clone(),
            admin: self.server.admin.to_string(),
            api_key: self.api_key.clone(),
            entropy: self.entropy.clone(),
            wire: self.wire.clone(),
        };
        let wechat = WeChat::new(self.ground(), self.clock.clone(), sim.clone(), self.stop.subscribe());
        let stage = Stage::new(self.ground(), self.clock.clone(), service, (self.shop.clone(), website), (sim, wechat));
        // It begins with what is pressed there; the walk was told in the terminal.
        self.wire.clear();
        let ports = Ports { free: self.free_ports, tale: &self.tale };
        let socket = ports.open("the page", Ipv4Addr::LOCALHOST, PAGE_PORT).await?;
        let url = format!("http://{}/", tcp(&socket)?);
        self.tasks.push(run(socket, Page::new(stage), self.stop.subscribe()));
        Ok(url)
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
    let account = |id, account, password, name, phone, openid| Account { id, account, password, name, phone, openid };
    vec![
        account(1001, "xiaoming", "noodles-88", "小明", None, known),
        account(1002, "lilei", "dumpling-42", "李雷", None, None),
        account(1003, "xiaohong", "hotpot-66", "小红", None, None),
        // Those of the page: the walk and the printed commands leave them as they are.
        account(1004, "hanmeimei", "peach-27", "韩梅梅", Some("13800138004"), None),
        account(1005, "wangfang", "persimmon-19", "王芳", Some("13800138005"), None),
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
