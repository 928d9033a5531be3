//! How much anybody may ask for: each credential of the API, each address of the routes that take no
//! credential, and everybody together in the name of one account. What is left stands in every answer, in the
//! headers `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers).

use std::future::{Ready, ready};
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use actix_web::body::MessageBody;
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use governor::clock::{Clock, MonotonicClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};
use ipnet::IpNet;

use super::error::{ApiError, Code};
use crate::auth::caller::Actor;

/// `RateLimit-Policy`: what may be asked for at all.
pub const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
/// `RateLimit`: what is left of it.
pub const LEFT: HeaderName = HeaderName::from_static("ratelimit");

/// How many keys a limit remembers before it looks which of them it can forget.
const REMEMBERED: usize = 1024;

/// How many requests in which time; they may come all at once.
#[derive(Debug, Clone, Copy)]
pub struct Policy {
    /// Names the policy in the headers.
    pub name: &'static str,
    /// How many; none is no limit.
    pub requests: Option<NonZeroU32>,
    /// In which time.
    pub period: Duration,
}

/// The limits of one process.
pub struct Limits {
    credentials: Option<Limit<Actor>>,
    addresses: Option<Limit<IpAddr>>,
    accounts: Option<Limit<String>>,
    proxies: Vec<IpNet>,
}

struct Limit<K: Hash + Eq + Clone> {
    policy: String,
    name: &'static str,
    left: RateLimiter<K, HashMapStateStore<K>, MonotonicClock, StateInformationMiddleware>,
    forget_at: AtomicUsize,
}

/// What the headers of the answer say.
struct Standing {
    policy: HeaderValue,
    left: HeaderValue,
}

/// What became of a request that was counted.
struct Spent {
    standing: Option<Standing>,
    /// It was one too many.
    error: Option<ApiError>,
}

impl Spent {
    /// The same, of which the answer to the request will tell.
    fn told(self, request: &HttpRequest) -> Result<(), ApiError> {
        if let Some(standing) = self.standing {
            request.extensions_mut().insert(standing);
        }
        self.error.map_or(Ok(()), Err)
    }
}

/// Somebody without a credential, whose address has not asked too often.
pub struct Stranger;

impl Limits {
    /// Limits for each credential, for each address without one, and for each account that a password is tried
    /// for. `proxies` are the networks whose word is taken for the address of a caller.
    #[must_use]
    pub fn new(credentials: Policy, addresses: Policy, accounts: Policy, proxies: Vec<IpNet>) -> Self {
        Self {
            credentials: Limit::new(credentials),
            addresses: Limit::new(addresses),
            accounts: Limit::new(accounts),
            proxies,
        }
    }

    /// Counts a request of a credential.
    ///
    /// # Errors
    /// 429 when it has asked too often, with the time after which it may ask again.
    pub fn spend(&self, request: &HttpRequest, actor: Actor) -> Result<(), ApiError> {
        self.credentials.as_ref().map_or(Ok(()), |limit| limit.spend(&actor).told(request))
    }

    /// Counts a password that is tried for an account, whether or not there is such an account: who guesses from
    /// many addresses guesses no faster.
    ///
    /// # Errors
    /// Those of [`spend`](Self::spend).
    pub fn spend_account(&self, request: &HttpRequest, account: String) -> Result<(), ApiError> {
        let Some(limit) = &self.accounts else { return Ok(()) };
        let spent = limit.spend(&account);
        // The headers have room for one limit, and tell of the address until this one says no.
        if spent.error.is_some() { spent.told(request) } else { Ok(()) }
    }

    fn spend_address(&self, request: &HttpRequest) -> Result<(), ApiError> {
        let (Some(limit), Some(peer)) = (&self.addresses, request.peer_addr()) else { return Ok(()) };
        let forwarded = request.headers().get_all("x-forwarded-for").filter_map(|value| value.to_str().ok());
        let forwarded: Vec<&str> = forwarded.collect();
        limit.spend(&network(caller(peer.ip(), &forwarded.join(","), &self.proxies))).told(request)
    }
}

impl<K: Hash + Eq + Clone> Limit<K> {
    fn new(policy: Policy) -> Option<Self> {
        let Policy { name, requests, period } = policy;
        let requests = requests?;
        let quota = Quota::with_period(period / requests.get())?.allow_burst(requests);
        Some(Self {
            policy: format!("\"{name}\";q={requests};w={}", period.as_secs()),
            name,
            left: RateLimiter::hashmap_with_clock(quota, MonotonicClock).with_middleware(),
            forget_at: AtomicUsize::new(REMEMBERED),
        })
    }

    fn spend(&self, key: &K) -> Spent {
        let spent = self.left.check_key(key);
        self.forget();
        let (left, wait, error) = match spent {
            Ok(state) => {
                let (left, quota) = (state.remaining_burst_capacity(), state.quota());
                let used = quota.burst_size().get().saturating_sub(left);
                (left, quota.replenish_interval() * used, None)
            }
            Err(until) => {
                let wait = until.wait_time_from(MonotonicClock.now());
                let seconds = HeaderValue::from(seconds(wait));
                let error =
                    ApiError::new(Code::TooManyRequests, "this was asked too often; wait, then go on")
                        .with_header(header::RETRY_AFTER, seconds);
                (0, wait, Some(error))
            }
        };
        let left = format!("\"{}\";r={left};t={}", self.name, seconds(wait));
        let policy = HeaderValue::try_from(&self.policy);
        let standing =
            policy.and_then(|policy| Ok(Standing { policy, left: HeaderValue::try_from(left)? })).ok();
        Spent { standing, error }
    }

    /// Forgets those who may ask for everything again, each time that twice as many are remembered.
    fn forget(&self) {
        if self.left.len() >= self.forget_at.load(Ordering::Relaxed) {
            self.left.retain_recent();
            self.forget_at.store(REMEMBERED.max(2 * self.left.len()), Ordering::Relaxed);
        }
    }
}

/// Whole seconds, never too few.
fn seconds(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}

/// The address of the caller: the peer's, or the last one that a proxy of ours was spoken to by.
fn caller(peer: IpAddr, forwarded: &str, proxies: &[IpNet]) -> IpAddr {
    let is_ours = |address: &IpAddr| proxies.iter().any(|network| network.contains(address));
    let mut address = peer.to_canonical();
    for earlier in forwarded.rsplit(',') {
        let Some(earlier) = forwarder(earlier.trim()) else { break };
        if !is_ours(&address) {
            break;
        }
        address = earlier.to_canonical();
    }
    address
}

/// What a proxy writes of who spoke to it: an address; some write the port behind it.
fn forwarder(written: &str) -> Option<IpAddr> {
    let with_port = || written.parse::<SocketAddr>().ok().map(|address| address.ip());
    let bare = written.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(written);
    bare.parse().ok().or_else(with_port)
}

/// Whose address it is: with IPv6 one caller has a whole network of them.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
    }
}

impl FromRequest for Stranger {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let limits = request.app_data::<web::Data<Limits>>();
        ready(limits.map_or(Ok(()), |limits| limits.spend_address(request)).map(|()| Self))
    }
}

/// The layer that tells in the answer what is left.
pub async fn layer(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let mut response = next.call(request).await?;
    let standing = response.request().extensions_mut().remove::<Standing>();
    if let Some(Standing { policy, left }) = standing {
        response.headers_mut().insert(POLICY, policy);
        response.headers_mut().insert(LEFT, left);
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_is_who_spoke_to_a_proxy_of_ours() {
        let proxies: Vec<IpNet> = ["10.0.0.0/8", "::1/128"].iter().map(|net| net.parse().unwrap()).collect();
        for (peer, forwarded, whom) in [
            ("203.0.113.9", "", "203.0.113.9"),
            // Whoever is no proxy of ours may say what they like.
            ("203.0.113.9", "198.51.100.1", "203.0.113.9"),
            ("10.1.2.3", "198.51.100.1", "198.51.100.1"),
            // What stands before the last stranger was said by the stranger.
            ("10.1.2.3", "192.0.2.66, 198.51.100.1, 10.9.9.9", "198.51.100.1"),
            ("10.1.2.3", "nonsense, 198.51.100.1", "198.51.100.1"),
            ("10.1.2.3", "198.51.100.1, nonsense", "10.1.2.3"),
            ("::1", "2001:db8::5", "2001:db8::5"),
            // Some proxies tell the port too.
            ("10.1.2.3", "198.51.100.1:4711", "198.51.100.1"),
            ("10.1.2.3", "[2001:db8::5]:4711", "2001:db8::5"),
            ("10.1.2.3", "[2001:db8::5]", "2001:db8::5"),
            ("::ffff:10.1.2.3", "198.51.100.1", "198.51.100.1"),
        ] {
            let found = caller(peer.parse().unwrap(), forwarded, &proxies);
            assert_eq!(found, whom.parse::<IpAddr>().unwrap(), "{peer} {forwarded}");
        }
    }

    #[test]
    fn an_ipv6_caller_is_a_network() {
        assert_eq!(network("2001:db8:1:2:3:4:5:6".parse().unwrap()).to_string(), "2001:db8:1:2::");
        assert_eq!(network("192.0.2.7".parse().unwrap()).to_string(), "192.0.2.7");
    }

    #[test]
    fn who_may_ask_for_everything_again_is_forgotten() {
        let policy = Policy { name: "x", requests: NonZeroU32::new(1), period: Duration::from_nanos(1) };
        let limit = Limit::new(policy).unwrap();
        for key in 0..5 * REMEMBERED {
            assert!(limit.spend(&key).error.is_none());
        }
        assert!(limit.left.len() <= REMEMBERED, "{}", limit.left.len());
    }
}
