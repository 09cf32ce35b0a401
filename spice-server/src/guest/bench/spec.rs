//! What a bench guest draws, in words: `mixed?fps=30&size=1280x720`.

use core::fmt;
use core::ops::RangeInclusive;
use core::str::FromStr;
use core::time::Duration;

const FPS: RangeInclusive<u32> = 1..=240;
const SIDE: RangeInclusive<u32> = 64..=8192;
/// The smallest screen that holds all parts of the mixed scene.
const MIXED: (u32, u32) = (320, 240);

/// What is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Scene {
    /// A terminal that scrolls, moving fills, changing text, and every fifth frame a photo.
    Mixed,
    /// A terminal that scrolls.
    Text,
    /// A photo that fills the screen and changes with each frame.
    Photo,
    /// Text that fills the screen and changes with each frame.
    FullscreenText,
}

impl Scene {
    const ALL: [Self; 4] = [Self::Mixed, Self::Text, Self::Photo, Self::FullscreenText];

    /// Its name in a spec.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mixed => "mixed",
            Self::Text => "text",
            Self::Photo => "photo",
            Self::FullscreenText => "fullscreen-text",
        }
    }
}

/// A scene, its pace and its size. It is read from and shown as `SCENE?fps=N&size=WIDTHxHEIGHT`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BenchSpec {
    pub(super) scene: Scene,
    pub(super) fps: u32,
    pub(super) width: u32,
    pub(super) height: u32,
}

impl BenchSpec {
    /// The scene at 30 frames a second and 1280x720 pixels.
    #[must_use]
    pub fn new(scene: Scene) -> Self {
        Self { scene, fps: 30, width: 1280, height: 720 }
    }

    /// The scene.
    #[must_use]
    pub fn scene(&self) -> Scene {
        self.scene
    }

    /// Frames a second.
    #[must_use]
    pub fn fps(&self) -> u32 {
        self.fps
    }

    /// Columns and rows.
    #[must_use]
    pub fn size(&self) -> (u32, u32) {
        (self.width, self.height)
    }

    /// From frame to frame.
    pub(super) fn interval(&self) -> Duration {
        Duration::from_micros(1_000_000 / u64::from(self.fps.max(1)))
    }
}

impl fmt::Display for BenchSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}?fps={}&size={}x{}", self.scene.name(), self.fps, self.width, self.height)
    }
}

/// Why a bench spec is not understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BenchSpecError {
    /// No scene has this name.
    #[error("no bench scene is named `{0}`; there are mixed, text, photo and fullscreen-text")]
    Scene(String),
    /// No setting has this name.
    #[error("a bench scene has no setting `{0}`; there are fps and size")]
    Key(String),
    /// A setting without a value.
    #[error("the bench setting `{0}` needs a value, as in `fps=30`")]
    NoValue(String),
    /// A pace out of range.
    #[error("`{0}` is no number of frames a second from {start} to {end}", start = FPS.start(), end = FPS.end())]
    Fps(String),
    /// A size out of range.
    #[error("`{0}` is no size from {start}x{start} to {end}x{end}", start = SIDE.start(), end = SIDE.end())]
    Size(String),
    /// A size that the scene does not fit.
    #[error("the mixed scene needs {}x{} pixels, not only {width}x{height}", MIXED.0, MIXED.1)]
    TooSmall {
        /// Columns.
        width: u32,
        /// Rows.
        height: u32,
    },
}

impl FromStr for BenchSpec {
    type Err = BenchSpecError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, settings) = text.split_once('?').unwrap_or((text, ""));
        let scene = Scene::ALL.into_iter().find(|scene| scene.name() == name);
        let mut spec = Self::new(scene.ok_or_else(|| BenchSpecError::Scene(name.to_owned()))?);
        for setting in settings.split('&').filter(|setting| !setting.is_empty()) {
            let (key, value) = setting.split_once('=').unwrap_or((setting, ""));
            match key {
                "fps" | "size" if value.is_empty() => return Err(BenchSpecError::NoValue(key.to_owned())),
                "fps" => spec.fps = parse_fps(value)?,
                "size" => (spec.width, spec.height) = parse_size(value)?,
                _ => return Err(BenchSpecError::Key(key.to_owned())),
            }
        }
        let Self { width, height, .. } = spec;
        if spec.scene == Scene::Mixed && (width < MIXED.0 || height < MIXED.1) {
            return Err(BenchSpecError::TooSmall { width, height });
        }
        Ok(spec)
    }
}

fn parse_fps(value: &str) -> Result<u32, BenchSpecError> {
    let fps = value.parse().ok().filter(|fps| FPS.contains(fps));
    fps.ok_or_else(|| BenchSpecError::Fps(value.to_owned()))
}

fn parse_size(value: &str) -> Result<(u32, u32), BenchSpecError> {
    let side = |side: &str| side.parse().ok().filter(|side| SIDE.contains(side));
    let size = value.split_once('x').and_then(|(width, height)| Some((side(width)?, side(height)?)));
    size.ok_or_else(|| BenchSpecError::Size(value.to_owned()))
}
