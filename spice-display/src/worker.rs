//! The worker of one QXL device: its guest's events, its display and its pointer.

use core::time::Duration;

use spice_channel::{Channel, ChannelConfig, RoomLimits, Time};
use spice_proto::{ChannelId, SurfaceId};

use crate::qxl::{Command, DeviceEvent, GuestEvent, PrimarySurface, SurfaceCommand};
use crate::surface::{DrawError, SurfaceError, SurfaceShape};
use crate::{CursorChannel, DisplayChannel, DisplayConfig};

/// How a worker treats its guest and its viewers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkerConfig {
    /// Which display, and which cursor channel beside it.
    pub id: ChannelId,
    /// The display channel.
    pub display: DisplayConfig,
    /// The connections of the cursor channel.
    pub cursor: ChannelConfig,
}

impl Default for WorkerConfig {
    fn default() -> Self {
        let display = DisplayConfig::default();
        let cursor = ChannelConfig {
            room: RoomLimits { most: 256 << 10, first: 64 << 10, ..RoomLimits::default() },
            ..display.connections
        };
        Self { id: ChannelId(0), display, cursor }
    }
}

impl WorkerConfig {
    /// The same, with viewers that take or answer nothing for `limit` ended.
    #[must_use]
    pub fn with_stall_limit(mut self, limit: Duration) -> Self {
        self.display.connections = self.display.connections.with_stall_limit(limit);
        self.cursor = self.cursor.with_stall_limit(limit);
        self
    }
}

/// Why a guest's command or event was refused. It costs that command and nothing else.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CommandError {
    /// A drawing command that cannot be painted.
    #[error("draw refused: {0}")]
    Draw(#[from] DrawError),
    /// A surface that cannot be had.
    #[error("surface refused: {0}")]
    Surface(#[from] SurfaceError),
}

/// The display and the pointer of one QXL device.
#[derive(Debug)]
pub struct RedWorker {
    display: DisplayChannel,
    cursor: CursorChannel,
}

impl RedWorker {
    /// A device without a surface, a pointer or viewers.
    #[must_use]
    pub fn new(config: &WorkerConfig) -> Self {
        Self {
            display: DisplayChannel::new(config.id, config.display),
            cursor: CursorChannel::new(config.id, config.cursor),
        }
    }

    /// The display channel.
    #[must_use]
    pub fn display(&self) -> &DisplayChannel {
        &self.display
    }

    /// The display channel.
    pub fn display_mut(&mut self) -> &mut DisplayChannel {
        &mut self.display
    }

    /// The cursor channel.
    pub fn cursor_mut(&mut self) -> &mut CursorChannel {
        &mut self.cursor
    }

    /// Both channels, the display first.
    pub fn channels_mut(&mut self) -> (&mut DisplayChannel, &mut CursorChannel) {
        (&mut self.display, &mut self.cursor)
    }

    /// When one of the channels has to be told that time has passed.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Time> {
        self.display.poll_timeout().into_iter().chain(self.cursor.poll_timeout()).min()
    }

    /// Takes what the guest says.
    ///
    /// # Errors
    /// What is refused, and why. Everything before and after it holds.
    pub fn handle_event(&mut self, event: GuestEvent) -> Result<(), CommandError> {
        match event {
            GuestEvent::Command(command) => self.handle_command(command),
            GuestEvent::Device(DeviceEvent::CreatePrimary(primary)) => self.create_primary(&primary),
            GuestEvent::Device(DeviceEvent::DestroyPrimary) => {
                self.cursor.reset();
                Ok(self.display.destroy_surface(SurfaceId::PRIMARY)?)
            }
            GuestEvent::Device(DeviceEvent::Monitors(monitors)) => {
                // One without a head changes nothing.
                let _ = self.display.set_monitors(monitors);
                Ok(())
            }
            GuestEvent::Device(DeviceEvent::ResetCursor) => {
                self.cursor.reset();
                Ok(())
            }
            GuestEvent::Device(DeviceEvent::GlScanout(scanout)) => {
                self.display.set_gl_scanout(scanout);
                Ok(())
            }
            GuestEvent::Device(DeviceEvent::GlDraw(draw)) => {
                self.display.gl_draw(&draw);
                Ok(())
            }
            GuestEvent::Device(DeviceEvent::DriverUnload) => {
                self.display.handle_driver_unload();
                Ok(())
            }
            GuestEvent::Device(DeviceEvent::DestroySurfaces) => {
                self.cursor.reset();
                self.display.destroy_surfaces();
                Ok(())
            }
        }
    }

    fn handle_command(&mut self, command: Command) -> Result<(), CommandError> {
        match command {
            Command::Draw(drawable) => Ok(self.display.draw(drawable)?),
            Command::Cursor(command) => {
                self.cursor.handle_command(&command);
                Ok(())
            }
            Command::Surface(SurfaceCommand::Create { surface, width, height, format, content }) => {
                let shape = SurfaceShape { width, height, format };
                Ok(self.display.create_surface(surface, shape, content.as_deref())?)
            }
            Command::Surface(SurfaceCommand::Destroy { surface }) => {
                Ok(self.display.destroy_surface(surface)?)
            }
            Command::Update(update) => {
                self.display.canvas(update.surface, update.area);
                Ok(())
            }
            Command::Message(_) => Ok(()),
        }
    }

    fn create_primary(&mut self, primary: &PrimarySurface) -> Result<(), CommandError> {
        if self.display.surfaces().surface(SurfaceId::PRIMARY).is_some() {
            self.display.destroy_surface(SurfaceId::PRIMARY)?;
        }
        let shape = SurfaceShape { width: primary.width, height: primary.height, format: primary.format };
        Ok(self.display.create_surface(SurfaceId::PRIMARY, shape, primary.content.as_deref())?)
    }
}
