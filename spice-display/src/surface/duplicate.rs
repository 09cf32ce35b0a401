//! Commands that, drawn twice on the same pixels, come to less than two.

use spice_proto::display::Ropd;

use crate::qxl::{Brush, DrawFill, DrawOp};

/// What a command and the same one before it come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Duplicate {
    /// Nothing: the second undoes the first.
    Cancels,
    /// The first alone.
    Repeats,
}

impl Duplicate {
    /// `None` where both have to be drawn.
    pub(super) fn of(first: &DrawOp, second: &DrawOp) -> Option<Self> {
        match (first, second) {
            (DrawOp::Invers(None), DrawOp::Invers(None)) => Some(Self::Cancels),
            (DrawOp::Fill(first), DrawOp::Fill(second)) => {
                let ((one, rop), (other, same)) = (solid(first)?, solid(second)?);
                if one != other || rop != same {
                    return None;
                }
                match rop {
                    Ropd::OP_XOR => Some(Self::Cancels),
                    Ropd::OP_OR | Ropd::OP_AND | Ropd::OP_PUT => Some(Self::Repeats),
                    _ => None,
                }
            }
            _ => None,
        }
    }
}

/// The colour and the raster operation of a fill of one colour without a mask.
fn solid(fill: &DrawFill) -> Option<(u32, Ropd)> {
    match (&fill.brush, &fill.mask) {
        (Brush::Solid(colour), None) => Some((*colour, fill.rop)),
        _ => None,
    }
}
