//! spice-html5 in a browser, straight at the server's port: no proxy between.

use std::path::Path;
use std::time::Duration;

use libtest_mimic::Trial;

use crate::cdp::{Browser, CHROMIUM};
use crate::demo;
use crate::needs::{Need, trial};
use crate::pages::Pages;
use crate::scratch::Scratch;
use crate::server::Server;
use crate::shot::Shot;
use crate::still::{STILL_NEEDS, Still};
use crate::tls_viewers::Secure;
use crate::wait;

/// Where its package puts it.
const FOLDER: &str = "/usr/share/spice-html5";
const PAGE: &str = "spice_auto.html";
const HTML5: Need = Need::File("/usr/share/spice-html5/spice_auto.html");
/// Where pictures that differ are kept.
const KEPT: &str = env!("CARGO_TARGET_TMPDIR");

/// How long it may take until a picture is there: its pictures are unpacked by a script.
const PATIENCE: Duration = Duration::from_secs(30);

/// The canvas of the primary surface: its size, and its colours as hexadecimal digits.
const CANVAS: &str = "(() => {
    const canvas = document.getElementById('spice_surface_0');
    if (!canvas) return null;
    const {width, height} = canvas;
    const data = canvas.getContext('2d').getImageData(0, 0, width, height).data;
    const digits = Array.from({length: 256}, (_, byte) => byte.toString(16).padStart(2, '0'));
    const rows = [];
    for (let y = 0; y < height; y++) {
        let row = '';
        for (let at = y * width * 4; at < (y + 1) * width * 4; at += 4)
            row += digits[data[at]] + digits[data[at + 1]] + digits[data[at + 2]];
        rows.push(row);
    }
    return {width, height, pixels: rows.join('')};
})()";

pub(crate) fn trials() -> Vec<Trial> {
    let needs = [CHROMIUM, HTML5];
    let still = [&needs[..], &STILL_NEEDS].concat();
    let tls = [&still[..], &[Need::Program("openssl")]].concat();
    vec![
        trial("browser_html5", &still, shows_the_screen),
        trial("browser_html5_tls", &tls, shows_the_screen_by_tls),
        trial("browser_html5_keyboard", &needs, keyboard),
        trial("browser_html5_wrong_password", &needs, wrong_password),
        trial("browser_page_of_another_origin_is_refused", &needs, another_origin),
    ]
}

/// The picture on the page, once there is one.
fn canvas(browser: &mut Browser) -> Result<Option<Shot>, String> {
    let mut answer = browser.evaluate(CANVAS)?;
    let serde_json::Value::String(digits) = answer["pixels"].take() else { return Ok(None) };
    let size = |key: &str| answer[key].as_u64().and_then(|size| usize::try_from(size).ok());
    let nibble = |digit: u8| char::from(digit).to_digit(16).unwrap_or_default();
    let bytes: Vec<u8> = digits
        .as_bytes()
        .as_chunks()
        .0
        .iter()
        .map(|[high, low]| u8::try_from(nibble(*high) << 4 | nibble(*low)).unwrap_or_default())
        .collect();
    Ok(size("width").zip(size("height")).and_then(|(width, height)| Shot::from_rgb(width, height, &bytes)))
}

/// Waits until the page shows this, except for what `still` takes away from both.
fn shows(
    browser: &mut Browser,
    name: &str,
    mut expected: impl FnMut() -> Result<Shot, String>,
    still: impl Fn(&Shot) -> Shot,
) -> Result<(), String> {
    let mut last = (None, "there is no canvas".to_owned());
    let shown = wait::until("the picture in the browser", PATIENCE, || {
        let expected = expected()?;
        let Some(shot) = canvas(browser)? else { return Ok(None) };
        let difference = still(&shot).difference(&still(&expected));
        let same = difference.is_none().then_some(());
        last = (Some((shot, expected)), difference.unwrap_or_default());
        Ok(same)
    });
    let keep = Path::new(KEPT).join(name);
    std::fs::create_dir_all(&keep).map_err(|error| format!("cannot make {}: {error}", keep.display()))?;
    browser.screenshot(&keep.join("page.png"))?;
    shown.or_else(|error| {
        if let (Some((shot, expected)), _) = &last {
            shot.write(&keep.join("canvas.ppm"))?;
            expected.write(&keep.join("expected.ppm"))?;
        }
        let said = browser.console().join(" | ");
        Err(format!("{error}: {}; see {}; the page says: {said}", last.1, keep.display()))
    })
}

/// The address of the page, for this server.
fn address(host: &str, pages: &Pages, server: &Server, rest: &str) -> String {
    format!("http://{host}:{}/{PAGE}?host=127.0.0.1&port={}{rest}", pages.port(), server.addr().port())
}

/// What spice-html5 paints is what spicy-screenshot gets, in every pixel, with a ticket.
fn shows_the_screen() -> Result<(), String> {
    let scratch = Scratch::new()?;
    let still = Still::new("xspice-move", &scratch)?;
    let ticket = scratch.write("ticket", "open sesame\n")?.display().to_string();
    let server = still.serve(&["--ticket-file", &ticket])?;
    let pages = Pages::serve(Path::new(FOLDER), Vec::new())?;
    let mut browser = Browser::start(&[])?;
    browser.open(&address("127.0.0.1", &pages, &server, "&password=open+sesame"))?;
    shows(&mut browser, "browser_html5", || Ok(still.picture.clone()), Clone::clone)
}

/// The same by wss://, with a certificate that the browser was told to trust; without being told it connects to nothing.
fn shows_the_screen_by_tls() -> Result<(), String> {
    let scratch = Scratch::new()?;
    let still = Still::new("qemu-qxl-move", &scratch)?;
    let secure = Secure::start(&still, &["--channel-security", "default=secure"])?;
    // Pages of http: ask for ws:, those of https: for wss:. A page is all that has to be otherwise.
    let page = std::fs::read_to_string(Path::new(FOLDER).join(PAGE)).map_err(|error| error.to_string())?;
    let page = page.replace("\"ws://\"", "\"wss://\"");
    let pages = Pages::serve(Path::new(FOLDER), vec![(PAGE.to_owned(), page)])?;
    let address = address("127.0.0.1", &pages, &secure.server, "");
    let mut browser = Browser::start(&[])?;
    browser.open(&address)?;
    secure.audit.wait_refused("TLS")?;
    if let Some(shot) = canvas(&mut browser)? {
        return Err(format!("a certificate that nobody trusts shows {shot:?}"));
    }
    drop(browser);
    let trust = format!("--ignore-certificate-errors-spki-list={}", secure.spki_digest()?);
    let mut browser = Browser::start(&[&trust])?;
    browser.open(&address)?;
    shows(&mut browser, "browser_html5_tls", || Ok(still.picture.clone()), Clone::clone)?;
    secure.audit.wait("connect", |line| line["transport"] == "wss").map(drop)
}

/// What is typed into the page arrives, and the answer comes back as it is drawn: the desktop looks as one into which a
/// viewer of ours has typed the same. spice-html5 draws whole rectangles where it is to draw parts of them ("FIXME:
/// DrawCopy we don't handle clipping yet"), so the whole desktop is compared by a page that comes late, which is sent
/// pictures and not drawings.
fn keyboard() -> Result<(), String> {
    let (_model_server, model_viewer, mut model) = demo::untouched()?;
    let server = Server::start(&[])?;
    let pages = Pages::serve(Path::new(FOLDER), Vec::new())?;
    let mut browser = Browser::start(&[])?;
    let address = address("127.0.0.1", &pages, &server, "");
    browser.open(&address)?;
    let before = |shot: &Shot| demo::still(shot, demo::PROMPT_ROW, (0, 0));
    let mut shot = || {
        model.paint_pending()?;
        model.shot()
    };
    shows(&mut browser, "browser_html5_keyboard_before", &mut shot, before)?;
    let line = format!("{}\n", demo::TYPED);
    model_viewer.inputs()?.type_text(&line)?;
    browser.type_text(&line)?;
    let answer = demo::cells(demo::PROMPT_ROW + 1, 0..60);
    let empty = shot()?.part(demo::cells(demo::PROMPT_ROW + 3, 0..60));
    wait::until("an answer at the model", PATIENCE, || Ok((shot()?.part(answer) != empty).then_some(())))?;
    shows(&mut browser, "browser_html5_keyboard_answer", &mut shot, |shot| shot.part(answer))?;
    browser.open(&address)?;
    let after = |shot: &Shot| demo::still(shot, demo::PROMPT_ROW + 2, (0, 0));
    shows(&mut browser, "browser_html5_keyboard", &mut shot, after)
}

/// Who has the wrong ticket sees nothing, and is asked for another.
fn wrong_password() -> Result<(), String> {
    let scratch = Scratch::new()?;
    let ticket = scratch.write("ticket", "open sesame\n")?.display().to_string();
    let server = Server::start(&["--ticket-file", &ticket])?;
    // A question stops the page until it is answered.
    let asks = "<script>window.asked = []; window.prompt = text => { asked.push(text); };</script>";
    let page = std::fs::read_to_string(Path::new(FOLDER).join(PAGE)).map_err(|error| error.to_string())?;
    let page = page.replacen("<title>", &format!("{asks}<title>"), 1);
    let pages = Pages::serve(Path::new(FOLDER), vec![(PAGE.to_owned(), page)])?;
    let mut browser = Browser::start(&[])?;
    browser.open(&address("127.0.0.1", &pages, &server, "&password=open+simsim"))?;
    wait::until("a question for the password", PATIENCE, || {
        Ok((browser.evaluate("window.asked && asked.length > 0 ? asked[0] : null")? == "Password")
            .then_some(()))
    })?;
    match canvas(&mut browser)? {
        None => Ok(()),
        Some(shot) => Err(format!("the wrong ticket opens a screen: {shot:?}")),
    }
}

/// A page of somebody else's cannot connect, though the browser can; where its origin is listed, it can.
fn another_origin() -> Result<(), String> {
    const EVIL: &str = "evil.example";
    let pages = Pages::serve(Path::new(FOLDER), Vec::new())?;
    let mut browser = Browser::start(&["--host-resolver-rules=MAP evil.example 127.0.0.1"])?;
    let origin = format!("http://{EVIL}:{}", pages.port());
    let state = |browser: &mut Browser, server: &Server| {
        let script = format!(
            "new Promise(done => {{ const socket = new WebSocket('ws://127.0.0.1:{}/', 'binary');
                socket.onopen = () => {{ done('open'); socket.close(); }}; socket.onerror = () => done('refused'); }})",
            server.addr().port()
        );
        browser.evaluate(&script)
    };
    let server = Server::start(&[])?;
    browser.open(&address(EVIL, &pages, &server, ""))?;
    let here = browser.evaluate("location.origin")?;
    if here != origin.as_str() {
        return Err(format!("the page is of {here}, not of {origin}"));
    }
    wait::until("a refusal", PATIENCE, || {
        browser.evaluate("1")?;
        Ok(browser.console().iter().any(|line| line.contains("WebSocket error")).then_some(()))
    })
    .map_err(|error| format!("{error}: {:?}", browser.console()))?;
    if canvas(&mut browser)?.is_some() {
        return Err("a page of another origin has a screen".into());
    }
    let refused = state(&mut browser, &server)?;
    let listed = Server::start(&["--websocket-origin", &origin])?;
    let let_in = state(&mut browser, &listed)?;
    browser.open(&address("127.0.0.1", &pages, &server, ""))?;
    let own = state(&mut browser, &server)?;
    if (&refused, &let_in, &own) != (&"refused".into(), &"open".into(), &"open".into()) {
        return Err(format!("not listed {refused}, listed {let_in}, a page of the server's own host {own}"));
    }
    Ok(())
}
