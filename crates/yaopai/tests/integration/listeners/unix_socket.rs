//! `listen.check = "unix:PATH"`.

use std::os::unix::fs::{FileTypeExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;

use super::start;

fn check_at(path: &Path) -> String {
    format!("check = \"unix:{}\"", path.display())
}

/// A check without a session where one is needed.
async fn check(socket: &Path) -> String {
    let mut stream = UnixStream::connect(socket).await.unwrap();
    let request = "GET /check/nginx/-/GET/https/shop.example/orders HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

/// What a killed server leaves: a socket file that refuses.
fn stale_socket(path: &Path) {
    drop(UnixListener::bind(path).unwrap());
    assert!(path.exists());
}

#[tokio::test]
async fn a_file_that_is_no_socket_is_somebody_s() {
    let folder = tempfile::tempdir().unwrap();
    let (file, socket, link) =
        (folder.path().join("notes.txt"), folder.path().join("stale.sock"), folder.path().join("link.sock"));
    std::fs::write(&file, "somebody's only copy").unwrap();
    stale_socket(&socket);
    symlink(&socket, &link).unwrap();
    for path in [&file, &link] {
        let Err(said) = start(&folder, &check_at(path)).await else { panic!("it starts on {}", path.display()) };
        let said = said.to_string();
        assert!(said.contains(&format!("listen.check = unix:{}", path.display())), "{said}");
    }
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "somebody's only copy");
    assert!(link.symlink_metadata().unwrap().is_symlink() && socket.exists());
    assert!(!folder.path().join("yaopai.db").exists(), "no database is left behind");
}

#[tokio::test]
async fn a_stale_socket_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("check.sock");
    stale_socket(&socket);
    let server = start(&folder, &check_at(&socket)).await.unwrap();
    let answer = check(&socket).await;
    assert!(answer.starts_with("HTTP/1.1 401 ") && answer.contains("yaopai-code: session_missing\r\n"), "{answer}");

    // Now that it is in use, a second server doesn't take it away.
    let other = tempfile::tempdir().unwrap();
    assert!(start(&other, &check_at(&socket)).await.is_err());
    assert!(socket.symlink_metadata().unwrap().file_type().is_socket());
    assert!(check(&socket).await.starts_with("HTTP/1.1 401 "));
    server.stop().await;
    assert!(!socket.exists());
}
