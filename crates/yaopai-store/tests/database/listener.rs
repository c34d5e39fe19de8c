//! Stands between a client and a server's port, carries all as it is, and keeps what he hears.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

pub struct Listener {
    pub port: u16,
    heard: Arc<Mutex<Vec<u8>>>,
}

impl Listener {
    /// He goes on as long as the test runs.
    pub fn before(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let keeps = Arc::clone(&heard);
        thread::spawn(move || {
            for client in listener.incoming() {
                let (Ok(client), Ok(server)) = (client, TcpStream::connect(("127.0.0.1", server))) else { return };
                carry(client.try_clone().unwrap(), server.try_clone().unwrap(), Arc::clone(&keeps));
                carry(server, client, Arc::clone(&keeps));
            }
        });
        Self { port, heard }
    }

    /// How many bytes.
    pub fn heard(&self) -> usize {
        self.heard.lock().unwrap().len()
    }

    pub fn has_heard(&self, what: &[u8]) -> bool {
        self.heard.lock().unwrap().windows(what.len()).any(|some| some == what)
    }
}

fn carry(mut from: TcpStream, mut to: TcpStream, keeps: Arc<Mutex<Vec<u8>>>) {
    thread::spawn(move || {
        let mut some = [0; 65_536];
        while let Ok(n @ 1..) = from.read(&mut some) {
            keeps.lock().unwrap().extend(&some[..n]);
            if to.write_all(&some[..n]).is_err() {
                break;
            }
        }
        let _ = (to.shutdown(Shutdown::Both), from.shutdown(Shutdown::Both));
    });
}
