//! Which addresses may be asked at all (server-side request forgery). A name is checked when an address is written
//! down and again when it is resolved; the connection is made to the very addresses that were checked, so a name
//! that resolves differently a moment later changes nothing.
//!
//! Registries of special addresses: <https://www.iana.org/assignments/iana-ipv4-special-registry>, `…ipv6…`; ports:
//! <https://fetch.spec.whatwg.org/#port-blocking>.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use url::{Host, Url};

/// Ports of services that speak no HTTP and could be made to do something by it.
const BLOCKED_PORTS: &[u16] = &[
    1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104,
    109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515,
    526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049,
    3306, 3659, 4045, 4190, 5060, 5061, 5432, 6000, 6379, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697,
    9200, 10080, 11211, 27017,
];

/// Why an address is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// Neither `http` nor `https`.
    Scheme(String),
    /// A name and password in the address.
    Credentials,
    /// No host.
    NoHost,
    /// A port of a service that is no web server.
    Port(u16),
    /// An address inside a private or special network; the name it was resolved from, if it was one.
    Address {
        /// Host as written.
        host: String,
        /// The address.
        address: IpAddr,
        /// Which network it belongs to.
        network: &'static str,
    },
    /// A name that only exists inside a network: `localhost`, `printer.local`.
    LocalName(String),
}

impl std::error::Error for Refusal {}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::Scheme(scheme) => write!(f, "{scheme}: is no web address"),
            Refusal::Credentials => f.write_str("an address with a user name or password in it"),
            Refusal::NoHost => f.write_str("an address without a host"),
            Refusal::Port(port) => write!(f, "port {port} is not one of web servers"),
            Refusal::Address { host, address, network } => write!(f, "{host} is {address}, {network}"),
            Refusal::LocalName(name) => write!(f, "{name} is a name inside a network"),
        }
    }
}

/// An exception from the guard, for tests and intranets: `127.0.0.1:8080`, `oa.example.gov.cn`, `10.20.0.0/16`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Allowed {
    /// A host as written in addresses, whatever it resolves to; with a port, that port only.
    Host(String, Option<u16>),
    /// A network: first address and length of the prefix.
    Network(IpAddr, u8),
}

impl FromStr for Allowed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || format!("{text:?} is neither a host, a host with a port nor a network like 10.0.0.0/8");
        if let Some((network, length)) = text.split_once('/') {
            let network: IpAddr = network.parse().map_err(|_| bad())?;
            let length: u8 = length.parse().map_err(|_| bad())?;
            let most = if network.is_ipv4() { 32 } else { 128 };
            return if length <= most { Ok(Allowed::Network(network, length)) } else { Err(bad()) };
        }
        // The same reading of hosts as that of addresses, so that both are written alike afterwards.
        let url = Url::parse(&format!("http://{text}/")).map_err(|_| bad())?;
        let plain = url.path() == "/" && url.username().is_empty() && url.query().is_none();
        match url.host_str() {
            Some(host) if plain => {
                let port = text.rsplit_once(':').filter(|(_, port)| !port.contains(']'));
                let port = port.and_then(|(_, port)| port.parse().ok());
                Ok(Allowed::Host(host.to_owned(), port))
            }
            _ => Err(bad()),
        }
    }
}

/// The guard before every request.
#[derive(Debug, Clone, Default)]
pub struct Guard {
    allowed: Vec<Allowed>,
}

impl Guard {
    /// A guard with exceptions.
    pub fn new(allowed: Vec<Allowed>) -> Self {
        Guard { allowed }
    }

    /// Whether an address may be asked, as far as can be said before its name is resolved.
    pub fn check(&self, url: &Url) -> Result<(), Refusal> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Refusal::Scheme(url.scheme().to_owned()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refusal::Credentials);
        }
        let host = url.host().ok_or(Refusal::NoHost)?;
        let port = url.port_or_known_default().unwrap_or_default();
        let name = host.to_string();
        if self.allows_host(&name, Some(port)) {
            return Ok(());
        }
        if BLOCKED_PORTS.contains(&port) || port == 0 {
            return Err(Refusal::Port(port));
        }
        match host {
            Host::Ipv4(address) => self.check_address(&name, address.into()),
            Host::Ipv6(address) => self.check_address(&name, address.into()),
            Host::Domain(domain) if is_local_name(domain) => Err(Refusal::LocalName(domain.to_owned())),
            Host::Domain(_) => Ok(()),
        }
    }

    /// Whether the addresses a host was resolved to may be asked. One that may not spoils them all: honest names do
    /// not mix public and private addresses.
    pub fn check_resolved(&self, host: &str, addresses: &[SocketAddr]) -> Result<(), Refusal> {
        if self.allows_host(host, None) {
            return Ok(());
        }
        addresses.iter().try_for_each(|address| self.check_address(host, address.ip()))
    }

    /// Whether an address is among the exceptions, of whatever network it is.
    pub fn is_exception(&self, url: &Url) -> bool {
        let address = match url.host() {
            Some(Host::Ipv4(address)) => Some(IpAddr::from(address)),
            Some(Host::Ipv6(address)) => Some(IpAddr::from(address)),
            _ => None,
        };
        let inside = |allowed: &Allowed| match allowed {
            Allowed::Network(network, length) => {
                address.is_some_and(|address| contains(*network, *length, address))
            }
            Allowed::Host(..) => false,
        };
        let host = url.host_str().unwrap_or_default();
        self.allows_host(host, url.port_or_known_default()) || self.allowed.iter().any(inside)
    }

    fn check_address(&self, host: &str, address: IpAddr) -> Result<(), Refusal> {
        let Some(network) = special_network(address) else { return Ok(()) };
        let inside = |allowed: &Allowed| match allowed {
            Allowed::Network(network, length) => contains(*network, *length, address),
            Allowed::Host(..) => false,
        };
        if self.allowed.iter().any(inside) {
            return Ok(());
        }
        Err(Refusal::Address { host: host.to_owned(), address, network })
    }

    /// `port` is not known while a name is resolved; the address was checked with its port before.
    fn allows_host(&self, host: &str, port: Option<u16>) -> bool {
        self.allowed.iter().any(|allowed| match allowed {
            Allowed::Host(name, only) => {
                name.eq_ignore_ascii_case(host) && (only.is_none() || port.is_none() || *only == port)
            }
            Allowed::Network(..) => false,
        })
    }
}

fn is_local_name(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let last = name.rsplit('.').next().unwrap_or_default();
    !name.contains('.')
        || matches!(last, "localhost" | "local" | "internal" | "intranet" | "lan" | "home" | "corp")
}

fn contains(network: IpAddr, length: u8, address: IpAddr) -> bool {
    match (network, address) {
        (IpAddr::V4(network), IpAddr::V4(address)) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(length.min(32))).unwrap_or(0);
            network.to_bits() & mask == address.to_bits() & mask
        }
        (IpAddr::V6(network), IpAddr::V6(address)) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(length.min(128))).unwrap_or(0);
            network.to_bits() & mask == address.to_bits() & mask
        }
        _ => false,
    }
}

/// The special network an address belongs to; `None` for one of the public internet.
fn special_network(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => special_v4(address),
        IpAddr::V6(address) => special_v6(address),
    }
}

fn special_v4(address: Ipv4Addr) -> Option<&'static str> {
    const NETWORKS: &[([u8; 4], u8, &str)] = &[
        ([0, 0, 0, 0], 8, "this network"),
        ([10, 0, 0, 0], 8, "a private network"),
        // Shared address space; some clouds have their metadata service in it (100.100.100.200).
        ([100, 64, 0, 0], 10, "a carrier's or cloud's inner network"),
        ([127, 0, 0, 0], 8, "this machine"),
        ([169, 254, 0, 0], 16, "a link-local address, where clouds have their metadata service"),
        ([172, 16, 0, 0], 12, "a private network"),
        ([192, 0, 0, 0], 24, "reserved for protocols"),
        ([192, 0, 2, 0], 24, "reserved for documentation"),
        ([192, 88, 99, 0], 24, "a relay of the past"),
        ([192, 168, 0, 0], 16, "a private network"),
        ([198, 18, 0, 0], 15, "reserved for benchmarks"),
        ([198, 51, 100, 0], 24, "reserved for documentation"),
        ([203, 0, 113, 0], 24, "reserved for documentation"),
        ([224, 0, 0, 0], 4, "a multicast address"),
        ([240, 0, 0, 0], 4, "reserved"),
    ];
    let inside =
        |network: &[u8; 4], length: u8| contains(Ipv4Addr::from(*network).into(), length, address.into());
    NETWORKS.iter().find(|(network, length, _)| inside(network, *length)).map(|(_, _, name)| *name)
}

fn special_v6(address: Ipv6Addr) -> Option<&'static str> {
    let segments = address.segments();
    let octets = address.octets();
    let embedded = |at: usize| Ipv4Addr::new(octets[at], octets[at + 1], octets[at + 2], octets[at + 3]);
    match segments {
        [0, 0, 0, 0, 0, 0, 0, 0] => Some("this network"),
        [0, 0, 0, 0, 0, 0, 0, 1] => Some("this machine"),
        // An IPv4 address in other clothes: mapped, compatible, translated (NAT64), 6to4.
        [0, 0, 0, 0, 0, 0xffff | 0, _, _] | [0x64, 0xff9b, 0, 0, 0, 0, _, _] => special_v4(embedded(12)),
        [0, 0, 0, 0, 0xffff, 0, _, _] => special_v4(embedded(12)),
        [0x2002, ..] => special_v4(embedded(2)),
        [0x64, 0xff9b, 1, ..] => Some("a private network"),
        [0x100, 0, 0, 0, ..] => Some("a black hole"),
        [0x2001, second, ..] if second < 0x200 => Some("reserved for protocols"),
        [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => Some("reserved for documentation"),
        [0x5f00, ..] => Some("reserved for protocols"),
        [first, ..] if first & 0xfe00 == 0xfc00 => Some("a private network"),
        [first, ..] if first & 0xffc0 == 0xfe80 => Some("a link-local address"),
        [first, ..] if first & 0xffc0 == 0xfec0 => Some("a private network"),
        [first, ..] if first & 0xff00 == 0xff00 => Some("a multicast address"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(address: &str) -> Result<(), Refusal> {
        Guard::default().check(&Url::parse(address).unwrap())
    }

    #[test]
    fn every_way_to_write_a_private_address_is_refused() {
        for address in [
            "http://127.0.0.1/",
            "http://127.1/",
            "http://2130706433/",
            "http://0x7f000001/",
            "http://017700000001/",
            "http://0x7f.1/",
            "http://10.0.0.8/",
            "http://172.31.255.1/",
            "http://192.168.1.1:8080/",
            "http://169.254.169.254/latest/meta-data/",
            "http://100.100.100.200/latest/meta-data/",
            "http://0.0.0.0/",
            "http://[::1]/",
            "http://[::]/",
            "http://[::ffff:127.0.0.1]/",
            "http://[::ffff:7f00:1]/",
            "http://[::127.0.0.1]/",
            "http://[64:ff9b::a00:1]/",
            "http://[2002:7f00:1::]/",
            "http://[fe80::1]/",
            "http://[fd00:ec2::254]/",
            "http://[ff02::1]/",
            "http://１２７.０.０.１/",
            "http://255.255.255.255/",
        ] {
            assert!(
                matches!(check(address), Err(Refusal::Address { .. })),
                "{address}: {:?}",
                check(address)
            );
        }
    }

    #[test]
    fn what_is_no_public_web_server_is_refused() {
        assert_eq!(check("file:///etc/passwd"), Err(Refusal::Scheme("file".into())));
        assert_eq!(check("gopher://example.gov.cn/"), Err(Refusal::Scheme("gopher".into())));
        assert_eq!(check("http://user:secret@example.gov.cn/"), Err(Refusal::Credentials));
        assert_eq!(check("http://example.gov.cn:6379/"), Err(Refusal::Port(6379)));
        for name in
            ["localhost", "LOCALHOST.", "a.localhost", "printer", "nas.local", "metadata.google.internal"]
        {
            let refused = check(&format!("http://{name}/"));
            assert!(matches!(refused, Err(Refusal::LocalName(_))), "{name}: {refused:?}");
        }
    }

    #[test]
    fn public_addresses_pass() {
        for address in [
            "https://www.gov.cn/zhengce/",
            "http://app.example.gov.cn:8080/app.apk",
            "http://114.114.114.114/",
            "http://[2400:3200::1]/",
            "http://172.32.0.1/",
            "http://100.128.0.1/",
        ] {
            assert_eq!(check(address), Ok(()), "{address}");
        }
    }

    #[test]
    fn a_name_that_resolves_to_a_private_address_is_refused_as_a_whole() {
        let guard = Guard::default();
        let public: SocketAddr = "114.114.114.114:443".parse().unwrap();
        let private: SocketAddr = "[::ffff:10.0.0.1]:443".parse().unwrap();
        assert_eq!(guard.check_resolved("a.gov.cn", &[public]), Ok(()));
        let refused = guard.check_resolved("a.gov.cn", &[public, private]).unwrap_err();
        assert_eq!(refused.to_string(), "a.gov.cn is ::ffff:10.0.0.1, a private network");
    }

    #[test]
    fn exceptions_reach_as_far_as_they_say() {
        let guard = |text: &str| Guard::new(vec![text.parse().unwrap()]);
        let check = |guard: &Guard, address: &str| guard.check(&Url::parse(address).unwrap()).is_ok();
        let port = guard("127.0.0.1:8080");
        assert!(check(&port, "http://127.0.0.1:8080/") && !check(&port, "http://127.0.0.1:8081/"));
        let network = guard("10.20.0.0/16");
        assert!(check(&network, "http://10.20.3.4/") && !check(&network, "http://10.21.0.1/"));
        assert!(!check(&network, "http://10.20.3.4:22/"));
        let name = guard("oa.lan");
        assert!(check(&name, "http://oa.lan/") && !check(&name, "http://ob.lan/"));
        assert_eq!(name.check_resolved("oa.lan", &["10.0.0.1:80".parse().unwrap()]), Ok(()));
        assert!(guard("[::1]:90").check(&Url::parse("http://[::1]:90/").unwrap()).is_ok());
        for bad in ["", "10.0.0.0/33", "a b", "http://a/", "a/b", "u@h"] {
            assert!(bad.parse::<Allowed>().is_err(), "{bad:?}");
        }
    }
}
