//! Lines of JSON without nesting, as the programs print them.

/// The number behind a key.
pub(crate) fn number(line: &str, key: &str) -> Option<f64> {
    let (_, rest) = line.split_once(&format!("\"{key}\":"))?;
    rest.split([',', '}']).next()?.parse().ok()
}
