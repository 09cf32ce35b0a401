//! What options are made of: values that a command line, a file and a request spell the same way.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;
use std::time::Duration;

use serde::de::{Deserialize, Deserializer, Error, Visitor};

/// A value that is written as a text, whatever it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Text<T>(pub(crate) T);

impl<T: FromStr> FromStr for Text<T> {
    type Err = T::Err;

    fn from_str(text: &str) -> Result<Self, T::Err> {
        text.parse().map(Self)
    }
}

impl<'de, T: FromStr<Err: fmt::Display>> Deserialize<'de> for Text<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(TextVisitor(PhantomData))
    }
}

/// Parses where the deserializer still knows the place: one of a list is told with its own line.
struct TextVisitor<T>(PhantomData<T>);

impl<T: FromStr<Err: fmt::Display>> Visitor<'_> for TextVisitor<T> {
    type Value = Text<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Text<T>, E> {
        text.parse().map_err(|error: T::Err| E::custom(one_line(&error)))
    }
}

/// An error as a part of a sentence.
pub(crate) fn one_line(error: &impl fmt::Display) -> String {
    error.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A whole number from `MIN` to `MAX`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Number<const MIN: u64, const MAX: u64>(u64);

impl<const MIN: u64, const MAX: u64> Number<MIN, MAX> {
    pub(crate) const fn value(self) -> u64 {
        self.0
    }

    /// The same, for what is counted in memory.
    pub(crate) fn count(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }

    fn new(value: Option<u64>) -> Result<Self, String> {
        let within = value.filter(|value| (MIN..=MAX).contains(value));
        within.map(Self).ok_or_else(|| format!("not a number from {MIN} to {MAX}"))
    }
}

impl<const MIN: u64, const MAX: u64> FromStr for Number<MIN, MAX> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::new(text.parse().ok())
    }
}

impl<'de, const MIN: u64, const MAX: u64> Deserialize<'de> for Number<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(u64::try_from(i64::deserialize(deserializer)?).ok()).map_err(D::Error::custom)
    }
}

/// A time from a second to ten years: a number of seconds, or of others with their units (`90`, `10m`, `1h30m`, `2d`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Period(pub(crate) Duration);

const TEN_YEARS: u64 = 3650 * 86_400;

impl Period {
    fn of_seconds(seconds: Option<u64>) -> Result<Self, String> {
        match seconds {
            Some(seconds @ 1..=TEN_YEARS) => Ok(Self(Duration::from_secs(seconds))),
            _ => Err("not a time from 1 s to 10 years, as in `90`, `10m`, `1h30m` or `2d`".into()),
        }
    }
}

impl FromStr for Period {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::of_seconds(seconds(text))
    }
}

/// `None` where it is no time, or one that is too long to be told.
fn seconds(text: &str) -> Option<u64> {
    let mut total = 0_u64;
    let mut rest = text;
    // From long to short, each at most once: what repeats a unit is most likely a slip.
    let mut shorter_than = u64::MAX;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (digits, unit) = rest.split_at(end);
        let (unit, left) = match unit.chars().next() {
            None if rest.len() == text.len() => (1, ""),
            Some('s') => (1, &unit[1..]),
            Some('m') => (60, &unit[1..]),
            Some('h') => (3600, &unit[1..]),
            Some('d') => (86_400, &unit[1..]),
            _ => return None,
        };
        if unit >= shorter_than {
            return None;
        }
        shorter_than = unit;
        total = total.checked_add(digits.parse::<u64>().ok()?.checked_mul(unit)?)?;
        rest = left;
    }
    Some(total)
}

impl<'de> Deserialize<'de> for Period {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PeriodVisitor)
    }
}

struct PeriodVisitor;

impl Visitor<'_> for PeriodVisitor {
    type Value = Period;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number of seconds, or a time such as \"10m\"")
    }

    fn visit_u64<E: Error>(self, seconds: u64) -> Result<Period, E> {
        Period::of_seconds(Some(seconds)).map_err(E::custom)
    }

    fn visit_i64<E: Error>(self, seconds: i64) -> Result<Period, E> {
        Period::of_seconds(u64::try_from(seconds).ok()).map_err(E::custom)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Period, E> {
        text.parse().map_err(E::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_seconds_or_have_units() {
        let seconds = |text: &str| text.parse::<Period>().map(|period| period.0.as_secs());
        for (text, expected) in [
            ("1", 1),
            ("90", 90),
            ("45s", 45),
            ("10m", 600),
            ("1h30m", 5400),
            ("2d", 172_800),
            ("3650d", TEN_YEARS),
        ] {
            assert_eq!(seconds(text), Ok(expected), "{text}");
        }
        for text in [
            "",
            "0",
            "-1",
            "+1",
            "m",
            "10",
            "1.5h",
            "10 m",
            "10m5",
            "30m1h",
            "1m1m",
            "10M",
            "0s",
            "1w",
            "10mm",
            "é",
            "99999999999999999999",
            "18446744073709551615d",
            "3651d",
        ] {
            assert_eq!(seconds(text).is_err(), text != "10", "{text}");
        }
    }

    #[test]
    fn times_are_the_same_in_json() {
        let read = |text| serde_json::from_str::<Period>(text).map(|period| period.0.as_secs());
        assert_eq!(read("600").unwrap(), 600);
        assert_eq!(read("\"10m\"").unwrap(), 600);
        for wrong in ["0", "-5", "1.5", "\"soon\"", "true", "null"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn numbers_have_bounds_wherever_they_are_written() {
        type Few = Number<2, 5>;
        for (text, fits) in
            [("1", false), ("2", true), ("5", true), ("6", false), ("-2", false), ("x", false)]
        {
            assert_eq!(text.parse::<Few>().is_ok(), fits, "{text}");
            assert_eq!(serde_json::from_str::<Few>(text).is_ok(), fits, "{text}");
        }
        assert_eq!("9".parse::<Few>().unwrap_err(), "not a number from 2 to 5");
        assert_eq!("4".parse::<Few>().unwrap().count(), 4);
    }
}
