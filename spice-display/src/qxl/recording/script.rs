//! Recordings made by tests, line by line.

/// Writes a recording, event by event.
#[derive(Debug)]
pub(super) struct Script {
    bytes: Vec<u8>,
    number: u64,
}

impl Script {
    pub(super) fn new() -> Self {
        Self { bytes: b"SPICE_REPLAY 1\n".to_vec(), number: 0 }
    }

    pub(super) fn command(&mut self, kind: u32, nanos: u64) -> &mut Self {
        self.event(0, kind, nanos)
    }

    pub(super) fn message(&mut self, kind: u32, nanos: u64) -> &mut Self {
        self.event(1, kind, nanos)
    }

    pub(super) fn event(&mut self, what: u32, kind: u32, nanos: u64) -> &mut Self {
        let number = self.number;
        self.number += 1;
        self.line(&format!("event {number} {what} {kind} {nanos}"))
    }

    /// One line, or several.
    pub(super) fn line(&mut self, line: &str) -> &mut Self {
        self.bytes.extend_from_slice(line.as_bytes());
        self.bytes.push(b'\n');
        self
    }

    pub(super) fn data(&mut self, name: &str, data: &[u8]) -> &mut Self {
        self.bytes.extend_from_slice(format!("binary 0 {name} {}:", data.len()).as_bytes());
        self.bytes.extend_from_slice(data);
        self.bytes.push(b'\n');
        self
    }

    pub(super) fn chunks(&mut self, name: &str, chunks: &[&[u8]]) -> &mut Self {
        let total: usize = chunks.iter().map(|chunk| chunk.len()).sum();
        self.line(&format!("data_chunks {} {total}", chunks.len() - 1));
        for chunk in chunks {
            self.data(name, chunk);
        }
        self
    }

    /// The fields of a drawable before its operation.
    pub(super) fn drawable(&mut self, bbox: &str, surface: u32, kind: u32) -> &mut Self {
        self.line("drawable").line(&format!("rect bbox {bbox}")).line("type 0").drawable_tail(surface, kind)
    }

    /// The fields of a drawable between its clip and its operation.
    pub(super) fn drawable_tail(&mut self, surface: u32, kind: u32) -> &mut Self {
        self.line("effect 1\nmm_time -1\nself_bitmap 0\nrect self_bitmap_area 0 0 0 0");
        self.line(&format!("surface_id {surface}"));
        for _ in 0..3 {
            self.line("surfaces_dest -1\nrect surfaces_rects 0 0 0 0");
        }
        self.line(&format!("type {kind}"))
    }

    /// A bitmap in one piece.
    pub(super) fn bitmap(&mut self, format: u8, flags: u8, (x, y): (u32, u32), data: &[u8]) -> &mut Self {
        self.image_head(0, (x, y));
        self.line(&format!("bitmap.format {format}\nbitmap.flags {flags}\nbitmap.x {x}\nbitmap.y {y}"));
        self.line(&format!("bitmap.stride {}\nhas_palette 0", x * 4));
        self.data("image_data_flat", data)
    }

    pub(super) fn image_head(&mut self, kind: u32, (width, height): (u32, u32)) -> &mut Self {
        self.line("image 1\ndescriptor.id 18446744069414584321");
        self.line(&format!("descriptor.type {kind}\ndescriptor.flags 0"));
        self.line(&format!("descriptor.width {width}\ndescriptor.height {height}"))
    }

    /// What follows the image of a copy.
    pub(super) fn copy_tail(&mut self, source_area: &str) -> &mut Self {
        self.line(&format!("rect src_area {source_area}\nrop_descriptor 8\nscale_mode 0")).no_mask()
    }

    pub(super) fn fill(&mut self, colour: i32) -> &mut Self {
        self.line(&format!("type 1\nu.color {colour}\nrop_descriptor 8")).no_mask()
    }

    pub(super) fn no_mask(&mut self) -> &mut Self {
        self.line("flags 0\npoint 0 0\nimage 0")
    }

    pub(super) fn finish(&self) -> Vec<u8> {
        self.bytes.clone()
    }
}
