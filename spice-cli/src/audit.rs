//! `--audit-log`: a line of JSON for each viewer that comes, is refused, gets another role or ends.
//!
//! Whoever tells an event never waits for a disk: a thread of its own writes, and what it cannot take is counted in the
//! line after.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, SystemTime};

use serde::Serialize;
use spice_server::{AuditEvent, AuditSink, ClientId, Credential, Peer};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::stats::json;

/// Lines that may wait for the disk.
const QUEUE: usize = 1024;

/// How long the end of the process waits for lines to be written.
const PATIENCE: Duration = Duration::from_secs(2);

/// The longest text in a line that comes from outside, in characters.
const LONGEST: usize = 128;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Event {
    Connect,
    Refused,
    Role,
    End,
    TicketAdded,
    TicketRevoked,
}

/// A line. What does not belong to its event, or is not known, is not in it. No secret ever is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Entry {
    /// RFC 3339, UTC.
    #[serde(serialize_with = "rfc_3339")]
    pub(crate) time: SystemTime,
    pub(crate) event: Event,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) viewer: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) peer: Option<String>,
    /// plain, tls, ws or wss.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) transport: Option<String>,
    /// Its number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ticket: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) user: Option<String>,
    /// What the operator calls the ticket.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    /// view or control.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) role: Option<String>,
    /// The role before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) from: Option<String>,
    /// Seconds that the viewer was here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) connected: Option<u64>,
    /// Viewers that ended with the ticket.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) viewers: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    /// Refusals since the last line of this kind that have no line of their own.
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) suppressed: u64,
    /// Events before this one that the log could not take.
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) lost: u64,
}

impl Entry {
    pub(crate) fn new(event: Event) -> Self {
        Self {
            time: SystemTime::now(),
            event,
            viewer: None,
            peer: None,
            transport: None,
            ticket: None,
            user: None,
            name: None,
            role: None,
            from: None,
            connected: None,
            viewers: None,
            reason: None,
            suppressed: 0,
            lost: 0,
        }
    }

    /// A peer's own words about who it is: cut to a length.
    fn user(self, name: &str) -> Self {
        Self { user: Some(name.chars().take(LONGEST).collect()), ..self }
    }

    /// What the server tells; nothing where it is of no kind that is known here.
    fn of(event: AuditEvent) -> Option<Self> {
        let (viewer, peer, reason) = (|id: ClientId| Some(id.0), |peer: Peer| Some(peer.to_string()), Some);
        Some(match event {
            AuditEvent::Connected { viewer: id, peer: from, transport, credential, role } => {
                let entry = Self {
                    viewer: viewer(id),
                    peer: peer(from),
                    transport: Some(transport.to_string()),
                    role: Some(role.to_string()),
                    ..Self::new(Event::Connect)
                };
                match credential {
                    Credential::Nothing => entry,
                    Credential::Ticket(ticket) => Self { ticket: Some(ticket.0), ..entry },
                    Credential::User(name) => entry.user(&name),
                }
            }
            AuditEvent::Refused { peer: from, reason: why, suppressed } => {
                Self { peer: peer(from), reason: reason(why), suppressed, ..Self::new(Event::Refused) }
            }
            AuditEvent::RoleChanged { viewer: id, from, to } => Self {
                viewer: viewer(id),
                role: Some(to.to_string()),
                from: Some(from.to_string()),
                ..Self::new(Event::Role)
            },
            AuditEvent::Ended { viewer: id, peer: from, reason: why, connected } => Self {
                viewer: viewer(id),
                peer: peer(from),
                reason: reason(why),
                connected: Some(connected.as_secs()),
                ..Self::new(Event::End)
            },
            AuditEvent::TicketAdded { ticket, name } => {
                Self { ticket: Some(ticket.0), name, ..Self::new(Event::TicketAdded) }
            }
            AuditEvent::TicketRevoked { ticket, viewers } => {
                Self { ticket: Some(ticket.0), viewers: Some(viewers), ..Self::new(Event::TicketRevoked) }
            }
            _ => return None,
        })
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

fn rfc_3339<S: serde::Serializer>(time: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
    // Milliseconds: nothing here is told apart by less.
    let time = OffsetDateTime::from(*time);
    let time = time.replace_millisecond(time.millisecond()).unwrap_or(time);
    serializer.serialize_str(&time.format(&Rfc3339).map_err(serde::ser::Error::custom)?)
}

/// The log, and the thread that writes it.
#[derive(Debug)]
pub(crate) struct AuditLog {
    sink: Sink,
    ended: Receiver<()>,
}

/// Where events are told.
#[derive(Clone, Debug)]
struct Sink {
    lines: SyncSender<Entry>,
    lost: Arc<AtomicU64>,
}

impl Sink {
    /// Has a line written. It never waits.
    fn tell(&self, mut entry: Entry) {
        entry.lost = self.lost.swap(0, Ordering::Relaxed);
        let lost = entry.lost;
        if self.lines.try_send(entry).is_err() {
            self.lost.fetch_add(lost + 1, Ordering::Relaxed);
        }
    }
}

impl AuditLog {
    /// Appends to a file, made for this user alone where there is none; or to standard error (`-`).
    pub(crate) fn open(path: &Path) -> Result<Self, String> {
        let failed = |error: io::Error| format!("cannot open audit log {}: {error}", path.display());
        if path.as_os_str() == "-" {
            return Self::start(io::stderr());
        }
        let mut options = OpenOptions::new();
        let file: File = options.append(true).create(true).mode(0o600).open(path).map_err(failed)?;
        Self::start(file)
    }

    fn start(mut out: impl Write + Send + 'static) -> Result<Self, String> {
        let (lines, entries) = sync_channel::<Entry>(QUEUE);
        let (done, ended) = sync_channel(1);
        let write = move || {
            let mut failing = false;
            for entry in entries {
                // One write for each line, so that others who append to the file cut none in two.
                let written = out.write_all((json(&entry) + "\n").as_bytes());
                if let (Err(error), false) = (&written, failing) {
                    tracing::error!("the audit log cannot be written: {error}");
                }
                failing = written.is_err();
            }
            let _ = done.send(());
        };
        let thread = thread::Builder::new().name("audit-log".into()).spawn(write);
        thread.map_err(|error| format!("cannot start the audit log's thread: {error}"))?;
        Ok(Self { sink: Sink { lines, lost: Arc::default() }, ended })
    }

    /// Where the server tells what happens.
    pub(crate) fn sink(&self) -> AuditSink {
        let sink = self.sink.clone();
        AuditSink::new(move |event| {
            if let Some(entry) = Entry::of(event) {
                sink.tell(entry);
            }
        })
    }

    /// Waits until all lines are written, for a moment at most; others who tell events must be gone.
    pub(crate) fn finish(self) {
        let Self { sink, ended } = self;
        drop(sink);
        if ended.recv_timeout(PATIENCE).is_err() {
            tracing::error!("the audit log takes nothing; its last lines are lost");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::sync::Mutex;
    use std::time::UNIX_EPOCH;

    use super::*;
    use crate::secret_file::tests::Scratch;

    fn entry(event: Event) -> Entry {
        Entry { time: UNIX_EPOCH + Duration::from_millis(1_700_000_000_120), ..Entry::new(event) }
    }

    #[test]
    fn a_line_has_what_belongs_to_its_event() {
        assert_eq!(
            json(&entry(Event::TicketAdded)),
            "{\"time\":\"2023-11-14T22:13:20.12Z\",\"event\":\"ticket-added\"}"
        );
        let connect = Entry {
            viewer: Some(7),
            peer: Some("192.0.2.1:4000".into()),
            transport: Some("tls".into()),
            ticket: Some(3),
            role: Some("view".into()),
            suppressed: 2,
            ..entry(Event::Connect)
        };
        let expected = "{\"time\":\"2023-11-14T22:13:20.12Z\",\"event\":\"connect\",\"viewer\":7,\
                        \"peer\":\"192.0.2.1:4000\",\"transport\":\"tls\",\"ticket\":3,\"role\":\"view\",\"suppressed\":2}";
        assert_eq!(json(&connect), expected);
        let names = [Event::Role, Event::TicketAdded, Event::TicketRevoked].map(|event| json(&event));
        assert_eq!(names, ["\"role\"", "\"ticket-added\"", "\"ticket-revoked\""]);
        let claims = entry(Event::Refused).user(&"\n\"x".repeat(1000));
        assert_eq!(claims.user.as_ref().map(|user| user.chars().count()), Some(LONGEST));
        assert!(!json(&claims).contains('\n'));
    }

    #[test]
    fn lines_are_appended_to_a_file_of_this_user_alone() {
        let file = Scratch::new(b"", 0o600);
        fs::remove_file(&file.0).unwrap();
        for expected in [1, 2] {
            let log = AuditLog::open(&file.0).unwrap();
            log.sink.tell(entry(Event::Connect));
            log.finish();
            assert_eq!(fs::read_to_string(&file.0).unwrap().lines().count(), expected);
        }
        assert_eq!(fs::metadata(&file.0).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(AuditLog::open(Path::new("/nowhere/log")).unwrap_err().contains("/nowhere/log"));
    }

    /// A disk that takes nothing until it is let.
    struct Stuck(Arc<Mutex<Vec<u8>>>);

    impl Write for Stuck {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn who_tells_an_event_waits_for_no_disk_and_what_is_lost_is_counted() {
        let disk = Arc::new(Mutex::new(Vec::new()));
        let log = AuditLog::start(Stuck(Arc::clone(&disk))).unwrap();
        let stuck = disk.lock().unwrap();
        for _ in 0..QUEUE + 100 {
            log.sink.tell(entry(Event::Refused));
        }
        drop(stuck);
        // There is room once something was written.
        while disk.lock().unwrap().is_empty() {
            thread::yield_now();
        }
        log.sink.tell(entry(Event::End));
        log.finish();
        let lines = String::from_utf8(disk.lock().unwrap().clone()).unwrap();
        let last: serde_json::Value = serde_json::from_str(lines.lines().last().unwrap()).unwrap();
        let told = lines.lines().count() as u64;
        assert_eq!(last["event"], "end");
        assert_eq!(told + last["lost"].as_u64().unwrap(), QUEUE as u64 + 101);
    }
}
