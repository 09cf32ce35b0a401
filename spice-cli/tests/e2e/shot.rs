//! Pictures of a screen, whoever took them.

use std::fmt::Write as _;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use spice_display::canvas::Canvas;
use spice_proto::{Point, Rect};

use crate::process::Process;

/// How long a screenshot may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// A picture: 24 bits of colour for each pixel, row by row.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Shot {
    width: usize,
    height: usize,
    pixels: Vec<u32>,
}

impl Shot {
    /// What `spicy-screenshot` gets from this server, by way of a file at `path`.
    pub(crate) fn take(addr: SocketAddr, path: &Path) -> Result<Self, String> {
        let (host, port) = (addr.ip().to_string(), addr.port().to_string());
        let mut command = Command::new("spicy-screenshot");
        command.args(["-h", &host, "-p", &port, "-o"]).arg(path);
        Process::succeed(&mut command, PATIENCE)?;
        let file = fs::read(path).map_err(|error| format!("no screenshot at {}: {error}", path.display()))?;
        Self::from_ppm(&file).ok_or_else(|| format!("{} is no picture", path.display()))
    }

    fn from_ppm(file: &[u8]) -> Option<Self> {
        let mut lines = file.splitn(4, |byte| *byte == b'\n');
        let (magic, size, depth, data) = (lines.next()?, lines.next()?, lines.next()?, lines.next()?);
        let (width, height) = std::str::from_utf8(size).ok()?.split_once(' ')?;
        let (width, height): (usize, usize) = (width.parse().ok()?, height.parse().ok()?);
        if magic != b"P6" || depth != b"255" {
            return None;
        }
        Self::from_rgb(width, height, data)
    }

    /// The picture of these pixels, red first, row by row.
    pub(crate) fn from_rgb(width: usize, height: usize, data: &[u8]) -> Option<Self> {
        let pixels: Vec<u32> =
            data.chunks_exact(3).map(|rgb| u32::from_be_bytes([0, rgb[0], rgb[1], rgb[2]])).collect();
        (pixels.len() == width * height).then_some(Self { width, height, pixels })
    }

    /// The picture in an X window dump of 32 bits a pixel, the lowest byte first.
    pub(crate) fn from_xwd(file: &[u8]) -> Option<Self> {
        let field = |index: usize| {
            let bytes = file.get(index * 4..)?.first_chunk()?;
            usize::try_from(u32::from_be_bytes(*bytes)).ok()
        };
        let (header, width, height, order) = (field(0)?, field(4)?, field(5)?, field(7)?);
        let (depth, stride, colours) = (field(11)?, field(12)?, field(19)?);
        if (order, depth) != (0, 32) {
            return None;
        }
        let data = file.get(header + colours * 12..)?;
        let mut pixels = Vec::with_capacity(width * height);
        for y in 0..height {
            let row = data.get(y * stride..)?.get(..width * 4)?;
            pixels.extend(
                row.chunks_exact(4).map(|pixel| u32::from_le_bytes([pixel[0], pixel[1], pixel[2], 0])),
            );
        }
        Some(Self { width, height, pixels })
    }

    /// What a viewer of ours has.
    pub(crate) fn of(canvas: &Canvas) -> Self {
        let data = canvas.read(canvas.bounds());
        let pixels =
            data.as_chunks().0.iter().map(|pixel| u32::from_le_bytes(*pixel) & 0x00ff_ffff).collect();
        Self { width: canvas.width() as usize, height: canvas.height() as usize, pixels }
    }

    pub(crate) fn size(&self) -> (usize, usize) {
        (self.width, self.height)
    }

    pub(crate) fn pixel(&self, at: Point) -> Option<u32> {
        let (x, y) = (usize::try_from(at.x).ok()?, usize::try_from(at.y).ok()?);
        if x < self.width { self.pixels.get(y * self.width + x).copied() } else { None }
    }

    /// How near it is to another of its size, in decibels: the peak to the mean square of the differences.
    pub(crate) fn psnr(&self, other: &Self) -> Option<f64> {
        if self.size() != other.size() {
            return None;
        }
        let colours = |pixel: &u32| pixel.to_le_bytes();
        let pairs = self.pixels.iter().flat_map(colours).zip(other.pixels.iter().flat_map(colours));
        let squares: u64 = pairs.map(|(here, there)| u64::from(here.abs_diff(there)).pow(2)).sum();
        let mean = squares as f64 / (3 * self.pixels.len()) as f64;
        Some(10.0 * (255.0 * 255.0 / mean).log10())
    }

    /// How many colours there are in it.
    pub(crate) fn colours(&self) -> usize {
        let mut pixels = self.pixels.clone();
        pixels.sort_unstable();
        pixels.dedup();
        pixels.len()
    }

    /// A part of it; what lies beyond it is black.
    pub(crate) fn part(&self, area: Rect) -> Self {
        let (width, height) = (area.width() as usize, area.height() as usize);
        let points =
            (area.top..area.bottom).flat_map(|y| (area.left..area.right).map(move |x| Point::new(x, y)));
        let pixels = points.map(|at| self.pixel(at).unwrap_or(0)).collect();
        Self { width, height, pixels }
    }

    /// The same picture with these parts black, so that they do not count.
    pub(crate) fn without(&self, areas: &[Rect]) -> Self {
        let mut shot = self.clone();
        for area in areas {
            for y in area.top.max(0)..area.bottom {
                for x in area.left.max(0)..area.right {
                    let (x, y) = (x.unsigned_abs() as usize, y.unsigned_abs() as usize);
                    if x < shot.width && y < shot.height {
                        shot.pixels[y * shot.width + x] = 0;
                    }
                }
            }
        }
        shot
    }

    /// Where `part` is to be found in it.
    pub(crate) fn find(&self, part: &Self) -> Option<Point> {
        let (columns, rows) = (self.width.checked_sub(part.width)?, self.height.checked_sub(part.height)?);
        let fits = |x: usize, y: usize| {
            (0..part.height).all(|row| {
                let ours = &self.pixels[(y + row) * self.width + x..][..part.width];
                ours == &part.pixels[row * part.width..][..part.width]
            })
        };
        let places = (0..=rows).flat_map(|y| (0..=columns).map(move |x| (x, y)));
        let (x, y) = places.into_iter().find(|(x, y)| fits(*x, *y))?;
        Some(Point::new(i32::try_from(x).ok()?, i32::try_from(y).ok()?))
    }

    /// In how many pixels they differ, and in which first; nothing when they are the same.
    pub(crate) fn difference(&self, other: &Self) -> Option<String> {
        if self.size() != other.size() {
            return Some(format!("{:?} is not {:?}", self.size(), other.size()));
        }
        let differs = |index: &usize| self.pixels[*index] != other.pixels[*index];
        let first = (0..self.pixels.len()).find(differs)?;
        let count = (first..self.pixels.len()).filter(differs).count();
        let (x, y) = (first % self.width, first / self.width);
        let (ours, theirs) = (self.pixels[first], other.pixels[first]);
        Some(format!("{count} pixels differ, first the one at {x},{y}: {ours:06x} is not {theirs:06x}"))
    }

    /// Writes it as PPM.
    pub(crate) fn write(&self, path: &Path) -> Result<(), String> {
        let mut head = String::new();
        let _ = write!(head, "P6\n{} {}\n255\n", self.width, self.height);
        let mut file = head.into_bytes();
        file.extend(self.pixels.iter().flat_map(|pixel| {
            let [_, red, green, blue] = pixel.to_be_bytes();
            [red, green, blue]
        }));
        fs::write(path, file).map_err(|error| format!("cannot write {}: {error}", path.display()))
    }
}

impl std::fmt::Debug for Shot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Shot({}x{})", self.width, self.height)
    }
}
