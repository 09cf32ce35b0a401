//! What a server would do, for who has written its configuration.

use std::fmt;
use std::path::Path;

use super::{Plan, Tls};

/// Lines of a few words each.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places: Vec<_> = self.listen.iter().map(ToString::to_string).collect();
        if !places.is_empty() {
            writeln!(f, "  listens on {}", places.join(", "))?;
        }
        let places: Vec<_> = self.tls_listen.iter().map(ToString::to_string).collect();
        if !places.is_empty() {
            writeln!(f, "  listens for TLS alone on {}", places.join(", "))?;
        }
        match &self.tls {
            Some(Tls::Files { cert, .. }) => writeln!(f, "  shows the certificate {}", cert.display())?,
            Some(Tls::SelfSigned) => writeln!(f, "  makes a certificate of its own")?,
            None => writeln!(f, "  has no TLS")?,
        }
        let tickets = count(self.admission.tickets.len(), "ticket");
        let users = self.admission.users.as_ref().and_then(|users| count(users.len(), "user"));
        match [tickets, users].into_iter().flatten().collect::<Vec<_>>().join(" and ") {
            _ if self.admission.is_open() => writeln!(f, "  lets in anybody who can connect")?,
            nobody if nobody.is_empty() => writeln!(f, "  lets in nobody until a ticket is added")?,
            some => writeln!(f, "  lets in {some}, up to {} viewers", self.limits.viewers)?,
        }
        let path = |path: &Path| path.display().to_string();
        for (what, place) in [
            ("writes a connection file to", self.vv_file.as_deref().map(path)),
            ("is administered at", self.admin.as_ref().map(ToString::to_string)),
            ("writes an audit log to", self.audit_log.as_deref().map(path)),
            ("tells how viewers fare at", self.stats_socket.as_deref().map(path)),
        ] {
            if let Some(place) = place {
                writeln!(f, "  {what} {place}")?;
            }
        }
        Ok(())
    }
}

fn count(number: usize, noun: &str) -> Option<String> {
    let plural = if number == 1 { "" } else { "s" };
    (number > 0).then(|| format!("{number} {noun}{plural}"))
}

#[cfg(test)]
mod tests {
    use super::super::tests::plan;

    #[test]
    fn a_plan_is_told_in_a_few_lines() {
        let plain = "  listens on 127.0.0.1:5900\n  has no TLS\n  lets in anybody who can connect\n";
        assert_eq!(plan("").unwrap().to_string(), plain);
        let text =
            "tls-listen = ['127.0.0.1:5901']\ntls-self-signed = true\nadmin = 'unix:a'\naudit-log = '-'";
        let more = "  listens for TLS alone on 127.0.0.1:5901\n  makes a certificate of its own\n  lets in anybody \
                    who can connect\n  writes a connection file to spice-cli.vv\n  is administered at unix:a\n  \
                    writes an audit log to -\n";
        assert_eq!(plan(text).unwrap().to_string(), more);
    }
}
