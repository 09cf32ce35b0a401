//! Whom a server lets in.

use std::path::Path;

use spice_server::Users;

use crate::args::ServerOptions;
use crate::secret_file;
use crate::tickets::{self, NewTicket};

/// Who knows a ticket, who is a user, or anybody.
#[derive(Debug, Default)]
pub(crate) struct Admission {
    pub(crate) tickets: Vec<NewTicket>,
    pub(crate) users: Option<Users>,
    /// There was a file of tickets: one that has none yet lets in nobody yet.
    ticketed: bool,
    no_ticket: bool,
}

impl Admission {
    /// Reads the files that the options name.
    pub(super) fn new(options: &ServerOptions) -> Result<Self, String> {
        let files = [&options.ticket_file, &options.tickets, &options.sasl_users];
        if files.iter().filter(|file| file.as_deref().is_some_and(secret_file::is_stdin)).count() > 1 {
            return Err("standard input can be one file only".into());
        }
        let no_ticket = options.no_ticket.unwrap_or(false);
        if no_ticket && files.iter().any(|file| file.is_some()) {
            return Err(
                "--no-ticket lets in anybody: it does not go with --ticket-file, --tickets or --sasl-users"
                    .into(),
            );
        }
        let mut tickets: Vec<_> =
            options.ticket_file.as_deref().map(tickets::read_line).transpose()?.into_iter().collect();
        if let Some(path) = &options.tickets {
            let more = tickets::read(path)?;
            if more.is_empty() && options.admin.is_none() {
                let name = secret_file::name(path);
                return Err(format!("there is no [[ticket]] in {name}, and no --admin to add one"));
            }
            if let Some(same) = more.iter().find(|ticket| tickets.iter().any(|it| it.secret == ticket.secret))
            {
                return Err(format!(
                    "`{}` in {} is the ticket of --ticket-file",
                    same.name,
                    secret_file::name(path)
                ));
            }
            tickets.extend(more);
        }
        let users = options.sasl_users.as_deref().map(read_users).transpose()?;
        Ok(Self { tickets, users, ticketed: options.tickets.is_some(), no_ticket })
    }

    /// Whether anybody is let in.
    pub(crate) fn is_open(&self) -> bool {
        self.tickets.is_empty() && self.users.is_none() && !self.ticketed
    }

    /// Whether that was said, and is no slip.
    pub(super) fn is_meant_to_be_open(&self) -> bool {
        self.no_ticket
    }
}

fn read_users(path: &Path) -> Result<Users, String> {
    const WHAT: &str = "users file";
    let content = secret_file::read(WHAT, path)?;
    let text = secret_file::text(WHAT, path, &content)?;
    let users = Users::parse(text);
    let users = users.map_err(|error| format!("{WHAT} {}: {error}", secret_file::name(path)))?;
    if users.is_empty() {
        return Err(format!("there is no user in {WHAT} {}", secret_file::name(path)));
    }
    Ok(users)
}

#[cfg(test)]
mod tests {
    use super::super::tests::plan;
    use crate::secret_file::tests::Scratch;

    #[test]
    fn tickets_come_from_both_files() {
        let line = Scratch::new(b"one\r\nmore", 0o600);
        let file = Scratch::new(b"[[ticket]]\nsecret = 'two'", 0o600);
        let admission = |file: &Scratch| {
            plan(&format!("ticket-file = '{}'\ntickets = '{}'", line.0.display(), file.0.display()))
        };
        let plan = admission(&file).unwrap();
        let secrets: Vec<_> = plan.admission.tickets.iter().map(|ticket| ticket.secret.text()).collect();
        assert_eq!(secrets, ["one", "two"]);
        let same = Scratch::new(b"[[ticket]]\nsecret = 'one'", 0o600);
        assert!(admission(&same).unwrap_err().contains("`ticket 1`"));
    }

    #[test]
    fn a_file_without_tickets_lets_in_nobody_until_the_admin_adds_one() {
        let file = Scratch::new(b"", 0o600);
        let tickets = format!("tickets = '{}'", file.0.display());
        assert!(plan(&tickets).unwrap_err().contains("no --admin to add one"));
        let plan = plan(&format!("{tickets}\nadmin = '127.0.0.1:0'")).unwrap();
        assert!(plan.admission.tickets.is_empty() && !plan.admission.is_open());
    }

    #[test]
    fn files_with_secrets_are_their_owners_alone() {
        for option in ["ticket-file", "tickets", "sasl-users"] {
            let file = Scratch::new(b"hunter2", 0o644);
            let said = plan(&format!("{option} = '{}'", file.0.display())).unwrap_err();
            assert!(said.contains("chmod 600") && !said.contains("hunter2"), "{said}");
        }
    }

    #[test]
    fn users_are_lines_with_a_name_each() {
        let users = |text: &str| {
            let file = Scratch::new(text.as_bytes(), 0o600);
            plan(&format!("sasl-users = '{}'", file.0.display()))
        };
        let verifier = spice_server::verifier(b"hunter2", b"salt", 4096);
        let two = format!("# who\nalice:{verifier}\n\nbob:{verifier} role=view\n");
        let plan = users(&two).unwrap();
        assert_eq!(plan.admission.users.as_ref().unwrap().len(), 2);
        assert!(!plan.admission.is_open() && !format!("{plan:?}").contains(&verifier));
        for (text, words) in [
            (String::new(), "no user"),
            ("# nobody".into(), "no user"),
            (format!("alice:{verifier}\nhunter3"), "line 2"),
            (format!(":{verifier}"), "line 1"),
            ("alice:".into(), "line 1"),
            ("alice:hunter2".into(), "SCRAM-SHA-256$"),
            (two.replace("bob", "alice"), "a line already"),
        ] {
            let said = users(&text).unwrap_err();
            assert!(said.contains(words) && !said.contains("hunter") && !said.contains(&verifier), "{said}");
        }
    }
}
