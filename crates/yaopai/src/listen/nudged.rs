//! A socket that is asked for room again. A kernel wakes who waits to write when a third of its buffer is free (Linux,
//! `sk_stream_is_writeable`), but takes bytes as soon as there is any room. Measured, a reader of 1 KB/s lets 39 s go by between two
//! wakes: by the wakes alone it can't be told from one that takes nothing ([decision
//! 70](../../../../docs/decisions/0070-who-waits-to-write-asks-again.md)).

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::rt::Timer as _;
use hyper_util::rt::TokioTimer;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::Sleep;

/// How often who waits asks again.
const EVERY: Duration = Duration::from_secs(1);

/// A socket that takes bytes whether or not the kernel has said by a wake that it would.
pub(super) trait WriteNow {
    /// Writes as much as there is room for.
    ///
    /// # Errors
    /// `WouldBlock`: none. The socket's.
    fn write_now(&self, from: &[u8]) -> io::Result<usize>;
}

impl WriteNow for TcpStream {
    fn write_now(&self, from: &[u8]) -> io::Result<usize> {
        Ok(rustix::io::write(self, from)?)
    }
}

impl WriteNow for UnixStream {
    fn write_now(&self, from: &[u8]) -> io::Result<usize> {
        Ok(rustix::io::write(self, from)?)
    }
}

/// A stream whose writes go on as soon as there is room, if a little late.
pub(super) struct Nudged<S> {
    stream: S,
    /// Runs on while there is nothing to wait for: moving it with each write would cost more than waking once for nothing.
    timer: Option<Pin<Box<Sleep>>>,
    /// There was room the last time that it was asked for, so there may be more.
    more: bool,
}

impl<S: WriteNow> Nudged<S> {
    pub(super) fn new(stream: S) -> Self {
        Self { stream, timer: None, more: false }
    }

    /// The stream waits for a wake.
    fn waits(&mut self, cx: &mut Context<'_>, from: &[u8]) -> Poll<io::Result<usize>> {
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(EVERY)));
        loop {
            if !std::mem::take(&mut self.more) {
                if timer.as_mut().poll(cx).is_pending() {
                    return Poll::Pending;
                }
                timer.as_mut().reset((TokioTimer::new().now() + EVERY).into());
            }
            match self.stream.write_now(from) {
                Ok(taken @ 1..) => {
                    self.more = true;
                    return Poll::Ready(Ok(taken));
                }
                Ok(0) => {}
                Err(e) if matches!(e.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {}
                Err(e) => return Poll::Ready(Err(e)),
            }
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Nudged<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, to: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, to)
    }
}

impl<S: AsyncWrite + WriteNow + Unpin> AsyncWrite for Nudged<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, from: &[u8]) -> Poll<io::Result<usize>> {
        match Pin::new(&mut self.stream).poll_write(cx, from) {
            Poll::Pending => self.waits(cx, from),
            done => done,
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        from: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match Pin::new(&mut self.stream).poll_write_vectored(cx, from) {
            Poll::Pending => {
                self.waits(cx, from.iter().find(|slice| !slice.is_empty()).map_or(&[][..], |slice| &slice[..]))
            }
            done => done,
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
