//! Connection files (`.vv`): where a session is and how to show it, as management software hands it to a viewer.
//!
//! ```
//! use spice_proto::vv::ConnectionFile;
//!
//! let file = ConnectionFile::parse("[virt-viewer]\ntype=spice\nhost=makai\nport=5900\nfullscreen=1\n")?;
//! assert_eq!((file.host.as_deref(), file.port, file.fullscreen), (Some("makai"), Some(5900), Some(true)));
//!
//! let error = ConnectionFile::parse("[virt-viewer]\ntype=spice\nport=many\n").unwrap_err();
//! assert_eq!(error.to_string(), "line 3: the value of `port` is not a number from -1 to 65535");
//! # Ok::<(), spice_proto::vv::ConnectionFileError>(())
//! ```
//!
//! The format is that of GLib's key files; the keys are those of remote-viewer(1).

mod entry;
mod error;
mod key_file;
mod value;

pub use entry::{Entry, Group};
pub use error::{ConnectionFileError, ConnectionFileErrorKind};
pub use value::Secret;

use std::collections::BTreeMap;

use crate::ids::ChannelType;
use key_file::{Line, lines};
use value::Value;

/// The group that the known keys are in.
const GROUP: &str = "virt-viewer";

/// Where the entries of a group go.
#[derive(Clone, Copy)]
enum Place {
    Own,
    Group(usize),
}

/// The known keys: what each is called in the file and here, and what it is.
macro_rules! connection_file {
    ($($(#[$meta:meta])* $key:literal $field:ident: $type:ty,)*) => {
        /// What a connection file says. What it does not say is `None` or an empty list.
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct ConnectionFile {
            /// `type`: the protocol, `spice`, `vnc` or `ovirt`. A file without one cannot be read.
            pub session_type: String,
            $($(#[$meta])* pub $field: $type,)*
            /// Keys of the group `virt-viewer` that have no field here, in their order. Those of others than the
            /// project that defines the format begin with `x-`.
            pub other: Vec<Entry>,
            /// The other groups, by their first line.
            pub groups: Vec<Group>,
        }

        impl ConnectionFile {
            /// A file that says nothing but the type of the session, for instance `spice`.
            #[must_use]
            pub fn new(session_type: impl Into<String>) -> Self {
                Self {
                    session_type: session_type.into(),
                    $($field: Default::default(),)*
                    other: Vec::new(),
                    groups: Vec::new(),
                }
            }

            fn read_entry(&mut self, key: &str, raw: &str) -> Result<(), ConnectionFileErrorKind> {
                match key {
                    $($key => self.$field = Value::read($key, raw)?,)*
                    _ => self.other.push(Entry::from_raw(key, raw)),
                }
                Ok(())
            }

            fn known_entries(&self) -> impl Iterator<Item = (&'static str, String)> {
                let values = [$(($key, self.$field.write()),)*];
                values.into_iter().filter_map(|(key, raw)| raw.map(|raw| (key, raw)))
            }
        }
    };
}

connection_file! {
    /// `version`: the least version of remote-viewer, such as `8.0` or `2.0-160`, that is to open the file.
    "version" version: Option<String>,
    /// `versions`: the same for each system, such as `fedora22:2.0-1`.
    "versions" versions: Vec<String>,
    /// `newer-version-url`: where to get such a version.
    "newer-version-url" newer_version_url: Option<String>,
    /// `unix-path`: a local socket to connect to, in place of a host.
    "unix-path" unix_path: Option<String>,
    /// `host`: the server's name or address.
    "host" host: Option<String>,
    /// `port`: its port without TLS.
    "port" port: Option<u16>,
    /// `tls-port`: its port with TLS.
    "tls-port" tls_port: Option<u16>,
    /// `username`: who the user is, for SASL.
    "username" username: Option<String>,
    /// `password`: the ticket, or the user's password.
    "password" password: Option<Secret>,
    /// `disable-channels`: channels not to link to, by [`ChannelType::channel_name`].
    "disable-channels" disable_channels: Vec<String>,
    /// `secure-channels`: channels to link to with TLS only, by [`ChannelType::channel_name`], or `all`. See
    /// [`Self::secures`].
    "secure-channels" secure_channels: Vec<String>,
    /// `tls-ciphers`: the ciphers that are good enough, as OpenSSL lists them.
    "tls-ciphers" tls_ciphers: Option<String>,
    /// `ca`: the certificates to trust, in PEM.
    "ca" ca: Option<String>,
    /// `host-subject`: the subject that the server's certificate must have, in place of its host name.
    "host-subject" host_subject: Option<String>,
    /// `proxy`: an HTTP proxy to go through, as an URL. It may have a password in it.
    "proxy" proxy: Option<Secret>,
    /// `title`: what stands above the window.
    "title" title: Option<String>,
    /// `fullscreen`: whether the windows fill the screens.
    "fullscreen" fullscreen: Option<bool>,
    /// `toggle-fullscreen`: the keys for it, such as `shift+f11`.
    "toggle-fullscreen" toggle_fullscreen: Option<String>,
    /// `release-cursor`: the keys that let the pointer out of the window.
    "release-cursor" release_cursor: Option<String>,
    /// `zoom-in`: the keys that make the window larger.
    "zoom-in" zoom_in: Option<String>,
    /// `zoom-out`: the keys that make the window smaller.
    "zoom-out" zoom_out: Option<String>,
    /// `zoom-reset`: the keys that give the window the guest's size.
    "zoom-reset" zoom_reset: Option<String>,
    /// `secure-attention`: the keys that send Ctrl+Alt+Del.
    "secure-attention" secure_attention: Option<String>,
    /// `usb-device-reset`: the keys that reset USB devices.
    "usb-device-reset" usb_device_reset: Option<String>,
    /// `smartcard-insert`: the keys that put the emulated smartcard in.
    "smartcard-insert" smartcard_insert: Option<String>,
    /// `smartcard-remove`: the keys that take the emulated smartcard out.
    "smartcard-remove" smartcard_remove: Option<String>,
    /// `enable-smartcard`: whether the guest may use the viewer's smartcards.
    "enable-smartcard" enable_smartcard: Option<bool>,
    /// `enable-usbredir`: whether the guest may use the viewer's USB devices.
    "enable-usbredir" enable_usbredir: Option<bool>,
    /// `enable-usb-autoshare`: whether it gets them without being asked.
    "enable-usb-autoshare" enable_usb_autoshare: Option<bool>,
    /// `usb-filter`: which of them, as rules of `class,vendor,product,version,allow` with bars between them.
    "usb-filter" usb_filter: Option<String>,
    /// `color-depth`: bits of each pixel that the guest is to use, 16 or 32.
    "color-depth" color_depth: Option<u8>,
    /// `disable-effects`: what the guest is to do without: `wallpaper`, `font-smooth`, `animation` or `all`.
    "disable-effects" disable_effects: Vec<String>,
    /// `delete-this-file`: whether the viewer is to delete the file once it has read it.
    "delete-this-file" delete_this_file: Option<bool>,
}

impl ConnectionFile {
    /// Reads a file. Of a known key that comes twice the last one counts, and the parts of a group are one; comments
    /// are lost.
    ///
    /// # Errors
    /// A line that is no line of a key file, a value that its key cannot have, no `type` in a group `virt-viewer`.
    /// What a key that is not known says is not looked at.
    pub fn parse(text: &str) -> Result<Self, ConnectionFileError> {
        let mut file = Self::new("");
        let mut session_type: Option<String> = None;
        let mut places = BTreeMap::from([(GROUP, Place::Own)]);
        let mut place = None;
        for line in lines(text) {
            let (line, parsed) = line?;
            let at = |kind| ConnectionFileError { line, kind };
            match (parsed, place) {
                (Line::Group(name), _) => {
                    place = Some(*places.entry(name).or_insert_with(|| file.add_group(name)));
                }
                (Line::Entry { .. }, None) => return Err(at(ConnectionFileErrorKind::NoGroup)),
                (Line::Entry { key: "type", value }, Some(Place::Own)) => {
                    session_type = Value::read("type", value).map_err(at)?;
                }
                (Line::Entry { key, value }, Some(Place::Own)) => file.read_entry(key, value).map_err(at)?,
                (Line::Entry { key, value }, Some(Place::Group(index))) => {
                    let group = file.groups.get_mut(index);
                    group.into_iter().for_each(|group| group.entries.push(Entry::from_raw(key, value)));
                }
            }
        }
        let last_line = text.lines().count().max(1);
        file.session_type = session_type
            .ok_or(ConnectionFileError { line: last_line, kind: ConnectionFileErrorKind::NoType })?;
        Ok(file)
    }

    fn add_group(&mut self, name: &str) -> Place {
        self.groups.extend(Group::new(name));
        Place::Group(self.groups.len().saturating_sub(1))
    }

    /// The file's text: the known keys in the order of the fields above, then the others, then the other groups.
    #[must_use]
    pub fn write(&self) -> String {
        let mut text = format!("[{GROUP}]\n");
        let mut put = |key: &str, raw: &str| {
            for part in [key, "=", raw, "\n"] {
                text.push_str(part);
            }
        };
        put("type", &key_file::escape(&self.session_type));
        for (key, raw) in self.known_entries() {
            put(key, &raw);
        }
        for entry in &self.other {
            put(entry.key(), entry.raw());
        }
        for group in &self.groups {
            text.push_str(&format!("\n[{}]\n", group.name()));
            for entry in &group.entries {
                text.push_str(&format!("{}={}\n", entry.key(), entry.raw()));
            }
        }
        text
    }

    /// Whether this channel is to be linked to with TLS only.
    #[must_use]
    pub fn secures(&self, channel: ChannelType) -> bool {
        self.secure_channels.iter().any(|name| name == "all" || Some(name.as_str()) == channel.channel_name())
    }
}
