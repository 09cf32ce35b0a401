//! What viewers behind slow links are sent otherwise.

use core::fmt;
use core::str::FromStr;

/// When viewers are sent images in a way that only a slow link is worth. QEMU's names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum WanCompression {
    /// Those whose link carries less than 10 Mbit/s while it is busy; each viewer is judged by its own.
    #[default]
    Auto,
    /// All.
    Always,
    /// None.
    Never,
}

/// A name of no [`WanCompression`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no {0:?}; there are auto, always and never")]
pub struct UnknownWanCompression(String);

impl WanCompression {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Auto, Self::Always, Self::Never];

    /// What it is called on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Always => "always",
            Self::Never => "never",
        }
    }

    /// Whether a viewer is meant whose link is `slow`, or is not.
    pub(super) const fn applies(self, slow: bool) -> bool {
        match self {
            Self::Auto => slow,
            Self::Always => true,
            Self::Never => false,
        }
    }
}

impl fmt::Display for WanCompression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for WanCompression {
    type Err = UnknownWanCompression;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|known| known.name() == name);
        known.ok_or_else(|| UnknownWanCompression(name.to_owned()))
    }
}

/// Whether a link is slow. It changes its mind late, so that one in between is not told so by turns.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LinkSpeed {
    slow: bool,
}

/// Bytes a second below which a link is slow: 10 Mbit/s, as the C server has it.
const SLOW: u64 = 1_250_000;

/// Bytes a second from which it is not any more.
const FAST: u64 = 2 * SLOW;

impl LinkSpeed {
    /// Whether it is, now that it carries so many bytes a second, if that is known: links that are never kept busy
    /// long enough to tell are not.
    pub(super) fn judge(&mut self, throughput: Option<u64>) -> bool {
        self.slow = throughput.is_some_and(|rate| rate < if self.slow { FAST } else { SLOW });
        self.slow
    }

    /// What it was last judged to be.
    pub(super) const fn is_slow(self) -> bool {
        self.slow
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for known in WanCompression::ALL {
            assert_eq!(known.name().parse(), Ok(known));
        }
        assert!("on".parse::<WanCompression>().unwrap_err().to_string().contains("never"));
    }

    #[test]
    fn a_link_is_slow_until_it_is_clearly_faster() {
        let mut link = LinkSpeed::default();
        assert!(!link.judge(None));
        assert!(!link.judge(Some(2_000_000)));
        assert!(link.judge(Some(1_000_000)));
        assert!(link.judge(Some(2_000_000)));
        assert!(!link.judge(Some(3_000_000)));
        assert!(!link.judge(Some(2_000_000)));
    }
}
