//! What a viewer may do.

use core::fmt;
use core::str::FromStr;

use spice_proto::ChannelType;

/// Whether a viewer takes part or looks on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Sees and hears, and changes nothing on the desktop.
    View,
    /// Uses the desktop.
    #[default]
    Control,
}

/// What is not a role.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no role is called `{name}`; there are `view` and `control`")]
pub struct UnknownRole {
    /// What was asked for.
    pub name: String,
}

impl Role {
    /// All that the role can be permitted.
    #[must_use]
    pub const fn permissions(self) -> Permissions {
        match self {
            Self::View => Permissions::AUDIO,
            Self::Control => Permissions::all(),
        }
    }

    /// What is left of `permissions` in this role: who looks on has no input, clipboard or device, whatever it was
    /// given.
    #[must_use]
    pub const fn limit(self, permissions: Permissions) -> Permissions {
        permissions.intersection(self.permissions())
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::View => "view",
            Self::Control => "control",
        })
    }
}

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "view" => Ok(Self::View),
            "control" => Ok(Self::Control),
            other => Err(UnknownRole { name: other.to_owned() }),
        }
    }
}

bitflags::bitflags! {
    /// What a viewer may do besides looking. As a text, the names with commas between them, or `none`.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub struct Permissions: u8 {
        /// Keyboard and mouse.
        const INPUTS = 1;
        /// The clipboard, and files that are dropped on the screen.
        const CLIPBOARD = 1 << 1;
        /// Sound, to the viewer and from it.
        const AUDIO = 1 << 2;
        /// Devices: USB, smartcard readers, ports, shared folders.
        const USB = 1 << 3;
    }
}

/// What is no permission.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no permission is called `{name}`; there are `inputs`, `clipboard`, `audio` and `usb`")]
pub struct UnknownPermission {
    /// What was asked for.
    pub name: String,
}

const NAMES: [(Permissions, &str); 4] = [
    (Permissions::INPUTS, "inputs"),
    (Permissions::CLIPBOARD, "clipboard"),
    (Permissions::AUDIO, "audio"),
    (Permissions::USB, "usb"),
];

impl Permissions {
    /// Whether a viewer with these permissions may open a channel of this kind.
    ///
    /// Everybody may open an inputs channel: what comes in on it without [`Self::INPUTS`] is dropped, and a viewer
    /// that is promoted later can act at once, without another connection.
    #[must_use]
    pub const fn allows_channel(self, kind: ChannelType) -> bool {
        match kind {
            ChannelType::PLAYBACK => self.contains(Self::AUDIO),
            // Who speaks into the guest does something there.
            ChannelType::RECORD => self.contains(Self::AUDIO.union(Self::INPUTS)),
            ChannelType::USBREDIR | ChannelType::SMARTCARD | ChannelType::PORT | ChannelType::WEBDAV => {
                self.contains(Self::USB)
            }
            _ => true,
        }
    }
}

impl fmt::Display for Permissions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut first = true;
        for (_, name) in NAMES.into_iter().filter(|(permission, _)| self.contains(*permission)) {
            if !first {
                f.write_str(",")?;
            }
            f.write_str(name)?;
            first = false;
        }
        if first { f.write_str("none") } else { Ok(()) }
    }
}

impl FromStr for Permissions {
    type Err = UnknownPermission;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "none" {
            return Ok(Self::empty());
        }
        text.split(',').try_fold(Self::empty(), |all, name| {
            let found = NAMES.into_iter().find(|(_, known)| *known == name);
            let (permission, _) = found.ok_or_else(|| UnknownPermission { name: name.to_owned() })?;
            Ok(all | permission)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_and_permissions_are_read_as_they_are_written() {
        for role in [Role::View, Role::Control] {
            assert_eq!(role.to_string().parse(), Ok(role));
        }
        for bits in 0..16 {
            let permissions = Permissions::from_bits(bits).unwrap();
            assert_eq!(permissions.to_string().parse(), Ok(permissions));
        }
        assert_eq!("usb,inputs".parse(), Ok(Permissions::INPUTS | Permissions::USB));
        assert_eq!(Permissions::empty().to_string(), "none");
        assert_eq!("View".parse::<Role>().unwrap_err().name, "View");
        for text in ["", "inputs,", "audio, usb", "none,usb", "Inputs"] {
            assert!(text.parse::<Permissions>().is_err(), "{text}");
        }
    }

    #[test]
    fn who_looks_on_hears_and_changes_nothing() {
        for bits in 0..16 {
            let given = Permissions::from_bits(bits).unwrap();
            assert_eq!(Role::View.limit(given), given & Permissions::AUDIO);
            assert_eq!(Role::Control.limit(given), given);
        }
    }

    #[test]
    fn only_channels_of_sound_and_devices_ask_for_a_permission() {
        for kind in ChannelType::all() {
            let needs = match kind {
                ChannelType::PLAYBACK => Permissions::AUDIO,
                ChannelType::RECORD => Permissions::AUDIO | Permissions::INPUTS,
                ChannelType::USBREDIR | ChannelType::SMARTCARD | ChannelType::PORT | ChannelType::WEBDAV => {
                    Permissions::USB
                }
                _ => Permissions::empty(),
            };
            for bits in 0..16 {
                let given = Permissions::from_bits(bits).unwrap();
                assert_eq!(given.allows_channel(kind), given.contains(needs), "{kind:?} with {given}");
            }
        }
    }
}
