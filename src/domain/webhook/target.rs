//! The URL of an endpoint: what of it can be judged before anybody connects.

use std::fmt;
use std::str::FromStr;

use url::{Host, Url};

use super::is_public;

/// The URL of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target(Url);

/// What is wrong with a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TargetFault {
    /// Not a URL with a host.
    #[error("must be a URL, such as https://crm.example/debrief")]
    NotAUrl,
    /// Not `https`.
    #[error("must begin with https://")]
    NotHttps,
    /// It has a user name, a password or a fragment.
    #[error("must have no user name, no password and no fragment")]
    Extras,
    /// It names an address that is not of the public internet.
    #[error("must not lead to a private, local or reserved address")]
    NotPublic,
}

impl TargetFault {
    /// The stable code for an answer to a machine.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotAUrl | Self::Extras => "invalid_url",
            Self::NotHttps => "not_https",
            Self::NotPublic => "address_not_allowed",
        }
    }
}

impl Target {
    /// Says what is wrong with the target for a service that must reach the public internet and
    /// nothing else. Where a name leads is judged when somebody connects.
    pub fn check_public(&self) -> Result<(), TargetFault> {
        if !self.is_https() {
            return Err(TargetFault::NotHttps);
        }
        let is_fine = match self.0.host() {
            Some(Host::Ipv4(address)) => is_public(address.into()),
            Some(Host::Ipv6(address)) => is_public(address.into()),
            Some(Host::Domain(_)) => true,
            None => false,
        };
        if is_fine { Ok(()) } else { Err(TargetFault::NotPublic) }
    }

    /// Whether it begins with `https`.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// The host as it stands in a URL: a name, or an address, one of IPv6 in brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }

    /// The port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.0.port_or_known_default().unwrap_or_default()
    }

    /// Host and port as they stand in the `Host` header: the usual port is left out.
    #[must_use]
    pub fn authority(&self) -> String {
        match self.0.port() {
            Some(port) => format!("{}:{port}", self.host()),
            None => self.host().to_owned(),
        }
    }

    /// Path and query, as a request asks for them.
    #[must_use]
    pub fn path(&self) -> String {
        match self.0.query() {
            Some(query) => format!("{}?{query}", self.0.path()),
            None => self.0.path().to_owned(),
        }
    }
}

impl FromStr for Target {
    type Err = TargetFault;
    fn from_str(text: &str) -> Result<Self, TargetFault> {
        // What a browser would forgive is no URL: it would be kept in one form, and asked for in another.
        let is_plain =
            |text: &str| !text.contains(|c: char| c.is_whitespace() || c.is_control() || c == '\\');
        let url = Url::parse(text).ok().filter(|_| is_plain(text)).ok_or(TargetFault::NotAUrl)?;
        if !matches!(url.scheme(), "https" | "http") {
            return Err(TargetFault::NotHttps);
        }
        let after_scheme = text.get(url.scheme().len()..).unwrap_or_default();
        if after_scheme.strip_prefix("://").is_none_or(|rest| rest.starts_with('/')) {
            return Err(TargetFault::NotAUrl);
        }
        if url.host_str().is_none_or(str::is_empty) || url.port() == Some(0) {
            return Err(TargetFault::NotAUrl);
        }
        if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
            return Err(TargetFault::Extras);
        }
        Ok(Self(url))
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(url: &str) -> Result<(), TargetFault> {
        url.parse::<Target>().and_then(|target| target.check_public())
    }

    #[test]
    fn an_address_is_judged_however_it_is_spelt() {
        let inside = [
            "127.0.0.1",
            "127.1",
            "2130706433",
            "0x7f000001",
            "0x7f.1",
            "0177.0.0.1",
            "017700000001",
            "0",
            "169.254.169.254",
            "0xa9fea9fe",
            "2852039166",
            "10.1",
            "192.168.257",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "[0:0:0:0:0:ffff:7f00:1]",
            "[fd00:ec2::254]",
            "[fe80::1]",
            "①②⑦.⓪.⓪.①",
            "127.0.0.1.",
        ];
        for host in inside {
            assert_eq!(judged(&format!("https://{host}/")), Err(TargetFault::NotPublic), "{host}");
            assert_eq!(judged(&format!("https://{host}:8443/x")), Err(TargetFault::NotPublic), "{host}");
        }
        for url in [
            "https://crm.example/hook?a=b",
            "https://8.8.8.8",
            "https://[2606:4700::1111]:444/",
            "HTTPS://CRM.example",
        ] {
            assert_eq!(judged(url), Ok(()), "{url}");
        }
    }

    #[test]
    fn what_is_no_target_is_refused() {
        for (url, fault) in [
            ("", TargetFault::NotAUrl),
            ("crm.example", TargetFault::NotAUrl),
            ("https://", TargetFault::NotAUrl),
            ("https:crm.example", TargetFault::NotAUrl),
            ("https:/crm.example", TargetFault::NotAUrl),
            ("https:///crm.example", TargetFault::NotAUrl),
            ("https:\\\\crm.example", TargetFault::NotAUrl),
            (" https://crm.example/", TargetFault::NotAUrl),
            ("https://crm.example/\n", TargetFault::NotAUrl),
            ("https://crm.example/ a b", TargetFault::NotAUrl),
            ("https://crm.example:0/", TargetFault::NotAUrl),
            ("https://crm.example:70000/", TargetFault::NotAUrl),
            ("http://crm.example/", TargetFault::NotHttps),
            ("ftp://crm.example/", TargetFault::NotHttps),
            ("file:///etc/passwd", TargetFault::NotHttps),
            ("https://user@crm.example/", TargetFault::Extras),
            ("https://user:pass@crm.example/", TargetFault::Extras),
            ("https://crm.example/#part", TargetFault::Extras),
        ] {
            assert_eq!(judged(url), Err(fault), "{url}");
        }
    }

    #[test]
    fn its_parts_are_what_a_request_needs() {
        let target: Target = "https://crm.example:8443/a%20b?c=d".parse().unwrap();
        assert_eq!((target.host(), target.port()), ("crm.example", 8443));
        assert_eq!((target.authority(), target.path()), ("crm.example:8443".into(), "/a%20b?c=d".into()));
        let target: Target = "http://[2606:4700::1111]".parse().unwrap();
        assert_eq!(
            (target.authority(), target.path(), target.port()),
            ("[2606:4700::1111]".into(), "/".into(), 80)
        );
        assert!(!target.is_https());
    }
}
