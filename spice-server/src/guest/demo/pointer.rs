//! The pointer: its shape, and where relative motion has taken it.

use std::sync::Arc;

use bytes::Bytes;
use spice_display::qxl::{CursorCommand, CursorShape};
use spice_proto::cursor::CursorType;
use spice_proto::{Point, Point16, Rect};

/// `#` outline, `.` inside, space transparent.
const ARROW: [&str; 21] = [
    "##           ",
    "#.#          ",
    "#..#         ",
    "#...#        ",
    "#....#       ",
    "#.....#      ",
    "#......#     ",
    "#.......#    ",
    "#........#   ",
    "#.........#  ",
    "#..........# ",
    "#...........#",
    "#......######",
    "#...#..#     ",
    "#..##...#    ",
    "#.# #...#    ",
    "##   #...#   ",
    "     #...#   ",
    "      #...#  ",
    "      #..#   ",
    "       ##    ",
];

/// Where the pointer is.
#[derive(Clone, Debug)]
pub(super) struct Pointer {
    position: Point,
    screen: Rect,
    /// The guest moved it, and the viewers do not know.
    moved: bool,
}

impl Pointer {
    /// A pointer in the middle of the screen.
    pub(super) fn new(screen: Rect) -> Self {
        let position = Point::new(screen.right / 2, screen.bottom / 2);
        Self { position, screen, moved: false }
    }

    pub(super) fn position(&self) -> Point {
        self.position
    }

    /// A viewer has put the pointer somewhere, and shows it there itself.
    pub(super) fn place(&mut self, x: u32, y: u32) {
        let bounded = |value: u32, end: i32| i32::try_from(value).unwrap_or(i32::MAX).min(end - 1);
        self.position = Point::new(bounded(x, self.screen.right), bounded(y, self.screen.bottom));
        self.moved = false;
    }

    /// A viewer has moved its mouse, and waits for the guest to say where the pointer goes.
    pub(super) fn shift(&mut self, dx: i32, dy: i32) {
        let bounded = |from: i32, by: i32, end: i32| from.saturating_add(by).clamp(0, end - 1);
        self.position = Point::new(
            bounded(self.position.x, dx, self.screen.right),
            bounded(self.position.y, dy, self.screen.bottom),
        );
        self.moved = true;
    }

    /// Whether there is a move to tell.
    pub(super) fn has_moved(&self) -> bool {
        self.moved
    }

    /// The command that gives the pointer its shape.
    pub(super) fn shape(&self) -> CursorCommand {
        CursorCommand::Set { position: self.position16(), visible: true, shape: Arc::new(arrow()) }
    }

    /// The command that moves the pointer, if the guest has moved it since the last.
    pub(super) fn take_move(&mut self) -> Option<CursorCommand> {
        core::mem::take(&mut self.moved).then(|| CursorCommand::Move(self.position16()))
    }

    fn position16(&self) -> Point16 {
        let short = |value: i32| i16::try_from(value).unwrap_or(i16::MAX);
        Point16 { x: short(self.position.x), y: short(self.position.y) }
    }
}

fn arrow() -> CursorShape {
    const OUTLINE: u32 = 0xff10_1520;
    const INSIDE: u32 = 0xffff_ffff;
    let pixel = |mark: u8| match mark {
        b'#' => OUTLINE,
        b'.' => INSIDE,
        _ => 0,
    };
    let data: Bytes =
        ARROW.iter().flat_map(|row| row.bytes()).flat_map(|mark| pixel(mark).to_le_bytes()).collect();
    CursorShape {
        unique: 1,
        kind: CursorType::ALPHA,
        width: ARROW[0].len() as u16,
        height: ARROW.len() as u16,
        hot_spot_x: 0,
        hot_spot_y: 0,
        data,
    }
}
