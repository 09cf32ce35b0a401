//! A server, as the host holds it (`SpiceServer`).

use std::ffi::{c_int, c_void};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use spice_server::devices::{AgentPolicy, MonitorsSink};
use spice_server::guest::{GuestInput, InputSink};
use spice_server::{ChannelEvent, ChannelEventSink, Control, Server, Ticket};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::guard::guard;
use crate::host::{Bridge, ChannelEvents, Core, Inputs, Screen, Timer, Watch};
use crate::plugged::Plugged;
use crate::qxl::Host;
use crate::settings::Settings;

/// A server: what the host has said so far, and once it is initialised, what runs.
///
/// Its address is the host's handle. It is used by the host's thread, and by others of the host for what concerns a QXL
/// device; the server's own threads reach it through the bridge alone.
#[derive(Debug)]
pub(crate) struct SpiceServer {
    settings: Mutex<Settings>,
    running: OnceLock<Running>,
    plugged: Mutex<Plugged>,
    /// Whether the machine runs, so that devices may take commands.
    vm_runs: AtomicBool,
}

/// A server that runs.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) control: Control,
    pub(crate) core: Core,
    pub(crate) bridge: Arc<Bridge>,
    viewers: Arc<AtomicUsize>,
    runtime: Mutex<Option<Runtime>>,
    lights: Mutex<Lights>,
    _watch: Mutex<Option<Watch>>,
    task: Mutex<Option<(oneshot::Sender<()>, JoinHandle<()>)>>,
}

/// When the keyboard's lights are looked at.
#[derive(Debug, Default)]
struct Lights {
    timer: Option<Timer>,
    is_due: bool,
}

/// How long the guest may take to follow a viewer's locks, in milliseconds (upstream's `KEY_MODIFIERS_TTL`).
const LIGHTS_MS: u32 = 2000;

/// Threads of the runtime beside those of the displays.
const THREADS: usize = 2;

/// Threads that pack pictures and look up names.
const BLOCKING_THREADS: usize = 8;

impl SpiceServer {
    pub(crate) fn new() -> Self {
        Self {
            settings: Mutex::default(),
            running: OnceLock::new(),
            plugged: Mutex::default(),
            vm_runs: AtomicBool::new(true),
        }
    }

    pub(crate) fn settings(&self) -> MutexGuard<'_, Settings> {
        self.settings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn plugged(&self) -> MutexGuard<'_, Plugged> {
        self.plugged.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What runs, once the server is initialised.
    pub(crate) fn running(&self) -> Option<&Running> {
        self.running.get()
    }

    /// Starts it.
    ///
    /// # Errors
    /// In words, what cannot be had.
    pub(crate) fn start(&self, core: Core) -> Result<(), String> {
        if self.running.get().is_some() {
            return Err("the server is initialised already".into());
        }
        let bridge = Arc::new(Bridge::new().map_err(|error| format!("no descriptor: {error}"))?);
        let mut config = self.settings().config().map_err(|error| error.to_string())?;
        config.inputs = Some(self.input_sink(&bridge));
        let viewers = Arc::new(AtomicUsize::new(0));
        config.channel_events = Some(Self::event_sink(&bridge, &viewers));
        let runtime = Builder::new_multi_thread()
            .worker_threads(THREADS)
            .max_blocking_threads(BLOCKING_THREADS)
            .thread_name("spice-io")
            .on_thread_start(block_sigpipe)
            .enable_all()
            .build()
            .map_err(|error| format!("no thread: {error}"))?;
        let server = runtime.block_on(Server::open(config)).map_err(|error| error.to_string())?;
        let control = server.control();
        let (stop, stopped) = oneshot::channel();
        let task = runtime.spawn(server.run(async {
            let _ = stopped.await;
        }));
        let opaque = std::ptr::from_ref(self).cast_mut().cast::<c_void>();
        // SAFETY: the host initialises on its thread; the watch goes before the server does.
        let watch = unsafe { core.watch(bridge.fd(), run_bridge, opaque) };
        let watch = watch.ok_or("the host watches no descriptor")?;
        // SAFETY: as the watch.
        let timer = unsafe { core.timer(lights_are_due, opaque) };
        let running = Running {
            control,
            core,
            bridge,
            viewers,
            runtime: Mutex::new(Some(runtime)),
            lights: Mutex::new(Lights { timer, is_due: false }),
            _watch: Mutex::new(Some(watch)),
            task: Mutex::new(Some((stop, task))),
        };
        self.running.set(running).map_err(|_| "the server is initialised already".to_owned())
    }

    /// Input goes to the host's devices, on its thread.
    fn input_sink(&self, bridge: &Arc<Bridge>) -> InputSink {
        let bridge = Arc::clone(bridge);
        InputSink::new(move |inputs| {
            bridge.post(move |server| {
                // Not under the lock: a device that is told something may well ask for something.
                for input in inputs.iter() {
                    server.with_inputs(|devices| devices.handle(input));
                }
                if inputs.iter().any(|input| matches!(input, GuestInput::Modifiers(_))) {
                    server.read_leds_later();
                }
            });
        })
    }

    fn event_sink(bridge: &Arc<Bridge>, viewers: &Arc<AtomicUsize>) -> ChannelEventSink {
        let (bridge, viewers) = (Arc::clone(bridge), Arc::clone(viewers));
        let known = Arc::new(Mutex::new(ChannelEvents::default()));
        ChannelEventSink::new(move |event| {
            let main = |info: &spice_server::ChannelInfo| info.kind == spice_server::ChannelType::MAIN;
            let ended = match &event {
                ChannelEvent::Linked(info) if main(info) => {
                    viewers.fetch_add(1, Ordering::Relaxed);
                    false
                }
                ChannelEvent::Ended(info) if main(info) => {
                    viewers.fetch_sub(1, Ordering::Relaxed);
                    true
                }
                _ => false,
            };
            let known = Arc::clone(&known);
            bridge.post(move |server| {
                if let ChannelEvent::Linked(info) = &event
                    && info.kind == spice_server::ChannelType::INPUTS
                {
                    server.read_leds();
                }
                if let Some(running) = server.running() {
                    known.lock().unwrap_or_else(PoisonError::into_inner).handle(&running.core, event);
                }
                if ended && server.settings().exit_on_disconnect {
                    std::process::exit(0);
                }
            });
        })
    }

    /// Uses the host's devices, without the lock: they may well call back.
    pub(crate) fn with_inputs<T>(&self, work: impl FnOnce(&mut Inputs) -> T) -> T {
        let before = self.plugged().inputs;
        let mut inputs = before;
        let answer = work(&mut inputs);
        if inputs.locks != before.locks {
            self.plugged().inputs.locks = inputs.locks;
        }
        answer
    }

    /// Asks the keyboard for its lights, and tells viewers.
    pub(crate) fn read_leds(&self) {
        let leds = self.with_inputs(Inputs::read_leds);
        if let Some((running, leds)) = self.running().zip(leds) {
            running.control.set_leds(leds);
        }
    }

    /// A viewer's locks have been pressed: what the guest has made of that, viewers are told in a while.
    fn read_leds_later(&self) {
        let Some(running) = self.running() else { return };
        let mut lights = running.lights();
        if let Some(timer) = &lights.timer
            && !lights.is_due
        {
            timer.start(LIGHTS_MS);
            lights.is_due = true;
        }
    }

    /// Tells viewers whether they may say where their pointers are, and the tablet how large the screen is.
    pub(crate) fn update_positions(&self) {
        let Some(running) = self.running() else { return };
        let positions = self.plugged().inputs.takes_positions();
        running.control.set_positions(positions);
        self.with_inputs(|inputs| inputs.measure_tablet());
    }

    /// The primary surface of the first display is another one. Only with one display do positions say where on it.
    pub(crate) fn set_screen(&self, screen: Option<Screen>) {
        self.plugged().inputs.screen = screen;
        self.update_positions();
    }

    /// Viewers that are here, as of what the server has said last.
    pub(crate) fn viewers(&self) -> usize {
        self.running().map_or(0, |running| running.viewers.load(Ordering::Relaxed))
    }

    /// Ends every viewer.
    pub(crate) fn disconnect_all(&self) {
        let Some(running) = self.running() else { return };
        running.control.disconnect_all();
    }

    /// Takes a password in place of the one before; viewers that are here stay.
    pub(crate) fn set_ticket(&self, ticket: Option<Ticket>) {
        self.settings().set_ticket(ticket.clone());
        let Some(running) = self.running() else { return };
        if let Err(error) = running.control.set_open(false) {
            tracing::error!("{error}");
        }
        for old in running.control.tickets() {
            let _ = running.control.expire_ticket(old.id, Duration::ZERO);
        }
        if let Some(ticket) = ticket
            && let Err(error) = running.control.add_ticket(ticket)
        {
            tracing::warn!("the password is not taken: {error}");
        }
    }

    /// What the agent may do by the host's word. Where all displays take what viewers say of their monitors, the agent
    /// does not hear of it.
    pub(crate) fn agent_policy(&self) -> AgentPolicy {
        let hosts: Vec<_> = self.plugged().displays.iter().map(|plug| plug.host).collect();
        let all = !hosts.is_empty() && hosts.iter().all(Host::takes_monitors);
        let bridge = self.running().map(|running| Arc::clone(&running.bridge)).filter(|_| all);
        let monitors = bridge.map(|bridge| {
            MonitorsSink::new(move |config| {
                bridge.post(move |server| {
                    let hosts: Vec<_> = server.plugged().displays.iter().map(|plug| plug.host).collect();
                    hosts.iter().for_each(|host| host.set_monitors(&config));
                });
            })
        });
        let settings = self.settings();
        AgentPolicy {
            copypaste: settings.agent_copypaste,
            file_xfer: settings.agent_file_xfer,
            mouse: settings.agent_mouse,
            monitors,
        }
    }

    /// The host lets the agent do more or less.
    pub(crate) fn update_agent(&self) {
        let agent = self.plugged().agent.upgrade();
        if let Some(agent) = agent {
            agent.set_policy(self.agent_policy());
        }
    }

    pub(crate) fn vm_runs(&self) -> bool {
        self.vm_runs.load(Ordering::Acquire)
    }

    /// The machine runs or stands still.
    pub(crate) fn set_vm_runs(&self, runs: bool) {
        self.vm_runs.store(runs, Ordering::Release);
        let devices: Vec<_> = self.plugged().displays.iter().map(|plug| Arc::clone(&plug.device)).collect();
        for device in devices {
            device.set_running(runs);
        }
    }

    /// Ends all that runs, from which the host has taken what it had added. On the host's thread.
    pub(crate) fn stop(&self) {
        let Some(running) = self.running() else { return };
        let task = running.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        let runtime = running.runtime.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let (Some((stop, task)), Some(runtime)) = (task, runtime) {
            let _ = stop.send(());
            let _ = runtime.block_on(task);
            runtime.shutdown_timeout(Duration::from_secs(1));
        }
        // What has ended with the server, the host still hears of.
        running.bridge.run(self);
        running.lights().timer = None;
        drop(running._watch.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

/// A viewer that has left is an error of the write that finds it gone, and no signal for the host, which need not expect
/// one. Only the threads that write to viewers block it.
fn block_sigpipe() {
    // SAFETY: the set is made here, and the mask is this thread's own.
    unsafe {
        let mut set = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        libc::sigaddset(&raw mut set, libc::SIGPIPE);
        libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut());
    }
}

/// The guest has had time to follow a viewer's locks.
unsafe extern "C" fn lights_are_due(opaque: *mut c_void) {
    // SAFETY: the timer goes before the server does.
    let server = unsafe { &*opaque.cast::<SpiceServer>() };
    guard("the timer of the keyboard's lights", (), || {
        if let Some(running) = server.running() {
            running.lights().is_due = false;
            server.read_leds();
        }
    });
}

impl Running {
    fn lights(&self) -> MutexGuard<'_, Lights> {
        self.lights.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The bridge has calls for the host's thread, which is here.
unsafe extern "C" fn run_bridge(_: c_int, _: c_int, opaque: *mut c_void) {
    // SAFETY: the watch goes before the server does.
    let server = unsafe { &*opaque.cast::<SpiceServer>() };
    if let Some(running) = server.running() {
        running.bridge.run(server);
    }
}
