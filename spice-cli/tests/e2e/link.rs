//! A link that carries little: two networks of their own with a cable between them, gone with the processes in them.

use std::process::Command;
use std::time::Duration;

use crate::needs::Need;
use crate::process::Process;

/// What makes a link, and who is let into it.
pub(crate) const LINK_NEEDS: [Need; 5] = [
    Need::Program("ip"),
    Need::Program("nsenter"),
    Need::Program("sleep"),
    Need::Program("tc"),
    Need::Program("unshare"),
];
/// Where the server is; on that address only the other end reaches it.
pub(crate) const SERVER: &str = "10.83.0.1";
const VIEWER: &str = "10.83.0.2";
/// The cable's name at both ends.
const CABLE: &str = "cable";
/// How long a command may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// How `tc` shapes what the server sends.
pub(crate) type Shape = &'static [&'static str];

/// Two networks: the server's and a viewer's.
#[derive(Debug)]
pub(crate) struct Link {
    server: Process,
    viewer: Process,
}

impl Link {
    /// Makes both networks and the cable between them.
    pub(crate) fn new(shape: Shape) -> Result<Self, String> {
        let mut command = Command::new("unshare");
        let server = settle(command.args(["--user", "--map-root-user"]).args(NETWORK))?;
        let mut command = Command::new("unshare");
        command.args(NETWORK);
        let viewer = settle(&mut enter(&server, &command))?;
        let link = Self { server, viewer };
        let (peer, addr) = (link.viewer.id().to_string(), |addr: &str| format!("{addr}/24"));
        let cable = ["link", "add", CABLE, "type", "veth", "peer", "name", CABLE, "netns", &peer];
        link.at_server("ip", &cable)?;
        link.at_server("ip", &["address", "add", &addr(SERVER), "dev", CABLE])?;
        link.at_viewer("ip", &["address", "add", &addr(VIEWER), "dev", CABLE])?;
        // Who talks to its own address does so over `lo`.
        link.at_server("ip", &["link", "set", "lo", "up"])?;
        link.at_server("ip", &["link", "set", CABLE, "up"])?;
        link.at_viewer("ip", &["link", "set", CABLE, "up"])?;
        link.at_server("tc", &[&["qdisc", "add", "dev", CABLE, "root"], shape].concat())?;
        Ok(link)
    }

    /// The same command in the server's network.
    pub(crate) fn server_side(&self, command: &Command) -> Command {
        enter(&self.server, command)
    }

    /// The same command in the viewer's network.
    pub(crate) fn viewer_side(&self, command: &Command) -> Command {
        enter(&self.viewer, command)
    }

    fn at_server(&self, program: &str, arguments: &[&str]) -> Result<(), String> {
        run(self.server_side(Command::new(program).args(arguments)))
    }

    fn at_viewer(&self, program: &str, arguments: &[&str]) -> Result<(), String> {
        run(self.viewer_side(Command::new(program).args(arguments)))
    }
}

/// A network that lasts as long as a process that does nothing: five minutes at most, whatever becomes of this one.
const NETWORK: [&str; 4] = ["--net", "sh", "-c", "echo there; exec sleep 300"];

fn settle(command: &mut Command) -> Result<Process, String> {
    let process = Process::start(command)?;
    process.stdout_line(PATIENCE, |line| (line == "there").then_some(()))?;
    Ok(process)
}

fn enter(network: &Process, command: &Command) -> Command {
    let mut inside = Command::new("nsenter");
    inside.args(["--target", &network.id().to_string(), "--user", "--net", "--preserve-credentials", "--"]);
    inside.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => inside.env(name, value),
            None => inside.env_remove(name),
        };
    }
    inside
}

fn run(mut command: Command) -> Result<(), String> {
    let arguments: Vec<_> =
        command.get_args().skip(6).map(|word| word.to_string_lossy().into_owned()).collect();
    Process::succeed(&mut command, PATIENCE)
        .map(drop)
        .map_err(|error| format!("{}: {error}", arguments.join(" ")))
}
