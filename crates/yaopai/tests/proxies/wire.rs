//! The wire between a proxy and the check listener: passes on what goes over it, counts what is asked, and breaks when told to.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What becomes of a check.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// It is answered.
    Through,
    /// The connection is closed once the question has arrived: nobody knows whether it was answered.
    Cut,
    /// Its answer is cut off after so many bytes.
    CutAfter(usize),
    /// The question is taken and never answered.
    Hang,
    /// Nobody listens any more. There is no way back.
    Down,
}

pub struct Wire {
    pub port: u16,
    mode: watch::Sender<Mode>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Wire {
    pub async fn start(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (mode, changes) = watch::channel(Mode::Through);
        let asked = Arc::new(Mutex::new(Vec::new()));
        tokio::spawn(listen(listener, server, changes, asked.clone()));
        Self { port, mode, asked }
    }

    pub async fn set(&self, mode: Mode) {
        self.mode.send_replace(mode);
        if mode == Mode::Down {
            // Its receivers are the listener's and its connections'.
            self.mode.closed().await;
        }
    }

    /// The first lines of all checks so far.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

async fn listen(
    listener: TcpListener,
    server: SocketAddr,
    mut mode: watch::Receiver<Mode>,
    asked: Arc<Mutex<Vec<String>>>,
) {
    loop {
        let down = mode.clone();
        tokio::select! {
            accepted = listener.accept() => {
                let (proxy, _) = accepted.unwrap();
                tokio::spawn(relay(proxy, server, down, asked.clone()));
            }
            _ = mode.wait_for(|mode| *mode == Mode::Down) => return,
        }
    }
}

async fn relay(mut proxy: TcpStream, server: SocketAddr, mode: watch::Receiver<Mode>, asked: Arc<Mutex<Vec<String>>>) {
    let mut server = TcpStream::connect(server).await.unwrap();
    let mut down = std::pin::pin!(down(mode.clone()));
    let (mut question, mut answer, mut head) = ([0; 16384], [0; 16384], Vec::new());
    loop {
        tokio::select! {
            read = proxy.read(&mut question) => {
                let Ok(n @ 1..) = read else { return };
                head.extend_from_slice(&question[..n]);
                let heads = count(&mut head, &asked);
                let now = *mode.borrow();
                match now {
                    Mode::Through | Mode::CutAfter(_) => if server.write_all(&question[..n]).await.is_err() { return },
                    Mode::Cut if heads > 0 => return,
                    Mode::Cut | Mode::Hang => {}
                    Mode::Down => return,
                }
            }
            read = server.read(&mut answer) => {
                let Ok(mut n @ 1..) = read else { return };
                let now = *mode.borrow();
                if let Mode::CutAfter(length) = now {
                    n = n.min(length);
                }
                if proxy.write_all(&answer[..n]).await.is_err() || now != Mode::Through { return }
            }
            () = &mut down => return,
        }
    }
}

async fn down(mut mode: watch::Receiver<Mode>) {
    let _ = mode.wait_for(|mode| *mode == Mode::Down).await;
}

/// Takes whole heads off and keeps their first lines. Checks have no bodies.
fn count(head: &mut Vec<u8>, asked: &Mutex<Vec<String>>) -> usize {
    let mut heads = 0;
    while let Some(end) = head.windows(4).position(|w| w == b"\r\n\r\n") {
        let text = String::from_utf8_lossy(&head[..end]).into_owned();
        asked.lock().unwrap().push(text.lines().next().unwrap_or_default().to_owned());
        head.drain(..end + 4);
        heads += 1;
    }
    heads
}
