//! Every path of the public listener that is not ours: the gateway, in front of a real upstream.

mod bodies;
mod cut;
mod failing;
mod headers;
mod http2;
mod kept;
mod legacy;
mod memory;
mod real_nginx;
mod routing;
mod smuggling;
mod sockets;
mod upstream;
mod world;
