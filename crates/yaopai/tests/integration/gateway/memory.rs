//! Bodies of any size through the real binary, in bounded memory. 100 MB here, `YAOPAI_GATEWAY_MB` elsewhere.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use super::upstream::Upstream;
use crate::support::server_process::ServerProcess;
use crate::support::write_secrets;

/// What a whole process may take at its peak, however large the body.
const PEAK_MAX_KB: u64 = 96 * 1024;

fn megabytes() -> usize {
    std::env::var("YAOPAI_GATEWAY_MB").ok().map_or(100, |text| text.parse().expect("a number"))
}

fn start(upstream: &Upstream, folder: &std::path::Path) -> ServerProcess {
    write_secrets(folder);
    let config = format!(
        "master_key = \"file:master.key\"\ndevelopment = true\n\
         listen = {{ public = \"127.0.0.1:0\", check = \"127.0.0.1:0\", admin = \"127.0.0.1:0\" }}\n\
         [live]\nmax_nonces = 10000\n\
         [[apps]]\nname = \"shop\"\nappid = \"wx1\"\nsecret = \"file:app.secret\"\nbinding = \"auto\"\n\
         [[upstreams]]\nname = \"shop\"\nurls = [\"http://{}\"]\n\
         [[routes]]\nprefix = \"/\"\nupstream = \"shop\"\ncheck = \"require=open\"\n",
        upstream.address
    );
    let file = folder.join("yaopai.toml");
    std::fs::write(&file, config).unwrap();
    ServerProcess::start(&file, &[])
}

/// The most memory that the process has had, in KB.
fn peak(server: &ServerProcess) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn uploads_and_downloads_of_any_size_take_no_memory() {
    let (upstream, folder) = (Upstream::start().await, tempfile::tempdir().unwrap());
    let (server, length) = (start(&upstream, folder.path()), megabytes() * 1_000_000);
    let public = server.public.replace("http://", "");
    let moving = tokio::task::spawn_blocking(move || {
        let chunk = vec![b'x'; 1 << 20];
        for coding in [format!("Content-Length: {length}"), "Transfer-Encoding: chunked".to_owned()] {
            let mut stream = TcpStream::connect(&public).unwrap();
            let chunked = coding.starts_with('T');
            write!(stream, "POST /upload HTTP/1.1\r\nHost: h\r\nConnection: close\r\n{coding}\r\n\r\n").unwrap();
            let mut left = length;
            while left > 0 {
                let some = left.min(chunk.len());
                if chunked {
                    write!(stream, "{some:x}\r\n").unwrap();
                }
                stream.write_all(&chunk[..some]).unwrap();
                if chunked {
                    stream.write_all(b"\r\n").unwrap();
                }
                left -= some;
            }
            if chunked {
                stream.write_all(b"0\r\n\r\n").unwrap();
            }
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        }
        let mut stream = TcpStream::connect(&public).unwrap();
        write!(stream, "GET /download/{length} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").unwrap();
        let (mut read, mut buffer) = (0, vec![0; 1 << 20]);
        while let Ok(n @ 1..) = stream.read(&mut buffer) {
            read += n;
        }
        assert!(read > length, "{read} of {length}");
    });
    moving.await.unwrap();
    assert_eq!(upstream.seen().iter().map(|s| s.length).collect::<Vec<_>>(), [length, length, 0]);
    let peak = peak(&server);
    println!("{length} bytes three times: {peak} KB at the peak");
    assert!(peak < PEAK_MAX_KB, "{peak} KB");
}
