//! What lies between a node and a database: it carries, it is slow, it carries nothing and says nothing, or it is cut.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;

/// How it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Open,
    /// Each piece takes so long, both ways.
    Slow(Duration),
    /// Nothing comes through, and nobody is told.
    Silent,
    /// Connections are closed, and new ones are not taken.
    Cut,
}

/// A link. It goes on as long as the test runs.
pub struct Link {
    folder: TempDir,
    state: watch::Sender<State>,
}

const SOCKET: &str = ".s.PGSQL.5432";

impl Link {
    pub fn to(server: &Path) -> Arc<Self> {
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join(SOCKET)).unwrap();
        let state = watch::Sender::new(State::Open);
        let (server, states) = (server.join(SOCKET), state.subscribe());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(carry(client, server.clone(), states.clone()));
            }
        });
        Arc::new(Self { folder, state })
    }

    pub fn set(&self, state: State) {
        self.state.send_replace(state);
    }

    /// Where it listens.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

async fn carry(client: UnixStream, server: PathBuf, mut states: watch::Receiver<State>) {
    if *states.borrow_and_update() == State::Cut {
        return;
    }
    let Ok(server) = UnixStream::connect(server).await else { return };
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let (up, down) = (states.clone(), states.clone());
    let cut = async {
        let _ = states.wait_for(|state| *state == State::Cut).await;
    };
    tokio::select! {
        () = cut => {}
        () = one_way(from_client, to_server, up) => {}
        () = one_way(from_server, to_client, down) => {}
    }
}

async fn one_way(
    mut from: tokio::net::unix::OwnedReadHalf,
    mut to: tokio::net::unix::OwnedWriteHalf,
    mut states: watch::Receiver<State>,
) {
    let mut some = vec![0; 65_536];
    while let Ok(n @ 1..) = from.read(&mut some).await {
        let state = *states.borrow_and_update();
        match state {
            State::Slow(by) => tokio::time::sleep(by).await,
            // It may come late, when things are well again.
            State::Silent => drop(states.wait_for(|state| *state != State::Silent).await),
            State::Open | State::Cut => {}
        }
        if to.write_all(&some[..n]).await.is_err() {
            return;
        }
    }
}
