//! Crowds that never get in: who is in goes on seeing every frame, and a newcomer gets in beside them.

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use libtest_mimic::Trial;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use socket2::{Domain, Socket, Type};
use spice_client::{LinkFailure, link};
use spice_proto::caps::CapabilitySet;
use spice_proto::link::LinkHeader;
use spice_proto::{ChannelType, ConnectionId, LinkError};

use crate::json;
use crate::needs::trial_alone;
use crate::process::Process;
use crate::scratch::Scratch;
use crate::server::{Server, cli};
use crate::viewer::Viewer;

const TICKET: &str = "open sesame";
/// Connections that are made to say nothing, and kept.
const SILENT: usize = 10_000;
/// Wrong tickets a second, from as many addresses.
const GUESSES: u64 = 1_000;
const GUESSERS: u64 = 8;
/// Links that come a byte at a time.
const SLOW: usize = 50;
/// What viewers see at least, of 30 frames a second, and how old a frame may be, nearly always.
const LEAST_RATE: f64 = 29.0;
const OLDEST: f64 = 100.0;
const SECONDS: u64 = 8;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial_alone("attack_of_silent_connections", &[], || attacked("silent", silent)),
        trial_alone("attack_of_wrong_tickets", &[], || attacked("guessing", guessing)),
        trial_alone("attack_of_slow_links", &[], || attacked("slow", slow)),
    ]
}

/// Where an attack is told to end, and counts.
#[derive(Debug, Default)]
struct Course {
    over: AtomicBool,
    done: AtomicU64,
}

impl Course {
    fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    fn count(&self) {
        self.done.fetch_add(1, Ordering::Relaxed);
    }
}

/// Measures what two viewers see while `attack` goes on, which answers how much of it has to be done.
fn attacked(name: &str, attack: fn(SocketAddr, &Course) -> Result<u64, String>) -> Result<(), String> {
    let scratch = Scratch::new()?;
    let file = scratch.write("ticket", TICKET)?.display().to_string();
    let mut server = Server::start(&["--guest", "bench:mixed?fps=30&size=1280x720", "--ticket-file", &file])?;
    let (addr, seconds) = (server.addr(), SECONDS.to_string());
    let load = ["--viewers", "2", "--warm", "3", "--seconds", &seconds, "--json", "--ticket-file", &file];
    let load = Process::start(&mut cli(&[&["load", &addr.to_string()][..], &load].concat()))?;
    server.wait_for_commands(1, Duration::from_secs(10))?;
    let course = Course::default();
    let (due, ended, late) = thread::scope(|scope| {
        let attack = scope.spawn(|| attack(addr, &course));
        // In the midst of it somebody comes who knows the ticket.
        thread::sleep(Duration::from_secs(5));
        let start = Instant::now();
        let late = Viewer::connect(addr, TICKET)
            .and_then(|viewer| viewer.display()?.paint_first())
            .map(|()| start.elapsed());
        let ended = load.wait(Duration::from_secs(SECONDS + 30));
        course.over.store(true, Ordering::Relaxed);
        let due = attack.join().unwrap_or_else(|_| Err("the attack panicked".into()));
        Ok::<_, String>((due?, ended?, late?))
    })?;
    let report = ended.stdout.join("\n");
    let figure = |key: &str| {
        let line = ended.stdout.iter().find(|line| line.contains("\"kind\":\"fast\""));
        line.and_then(|line| json::number(line, key)).ok_or_else(|| format!("no {key}: {report}"))
    };
    let (rate, age, dead) = (figure("fps_min")?, figure("stale_p99_ms")?, figure("dead")?);
    let done = course.done.load(Ordering::Relaxed);
    let memory = server.memory()? >> 20;
    eprintln!(
        "{name}: {done} in all; {rate} frames/s, p99 {age} ms old; a newcomer's first picture after {} ms; {memory} MiB",
        late.as_millis()
    );
    if done < due {
        return Err(format!("{done} of {due}: no attack to speak of"));
    }
    if rate < LEAST_RATE || age > OLDEST || dead > 0.0 {
        return Err(format!("{rate} frames/s, p99 {age} ms old, {dead} ended: {report}"));
    }
    if server.is_running()? { Ok(()) } else { Err("the server has ended".into()) }
}

/// A connection from one of 127.1.0.0's addresses.
fn dial_from(number: u64, server: SocketAddr) -> std::io::Result<TcpStream> {
    let [.., a, b] = (number % 60_000 + 1).to_be_bytes();
    let from = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(127, 1, a, b)), 0);
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.bind(&from.into())?;
    socket.connect_timeout(&server.into(), Duration::from_secs(10))?;
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    Ok(stream)
}

/// Keeps as many connections as it can, half of them from one address and half from many, and makes those anew that the
/// server closes.
fn silent(server: SocketAddr, course: &Course) -> Result<u64, String> {
    let limit = getrlimit(Resource::Nofile);
    let most = limit.maximum.unwrap_or(u64::MAX);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum })
        .map_err(|error| format!("{most} descriptors: {error}"))?;
    let mut open: Vec<TcpStream> = Vec::with_capacity(SILENT);
    let mut number = 0;
    while open.len() < SILENT && !course.is_over() {
        number += 1;
        let from = if number % 2 == 0 { 1 } else { number };
        open.push(dial_from(from, server).map_err(|error| format!("connection {number}: {error}"))?);
        course.count();
    }
    while !course.is_over() {
        for stream in &mut open {
            if course.is_over() {
                break;
            }
            stream.set_nonblocking(true).map_err(|error| error.to_string())?;
            if !matches!(stream.read(&mut [0]), Err(error) if error.kind() == ErrorKind::WouldBlock) {
                number += 1;
                *stream =
                    dial_from(number, server).map_err(|error| format!("connection {number}: {error}"))?;
                course.count();
                // As fast as a thousand a second: it is the number that is the attack.
                thread::sleep(Duration::from_millis(1));
            }
        }
    }
    Ok(SILENT as u64)
}

/// Tries wrong tickets, each from an address of its own, so that no lock-out helps.
fn guessing(server: SocketAddr, course: &Course) -> Result<u64, String> {
    let start = Instant::now();
    let pace = Duration::from_secs(1) * u32::try_from(GUESSERS).unwrap_or(1) / 1000;
    thread::scope(|scope| {
        let guessers: Vec<_> = (0..GUESSERS)
            .map(|guesser| {
                scope.spawn(move || {
                    let mut due = start;
                    for turn in 0.. {
                        if course.is_over() {
                            break;
                        }
                        guess(turn * GUESSERS + guesser, server)?;
                        course.count();
                        due += pace;
                        thread::sleep(due.saturating_duration_since(Instant::now()));
                    }
                    Ok::<_, String>(())
                })
            })
            .collect();
        guessers.into_iter().try_for_each(|one| one.join().unwrap_or_else(|_| Err("panicked".into())))
    })?;
    // A server that is slow to say no has slowed the attack down, not itself.
    Ok(start.elapsed().as_secs() * GUESSES / 2)
}

fn guess(number: u64, server: SocketAddr) -> Result<(), String> {
    let mut stream = dial_from(number, server).map_err(|error| error.to_string())?;
    let caps = CapabilitySet::default();
    match link(&mut stream, ConnectionId(0), ChannelType::MAIN, caps, "open barley") {
        // No key is left, at the worst.
        Err(LinkFailure::Refused(LinkError::PERMISSION_DENIED | LinkError::ERROR) | LinkFailure::Io(_)) => {
            Ok(())
        }
        other => Err(format!("a wrong ticket: {other:?}")),
    }
}

/// Links whose messages come a byte at a time, and begin again when the server has had enough.
fn slow(server: SocketAddr, course: &Course) -> Result<u64, String> {
    let mut bytes = Vec::new();
    LinkHeader::new(4096).encode(&mut bytes);
    bytes.resize(bytes.len() + 4096, 0);
    let connect = |number: u64| dial_from(number, server).map_err(|error| error.to_string());
    let mut links = Vec::new();
    for number in 0..SLOW {
        links.push((connect(number as u64)?, 0));
    }
    while !course.is_over() {
        for (number, (stream, sent)) in links.iter_mut().enumerate() {
            match stream.write_all(&bytes[*sent..=*sent]) {
                Ok(()) => *sent = (*sent + 1) % bytes.len(),
                Err(_) => (*stream, *sent) = (connect(number as u64)?, 0),
            }
            course.count();
        }
        thread::sleep(Duration::from_millis(10));
    }
    Ok(SLOW as u64)
}
