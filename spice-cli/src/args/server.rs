//! The options of `spice-cli server`, which are the keys of its configuration file.

use std::path::PathBuf;

use clap::Args;
use serde::Deserialize;
use spice_display::{Compression, WanCompression};
use spice_server::ChannelSecurity;

use super::listen::{AdminAddress, Listen, Network};
use super::values::{Number, Text};

/// Each option is written down once: what is said about it here is its help, its flag and its key in the file.
macro_rules! options {
    ($($(#[$meta:meta])* $option:ident: $type:ty,)*) => {
        /// What was said; `None` is what was not.
        #[derive(Clone, Debug, Default, Args, Deserialize)]
        #[command(after_help = AFTER_HELP)]
        #[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
        pub(crate) struct ServerOptions {
            $($(#[$meta])* pub(crate) $option: Option<$type>,)*
        }

        impl ServerOptions {
            /// These, and what `file` says about those that are not said.
            pub(crate) fn or(self, file: Self) -> Self {
                Self { $($option: self.$option.or(file.$option),)* }
            }
        }
    };
}

options! {
    /// Where to listen: ADDR:PORT, unix:PATH, unix:@NAME (abstract) or fd:N (a descriptor that listens already). May be
    /// said several times. Sockets of systemd (LISTEN_FDS) are taken, too, and in place of the default
    /// [default: 127.0.0.1:5900].
    #[arg(long, value_name = "WHERE")]
    listen: Vec<Text<Listen>>,

    /// Where to listen for TLS alone. May be said several times. With a certificate, viewers may use TLS on the ports of
    /// --listen, too.
    #[arg(long, value_name = "ADDR:PORT")]
    tls_listen: Vec<std::net::SocketAddr>,

    /// The certificate, and those that sign it, as PEM. SIGHUP has it read anew.
    #[arg(long, value_name = "FILE")]
    tls_cert: PathBuf,

    /// Its key, as PEM.
    #[arg(long, value_name = "FILE")]
    tls_key: PathBuf,

    /// Make a certificate that nobody has signed, for trying out. Its fingerprint is printed.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    tls_self_signed: bool,

    /// Write a file there, for this user alone, that remote-viewer opens to connect. No ticket is in it
    /// [default with --tls-self-signed: spice-cli.vv in the working directory].
    #[arg(long, value_name = "PATH")]
    vv_file: PathBuf,

    /// Let in plain connections from other machines: whoever is on the way reads and changes what they carry.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    insecure: bool,

    /// Which channels have to be encrypted, by name: secure, any or plain, as in default=secure,playback=any.
    #[arg(long, value_name = "CHANNEL=HOW,..")]
    channel_security: Text<ChannelSecurity>,

    /// Believe a proxy at these addresses where a connection comes from (PROXY protocol, version 2). May be said
    /// several times. Nobody else is believed, and of these nobody without that header is let in.
    #[arg(long, value_name = "ADDR[/PREFIX]")]
    proxy_from: Vec<Text<Network>>,

    /// Let in web pages of this origin, as in `https://desk.example`. May be said several times.
    #[arg(long, value_name = "ORIGIN")]
    websocket_origin: Vec<String>,

    /// Let in WebSockets that name this host, besides addresses and localhost. May be said several times.
    #[arg(long, value_name = "NAME")]
    websocket_host: Vec<String>,

    /// Let in who knows the ticket in this file, which only its owner may read, or on standard input (-): its first
    /// line, at most 60 bytes. It permits everything.
    #[arg(long, value_name = "FILE")]
    ticket_file: PathBuf,

    /// Let in who knows one of the tickets in this file (TOML; see below), which only its owner may read, or on
    /// standard input (-). With --admin it may have none yet.
    #[arg(long, value_name = "FILE")]
    tickets: PathBuf,

    /// Let in anybody who can connect. The default on loopback and Unix sockets, refused elsewhere.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    no_ticket: bool,

    /// Let in the users in this file (SASL), which only its owner may read: a line of `spice-cli user` each.
    #[arg(long, value_name = "FILE")]
    sasl_users: PathBuf,

    /// Viewers at the same time [default: 1000].
    #[arg(long, value_name = "N")]
    max_viewers: Number<1, 100_000>,

    /// Connections that may be linking at the same time [default: 512].
    #[arg(long, value_name = "N")]
    max_linking: Number<1, 100_000>,

    /// Of these, from the same address [default: 128].
    #[arg(long, value_name = "N")]
    max_linking_per_address: Number<1, 100_000>,

    /// Seconds that a connection may take to link [default: 10].
    #[arg(long, value_name = "SECONDS")]
    login_deadline: Number<1, 3600>,

    /// Answer HTTP there, for who administers the server: unix:PATH, made for this user alone, or 127.0.0.1:PORT, open
    /// to every user of the machine. See below.
    #[arg(long, value_name = "WHERE")]
    admin: Text<AdminAddress>,

    /// Append a line of JSON to this file, or to standard error (-), for each viewer that connects, is refused, gets
    /// another role or ends, and for tickets that come and go. It is made for this user alone.
    #[arg(long, value_name = "FILE")]
    audit_log: PathBuf,

    /// What to show: demo, replay:FILE or bench:SCENE [default: demo].
    #[arg(long, value_name = "GUEST")]
    guest: String,

    /// How viewers get images: off, auto_glz, auto_lz, quic, glz, lz or lz4. Viewers may ask for another way
    /// [default: auto_glz].
    #[arg(long, value_name = "METHOD")]
    image_compression: Text<Compression>,

    /// Which viewers get images without hard edges as JPEG, and without loss later: auto (those behind links below
    /// 10 Mbit/s), always or never [default: auto].
    #[arg(long, value_name = "WHEN")]
    jpeg_wan_compression: Text<WanCompression>,

    /// Which viewers get GLZ images packed once more with zlib: auto, always or never [default: auto].
    #[arg(long, value_name = "WHEN")]
    zlib_glz_wan_compression: Text<WanCompression>,

    /// End viewers that take nothing of what waits for them, or do not answer, for so many seconds; each alone
    /// [default: 30].
    #[arg(long, value_name = "SECONDS")]
    viewer_timeout: Number<1, 86_400>,

    /// Print a line of JSON every second: viewers, commands, bytes, cpu.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    stats: bool,

    /// Tell who connects to this socket how the viewers fare, in a line of JSON every second; for `spice-cli top`. It is
    /// made for this user alone, and gone when the server ends.
    #[arg(long, value_name = "PATH")]
    stats_socket: PathBuf,

    /// replay: this many times the recorded pace; a large number is as fast as possible [default: 1].
    #[arg(long, value_name = "X")]
    speed: f64,

    /// replay: begin again at the end.
    #[arg(long = "loop", value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    #[serde(rename = "loop")]
    looped: bool,

    /// replay: stop after this many QXL commands.
    #[arg(long, value_name = "N")]
    stop_after: u64,

    /// replay: begin with the first display viewer, or with so many.
    #[arg(long, value_name = "VIEWERS", num_args = 0..=1, require_equals = true, default_missing_value = "1")]
    wait: usize,

    /// replay: no faster than the viewers keep up, so that each is sent every command; for measuring.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    in_step: bool,

    /// replay: keep serving the last picture.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    hold: bool,
}

const AFTER_HELP: &str = "\
Guests:
  demo           a small live desktop: a terminal, windows to drag, a clock, a moving picture
  replay:FILE    a recording of QXL commands (SPICE_REPLAY 1; plain, .xz or .zst)
  bench:SCENE    a scene with a clock in its corner, for measuring: mixed, text, photo or
                 fullscreen-text, as in bench:mixed?fps=30&size=1280x720

Configuration (--config FILE): TOML; every option is a key of the same name, without the dashes in front.
An option on the command line wins over the file, and one that may be said several times replaces the
file's whole list. Paths in it are seen from the working directory. `spice-cli check-config FILE` tells
whether a server would start with it.

  listen = [\"0.0.0.0:5900\", \"unix:/run/user/1000/spice\"]
  tls-cert = \"server.pem\"
  tls-key = \"server.key\"
  tickets = \"tickets.toml\"

Tickets (--tickets FILE), of which all but the secret may be left out:

  [[ticket]]
  secret = \"at most 60 bytes\"
  name = \"what logs call it\"       # ticket 1, ticket 2, ..
  role = \"control\"                 # or view, which only looks on: the default
  may = [\"inputs\", \"clipboard\", \"audio\", \"usb\"]   # all of them
  expires = \"10m\"                  # from the server's start: seconds, or with s, m, h, d
  single-use = true                # for one viewer

Administration (--admin WHERE): JSON over HTTP. What changes something needs `Content-Type:
application/json`, and errors are {\"error\": \"sentence\"}.
  GET /healthz                    ok, while the server serves
  GET /metrics                    for Prometheus
  GET /viewers                    who is here, and how they fare
  DELETE /viewers/ID              end one
  PUT /viewers/ID/role            {\"role\": \"view\" or \"control\"}
  GET /tickets                    which there are, without their secrets
  POST /tickets                   a ticket as above; without a secret one is drawn, and told once
  PUT /tickets/ID/expiry          {\"expires\": \"10m\"}, from now
  DELETE /tickets/ID              and the viewers that it let in
  GET /quality                    image-compression, jpeg-wan-compression, zlib-glz-wan-compression
  PUT /quality                    the same; what is left out stays

Signals: SIGHUP has the certificate and its key read anew; SIGINT and SIGTERM end the server.

Examples:
  spice-cli server
  spice-cli server --guest replay:desktop.rec.zst --wait --hold
  spice-cli server --listen 0.0.0.0:5900 --tls-self-signed --ticket-file ticket.txt
  spice-cli server --config server.toml --admin unix:/run/user/1000/spice.admin

Exit codes: 0 when it ended as it should, 2 when it could not start.";

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use clap::CommandFactory;

    use super::*;
    use crate::args::{Cli, toml_file};

    fn flags(command: &str) -> BTreeSet<String> {
        let mut cli = Cli::command();
        // Global options are given to subcommands when a command is built.
        cli.build();
        let command = cli.find_subcommand(command).unwrap();
        command.get_arguments().filter_map(|argument| argument.get_long()).map(str::to_owned).collect()
    }

    /// What serde knows: an unknown key is refused with all that there are.
    fn keys() -> BTreeSet<String> {
        let error = toml::from_str::<ServerOptions>("no-such-key = 1").unwrap_err();
        let keys: BTreeSet<_> = error.message().split('`').skip(3).step_by(2).map(str::to_owned).collect();
        assert!(keys.len() > 30, "{keys:?}");
        keys
    }

    #[test]
    fn every_flag_is_a_key_and_every_key_is_a_flag() {
        let mut of_files = keys();
        assert_eq!(of_files, flags("check-config").into_iter().filter(|flag| !is_general(flag)).collect());
        of_files.insert("config".into());
        assert_eq!(of_files, flags("server").into_iter().filter(|flag| !is_general(flag)).collect());
    }

    fn is_general(flag: &str) -> bool {
        ["help", "verbose", "version"].contains(&flag)
    }

    fn parse(arguments: &[&str]) -> ServerOptions {
        use clap::Parser;
        let cli = Cli::try_parse_from(["spice-cli", "server"].iter().chain(arguments)).unwrap();
        let crate::args::Command::Server(server) = cli.command else { panic!("another command") };
        server.options
    }

    #[test]
    fn the_command_line_wins_and_replaces_lists() {
        let file =
            "listen = ['127.0.0.1:1', '127.0.0.1:2']\nmax-viewers = 3\nhold = true\nloop = true\nspeed = 2\n";
        let file: ServerOptions = toml_file::read(file, "server.toml").unwrap();
        let options = parse(&["--listen", "unix:x", "--hold=false", "--audit-log", "-"]).or(file);
        assert_eq!(options.listen.unwrap(), [Text(Listen::Unix("x".into()))]);
        assert_eq!(options.max_viewers.map(Number::count), Some(3));
        assert_eq!((options.hold, options.looped, options.speed), (Some(false), Some(true), Some(2.0)));
        assert_eq!((options.audit_log, options.insecure), (Some("-".into()), None));
    }

    #[test]
    fn flags_need_no_value_and_take_none_that_follows() {
        let options = parse(&["--hold", "--wait", "--loop", "--listen", "127.0.0.1:1", "--listen", "fd:3"]);
        assert_eq!((options.hold, options.wait, options.looped), (Some(true), Some(1), Some(true)));
        assert_eq!(options.listen.map(|list| list.len()), Some(2));
        assert_eq!(parse(&["--wait=3"]).wait, Some(3));
    }
}
