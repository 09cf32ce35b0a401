//! Exchanges with the library's client at the other end, and with peers that are none.

use std::sync::LazyLock;

use proptest::prelude::*;
use rsasl::prelude::SASLClient;
use spice_channel::Time;
use spice_proto::ConnectionId;

use super::super::gate::{Access, Door};
use super::super::lockout::Origin;
use super::super::ticket::{Auth, Credentials};
use super::super::users::verifier;
use super::*;

const SCRAM: &str = "SCRAM-SHA-256";

fn users() -> Users {
    static USERS: LazyLock<Users> = LazyLock::new(|| {
        let line = |name, password: &str| {
            format!("{name}:{}\n", verifier(password.as_bytes(), b"salt of users 16", 4096))
        };
        let lines = [line("ann", "pencil"), line("bob", "p\u{e4}ss w\u{f6}rd"), line("a,b=c", "comma")];
        lines.concat().parse().unwrap()
    });
    USERS.clone()
}

fn exchange(secure: bool) -> SaslExchange {
    SaslExchange::new(users(), DecoyKey::new([9; 32]), secure)
}

fn start(mechanism: &str, data: Option<&[u8]>) -> Start {
    Start { mechanism: Bytes::copy_from_slice(mechanism.as_bytes()), data: data.map(Bytes::copy_from_slice) }
}

fn step(data: &[u8]) -> Step {
    Step { data: Some(Bytes::copy_from_slice(data)) }
}

fn config(name: &str, password: &str, mechanisms: &'static [Mechanism]) -> std::sync::Arc<SASLConfig> {
    struct Known(String, String);
    impl SessionCallback for Known {
        fn callback(
            &self,
            _: &SessionData,
            _: &Context<'_>,
            request: &mut Request<'_>,
        ) -> Result<(), SessionError> {
            request.satisfy::<AuthId>(&self.0)?.satisfy::<Password>(self.1.as_bytes())?;
            Ok(())
        }
    }
    let registry = Registry::with_mechanisms(mechanisms);
    SASLConfig::builder().with_registry(registry).with_callback(Known(name.into(), password.into())).unwrap()
}

static SCRAM_ALONE: &[Mechanism] = &[SCRAM_SHA256];
static PLAIN_ALONE: &[Mechanism] = &[PLAIN];

/// Runs the library's client through; who the server says it is. That the client took the server's last data is
/// checked here.
fn log_in(
    exchange: &mut SaslExchange,
    mechanism: &str,
    name: &str,
    password: &str,
) -> Result<String, SaslFailure> {
    let known = if mechanism == "PLAIN" { PLAIN_ALONE } else { SCRAM_ALONE };
    let client = SASLClient::new(config(name, password, known));
    let mut client = client.start_suggested(&[known[0].mechanism]).unwrap();
    let mut out = Vec::new();
    let mut state = client.step(None, &mut out).unwrap();
    let mut progress = exchange.start(&start(mechanism, Some(&out)))?;
    loop {
        match progress {
            Progress::Continue(challenge) => {
                assert!(!challenge.complete && state.is_running());
                out.clear();
                state = client.step(challenge.data.as_deref(), &mut out).unwrap();
                progress = exchange.step(&step(&out))?;
            }
            Progress::Done { challenge, user } => {
                assert!(challenge.complete);
                if state.is_running() {
                    state = client.step(challenge.data.as_deref(), &mut Vec::new()).unwrap();
                }
                assert!(state.is_finished());
                return Ok(user);
            }
        }
    }
}

#[test]
fn plain_is_offered_only_where_nobody_can_listen() {
    assert!(exchange(true).mechanisms().names().eq([&b"SCRAM-SHA-256"[..], b"PLAIN"]));
    assert!(exchange(false).mechanisms().names().eq([b"SCRAM-SHA-256"]));
    let failed = exchange(false).start(&start("PLAIN", Some(b"\0ann\0pencil")));
    assert_eq!(failed, Err(SaslFailure::Mechanism));
    for other in ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-512", "scram-sha-256", "ANONYMOUS", ""] {
        assert_eq!(exchange(true).start(&start(other, Some(b"x"))), Err(SaslFailure::Mechanism), "{other}");
    }
}

#[test]
fn users_pass_with_their_passwords_and_no_other() {
    for mechanism in [SCRAM, "PLAIN"] {
        for (name, password) in [("ann", "pencil"), ("bob", "p\u{e4}ss w\u{f6}rd"), ("a,b=c", "comma")] {
            assert_eq!(log_in(&mut exchange(true), mechanism, name, password), Ok(name.into()));
            for wrong in ["Pencil", "pencil ", "comma "] {
                let failed = log_in(&mut exchange(true), mechanism, name, wrong);
                assert_eq!(failed, Err(SaslFailure::Wrong), "{mechanism} {name}");
            }
        }
        assert_eq!(log_in(&mut exchange(true), mechanism, "eve", "pencil"), Err(SaslFailure::Wrong));
    }
}

#[test]
fn the_exchange_of_the_rfc_has_the_rfcs_first_answer_but_for_the_nonce() {
    // RFC 7677, section 3.
    let salt = BASE64.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
    let users = format!("user:{}", verifier(b"pencil", &salt, 4096)).parse().unwrap();
    let mut exchange = SaslExchange::new(users, DecoyKey::new([0; 32]), false);
    let first = exchange.start(&start(SCRAM, Some(b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO"))).unwrap();
    let Progress::Continue(Challenge { data: Some(data), complete: false }) = first else {
        panic!("{first:?}")
    };
    assert!(data.starts_with(b"r=rOprNGfwEbeRWgbNEkqO"));
    assert!(data.ends_with(b",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"));
}

#[test]
fn a_user_that_does_not_exist_is_asked_as_any_other_and_the_same_each_time() {
    let asked = |name: &str| {
        let first = format!("n,,n={name},r=nonce");
        let Progress::Continue(challenge) =
            exchange(true).start(&start(SCRAM, Some(first.as_bytes()))).unwrap()
        else {
            panic!("no challenge")
        };
        let text = String::from_utf8(challenge.data.unwrap().to_vec()).unwrap();
        let (nonce, rest) = text.split_once(',').unwrap();
        (nonce.len(), rest.to_owned())
    };
    let (known, unknown) = (asked("ann"), asked("eve"));
    assert_eq!(known.0, unknown.0);
    assert_eq!(known.1.len(), unknown.1.len());
    assert_eq!(unknown, asked("eve"));
    assert_ne!(unknown.1, asked("eva").1);
    assert_ne!(known.1, unknown.1);
}

#[test]
fn nobody_acts_for_another() {
    for (authzid, expected) in [("", true), ("ann", true), ("bob", false)] {
        let message = format!("{authzid}\0ann\0pencil");
        let done = exchange(true).start(&start("PLAIN", Some(message.as_bytes())));
        assert_eq!(done.is_ok(), expected, "{authzid}");
    }
}

#[test]
fn messages_out_of_turn_end_the_exchange() {
    let first = start(SCRAM, Some(b"n,,n=ann,r=nonce"));
    assert_eq!(exchange(true).step(&step(b"c=biws,r=nonce,p=AAAA")), Err(SaslFailure::Turn));
    let mut twice = exchange(true);
    twice.start(&first).unwrap();
    assert_eq!(twice.start(&first), Err(SaslFailure::Turn));
    assert_eq!(twice.step(&step(b"c=biws,r=nonce,p=AAAA")), Err(SaslFailure::Turn));
    let mut repeated = exchange(true);
    repeated.start(&first).unwrap();
    assert_eq!(repeated.step(&step(b"n,,n=ann,r=nonce")), Err(SaslFailure::Malformed));
    assert_eq!(repeated.step(&step(b"n,,n=ann,r=nonce")), Err(SaslFailure::Turn));
    let mut done = exchange(true);
    assert_eq!(log_in(&mut done, SCRAM, "ann", "pencil"), Ok("ann".into()));
    assert_eq!(done.step(&step(b"")), Err(SaslFailure::Turn));
    assert_eq!(done.start(&first), Err(SaslFailure::Turn));
}

#[test]
fn who_begins_without_data_is_asked_for_it_once() {
    let mut plain = exchange(true);
    let asked = Progress::Continue(Challenge { data: None, complete: false });
    assert_eq!(plain.start(&start("PLAIN", None)), Ok(asked.clone()));
    let done = plain.step(&step(b"\0ann\0pencil")).unwrap();
    let challenge = Challenge { data: None, complete: true };
    assert_eq!(done, Progress::Done { challenge, user: "ann".into() });
    let mut silent = exchange(true);
    assert_eq!(silent.start(&start(SCRAM, None)), Ok(asked));
    assert_eq!(silent.step(&Step { data: None }), Err(SaslFailure::Malformed));
}

#[test]
fn data_that_is_not_the_mechanisms_is_refused() {
    for first in [
        "",
        ",",
        "n",
        "n,",
        "n,,",
        "n,,n",
        "n,,n=",
        "n,,n=ann",
        "n,,n=ann,",
        "n,,n=ann,r",
        "n,,n=ann,r=",
        "n,a,n=ann,r=x",
        "n,a=,n=ann,r=x",
        "n,,m=x,n=ann,r=x",
        "n,,n=ann,r=x,y=z",
        "p=tls-unique,,n=ann,r=x",
        "n,,n=an=n,r=x",
        "n,,n=ann=2,r=x",
        "n,,n=a\0nn,r=x",
        "n,,n=ann,r=a b",
        "n,,r=x,n=ann",
    ] {
        let failed = exchange(true).start(&start(SCRAM, Some(first.as_bytes())));
        assert_eq!(failed, Err(SaslFailure::Malformed), "{first:?}");
    }
    assert!(exchange(true).start(&start(SCRAM, Some(b"n,,n=a\xff,r=x"))).is_err());
    for last in
        ["", "c", "c=", "c=biws", "c=biws,r", "c=biws,r=x", "c=biws,r=x,p", "c=biws,r=x,p=AAAA", "c=b,r=x,p="]
    {
        let mut exchange = exchange(true);
        exchange.start(&start(SCRAM, Some(b"y,,n=ann,r=nonce"))).unwrap();
        assert_eq!(exchange.step(&step(last.as_bytes())), Err(SaslFailure::Malformed), "{last:?}");
    }
    for plain in
        ["", "\0", "\0\0", "ann", "\0ann", "\0ann\0", "\0\0pencil", "\0an\0n\0pencil", "\0ann\0pen\0cil"]
    {
        let failed = exchange(true).start(&start("PLAIN", Some(plain.as_bytes())));
        assert_eq!(failed, Err(SaslFailure::Malformed), "{plain:?}");
    }
}

#[test]
fn too_much_data_is_not_looked_at() {
    for (mechanism, form) in [(SCRAM, "n,,n=ann,r="), ("PLAIN", "\0ann\0")] {
        let long = |len: usize| [form, &"x".repeat(len - form.len())].concat();
        let most = exchange(true).start(&start(mechanism, Some(long(MAX_SASL_DATA).as_bytes())));
        assert_ne!(most, Err(SaslFailure::TooLong), "{mechanism}");
        let more = exchange(true).start(&start(mechanism, Some(long(MAX_SASL_DATA + 1).as_bytes())));
        assert_eq!(more, Err(SaslFailure::TooLong), "{mechanism}");
    }
}

#[test]
fn at_a_sessions_channel_the_password_of_another_user_is_no_better_than_a_guess() {
    let credentials = Credentials { tickets: Vec::new(), users: Some(users()) };
    let mut access = Access::new(&Auth::Required(credentials), Time::ZERO).unwrap();
    let home = Origin::Local(None);
    let grant = access.admit_user(home, &Door::Main, "ann", Time::ZERO).unwrap();
    assert!(access.open_session(ConnectionId(3), grant, home));
    let decoys = DecoyKey::new([9; 32]);
    for mechanism in [SCRAM, "PLAIN"] {
        let at = |door, name, password| {
            let mut exchange = access.sasl(&door, true, &decoys).unwrap();
            log_in(&mut exchange, mechanism, name, password)
        };
        let channel = Door::Channel(ConnectionId(3));
        assert_eq!(at(channel, "ann", "pencil"), Ok("ann".into()));
        assert_eq!(at(channel, "a,b=c", "comma"), Err(SaslFailure::Wrong));
        assert_eq!(at(channel, "a,b=c", "guess"), Err(SaslFailure::Wrong));
        assert_eq!(at(Door::Main, "a,b=c", "comma"), Ok("a,b=c".into()));
        assert_eq!(at(Door::Channel(ConnectionId(4)), "a,b=c", "comma"), Ok("a,b=c".into()));
    }
    // What is shown of a user is the same there as elsewhere.
    let salt = |exchange: SaslExchange, name: &str| {
        let mut exchange = exchange;
        let first = format!("n,,n={name},r=nonce");
        match exchange.start(&start(SCRAM, Some(first.as_bytes()))).unwrap() {
            Progress::Continue(Challenge { data: Some(data), .. }) => {
                String::from_utf8(data.to_vec()).unwrap().split_once(",s=").unwrap().1.to_owned()
            }
            other => panic!("{other:?}"),
        }
    };
    for name in ["ann", "bob", "eve"] {
        let nobody = exchange(true).only_for(None);
        assert_eq!(salt(exchange(true), name), salt(nobody, name), "{name}");
    }
}

/// Well-formed messages with bytes changed, cut or put in, and bytes that are nothing.
fn hostile() -> impl Strategy<Value = Vec<u8>> {
    let formed = prop::sample::select(vec![
        b"n,,n=ann,r=nonce".to_vec(),
        b"y,a=ann,n=ann,r=nonce".to_vec(),
        b"c=biws,r=nonce,p=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=".to_vec(),
        b"\0ann\0guess".to_vec(),
    ]);
    let changed = (formed, any::<prop::sample::Index>(), prop::option::of(any::<u8>()), any::<bool>());
    prop_oneof![
        changed.prop_map(|(mut bytes, at, byte, cut)| {
            let at = at.index(bytes.len());
            match byte {
                Some(byte) if cut => bytes[at] = byte,
                Some(byte) => bytes.insert(at, byte),
                None => bytes.truncate(at),
            }
            bytes
        }),
        prop::collection::vec(prop::sample::select(b"nyp,=arc\0m2CD\xffx".to_vec()), 0..24),
    ]
}

proptest! {
    #[test]
    fn no_data_makes_a_user_of_nobody(
        mechanism in prop::sample::select(vec![SCRAM, "PLAIN"]),
        data in hostile(),
        steps in prop::collection::vec(hostile(), 0..3),
    ) {
        let mut exchange = exchange(true);
        let mut last = exchange.start(&start(mechanism, Some(&data)));
        for data in steps {
            let failed = last.is_err();
            last = exchange.step(&step(&data));
            prop_assert!(!failed || last == Err(SaslFailure::Turn));
        }
        let passed = matches!(last, Ok(Progress::Done { .. }));
        prop_assert!(!passed);
    }
}
