//! Looks records up in the DNS.

use std::net::SocketAddr;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{RData, RecordType};

use crate::domain::mail_domain::{Found, Wanted};

/// Asks name servers.
pub struct Resolver(TokioResolver);

/// The resolver cannot be set up, as when this machine names no name servers.
#[derive(Debug, thiserror::Error)]
#[error("the DNS cannot be asked: {0}")]
pub struct ResolverError(#[from] NetError);

impl Resolver {
    /// Asks this name server; without one, those of this machine. Nothing that was found is remembered.
    pub fn new(name_server: Option<SocketAddr>) -> Result<Self, ResolverError> {
        let mut builder = match name_server {
            Some(address) => {
                let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
                    connection.port = address.port();
                    connection
                });
                let server = NameServerConfig::new(address.ip(), true, connections.to_vec());
                let config = ResolverConfig::from_name_servers(vec![server]);
                TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
            }
            None => TokioResolver::builder_tokio()?,
        };
        builder.options_mut().cache_size = 0;
        Ok(Self(builder.build()?))
    }

    /// Looks a record up that the DNS should have.
    pub async fn find(&self, wanted: &Wanted) -> Found {
        let mut found = Found::Missing;
        for name in wanted.names() {
            found = match self.records(&name, wanted.kind()).await {
                Ok(records) => wanted.judge(&records),
                Err(error) => Found::Unknown(error.to_string()),
            };
            if found != Found::Missing {
                return found;
            }
        }
        found
    }

    /// The records of a name, as [`Wanted::judge`] reads them.
    async fn records(&self, name: &str, kind: &str) -> Result<Vec<String>, NetError> {
        let kind = if kind == "MX" { RecordType::MX } else { RecordType::TXT };
        // The dot at its end keeps the search list of this machine out.
        let lookup = match self.0.lookup(format!("{name}."), kind).await {
            Ok(lookup) => lookup,
            Err(error) if error.is_no_records_found() || error.is_nx_domain() => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let records = lookup.answers().iter().filter_map(|record| match &record.data {
            RData::TXT(text) => {
                Some(text.txt_data.iter().map(|piece| String::from_utf8_lossy(piece)).collect())
            }
            RData::MX(exchanger) => Some(format!("{} {}", exchanger.preference, exchanger.exchange)),
            _ => None,
        });
        Ok(records.collect())
    }
}
