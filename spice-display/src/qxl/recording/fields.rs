//! Typed reading of an event's parts, in their order.

use bytes::Bytes;
use spice_proto::{Point, Rect};

use super::error::{Problem, RecordingError};
use super::token::{PartRef, Parts};

/// The parts of one event from some part on.
#[derive(Debug)]
pub(super) struct Fields<'a> {
    parts: &'a Parts,
    next: usize,
}

impl<'a> Fields<'a> {
    pub(super) fn new(parts: &'a Parts) -> Self {
        Self { parts, next: 0 }
    }

    /// Takes a line that is exactly this.
    pub(super) fn keyword(&mut self, word: &str) -> Result<(), RecordingError> {
        let expected = || format!("`{word}`");
        match self.take(&expected)? {
            PartRef::Line(line) if line == word.as_bytes() => Ok(()),
            other => Err(self.unexpected(expected(), &other)),
        }
    }

    /// Whether the next part is a line that begins with this.
    pub(super) fn comes(&self, prefix: &str) -> bool {
        matches!(self.parts.part(self.next), Some(PartRef::Line(line)) if line.starts_with(prefix.as_bytes()))
    }

    /// Takes a line of this name, which may be empty, and numbers.
    pub(super) fn numbers<const N: usize>(&mut self, name: &str) -> Result<[i128; N], RecordingError> {
        let expected = || match (name, N) {
            ("", _) => format!("a line of {N} numbers"),
            (_, 1) => format!("`{name}` and a number"),
            _ => format!("`{name}` and {N} numbers"),
        };
        let part = self.take(&expected)?;
        match &part {
            PartRef::Line(line) => match parse_numbers(line, name) {
                Some(numbers) => Ok(numbers),
                None => Err(self.unexpected(expected(), &part)),
            },
            PartRef::Data { .. } => Err(self.unexpected(expected(), &part)),
        }
    }

    /// Takes a line of this name and one number that `T` holds.
    pub(super) fn number<T: TryFrom<i128>>(&mut self, name: &str) -> Result<T, RecordingError> {
        let [number] = self.numbers(name)?;
        self.fit(name, number)
    }

    /// Takes a line of this name and 32 bits, which a recording shows with a sign or without.
    pub(super) fn word(&mut self, name: &str) -> Result<u32, RecordingError> {
        let [number] = self.numbers(name)?;
        self.word_of(name, number)
    }

    /// `number`, which a line `name` has given, as 32 bits.
    pub(super) fn word_of(&self, name: &str, number: i128) -> Result<u32, RecordingError> {
        match u32::try_from(number) {
            Ok(word) => Ok(word),
            Err(_) => self.fit::<i32>(name, number).map(i32::cast_unsigned),
        }
    }

    /// `number`, which a line `name` has given, as a `T`.
    pub(super) fn fit<T: TryFrom<i128>>(&self, name: &str, number: i128) -> Result<T, RecordingError> {
        T::try_from(number).map_err(|_| {
            let bits = size_of::<T>() * 8;
            let expected = format!("a number of {bits} bits for `{name}`");
            self.fault(Problem::unexpected(expected, number.to_string().as_bytes()))
        })
    }

    /// Takes `rect NAME`; `name` holds both words.
    pub(super) fn rect(&mut self, name: &str) -> Result<Rect, RecordingError> {
        let [top, left, bottom, right] = self.numbers(name)?;
        Ok(Rect::from_edges(
            self.fit(name, left)?,
            self.fit(name, top)?,
            self.fit(name, right)?,
            self.fit(name, bottom)?,
        ))
    }

    /// Takes `point`.
    pub(super) fn point(&mut self) -> Result<Point, RecordingError> {
        let [x, y] = self.numbers("point")?;
        Ok(Point::new(self.fit("point", x)?, self.fit("point", y)?))
    }

    /// Takes data of this name.
    pub(super) fn data(&mut self, name: &str) -> Result<Bytes, RecordingError> {
        let expected = || format!("data named `{name}`");
        match self.take(&expected)? {
            PartRef::Data { name: found, data, pieces } if found == name.as_bytes() => {
                self.check_pieces(name, pieces, 1)?;
                Ok(data.clone())
            }
            other => Err(self.unexpected(expected(), &other)),
        }
    }

    /// Whether the data that was taken last has been in so many pieces.
    fn check_pieces(&mut self, name: &str, pieces: u32, wanted: u32) -> Result<(), RecordingError> {
        if pieces < wanted {
            // Something else stands where the next piece has to be.
            let expected = || format!("data named `{name}`");
            let part = self.take(&expected)?;
            return Err(self.unexpected(expected(), &part));
        }
        if pieces > wanted {
            let expected = format!("{wanted} pieces of data named `{name}`");
            return Err(self.fault(Problem::unexpected(expected, pieces.to_string().as_bytes())));
        }
        Ok(())
    }

    /// Takes `data_chunks` and the data of this name, whose chunks are joined.
    pub(super) fn chunks(&mut self, name: &str) -> Result<Bytes, RecordingError> {
        let [more, total] = self.numbers("data_chunks")?;
        let more: u32 = self.fit("data_chunks", more)?;
        let expected = || format!("data named `{name}`");
        let joined = match self.take(&expected)? {
            PartRef::Data { name: found, data, pieces } if found == name.as_bytes() => {
                self.check_pieces(name, pieces, more.saturating_add(1))?;
                data.clone()
            }
            other => return Err(self.unexpected(expected(), &other)),
        };
        if i128::try_from(joined.len()) == Ok(total) {
            Ok(joined)
        } else {
            let expected = format!("{total} bytes of data named `{name}`");
            Err(self.fault(Problem::unexpected(expected, format!("{} bytes", joined.len()).as_bytes())))
        }
    }

    /// Makes sure that nothing is left.
    pub(super) fn finish(self) -> Result<(), RecordingError> {
        match self.parts.part(self.next) {
            None => Ok(()),
            Some(part) => {
                Err(RecordingError::new(self.parts.place(self.next), unexpected("the next event", &part)))
            }
        }
    }

    fn take(&mut self, expected: &dyn Fn() -> String) -> Result<PartRef<'a>, RecordingError> {
        let Some(part) = self.parts.part(self.next) else {
            let problem = match self.parts.is_last() {
                true => Problem::truncated(expected()),
                false => Problem::unexpected(expected(), b"event"),
            };
            return Err(RecordingError::new(self.parts.place(self.next), problem));
        };
        self.next += 1;
        Ok(part)
    }

    /// An error about the part that was taken last.
    fn fault(&self, problem: Problem) -> RecordingError {
        RecordingError::new(self.parts.place(self.next.saturating_sub(1)), problem)
    }

    fn unexpected(&self, expected: String, found: &PartRef<'_>) -> RecordingError {
        self.fault(unexpected(expected, found))
    }
}

fn unexpected(expected: impl Into<String>, found: &PartRef<'_>) -> Problem {
    match found {
        PartRef::Line(line) => Problem::unexpected(expected, line),
        PartRef::Data { name, .. } => Problem::unexpected(expected, &[b"binary ", *name].concat()),
    }
}

fn parse_numbers<const N: usize>(line: &[u8], name: &str) -> Option<[i128; N]> {
    let mut rest = line.strip_prefix(name.as_bytes())?;
    if !name.is_empty() {
        rest = rest.strip_prefix(b" ")?;
    }
    let mut words = core::str::from_utf8(rest).ok()?.split(' ');
    let mut numbers = [0; N];
    for number in &mut numbers {
        *number = words.next()?.parse().ok()?;
    }
    words.next().is_none().then_some(numbers)
}
