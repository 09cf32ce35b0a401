//! `spice-cli top`.

use std::io::{self, BufRead, BufReader, ErrorKind, IsTerminal, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use rustix::termios::tcgetwinsize;

use crate::args::TopArgs;
use crate::report::Report;
use crate::table::table;

/// How long a server may be silent that has a line a second to say.
const PATIENCE: Duration = Duration::from_secs(10);

/// The longest line: some ten thousand viewers.
const LONGEST: u64 = 8 << 20;

/// Moves to the first place of the screen.
const HOME: &str = "\x1b[H";
const CLEAR_SCREEN: &str = "\x1b[2J";
const CLEAR_REST_OF_LINE: &str = "\x1b[K";
const CLEAR_REST_OF_SCREEN: &str = "\x1b[J";

/// Shows what the server says until it ends, or once; what cannot be read is one sentence.
pub(crate) fn top(args: &TopArgs) -> Result<(), String> {
    // Which of the two it is does not matter, and the command line has made sure that there is one.
    let path = args.stats_socket.as_deref().or(args.socket.as_deref()).unwrap_or(Path::new(""));
    let socket = UnixStream::connect(path)
        .map_err(|error| format!("no server behind stats socket {}: {error}", path.display()))?;
    socket.set_read_timeout(Some(PATIENCE)).map_err(|error| error.to_string())?;
    let mut lines = BufReader::new(socket);
    let is_terminal = io::stdout().is_terminal() && !args.once;
    let mut begun = false;
    loop {
        let Some(line) = read_line(&mut lines, path)? else {
            // The server's end is the end of what there is to be seen, but not of what has not been seen.
            return if begun { Ok(()) } else { Err(closed(path)) };
        };
        let text = if args.json {
            line + "\n"
        } else {
            let report = serde_json::from_str::<Report>(&line);
            let report =
                report.map_err(|error| format!("{} says what no server says: {error}", path.display()))?;
            let table = table(&report);
            if is_terminal { screen(&table, begun, size()) } else { after(&table, begun) }
        };
        begun = true;
        match write(&text) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(()),
            written => written.map_err(|error| format!("cannot write: {error}"))?,
        }
        if args.once {
            return Ok(());
        }
    }
}

/// The next line; none when the server has closed the socket, even if it was within a line.
fn read_line(lines: &mut impl BufRead, path: &Path) -> Result<Option<String>, String> {
    let mut line = String::new();
    if let Err(error) = lines.by_ref().take(LONGEST).read_line(&mut line) {
        return match error.kind() {
            ErrorKind::WouldBlock | ErrorKind::TimedOut => {
                Err(format!("{} says nothing for {} s", path.display(), PATIENCE.as_secs()))
            }
            ErrorKind::InvalidData => Err(format!("{} says what no server says", path.display())),
            _ => Err(format!("cannot read {}: {error}", path.display())),
        };
    }
    match line.strip_suffix('\n') {
        Some(line) => Ok(Some(line.to_owned())),
        None if line.len() as u64 >= LONGEST => Err(format!("{} says what no server says", path.display())),
        None => Ok(None),
    }
}

fn closed(path: &Path) -> String {
    format!("{} is closed at once: the server ends, or has as many readers as it takes", path.display())
}

fn write(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// A table after another one.
fn after(table: &str, begun: bool) -> String {
    let gap = if begun { "\n" } else { "" };
    format!("{gap}{table}")
}

/// Rows and columns of the terminal; as many as there may be where it does not say.
fn size() -> (usize, usize) {
    let size = tcgetwinsize(io::stdout()).ok().filter(|size| size.ws_row > 0 && size.ws_col > 0);
    size.map_or((usize::MAX, usize::MAX), |size| (size.ws_row.into(), size.ws_col.into()))
}

/// A table in the place of the one before, cut to the terminal: one that scrolls could not be replaced.
fn screen(table: &str, begun: bool, (rows, columns): (usize, usize)) -> String {
    let lines = table.lines().count();
    // The cursor stands in the row below.
    let shown = if lines < rows { lines } else { rows.saturating_sub(2) };
    let mut screen = if begun { HOME.to_owned() } else { format!("{CLEAR_SCREEN}{HOME}") };
    let more = (shown < lines).then(|| format!("{} more", lines - shown));
    for line in table.lines().take(shown).chain(more.as_deref()) {
        screen.extend(line.chars().take(columns));
        screen.push_str(CLEAR_REST_OF_LINE);
        screen.push('\n');
    }
    screen + CLEAR_REST_OF_SCREEN
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_replace_each_other_on_a_terminal() {
        let large = (24, 80);
        assert_eq!(screen("a\nb\n", true, large), "\x1b[Ha\x1b[K\nb\x1b[K\n\x1b[J");
        assert!(screen("a\n", false, large).starts_with("\x1b[2J\x1b[H"));
    }

    #[test]
    fn a_table_is_cut_to_the_terminal() {
        let visible = |rows, columns| {
            let screen = screen("abc\ndef\nghi\njkl\n", true, (rows, columns));
            [HOME, CLEAR_REST_OF_LINE, CLEAR_REST_OF_SCREEN]
                .iter()
                .fold(screen, |text, code| text.replace(code, ""))
        };
        assert_eq!(visible(5, 2), "ab\nde\ngh\njk\n");
        assert_eq!(visible(4, 80), "abc\ndef\n2 more\n");
        assert_eq!(visible(1, 80), "4 more\n");
        assert_eq!(visible(usize::MAX, usize::MAX).lines().count(), 4);
    }

    #[test]
    fn tables_follow_each_other_elsewhere() {
        assert_eq!(after("a\n", false) + &after("b\n", true), "a\n\nb\n");
    }

    #[test]
    fn a_line_that_is_cut_is_none() {
        let mut input = &b"one\ntw"[..];
        assert_eq!(read_line(&mut input, Path::new("x")), Ok(Some("one".into())));
        assert_eq!(read_line(&mut input, Path::new("x")), Ok(None));
        let endless = vec![b'x'; LONGEST as usize + 1];
        assert!(read_line(&mut &endless[..], Path::new("x")).is_err());
        assert!(read_line(&mut &b"\xff\xfe\n"[..], Path::new("x")).is_err());
    }
}
