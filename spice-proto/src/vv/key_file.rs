//! The lines of a key file: groups, keys with values, comments; and how values are written in them.
//!
//! What is read, and how it is written, is what GLib's `GKeyFile` does.

use super::error::{ConnectionFileError, ConnectionFileErrorKind};

/// A line that says something.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line<'t> {
    /// A group begins.
    Group(&'t str),
    /// A key and its value, as it is written.
    Entry { key: &'t str, value: &'t str },
}

/// The lines that say something, each with its number, from 1.
pub(super) fn lines(text: &str) -> impl Iterator<Item = Result<(usize, Line<'_>), ConnectionFileError>> {
    (1..).zip(text.split('\n')).filter_map(|(number, line)| {
        let line = line.trim_end_matches('\r').trim_ascii_start();
        match parse_line(line) {
            Ok(parsed) => parsed.map(|parsed| Ok((number, parsed))),
            Err(kind) => Some(Err(ConnectionFileError { line: number, kind })),
        }
    })
}

fn parse_line(line: &str) -> Result<Option<Line<'_>>, ConnectionFileErrorKind> {
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    if let Some(name) = line.strip_prefix('[').and_then(|line| line.trim_ascii_end().strip_suffix(']')) {
        return match is_group_name(name) {
            true => Ok(Some(Line::Group(name))),
            false => Err(ConnectionFileErrorKind::GroupName),
        };
    }
    let Some((key, value)) = line.split_once('=') else { return Err(ConnectionFileErrorKind::NoMeaning) };
    let key = key.trim_ascii_end();
    match is_key(key) {
        true => Ok(Some(Line::Entry { key, value: value.trim_start_matches([' ', '\t']) })),
        false => Err(ConnectionFileErrorKind::KeyName),
    }
}

/// Whether a group can have this name: not empty, no bracket, no control character.
pub(super) fn is_group_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| matches!(c, '[' | ']') || c.is_control())
}

/// Whether a key can be called so: neither empty nor a comment, without a bracket or an equals sign, control
/// characters, or whitespace around it; a language may follow in brackets.
pub(super) fn is_key(key: &str) -> bool {
    let name = match key.strip_suffix(']').and_then(|key| key.split_once('[')) {
        Some((_, language)) if language.contains(['[', ']']) => return false,
        Some((name, _)) => name,
        None => key,
    };
    !name.is_empty()
        && !name.starts_with('#')
        && key.trim_ascii() == key
        && !name.contains(['[', ']'])
        && !key.contains(|c: char| c == '=' || c.is_control())
}

/// The text that `raw` means, or the escape in it that means nothing.
pub(super) fn unescape(raw: &str) -> Result<String, String> {
    let mut text = String::with_capacity(raw.len());
    let mut chars = raw.chars();
    while let Some(c) = chars.next() {
        text.push(if c == '\\' { unescape_one(chars.next())? } else { c });
    }
    Ok(text)
}

/// The texts of the list that `raw` means: each ends in a semicolon, which the last may leave out.
pub(super) fn unescape_list(raw: &str) -> Result<Vec<String>, String> {
    let mut list = Vec::new();
    let mut item = String::new();
    let mut chars = raw.chars();
    while let Some(c) = chars.next() {
        match c {
            ';' => list.push(std::mem::take(&mut item)),
            '\\' => match chars.next() {
                Some(';') => item.push(';'),
                other => item.push(unescape_one(other)?),
            },
            c => item.push(c),
        }
    }
    if !item.is_empty() {
        list.push(item);
    }
    Ok(list)
}

fn unescape_one(escaped: Option<char>) -> Result<char, String> {
    match escaped {
        Some('s') => Ok(' '),
        Some('n') => Ok('\n'),
        Some('t') => Ok('\t'),
        Some('r') => Ok('\r'),
        Some('\\') => Ok('\\'),
        other => Err(String::from_iter(std::iter::once('\\').chain(other))),
    }
}

/// How `text` is written: whitespace at its front, ends of lines and backslashes are escaped.
pub(super) fn escape(text: &str) -> String {
    let mut raw = String::with_capacity(text.len());
    put_escaped(text, false, &mut raw);
    raw
}

/// How a list of texts is written, each with a semicolon behind it.
pub(super) fn escape_list(list: &[String]) -> String {
    let mut raw = String::new();
    for item in list {
        put_escaped(item, true, &mut raw);
        raw.push(';');
    }
    raw
}

fn put_escaped(text: &str, in_list: bool, raw: &mut String) {
    let mut front = true;
    for c in text.chars() {
        match c {
            ' ' if front => raw.push_str("\\s"),
            '\t' if front => raw.push_str("\\t"),
            '\n' => raw.push_str("\\n"),
            '\r' => raw.push_str("\\r"),
            '\\' => raw.push_str("\\\\"),
            ';' if in_list => raw.push_str("\\;"),
            c => raw.push(c),
        }
        front &= matches!(c, ' ' | '\t');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `GKeyFile` of GLib 2.74 reads and writes.
    #[test]
    fn values_are_read_and_written_as_glib_does() {
        assert_eq!(unescape("a \\n b  ").unwrap(), "a \n b  ");
        assert_eq!(unescape("\\s\\t\\r\\\\").unwrap(), " \t\r\\");
        assert_eq!(unescape("a;b").unwrap(), "a;b");
        assert_eq!(unescape("a\\q").unwrap_err(), "\\q");
        assert_eq!(unescape("a\\;").unwrap_err(), "\\;");
        assert_eq!(unescape("a\\").unwrap_err(), "\\");
        let list = |raw| unescape_list(raw).unwrap();
        assert_eq!(list("a;b\\;c;;d"), ["a", "b;c", "", "d"]);
        assert_eq!(list("a;b;"), ["a", "b"]);
        assert_eq!(list(";"), [""]);
        assert!(list("").is_empty());
        assert_eq!(escape(" \t lead\n\r\\ ;x\ttail "), "\\s\\t\\slead\\n\\r\\\\ ;x\ttail ");
        let items = ["a;b", " c", "", "d\\"].map(String::from);
        assert_eq!(escape_list(&items), "a\\;b;\\sc;;d\\\\;");
    }

    #[test]
    fn lines_are_read_as_glib_does() {
        let one = |line| lines(line).collect::<Result<Vec<_>, _>>();
        let entry = |key, value| Ok(vec![(1, Line::Entry { key, value })]);
        assert_eq!(one("# a = b"), Ok(vec![]));
        assert_eq!(one("  \t"), Ok(vec![]));
        assert_eq!(one("  [g]  \r"), Ok(vec![(1, Line::Group("g"))]));
        assert_eq!(one(" k x = v = w \r"), entry("k x", "v = w "));
        assert_eq!(one("k[fr]="), entry("k[fr]", ""));
        assert_eq!(one("k#=1"), entry("k#", "1"));
        for (line, kind) in [
            ("k", ConnectionFileErrorKind::NoMeaning),
            (";x", ConnectionFileErrorKind::NoMeaning),
            ("[g", ConnectionFileErrorKind::NoMeaning),
            ("[g]x", ConnectionFileErrorKind::NoMeaning),
            ("[]", ConnectionFileErrorKind::GroupName),
            ("[a]b]", ConnectionFileErrorKind::GroupName),
            ("=v", ConnectionFileErrorKind::KeyName),
            ("a[b=v", ConnectionFileErrorKind::KeyName),
            ("[a=v", ConnectionFileErrorKind::KeyName),
            ("a[b]c=v", ConnectionFileErrorKind::KeyName),
        ] {
            assert_eq!(one(line), Err(ConnectionFileError { line: 1, kind }), "{line}");
        }
    }
}
