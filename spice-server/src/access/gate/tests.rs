//! Attempts at the gate, good and bad.

use super::super::secret::Secret;
use super::super::ticket::Credentials;
use super::super::users::verifier;
use super::*;

const HOME: Origin = Origin::Local(Some(1));
const AWAY: Origin = Origin::Local(Some(2));
const SESSION: ConnectionId = ConnectionId(77);
const SERVED: Door = Door::Channel(SESSION);
const NOBODYS: Door = Door::Channel(ConnectionId(1));

fn at(secs: u64) -> Time {
    Time::from_millis(secs * 1000)
}

fn ticket(secret: &str) -> Ticket {
    Ticket::new(Secret::new(secret.as_bytes()).unwrap())
}

fn single_use(secret: &str) -> Ticket {
    Ticket { single_use: true, ..ticket(secret) }
}

fn expiring(secret: &str, secs: u64) -> Ticket {
    Ticket { expires_after: Some(Duration::from_secs(secs)), ..ticket(secret) }
}

fn with(tickets: Vec<Ticket>) -> Access {
    Access::new(&Auth::Required(Credentials { tickets, users: None }), at(0)).unwrap()
}

fn with_users() -> Access {
    let line = |name, rest| format!("{name}:{}{rest}\n", verifier(b"x", b"salt", 4096));
    let text = [line("ann", ""), line("bob", " role=view"), line("eve", " may=usb")].concat();
    let credentials = Credentials { tickets: vec![ticket("t")], users: Some(text.parse().unwrap()) };
    Access::new(&Auth::Required(credentials), at(0)).unwrap()
}

fn enter(access: &mut Access, door: &Door, secret: &str, now: Time) -> Result<Grant, Why> {
    access.admit_ticket(HOME, door, Some(secret.as_bytes()), now).map_err(|denied| denied.why)
}

fn enter_and_open(access: &mut Access, secret: &str, now: Time) -> Grant {
    let grant = enter(access, &Door::Main, secret, now).unwrap();
    assert!(access.open_session(SESSION, grant.clone(), HOME));
    grant
}

fn lock_out(access: &mut Access, origin: Origin, now: Time) {
    for _ in 0..5 {
        access.admit_ticket(origin, &Door::Main, Some(b"guess"), now).unwrap_err();
    }
    assert!(access.may_try(origin, &Door::Main, now).is_err());
}

#[test]
fn an_open_server_lets_everybody_do_everything_and_locks_nobody_out() {
    let mut access = Access::new(&Auth::Open, at(0)).unwrap();
    for _ in 0..20 {
        let grant = access.admit_ticket(HOME, &Door::Main, None, at(0)).unwrap();
        assert_eq!((grant.role, grant.permissions), (Role::Control, Permissions::all()));
        assert_eq!(grant.credential, Credential::Nothing);
        assert_eq!(access.fail(HOME, &Door::Main, at(0)), None);
    }
    assert_eq!(access.may_try(HOME, &Door::Main, at(0)), Ok(()));
    assert_eq!(access.add_ticket(ticket("x"), at(0)), Err(AddTicketError::Open));
}

#[test]
fn a_ticket_gives_its_role_and_what_the_role_permits() {
    let view = Ticket { role: Role::View, name: Some("guests".into()), ..ticket("view") };
    let quiet = Ticket { permissions: Permissions::INPUTS, ..ticket("quiet") };
    let mut access = with(vec![ticket("all"), view, quiet]);
    let mut rights = |secret| {
        let grant = enter(&mut access, &Door::Main, secret, at(0)).unwrap();
        (grant.credential, grant.role, grant.permissions)
    };
    assert_eq!(rights("all"), (Credential::Ticket(TicketId(0)), Role::Control, Permissions::all()));
    assert_eq!(rights("view"), (Credential::Ticket(TicketId(1)), Role::View, Permissions::AUDIO));
    assert_eq!(rights("quiet"), (Credential::Ticket(TicketId(2)), Role::Control, Permissions::INPUTS));
    let info = access.tickets(at(0));
    assert_eq!((info[1].name.as_deref(), info[1].permissions), (Some("guests"), Permissions::AUDIO));
}

#[test]
fn what_is_no_ticket_or_did_not_decrypt_is_wrong() {
    let mut access = with(vec![ticket("secret")]);
    for offered in [Some(&b"Secret"[..]), Some(b""), Some(b"secret\0"), None] {
        let denied = access.admit_ticket(AWAY, &Door::Main, offered, at(0)).unwrap_err();
        assert_eq!(denied, Denied { why: Why::Wrong, began: None });
    }
    let mut none = with(vec![]);
    assert_eq!(enter(&mut none, &Door::Main, "", at(0)), Err(Why::Wrong));
    assert!(none.tickets(at(0)).is_empty());
}

#[test]
fn a_ticket_that_is_spent_opens_no_other_viewer() {
    let mut access = with(vec![single_use("once")]);
    enter_and_open(&mut access, "once", at(0));
    let spent = Err(Why::Spent(TicketId(0)));
    assert_eq!(enter(&mut access, &Door::Main, "once", at(1)), spent);
    assert_eq!(enter(&mut access, &NOBODYS, "once", at(1)), spent);
    assert!(enter(&mut access, &SERVED, "once", at(1)).is_ok());
    access.end_session(SESSION);
    assert_eq!(enter(&mut access, &Door::Main, "once", at(2)), spent);
    assert_eq!(enter(&mut access, &SERVED, "once", at(2)), spent);
}

#[test]
fn a_ticket_of_single_use_opens_again_when_its_viewer_was_not_let_in_after_all() {
    let mut access = with(vec![single_use("once")]);
    let grant = enter(&mut access, &Door::Main, "once", at(0)).unwrap();
    assert_eq!(enter(&mut access, &Door::Main, "once", at(0)), Err(Why::Spent(TicketId(0))));
    access.give_back(&grant);
    let grant = enter_and_open(&mut access, "once", at(0));
    access.give_back(&grant);
    access.end_session(SESSION);
    access.give_back(&grant);
    assert_eq!(enter(&mut access, &Door::Main, "once", at(0)), Err(Why::Spent(TicketId(0))));
}

#[test]
fn channels_of_a_session_that_nobody_has_take_any_ticket_and_spend_none() {
    let mut access = with(vec![single_use("once"), ticket("many")]);
    for secret in ["once", "many", "once"] {
        assert!(enter(&mut access, &NOBODYS, secret, at(0)).is_ok());
    }
    assert_eq!(enter(&mut access, &NOBODYS, "other", at(0)), Err(Why::Wrong));
    assert!(enter(&mut access, &Door::Main, "once", at(0)).is_ok());
}

#[test]
fn a_ticket_that_has_expired_opens_nothing_but_the_channels_of_its_sessions() {
    let mut access = with(vec![expiring("brief", 60)]);
    enter_and_open(&mut access, "brief", at(59));
    let expired = Err(Why::Expired(TicketId(0)));
    assert_eq!(enter(&mut access, &Door::Main, "brief", at(60)), expired);
    assert_eq!(enter(&mut access, &NOBODYS, "brief", at(60)), expired);
    assert!(enter(&mut access, &SERVED, "brief", at(60)).is_ok());
    assert_eq!(access.tickets(at(61))[0].expires_in, Some(Duration::ZERO));
    assert!(access.expire_ticket(TicketId(0), Duration::from_secs(10), at(61)));
    assert_eq!(access.tickets(at(61))[0].expires_in, Some(Duration::from_secs(10)));
    assert!(enter(&mut access, &Door::Main, "brief", at(70)).is_ok());
    assert_eq!(enter(&mut access, &Door::Main, "brief", at(71)), expired);
    assert!(!access.expire_ticket(TicketId(9), Duration::ZERO, at(71)));
}

#[test]
fn a_sessions_channels_take_only_the_ticket_that_opened_it() {
    let mut access = with(vec![ticket("mine"), ticket("yours")]);
    enter_and_open(&mut access, "mine", at(0));
    assert!(enter(&mut access, &SERVED, "mine", at(0)).is_ok());
    assert_eq!(enter(&mut access, &SERVED, "yours", at(0)), Err(Why::Wrong));
    access.end_session(SESSION);
    assert!(enter(&mut access, &SERVED, "yours", at(0)).is_ok());
}

#[test]
fn revoking_a_ticket_tells_its_sessions_and_shuts_its_doors() {
    let mut access = with(vec![ticket("gone"), ticket("stays")]);
    let grant = enter_and_open(&mut access, "gone", at(0));
    assert!(access.open_session(ConnectionId(5), grant.clone(), AWAY));
    let other = enter(&mut access, &Door::Main, "stays", at(0)).unwrap();
    assert!(access.open_session(ConnectionId(6), other, HOME));
    assert_eq!(access.tickets(at(0))[0].viewers, 2);

    assert_eq!(access.revoke_ticket(TicketId(0)), Some(vec![ConnectionId(5), SESSION]));
    assert_eq!(access.revoke_ticket(TicketId(0)), None);
    assert_eq!(enter(&mut access, &Door::Main, "gone", at(0)), Err(Why::Wrong));
    assert_eq!(enter(&mut access, &SERVED, "gone", at(0)), Err(Why::Wrong));
    access.end_session(SESSION);
    access.end_session(ConnectionId(5));
    assert!(!access.open_session(SESSION, grant, HOME), "it was on its way in");
    assert_eq!(access.tickets(at(0)).len(), 1);
}

#[test]
fn an_expired_or_spent_ticket_counts_as_a_failure() {
    let mut access = with(vec![expiring("late", 1), single_use("once")]);
    enter(&mut access, &Door::Main, "once", at(0)).unwrap();
    for secret in ["late", "once", "late", "once"] {
        enter(&mut access, &Door::Main, secret, at(2)).unwrap_err();
    }
    let fifth = access.admit_ticket(HOME, &Door::Main, Some(b"late"), at(2)).unwrap_err();
    let until = at(12);
    let began = Some(LockedOut { until });
    assert_eq!(fifth, Denied { why: Why::Expired(TicketId(0)), began });
    assert_eq!(fifth.to_string(), "ticket 0 has expired; its origin is locked out now");
}

#[test]
fn who_is_locked_out_is_compared_with_nothing_and_waits_no_longer_for_trying() {
    let mut access = with(vec![ticket("right")]);
    lock_out(&mut access, HOME, at(0));
    for secs in 0..10 {
        let locked = Why::Locked { until: at(10) };
        assert_eq!(enter(&mut access, &Door::Main, "right", at(secs)), Err(locked));
        assert_eq!(enter(&mut access, &NOBODYS, "wrong", at(secs)), Err(locked));
        assert_eq!(access.fail(HOME, &Door::Main, at(secs)), None);
    }
    assert!(access.admit_ticket(AWAY, &Door::Main, Some(b"right"), at(5)).is_ok());
    assert!(enter(&mut access, &Door::Main, "right", at(10)).is_ok());
}

#[test]
fn success_makes_no_failure_forgotten() {
    let mut access = with(vec![ticket("right")]);
    for _ in 0..4 {
        enter(&mut access, &Door::Main, "wrong", at(0)).unwrap_err();
        enter(&mut access, &Door::Main, "right", at(0)).unwrap();
    }
    let fifth = access.admit_ticket(HOME, &Door::Main, Some(b"wrong"), at(0)).unwrap_err();
    assert!(fifth.began.is_some());
}

#[test]
fn a_sessions_own_origin_opens_channels_though_it_is_locked_out() {
    let mut access = with(vec![ticket("mine")]);
    enter_and_open(&mut access, "mine", at(0));
    lock_out(&mut access, HOME, at(0));
    assert_eq!(access.may_try(HOME, &SERVED, at(1)), Ok(()));
    assert!(enter(&mut access, &SERVED, "mine", at(1)).is_ok());
    assert!(access.may_try(HOME, &NOBODYS, at(1)).is_err());
    lock_out(&mut access, AWAY, at(1));
    assert!(access.may_try(AWAY, &SERVED, at(1)).is_err());
}

#[test]
fn guesses_at_a_sessions_channels_count_and_come_to_an_end() {
    let mut access = with(vec![ticket("mine")]);
    enter_and_open(&mut access, "mine", at(0));
    let mut tried = 0;
    while access.may_try(HOME, &SERVED, at(1)).is_ok() {
        assert_eq!(enter(&mut access, &SERVED, "guess", at(1)), Err(Why::Wrong));
        tried += 1;
        assert!(tried <= SPARED);
    }
    assert_eq!(tried, SPARED);
    let locked = access.may_try(HOME, &Door::Main, at(1)).unwrap_err();
    assert_eq!(locked.until, at(41), "three times five failures");
    assert!(enter(&mut access, &SERVED, "mine", at(41)).is_ok());
}

#[test]
fn a_password_that_still_opens_sessions_is_not_taken_up_twice() {
    let twice = Credentials { tickets: vec![ticket("a"), ticket("a")], users: None };
    let known = AddTicketError::Known(TicketId(0));
    assert_eq!(Access::new(&Auth::Required(twice), at(0)).unwrap_err(), known);
    let mut access = with(vec![ticket("a"), single_use("b"), expiring("c", 5)]);
    assert_eq!(access.add_ticket(ticket("a"), at(0)), Err(AddTicketError::Known(TicketId(0))));
    assert_eq!(access.add_ticket(ticket("b"), at(0)), Err(AddTicketError::Known(TicketId(1))));
    enter_and_open(&mut access, "b", at(0));
    let again = access.add_ticket(ticket("b"), at(0)).unwrap();
    let grant = enter(&mut access, &Door::Main, "b", at(0)).unwrap();
    assert_eq!(grant.credential, Credential::Ticket(again));
    let channel = enter(&mut access, &SERVED, "b", at(0)).unwrap();
    assert_eq!(channel.credential, Credential::Ticket(TicketId(1)), "the session keeps its own");
    assert!(access.add_ticket(ticket("c"), at(5)).is_ok());
}

#[test]
fn tickets_are_bounded_and_those_that_open_nothing_make_room() {
    let mut access = with(vec![]);
    let mut add =
        |nth: u32, now| access.add_ticket(expiring(&format!("ticket {nth}"), u64::from(nth) + 1), now);
    for nth in 0..1024 {
        add(nth, at(0)).unwrap();
    }
    assert_eq!(add(1024, at(0)), Err(AddTicketError::TooMany(1024)));
    assert_eq!(add(1025, at(2)), Ok(TicketId(1024)));
    let ids: Vec<_> = access.tickets(at(2)).iter().map(|info| info.id.0).collect();
    assert!(ids.into_iter().eq(1..=1024));
}

#[test]
fn a_ticket_that_opens_nothing_goes_some_time_after_its_last_session() {
    let mut access = with(vec![expiring("brief", 10), single_use("once"), ticket("stays")]);
    let ids = |access: &mut Access, now| access.tickets(now).iter().map(|info| info.id.0).collect::<Vec<_>>();
    enter(&mut access, &Door::Main, "once", at(0)).unwrap();
    enter_and_open(&mut access, "brief", at(0));
    assert_eq!(ids(&mut access, at(599)), [0, 1, 2]);
    assert_eq!(ids(&mut access, at(10_000)), [0, 2]);
    assert!(enter(&mut access, &SERVED, "brief", at(10_000)).is_ok());
    access.end_session(SESSION);
    assert_eq!(ids(&mut access, at(10_000)), [2]);
}

#[test]
fn users_have_their_own_roles_and_their_sessions_are_theirs_alone() {
    let mut access = with_users();
    let mut rights = |name| {
        let grant = access.admit_user(HOME, &Door::Main, name, at(0)).unwrap();
        (grant.role, grant.permissions)
    };
    assert_eq!(rights("ann"), (Role::Control, Permissions::all()));
    assert_eq!(rights("bob"), (Role::View, Permissions::AUDIO));
    assert_eq!(rights("eve"), (Role::Control, Permissions::USB));

    let grant = access.admit_user(HOME, &Door::Main, "bob", at(0)).unwrap();
    assert!(access.open_session(SESSION, grant, HOME));
    assert!(access.admit_user(AWAY, &SERVED, "bob", at(0)).is_ok());
    assert_eq!(access.admit_user(AWAY, &SERVED, "ann", at(0)).unwrap_err().why, Why::OtherUser);
    let by_ticket = access.admit_ticket(AWAY, &SERVED, Some(b"t"), at(0)).unwrap_err();
    assert_eq!(by_ticket.why, Why::Wrong);
    assert!(access.admit_user(AWAY, &NOBODYS, "ann", at(0)).is_ok());
    assert_eq!(access.admit_user(AWAY, &Door::Main, "dan", at(0)).unwrap_err().why, Why::OtherUser);

    let grant = access.admit_ticket(HOME, &Door::Main, Some(b"t"), at(0)).unwrap();
    assert!(access.open_session(ConnectionId(8), grant, HOME));
    let by_user = access.admit_user(HOME, &Door::Channel(ConnectionId(8)), "ann", at(0)).unwrap_err();
    assert_eq!(by_user.why, Why::OtherUser);
}

#[test]
fn failed_exchanges_lock_out_users_too() {
    let mut access = with_users();
    (0..4).for_each(|_| assert_eq!(access.fail(HOME, &Door::Main, at(0)), None));
    assert!(access.fail(HOME, &Door::Main, at(0)).is_some());
    let locked = access.admit_user(HOME, &Door::Main, "ann", at(0)).unwrap_err();
    assert_eq!(locked.why, Why::Locked { until: at(10) });
}

#[test]
fn no_secret_is_printed() {
    const SECRET: &str = "hunter2-hunter2";
    let password = Secret::new(SECRET.as_bytes()).unwrap();
    let check = verifier(SECRET.as_bytes(), SECRET.as_bytes(), 4096);
    let users: Users = format!("ann:{check} role=view\n").parse().unwrap();
    let decoys = DecoyKey::new(*b"hunter2-hunter2-hunter2-hunter2-");
    let credentials =
        Credentials { tickets: vec![Ticket::new(password.clone())], users: Some(users.clone()) };
    let auth = Auth::Required(credentials);
    let mut access = Access::new(&auth, at(0)).unwrap();
    let grant = access.admit_ticket(HOME, &Door::Main, Some(SECRET.as_bytes()), at(0)).unwrap();
    let denied = access.admit_ticket(HOME, &Door::Main, Some(b"hunter2-hunter3"), at(0)).unwrap_err();
    assert!(access.open_session(SESSION, grant.clone(), HOME));
    let known = access.add_ticket(Ticket::new(password.clone()), at(0)).unwrap_err();
    let exchange = access.sasl(&Door::Main, true, &decoys).unwrap();
    let broken = format!("ann:{check} {check}").parse::<Users>().unwrap_err();
    let long = Secret::new(SECRET.repeat(9).as_bytes()).unwrap_err();

    let printed = [
        format!("{password:?} {auth:?} {users:?} {decoys:?} {exchange:?} {access:?}"),
        format!("{:?} {grant:?} {} {denied:?} {denied}", access.tickets(at(0)), grant.credential),
        format!("{known:?} {known} {broken:?} {broken} {long:?} {long}"),
        format!("{:?}", Offered::new(SECRET.as_bytes())),
    ]
    .concat();
    assert!(printed.contains("Secret") && printed.contains("ann"), "something is printed: {printed}");
    let salted = check.split(['$', ':']).filter(|part| part.len() > 15);
    for secret in salted.chain([SECRET, "hunter2", "104, 117, 110", "68756e74"]) {
        assert!(!printed.contains(secret), "{secret} is in {printed}");
    }
}

#[test]
fn origins_on_this_machine_are_locked_out_unless_they_are_spared() {
    let local =
        ["127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1"].map(|ip| Origin::of_ip(ip.parse().unwrap()));
    let elsewhere = ["192.0.2.1", "2001:db8::1"].map(|ip| Origin::of_ip(ip.parse().unwrap()));
    for spares in [false, true] {
        let mut access = with(vec![ticket("right")]).sparing_local(spares);
        for origin in local.into_iter().chain([Origin::Local(Some(1000)), Origin::Local(None)]) {
            for _ in 0..20 {
                let _ = access.admit_ticket(origin, &Door::Main, Some(b"wrong"), at(1));
            }
            let admitted = access.admit_ticket(origin, &Door::Main, Some(b"right"), at(1));
            assert_eq!(admitted.is_ok(), spares, "{origin}");
        }
        for origin in elsewhere {
            for _ in 0..20 {
                let _ = access.admit_ticket(origin, &Door::Main, Some(b"wrong"), at(1));
            }
            assert!(access.admit_ticket(origin, &Door::Main, Some(b"right"), at(1)).is_err(), "{origin}");
        }
    }
}
