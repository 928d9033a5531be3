//! The log: one line per event to standard error, as text or JSON, times in UTC. No line holds a
//! name, an address, a narrative, a note or a secret; whoever logs gives ids and codes, and what
//! libraries would say too much of is shut off here.

use std::any::Any;
use std::io::IsTerminal;

use tracing::Subscriber;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, fmt};

use crate::config::{LogFormat, LogSettings};

/// Libraries that tell more than an operator wants at `info`. Settings can turn them up.
const QUIET: &str = "actix_server=warn,actix_http=warn,rustls=warn,r2d2=warn";

/// Libraries that would write messages or credentials out, or take what a caller sends amiss for a fault of ours.
/// Nothing can turn them up.
const SILENT: &str = "lettre=off,actix_http::h1::dispatcher=off";

/// Why the log cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The directives cannot be read.
    #[error("log.filter: {0}")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    /// Something else in this process has started one.
    #[error("a log is already running")]
    Running(#[from] tracing_subscriber::util::TryInitError),
}

/// Starts the log of this process, and sends panics to it.
pub fn init(settings: &LogSettings) -> Result<(), TelemetryError> {
    let colours = settings.format == LogFormat::Text && std::io::stderr().is_terminal();
    subscriber(settings, std::io::stderr, colours)?.try_init()?;
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, message = fixed_text(panic.payload()));
    }));
    Ok(())
}

/// A panic's message when it stood so in the source. One that was put together at run time may
/// quote what people wrote, so the place has to do.
fn fixed_text(payload: &(dyn Any + Send)) -> &'static str {
    payload.downcast_ref::<&'static str>().copied().unwrap_or("panic")
}

fn subscriber<W>(
    settings: &LogSettings,
    writer: W,
    colours: bool,
) -> Result<impl Subscriber + Send + Sync + use<W>, TelemetryError>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let filter = EnvFilter::try_new(format!("{QUIET},{},{SILENT}", settings.filter))?;
    let lines = fmt::layer().with_writer(writer).with_ansi(colours);
    let lines = match settings.format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().flatten_event(true).with_span_list(false).boxed(),
    };
    Ok(tracing_subscriber::registry().with(lines).with(filter))
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Page(Arc<Mutex<Vec<u8>>>);

    impl Write for Page {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn logged(filter: &str, format: LogFormat, speak: impl FnOnce()) -> String {
        let page = Page::default();
        let writer = page.clone();
        let settings = LogSettings { filter: filter.to_owned(), format };
        let subscriber = subscriber(&settings, move || writer.clone(), false).unwrap();
        tracing::subscriber::with_default(subscriber, speak);
        String::from_utf8(page.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn the_filter_is_obeyed_and_mail_stays_silent() {
        let text = logged("debug,lettre=trace,actix_server=info", LogFormat::Text, || {
            tracing::debug!(target: "lettre::transport", "RCPT TO:<canary@example.org>");
            tracing::info!(target: "rustls::client", "chatter");
            tracing::info!(target: "actix_server", "listening");
            tracing::debug!(note = "nte_1", "queued");
        });
        assert!(!text.contains("canary") && !text.contains("chatter"), "{text}");
        assert!(text.contains("listening") && text.contains("queued note=\"nte_1\""), "{text}");
    }

    #[test]
    fn json_is_one_flat_object_per_line_with_its_span() {
        let text = logged("info", LogFormat::Json, || {
            let _request = tracing::info_span!("request", request_id = "r1").entered();
            tracing::info!(status = 200, "answered\nfine");
        });
        let line: serde_json::Value = serde_json::from_str(text.trim_end()).unwrap();
        assert_eq!(line["message"], "answered\nfine");
        assert_eq!(line["status"], 200);
        assert_eq!(line["span"]["request_id"], "r1");
        assert!(line["timestamp"].as_str().unwrap().ends_with('Z'));
    }

    #[test]
    fn a_panic_message_made_at_run_time_is_not_logged() {
        assert_eq!(fixed_text(&"index"), "index");
        assert_eq!(fixed_text(&"canary".to_owned()), "panic");
    }
}
