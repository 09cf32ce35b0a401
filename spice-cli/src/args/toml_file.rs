//! Files of TOML: what is wrong with one is a sentence with the line, and the name that was meant.

use serde::de::DeserializeOwned;

use super::values::one_line;

/// Reads what `text` says; `name` is what messages call the file. No value of the file is in them, unless it is one that
/// has to be out of a list.
pub(crate) fn read<T: DeserializeOwned>(text: &str, name: &str) -> Result<T, String> {
    toml::from_str(text).map_err(|error| {
        let place = error.span().map_or_else(
            || format!("in {name}"),
            |span| format!("at line {} of {name}", line(text, span.start)),
        );
        match unknown(error.message()) {
            Some(unknown) => unknown.sentence(&place),
            None => format!("{place}: {}", one_line(&error.message())),
        }
    })
}

/// The number of the line in which this byte stands, from 1.
pub(crate) fn line(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}

/// A name that is none, out of what serde says of it.
#[derive(Debug, PartialEq)]
pub(crate) struct Unknown<'m> {
    is_key: bool,
    name: &'m str,
    nearest: Option<&'m str>,
    others: Vec<&'m str>,
}

/// ``unknown field `x`, expected one of `a`, `b` `` and the same of variants.
pub(crate) fn unknown(message: &str) -> Option<Unknown<'_>> {
    let is_key = message.starts_with("unknown field `");
    if !is_key && !message.starts_with("unknown variant `") {
        return None;
    }
    let mut names = message.split('`').skip(1).step_by(2);
    let name = names.next()?;
    let others: Vec<_> = names.collect();
    Some(Unknown { is_key, name, nearest: nearest(name, &others), others })
}

/// The name that this one is a slip of, most likely: of a letter, and of one more for every four.
fn nearest<'n>(name: &str, names: &[&'n str]) -> Option<&'n str> {
    let slips = names.iter().map(|other| (strsim::damerau_levenshtein(name, other), *other));
    let best =
        slips.filter(|(slips, _)| *slips <= 1 + name.chars().count() / 4).min_by_key(|(slips, _)| *slips);
    best.map(|(_, name)| name)
}

impl Unknown<'_> {
    /// The sentence about it; `place` follows the name.
    pub(crate) fn sentence(&self, place: &str) -> String {
        let Self { is_key, name, nearest, others } = self;
        let kind = if *is_key { "unknown key" } else { "unknown word" };
        let space = if place.is_empty() { "" } else { " " };
        match nearest {
            Some(nearest) => format!("{kind} `{name}`{space}{place}; did you mean `{nearest}`?"),
            // A list that is longer helps nobody.
            None if (1..=8).contains(&others.len()) => {
                format!("{kind} `{name}`{space}{place}; there are {}", others.join(", "))
            }
            None => format!("{kind} `{name}`{space}{place}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::ServerOptions;

    fn wrong(text: &str) -> String {
        read::<ServerOptions>(text, "server.toml").unwrap_err()
    }

    #[test]
    fn an_unknown_key_is_told_with_its_line_and_the_nearest_name() {
        let text = "# what\nguest = 'x'\nlistn = ['127.0.0.1:5900']\n";
        assert_eq!(wrong(text), "unknown key `listn` at line 3 of server.toml; did you mean `listen`?");
        assert_eq!(
            wrong("tls_cert = 'x'"),
            "unknown key `tls_cert` at line 1 of server.toml; did you mean `tls-cert`?"
        );
        assert_eq!(wrong("qqqq = 1"), "unknown key `qqqq` at line 1 of server.toml");
        assert_eq!(wrong("\n[server]\nguest = 'x'"), "unknown key `server` at line 2 of server.toml");
    }

    #[test]
    fn what_has_the_wrong_type_is_told_with_its_line() {
        for (text, line, words) in [
            ("guest = 'x'\nhold = 'yes'", 2, "expected a boolean"),
            ("max-viewers = 'many'", 1, "expected i64"),
            ("max-viewers = 0", 1, "not a number from 1 to 100000"),
            ("listen = '127.0.0.1:5900'", 1, "expected a sequence"),
            ("listen = [\n  'unix:x',\n  'nowhere',\n]", 3, "neither ADDR:PORT"),
            ("image-compression = 'zip'", 1, "auto_glz"),
            ("channel-security = 'default=tls'", 1, "CHANNEL=secure"),
            ("admin = '0.0.0.0:80'", 1, "loopback"),
            ("guest = 'x'\nguest = 'y'", 2, "duplicate key"),
            ("guest = 'x'\n\nguest", 3, "expected"),
        ] {
            let said = wrong(text);
            let place = format!("at line {line} of server.toml: ");
            assert!(said.contains(&place) && said.contains(words) && !said.contains('\n'), "{text}: {said}");
        }
    }

    #[test]
    fn what_serde_says_of_unknown_names_is_understood() {
        let message = serde_json::from_str::<ServerOptions>("{\"hodl\": true}").unwrap_err().to_string();
        let unknown = unknown(&message).unwrap();
        assert_eq!((unknown.is_key, unknown.name, unknown.nearest), (true, "hodl", Some("hold")));
        assert_eq!(super::unknown("invalid type: integer `5`, expected a string"), None);
    }
}
