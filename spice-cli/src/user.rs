//! `spice-cli user`.

use std::io::BufRead;

use rand::RngExt;
use spice_server::{Users, verifier};
use zeroize::Zeroizing;

use crate::args::{Number, Text, UserArgs};
use crate::secret_file::first_line;

/// How often a password is hashed, unless it is said: some 4 ms for who guesses.
const ITERATIONS: u64 = 16_384;

/// The longest password that is read, in bytes.
const MOST: u64 = 1024;

/// Prints the line of a user, whose password is the first line of `input`.
pub(crate) fn user(args: &UserArgs, input: impl BufRead) -> Result<(), String> {
    println!("{}", line(args, input)?);
    Ok(())
}

fn line(args: &UserArgs, input: impl BufRead) -> Result<String, String> {
    // Of its final size, so that none of it stays where nobody wipes it.
    let mut content = Zeroizing::new(Vec::with_capacity(MOST as usize + 1));
    let read = input.take(MOST + 1).read_until(b'\n', &mut content);
    read.map_err(|error| format!("cannot read standard input: {error}"))?;
    let password = match first_line(&content) {
        [] => return Err("there is no password in the first line of standard input".into()),
        long if long.len() as u64 > MOST => return Err(format!("the password has more than {MOST} bytes")),
        password => password,
    };
    let iterations = args.iterations.map_or(ITERATIONS, Number::value);
    let salt: [u8; 16] = rand::rng().random();
    let verifier = verifier(password, &salt, u32::try_from(iterations).unwrap_or(u32::MAX));
    let mut line = format!("{}:{verifier}", args.name);
    if let Some(Text(role)) = args.role {
        line += &format!(" role={role}");
    }
    if let Some(Text(permissions)) = args.may {
        line += &format!(" may={permissions}");
    }
    // A name with a colon or a line's end in it would be read as something else than it is here.
    match Users::parse(&line) {
        Ok(users) if users.len() == 1 && !args.name.contains(':') => Ok(line),
        Ok(_) => Err("the name of a user has neither `:` nor `#` in front, and is one line".into()),
        Err(error) => Err(error.error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(name: &str, input: &str) -> Result<String, String> {
        let role = Some(Text("view".parse().unwrap()));
        let args =
            UserArgs { name: name.into(), role, may: Some(Text("audio".parse().unwrap())), iterations: None };
        line(&args, input.as_bytes())
    }

    #[test]
    fn a_line_is_read_back_and_has_no_password_in_it() {
        let one = made("alice", "hunter2\nmore").unwrap();
        assert!(
            one.starts_with("alice:SCRAM-SHA-256$16384:") && one.ends_with(" role=view may=audio"),
            "{one}"
        );
        assert!(!one.contains("hunter2"));
        assert_eq!(Users::parse(&one).unwrap().len(), 1);
        assert_ne!(one, made("alice", "hunter2").unwrap(), "each has a salt of its own");
    }

    #[test]
    fn what_would_be_read_as_something_else_is_refused() {
        for name in ["", "#alice", "a:b", "alice\nbob", "alice bob", " "] {
            assert!(made(name, "hunter2").is_err(), "{name:?}");
        }
        for input in ["", "\nhunter2", "\r\n"] {
            assert!(made("alice", input).unwrap_err().contains("no password"));
        }
        assert!(made("alice", &"x".repeat(1025)).unwrap_err().contains("more than 1024"));
        assert!(made("alice", &"x".repeat(1024)).is_ok());
    }
}
