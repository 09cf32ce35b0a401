//! Playing recordings (`spice-replay.h`): commands of a recorded desktop as a guest lays them out, for a host to put
//! into its rings.
//!
//! A command lies in this process's memory, its addresses are plain ones: the host has one memory slot of group 0, from
//! address 0 on, with at most two bits of an address for slot and generation. It is made when the host asks for it, and
//! goes when the host gives it back; of the recording no more is in memory than the event that is being read. Pixels
//! that are only read lie where they were read to. What happened to the recorded device in between is done to the
//! host's at once: its primary surface is created and destroyed, and all its surfaces end. Nothing else that was
//! recorded changes a picture.

mod arena;
mod command;
mod exports;
mod fields;
mod file;
mod surfaces;
#[cfg(test)]
mod tests;
mod write;

use std::io::BufRead;
use std::sync::{Mutex, PoisonError};

use spice_display::qxl::recording::{Event, Recording, RecordingError};
use spice_display::qxl::{Command, DeviceEvent, GuestEvent, PrimarySurface, SurfaceCommand};

use crate::abi::qxl::QXLDevSurfaceCreate;
use command::ReplayCommand;
use surfaces::Surfaces;
use write::Pixels;

/// The host's device that a recording is played to. Each call returns when it is done.
trait Device {
    /// `spice_qxl_create_primary_surface`.
    fn create_primary(&mut self, create: &mut QXLDevSurfaceCreate);

    /// `spice_qxl_destroy_primary_surface`.
    fn destroy_primary(&mut self);

    /// `spice_qxl_destroy_surfaces`.
    fn destroy_surfaces(&mut self);
}

/// A recording that is being played. One thread asks for commands, any gives them back.
#[derive(Debug)]
struct Replay<R> {
    tape: Mutex<Tape<R>>,
    surfaces: Surfaces,
}

/// What the thread has that asks for commands.
#[derive(Debug)]
struct Tape<R> {
    recording: Recording<R>,
    ended: bool,
    /// The primary surface's memory.
    primary: Option<Vec<u8>>,
    /// Events so far that have no expression here.
    refused: u64,
}

/// Refused events that are told of.
const REFUSALS_LOGGED: u64 = 10;

impl<R: BufRead> Replay<R> {
    /// Reads the head of a recording. Surfaces get ids below `surfaces`.
    ///
    /// # Errors
    /// As [`Recording::new`].
    fn new(reader: R, surfaces: u32) -> Result<Self, RecordingError> {
        let recording = Recording::new(reader)?;
        let tape = Tape { recording, ended: false, primary: None, refused: 0 };
        Ok(Self { tape: Mutex::new(tape), surfaces: Surfaces::new(surfaces) })
    }

    /// The next command; what is recorded before it is done to the device. `None` at the end, for good.
    ///
    /// It waits while no surface id is free and the host still holds a command that frees one.
    fn next(&self, device: &mut dyn Device) -> Option<Box<ReplayCommand>> {
        let mut tape = self.tape.lock().unwrap_or_else(PoisonError::into_inner);
        let command = tape.next(device, &self.surfaces).and_then(|command| self.lay_out(&command));
        tape.ended |= command.is_none();
        command
    }

    /// The host is done with a command.
    fn free(&self, command: Box<ReplayCommand>) {
        let ends = command.ends;
        drop(command);
        if let Some(surface) = ends {
            self.surfaces.free(surface);
        }
    }

    fn lay_out(&self, command: &Command) -> Option<Box<ReplayCommand>> {
        if let Command::Surface(SurfaceCommand::Create { surface, .. }) = command
            && self.surfaces.begin(*surface).is_none()
        {
            tracing::error!("the recording has more surfaces at once than the host's device");
            return None;
        }
        let mut laid_out = ReplayCommand::new(command, &|surface| self.surfaces.shown(surface));
        if let Command::Surface(SurfaceCommand::Destroy { surface }) = command {
            laid_out.ends = self.surfaces.end(*surface);
        }
        Some(laid_out)
    }
}

impl<R: BufRead> Tape<R> {
    fn next(&mut self, device: &mut dyn Device, surfaces: &Surfaces) -> Option<Command> {
        while !self.ended {
            let recorded = match self.recording.next_event() {
                Ok(recorded) => recorded?,
                Err(error) => {
                    tracing::warn!("the recording cannot be played any further: {error}");
                    return None;
                }
            };
            match recorded.event {
                Event::Guest(GuestEvent::Command(command)) => return Some(command),
                Event::Guest(GuestEvent::Device(event)) => self.carry_out(&event, device, surfaces),
                Event::Refused(why) => {
                    if self.refused < REFUSALS_LOGGED {
                        tracing::warn!("event {} of the recording is left out: {why}", recorded.number);
                    }
                    self.refused += 1;
                    if recorded.is_command {
                        // Commands are counted, so there is one that does nothing in its place.
                        return Some(write::nothing());
                    }
                }
                Event::Ignored => {}
            }
        }
        None
    }

    fn carry_out(&mut self, event: &DeviceEvent, device: &mut dyn Device, surfaces: &Surfaces) {
        match event {
            DeviceEvent::CreatePrimary(primary) => self.create_primary(primary, device),
            DeviceEvent::DestroyPrimary => self.destroy_primary(device),
            DeviceEvent::DestroySurfaces => {
                device.destroy_surfaces();
                surfaces.clear();
                self.primary = None;
            }
            // Not recorded, or nothing that a host does by itself.
            _ => {}
        }
    }

    fn create_primary(&mut self, primary: &PrimarySurface, device: &mut dyn Device) {
        if self.primary.is_some() {
            self.destroy_primary(device);
        }
        let PrimarySurface { width, height, format, content } = primary;
        let Some(mut pixels) = Pixels::new((*width, *height), *format, content.as_deref()) else {
            tracing::warn!("a primary surface of {width}x{height} pixels is left out");
            return;
        };
        let mut create = QXLDevSurfaceCreate {
            width: *width,
            height: *height,
            stride: pixels.stride,
            format: format.0,
            position: 0,
            // Every host says so.
            mouse_mode: 1,
            flags: content.is_some().into(),
            kind: 0,
            mem: arena::address(&mut pixels.memory),
            group_id: 0,
        };
        device.create_primary(&mut create);
        self.primary = Some(pixels.memory);
    }

    fn destroy_primary(&mut self, device: &mut dyn Device) {
        device.destroy_primary();
        self.primary = None;
    }
}
