//! Ports: the usual ones, or free ones where those are taken or unwanted.

use std::io::ErrorKind;
use std::net::Ipv4Addr;
use std::sync::Arc;

use yaopai_core::ports::{Clock, Entropy};
use yaopai_sim::{RunningSim, Simulator};

use super::clock::DemoClock;
use super::config::Written;
use crate::cli::demo::folder::Folder;
use crate::cli::demo::tale::Tale;
use crate::config::Address;
use crate::listen::{Bound, ListenError};
use crate::serve::{Server, StartError};

/// Where things are unless somebody else is there.
const SIM_PORT: u16 = 9380;
const SERVER_PORTS: [u16; 3] = [9700, 9701, 9702];

/// Opens sockets: the usual ports, or free ones if those are taken or unwanted.
pub struct Ports<'a> {
    pub free: bool,
    pub tale: &'a Tale,
}

impl Ports<'_> {
    fn usual(&self, port: u16) -> u16 {
        if self.free { 0 } else { port }
    }

    fn taken(&self, what: &str, port: u16) {
        self.tale.say(&format!("Port {port} is taken: {what} takes a free one. / 端口 {port} 被占用，改用空闲端口。"));
    }

    pub async fn open(&self, what: &'static str, host: Ipv4Addr, port: u16) -> anyhow::Result<Bound> {
        let at = |port| Address::Tcp((host, port).into());
        match Bound::open(what, &at(self.usual(port))).await {
            Err(ListenError::Taken { .. }) => {
                self.taken(what, port);
                Ok(Bound::open(what, &at(0)).await?)
            }
            opened => Ok(opened?),
        }
    }

    pub async fn simulator(&self, clock: &Arc<DemoClock>) -> anyhow::Result<RunningSim> {
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

    pub async fn server(
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
