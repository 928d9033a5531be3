//! Places at which the process dies when it is told to, so that a test sees it die exactly there.
//!
//! Without the feature `failpoints` there is nothing to tell, and nothing is compiled into the
//! program. With it, `DEBRIEF_FAILPOINT` names what is to happen: `marked` dies when the commit point of
//! an attempt has been made durable, `marked:7` at the seventh time. Several are separated by commas.

/// Something that can be made to go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::EnumString, strum::VariantNames)]
#[strum(serialize_all = "snake_case")]
pub enum Failpoint {
    /// The process dies when deliveries have been claimed.
    Claimed,
    /// It dies when a connection to the mail server stands.
    Connected,
    /// It dies when the server has said yes to MAIL.
    Mail,
    /// It dies when the server has said yes to RCPT.
    Recipient,
    /// It dies when the server waits for the content, before the mark that it may have it.
    Ready,
    /// It dies when that mark is durable, before the content is sent.
    Marked,
    /// It dies when the content and the final dot are sent, before the server's answer is read.
    ContentSent,
    /// It dies when the answer is read, before it is written down.
    Answered,
    /// It dies when the answer is durable.
    WrittenDown,
    /// It lives, but whoever picks up what a dead worker left takes no notice of the mark: the control
    /// of every test that says that nothing is sent twice.
    MarkIgnored,
}

#[cfg(not(feature = "failpoints"))]
mod inert {
    use super::Failpoint;

    /// Nothing.
    pub const fn announce() -> Result<(), String> {
        Ok(())
    }

    /// Nothing.
    pub const fn reach(_: Failpoint) {}

    /// The same future.
    pub const fn reach_in<F: Future>(_: Failpoint, future: F) -> F {
        future
    }

    /// No.
    pub const fn is_on(_: Failpoint) -> bool {
        false
    }
}

#[cfg(feature = "failpoints")]
mod active {
    use std::pin::pin;
    use std::str::FromStr;
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    use strum::VariantNames;

    use super::Failpoint;

    const VARIABLE: &str = "DEBRIEF_FAILPOINT";

    struct Armed {
        failpoint: Failpoint,
        left: AtomicU64,
    }

    impl FromStr for Armed {
        type Err = String;

        fn from_str(text: &str) -> Result<Self, String> {
            let (name, count) = text.split_once(':').unwrap_or((text, "1"));
            let names = Failpoint::VARIANTS;
            let failpoint = name.parse().map_err(|_| format!("{VARIABLE}: {name:?} is none of {names:?}"))?;
            let left = count.parse().map_err(|_| format!("{VARIABLE}: {count:?} is no number"))?;
            Ok(Self { failpoint, left: AtomicU64::new(left) })
        }
    }

    fn armed() -> &'static [Armed] {
        static ARMED: OnceLock<Vec<Armed>> = OnceLock::new();
        ARMED.get_or_init(|| read().unwrap_or_default())
    }

    fn read() -> Result<Vec<Armed>, String> {
        let text = std::env::var(VARIABLE).unwrap_or_default();
        text.split(',').filter(|word| !word.is_empty()).map(str::parse).collect()
    }

    /// Says in the log what is to happen.
    ///
    /// # Errors
    /// A name that no failpoint has.
    pub fn announce() -> Result<(), String> {
        let armed: Vec<_> = read()?.iter().map(|armed| armed.failpoint).collect();
        tracing::warn!(?armed, "this is a build for tests: it can be told to die");
        Ok(())
    }

    /// Dies here, without a farewell, if it is told to.
    pub fn reach(failpoint: Failpoint) {
        for armed in armed().iter().filter(|armed| armed.failpoint == failpoint) {
            if armed.left.fetch_sub(1, Ordering::SeqCst) == 1 {
                std::process::abort();
            }
        }
    }

    /// Reaches the failpoint when the future first has to wait.
    pub async fn reach_in<F: Future>(failpoint: Failpoint, future: F) -> F::Output {
        let mut future = pin!(future);
        let mut waited = false;
        std::future::poll_fn(move |cx| {
            let polled = future.as_mut().poll(cx);
            if polled.is_pending() && !std::mem::replace(&mut waited, true) {
                reach(failpoint);
            }
            polled
        })
        .await
    }

    /// Whether it is told to do this all the time.
    pub fn is_on(failpoint: Failpoint) -> bool {
        armed().iter().any(|armed| armed.failpoint == failpoint)
    }
}

#[cfg(feature = "failpoints")]
pub use active::{announce, is_on, reach, reach_in};
#[cfg(not(feature = "failpoints"))]
pub use inert::{announce, is_on, reach, reach_in};
