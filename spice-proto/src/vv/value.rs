//! Values of the kinds that a connection file knows.

use core::fmt;

use super::error::ConnectionFileErrorKind;
use super::key_file::{escape, escape_list, unescape, unescape_list};

/// A text that is not to be printed. The only thing that its `Debug` form tells is that there is one.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// A value of a known key, or its absence.
pub(super) trait Value: Sized {
    /// Reads the value of `key` from how it is written.
    fn read(key: &'static str, raw: &str) -> Result<Self, ConnectionFileErrorKind>;
    /// How it is written; `None` for a key that is not there.
    fn write(&self) -> Option<String>;
}

fn number(key: &'static str, raw: &str, min: i32, max: i32) -> Result<i32, ConnectionFileErrorKind> {
    let number = raw.trim_ascii().parse().ok().filter(|number| (min..=max).contains(number));
    number.ok_or(ConnectionFileErrorKind::Number { key, min, max })
}

impl Value for Option<String> {
    fn read(key: &'static str, raw: &str) -> Result<Self, ConnectionFileErrorKind> {
        unescape(raw).map(Some).map_err(|sequence| ConnectionFileErrorKind::Escape { key, sequence })
    }

    fn write(&self) -> Option<String> {
        self.as_deref().map(escape)
    }
}

impl Value for Option<Secret> {
    fn read(key: &'static str, raw: &str) -> Result<Self, ConnectionFileErrorKind> {
        let text: Option<String> = Value::read(key, raw)?;
        Ok(text.map(Secret))
    }

    fn write(&self) -> Option<String> {
        self.as_ref().map(|secret| escape(&secret.0))
    }
}

/// A list; an empty one is a key that is not there.
impl Value for Vec<String> {
    fn read(key: &'static str, raw: &str) -> Result<Self, ConnectionFileErrorKind> {
        unescape_list(raw).map_err(|sequence| ConnectionFileErrorKind::Escape { key, sequence })
    }

    fn write(&self) -> Option<String> {
        (!self.is_empty()).then(|| escape_list(self))
    }
}

/// A port; 0 and -1 are none.
impl Value for Option<u16> {
    fn read(key: &'static str, raw: &str) -> Result<Self, ConnectionFileErrorKind> {
        let port = number(key, raw, -1, u16::MAX.into())?;
        Ok(u16::try_from(port).ok().filter(|port| *port != 0))
    }

    fn write(&self) -> Option<String> {
        self.filter(|port| *port != 0).map(|port| port.to_string())
    }
}

/// A depth in bits.
impl Value for Option<u8> {
    fn read(key: &'static str, raw: &str) -> Result<Self, ConnectionFileErrorKind> {
        let depth = number(key, raw, 0, u8::MAX.into())?;
        Ok(u8::try_from(depth).ok())
    }

    fn write(&self) -> Option<String> {
        self.map(|depth| depth.to_string())
    }
}

/// A switch: a number that is 0 where it is off.
impl Value for Option<bool> {
    fn read(key: &'static str, raw: &str) -> Result<Self, ConnectionFileErrorKind> {
        number(key, raw, i32::MIN, i32::MAX).map(|number| Some(number != 0))
    }

    fn write(&self) -> Option<String> {
        self.map(|on| u8::from(on).to_string())
    }
}
