//! From where a request comes: the address of the client and whether it came by https. What a proxy says counts where
//! the configuration names the proxy.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::{ConnectInfo, Request};
use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, HeaderName};
use url::Url;

use crate::config::Server;

/// From where a request comes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Origin {
    /// The client.
    pub(crate) address: IpAddr,
    /// Whether it came by https.
    pub(crate) secure: bool,
}

impl Origin {
    pub(super) fn of(config: &Server, request: &Request) -> Self {
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
        let peer =
            peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |ConnectInfo(peer)| peer.ip().to_canonical());
        let trusted = |address: &IpAddr| config.proxies.contains(address);
        let public = config.public_address.as_ref().is_some_and(|address| address.scheme() == "https");
        if !trusted(&peer) {
            return Origin { address: peer, secure: public };
        }
        let headers = request.headers();
        let forwarded = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
        let named: Vec<&str> = forwarded.flat_map(|value| value.split(',')).map(str::trim).collect();
        // The last that no proxy of ours has added: those before it are what the client says.
        let client = named.iter().rev().map_while(|name| name.parse::<IpAddr>().ok());
        let client = client.map(|address| address.to_canonical()).find(|address| !trusted(address));
        let scheme = headers.get("x-forwarded-proto").and_then(|value| value.to_str().ok());
        Origin { address: client.unwrap_or(peer), secure: public || scheme == Some("https") }
    }
}

/// Whether a browser says that a request comes from a page of ours, or nothing but a browser could have made it: what
/// is no browser sends neither header.
pub(super) fn is_own(config: &Server, headers: &HeaderMap) -> bool {
    let text = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    if let Some(site) = text(HeaderName::from_static("sec-fetch-site")) {
        return matches!(site, "same-origin" | "none");
    }
    let Some(origin) = text(ORIGIN) else { return true };
    let Ok(origin) = Url::parse(origin) else { return false };
    if let Some(public) = &config.public_address {
        return origin.origin() == public.origin();
    }
    let authority = match (origin.host_str(), origin.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (Some(host), None) => host.to_owned(),
        (None, _) => return false,
    };
    text(HOST) == Some(&*authority)
}
