//! The outer form of a recording: events, each of lines and of data between them.

use std::io::{self, BufRead, Read};

use bytes::Bytes;

use super::error::{Place, Problem, RecordingError};

/// Bytes of data in one event; a screen of 8192x8192 fits.
pub const MAX_EVENT_DATA: usize = 256 << 20;
/// Lines and pieces of data in one event.
pub const MAX_EVENT_PARTS: usize = 1 << 16;
/// Bytes in a line.
pub const MAX_LINE: usize = 1 << 10;

/// How much room is made for data before any of it has been seen.
const FIRST_ROOM: usize = 16 << 20;
const MAGIC: &[u8] = b"SPICE_REPLAY";

/// The line that begins an event.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    pub(super) number: u64,
    /// 0 for a command, 1 for a message of the worker's dispatcher.
    pub(super) what: u32,
    /// Which command, or which message.
    pub(super) kind: u32,
    pub(super) nanos: u64,
    /// Where the line begins.
    pub(super) offset: u64,
}

/// A line, or data.
#[derive(Clone, Debug)]
struct Part {
    offset: u64,
    /// The line, or the name of the data, in [`Parts::text`].
    start: usize,
    end: usize,
    data: Option<Data>,
}

/// Data, of which pieces of one name that follow each other are joined.
#[derive(Clone, Debug, Default)]
struct Data {
    bytes: Bytes,
    pieces: u32,
}

/// What an event holds. It is filled again for each event, so that its memory is made once.
#[derive(Debug, Default)]
pub(super) struct Parts {
    text: Vec<u8>,
    parts: Vec<Part>,
    /// What was read so far of the data that is the last part.
    joined: Vec<u8>,
    /// Where the event ends.
    end: u64,
    /// Whether the recording ends there as well.
    last: bool,
    number: u64,
}

/// One part as the decoder sees it.
pub(super) enum PartRef<'a> {
    Line(&'a [u8]),
    Data { name: &'a [u8], data: &'a Bytes, pieces: u32 },
}

impl Parts {
    pub(super) fn part(&self, index: usize) -> Option<PartRef<'_>> {
        let part = self.parts.get(index)?;
        let text = self.text.get(part.start..part.end).unwrap_or(&[]);
        Some(match &part.data {
            Some(Data { bytes, pieces }) => PartRef::Data { name: text, data: bytes, pieces: *pieces },
            None => PartRef::Line(text),
        })
    }

    /// The place of part number `index`, which is the event's end when there are not so many.
    pub(super) fn place(&self, index: usize) -> Place {
        let offset = self.parts.get(index).map_or(self.end, |part| part.offset);
        Place { event: Some(self.number), offset }
    }

    /// Whether nothing follows this event.
    pub(super) fn is_last(&self) -> bool {
        self.last
    }

    /// Lets go of the data, which would otherwise live until the next event.
    pub(super) fn clear(&mut self) {
        self.text.clear();
        self.parts.clear();
        self.joined.clear();
    }

    /// Whether the last part is data of the name that stands in the text from `start` on.
    fn joins(&self, start: usize) -> bool {
        let last = self.parts.last().filter(|part| part.data.is_some());
        let name = last.and_then(|part| self.text.get(part.start..part.end));
        name.is_some() && name == self.text.get(start..)
    }

    /// The data that is the last part, if it is data, is whole.
    fn close(&mut self) {
        if let Some(Part { data: Some(data), .. }) = self.parts.last_mut() {
            data.bytes = Bytes::from(std::mem::take(&mut self.joined));
        }
    }

    /// Bytes of the data that comes now, as the line before it says. It is what room is made for, so it is taken for
    /// true up to a limit.
    fn announced(&self) -> usize {
        let last = self.parts.last().and_then(|part| self.text.get(part.start..part.end));
        let total = last
            .and_then(|line| line.strip_prefix(b"data_chunks "))
            .and_then(|line| line.split(|byte| *byte == b' ').next_back())
            .and_then(number);
        total.and_then(|total| usize::try_from(total).ok()).unwrap_or(0).min(FIRST_ROOM)
    }

    fn begin(&mut self, number: u64) {
        self.clear();
        self.number = number;
        self.last = false;
    }
}

/// Cuts a recording into events.
#[derive(Debug)]
pub(super) struct Tokenizer<R> {
    reader: R,
    /// Bytes taken from the reader.
    offset: u64,
    /// The next event's first line, which is read to know where an event ends.
    next: Option<Header>,
    event: Option<u64>,
}

impl<R: BufRead> Tokenizer<R> {
    /// Reads the head of the recording.
    pub(super) fn new(reader: R) -> Result<Self, RecordingError> {
        let mut tokenizer = Self { reader, offset: 0, next: None, event: None };
        let mut line = Vec::new();
        let start = tokenizer.place();
        match tokenizer.read_until(b"\n", &mut line) {
            Ok(Some(_)) => {}
            Err(error @ Problem::Read(_)) => return Err(RecordingError::new(start, error)),
            Ok(None) | Err(_) => return Err(RecordingError::new(start, Problem::NotARecording)),
        }
        let version = line.strip_prefix(MAGIC).and_then(|line| line.strip_prefix(b" "));
        match version {
            Some(b"1") => {}
            Some(other) => {
                let version = other.escape_ascii().to_string();
                return Err(RecordingError::new(start, Problem::Version(version)));
            }
            None => return Err(RecordingError::new(start, Problem::NotARecording)),
        }
        line.clear();
        tokenizer.next = tokenizer.read_first_header(&mut line)?;
        Ok(tokenizer)
    }

    /// Where the event begins that [`Self::read_event`] reads next, or the end of the recording.
    pub(super) fn position(&self) -> u64 {
        self.next.as_ref().map_or(self.offset, |header| header.offset)
    }

    /// Reads an event's parts, up to the next event or to the end. `None` when no event is left.
    pub(super) fn read_event(&mut self, parts: &mut Parts) -> Result<Option<Header>, RecordingError> {
        let Some(header) = self.next.take() else { return Ok(None) };
        parts.begin(header.number);
        self.event = Some(header.number);
        let mut room = MAX_EVENT_DATA;
        let mut count = 0;
        loop {
            let place = self.place();
            let next =
                self.read_part(parts, &mut room).map_err(|problem| RecordingError::new(place, problem))?;
            match next {
                Next::Part if count < MAX_EVENT_PARTS => count += 1,
                Next::Part => {
                    let problem = Problem::TooLarge { what: "an event's lines", limit: MAX_EVENT_PARTS };
                    return Err(RecordingError::new(place, problem));
                }
                Next::Event(next) => {
                    self.next = Some(next);
                    parts.close();
                    parts.end = place.offset;
                    return Ok(Some(header));
                }
                Next::End => {
                    parts.close();
                    parts.end = place.offset;
                    parts.last = true;
                    return Ok(Some(header));
                }
            }
        }
    }

    fn place(&self) -> Place {
        Place { event: self.event, offset: self.offset }
    }

    fn read_first_header(&mut self, line: &mut Vec<u8>) -> Result<Option<Header>, RecordingError> {
        let place = self.place();
        let header = self.read_word(line).and_then(|word| match word {
            Word::End => Ok(None),
            Word::Event => self.read_header(place.offset, line).map(Some),
            Word::Data | Word::Line | Word::Whole => Err(Problem::unexpected("the first event", line)),
        });
        header.map_err(|problem| RecordingError::new(place, problem))
    }

    fn read_part(&mut self, parts: &mut Parts, room: &mut usize) -> Result<Next, Problem> {
        let offset = self.offset;
        let start = parts.text.len();
        let data = match self.read_word(&mut parts.text)? {
            Word::End => return Ok(Next::End),
            Word::Event => {
                parts.text.truncate(start);
                let header = self.read_header(offset, &mut parts.text)?;
                parts.text.truncate(start);
                return Ok(Next::Event(header));
            }
            Word::Whole => None,
            Word::Line => {
                self.read_line(&mut parts.text)?;
                None
            }
            Word::Data => {
                parts.text.truncate(start);
                let size = self.read_data_head(&mut parts.text, start)?;
                *room = room
                    .checked_sub(size)
                    .ok_or(Problem::TooLarge { what: "an event's bytes of data", limit: MAX_EVENT_DATA })?;
                if parts.joins(start) {
                    parts.text.truncate(start);
                    self.read_data(size, &mut parts.joined)?;
                    if let Some(Part { data: Some(data), .. }) = parts.parts.last_mut() {
                        data.pieces += 1;
                    }
                    return Ok(Next::Part);
                }
                parts.close();
                parts.joined.reserve_exact(parts.announced());
                self.read_data(size, &mut parts.joined)?;
                Some(Data { bytes: Bytes::new(), pieces: 1 })
            }
        };
        if data.is_none() {
            parts.close();
        }
        parts.parts.push(Part { offset, start, end: parts.text.len(), data });
        Ok(Next::Part)
    }

    /// Reads what follows the word `event`, through the end of the line.
    fn read_header(&mut self, offset: u64, line: &mut Vec<u8>) -> Result<Header, Problem> {
        let start = line.len();
        self.read_line(line)?;
        let fields = line.get(start..).unwrap_or(&[]);
        let wrong = || Problem::unexpected("`event` and 4 numbers", fields);
        let mut numbers = fields.split(|byte| *byte == b' ').map(number);
        let mut take = || numbers.next().flatten();
        let (Some(number), Some(what), Some(kind), Some(nanos)) = (take(), take(), take(), take()) else {
            return Err(wrong());
        };
        let (Ok(what), Ok(kind), None) = (u32::try_from(what), u32::try_from(kind), numbers.next()) else {
            return Err(wrong());
        };
        Ok(Header { number, what, kind, nanos, offset })
    }

    /// Reads what follows the word `binary`, through the colon. Leaves the data's name in `text`.
    fn read_data_head(&mut self, text: &mut Vec<u8>, start: usize) -> Result<usize, Problem> {
        const EXPECTED: &str = "`binary`, 0, a name, a size and a colon";
        let stop = self.read_until(b":\n", text)?.ok_or_else(|| Problem::truncated(EXPECTED))?;
        let head = text.get(start..).unwrap_or(&[]);
        let mut fields = head.splitn(3, |byte| *byte == b' ');
        let (compressed, name, size) = (fields.next(), fields.next(), fields.next());
        let size = size.and_then(number).and_then(|size| usize::try_from(size).ok());
        let (Some(compressed), Some(name), Some(size), b':') = (compressed, name, size, stop) else {
            return Err(Problem::unexpected(EXPECTED, head));
        };
        match compressed {
            b"0" => {}
            b"1" => return Err(Problem::Compressed),
            _ => return Err(Problem::unexpected(EXPECTED, head)),
        }
        let name = compressed.len() + 1..compressed.len() + 1 + name.len();
        text.truncate(start + name.end);
        text.drain(start..start + name.start);
        Ok(size)
    }

    /// Appends data of this size, and reads the line end after it. Memory grows with what is really there.
    fn read_data(&mut self, size: usize, data: &mut Vec<u8>) -> Result<(), Problem> {
        let mut left = size;
        while left > 0 {
            let step = left.min(data.len().max(FIRST_ROOM));
            if data.is_empty() {
                data.reserve_exact(step);
            } else {
                data.reserve(step);
            }
            let got = self.reader.by_ref().take(step as u64).read_to_end(data)?;
            self.offset += got as u64;
            if got < step {
                return Err(Problem::truncated(format!("{} more bytes of data", left - got)));
            }
            left -= got;
        }
        let mut end = Vec::new();
        match self.read_until(b"\n", &mut end)? {
            Some(_) if end.is_empty() => Ok(()),
            Some(_) => Err(Problem::unexpected("the end of the line after data", &end)),
            None => Err(Problem::truncated("the end of the line after data")),
        }
    }

    /// Appends the first word of a line.
    fn read_word(&mut self, text: &mut Vec<u8>) -> Result<Word, Problem> {
        let start = text.len();
        let stop = self.read_until(b" \n", text)?;
        let word = text.get(start..).unwrap_or(&[]);
        Ok(match (stop, word) {
            (None, b"") => Word::End,
            (None, _) => return Err(Problem::truncated("the rest of a line")),
            (Some(b' '), b"event") => Word::Event,
            (Some(b' '), b"binary") => Word::Data,
            (Some(b' '), _) => {
                text.push(b' ');
                Word::Line
            }
            (Some(_), _) => Word::Whole,
        })
    }

    /// Appends the rest of a line.
    fn read_line(&mut self, text: &mut Vec<u8>) -> Result<(), Problem> {
        match self.read_until(b"\n", text)? {
            Some(_) => Ok(()),
            None => Err(Problem::truncated("the rest of a line")),
        }
    }

    /// Appends what stands before the first of these bytes, and takes that byte too. `None` when the recording ends.
    fn read_until(&mut self, stops: &[u8], text: &mut Vec<u8>) -> Result<Option<u8>, Problem> {
        let mut room = MAX_LINE;
        loop {
            let available = match self.reader.fill_buf() {
                Ok(available) => available,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error.into()),
            };
            if available.is_empty() {
                return Ok(None);
            }
            let window = available.get(..room + 1).unwrap_or(available);
            let found = window.iter().position(|byte| stops.contains(byte));
            let (before, stop) = match found.and_then(|index| window.split_at_checked(index)) {
                Some((before, after)) => (before, after.first().copied()),
                None if window.len() > room => {
                    return Err(Problem::TooLarge { what: "a line's bytes", limit: MAX_LINE });
                }
                None => (window, None),
            };
            text.extend_from_slice(before);
            room -= before.len();
            let taken = before.len() + usize::from(stop.is_some());
            self.reader.consume(taken);
            self.offset += taken as u64;
            if stop.is_some() {
                return Ok(stop);
            }
        }
    }
}

/// What was read after a part.
enum Next {
    Part,
    Event(Header),
    End,
}

/// The first word of a line, and what it means for the rest.
enum Word {
    /// Nothing is left to read.
    End,
    /// An event begins.
    Event,
    /// Data follows.
    Data,
    /// More of the line follows.
    Line,
    /// The word is the line.
    Whole,
}

/// A number without sign, of digits alone.
fn number(digits: &[u8]) -> Option<u64> {
    let plain = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    plain
        .then_some(digits)
        .and_then(|digits| core::str::from_utf8(digits).ok())
        .and_then(|digits| digits.parse().ok())
}
