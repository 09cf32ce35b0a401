//! Chromium without a screen, told what to do over its DevTools protocol.

use std::fs;
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{self, Message, WebSocket};

use crate::needs::Need;
use crate::process::Process;
use crate::scratch::Scratch;
use crate::viewer::dial;
use crate::wait;

pub(crate) const CHROMIUM: Need = Need::Program("chromium");

/// How long it may take to start.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long it may take to answer.
const ANSWER: Duration = Duration::from_secs(30);

/// A browser with one page.
pub(crate) struct Browser {
    socket: WebSocket<TcpStream>,
    /// The last command.
    id: u64,
    /// The page.
    session: Option<String>,
    /// What the page has printed, and what it has failed with.
    console: Vec<String>,
    _process: Process,
    _scratch: Scratch,
}

impl Browser {
    /// Starts it with these options besides its usual ones, and an empty page.
    pub(crate) fn start(options: &[&str]) -> Result<Self, String> {
        let scratch = Scratch::new()?;
        let mut command = Command::new("chromium");
        // Containers have neither what its sandbox needs nor much shared memory.
        command.args(["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]);
        command.args(["--no-first-run", "--disable-background-networking", "--disable-component-update"]);
        command.args(["--window-size=1100,900", "--remote-debugging-port=0"]).args(options);
        command.arg(format!("--user-data-dir={}", scratch.path().display()));
        // It keeps some of its files outside the profile.
        for home in ["HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR"] {
            command.env(home, scratch.path());
        }
        command.env("DBUS_SESSION_BUS_ADDRESS", "disabled:").arg("about:blank");
        let mut process = Process::start(&mut command)?;
        let file = scratch.file("DevToolsActivePort");
        let (port, path) = wait::until("the port of chromium", PATIENCE, || {
            if let Some(status) = process.poll()? {
                return Err(format!("chromium ended with {status}"));
            }
            let text = fs::read_to_string(&file).unwrap_or_default();
            // Its second line is there when its end is.
            let mut lines = text.split_inclusive('\n').map(str::trim_end);
            let port = lines.next().and_then(|line| line.parse::<u16>().ok());
            Ok(port.zip(lines.next().filter(|path| path.starts_with('/')).map(str::to_owned)))
        })?;
        let stream = dial(([127, 0, 0, 1], port).into())?;
        stream.set_read_timeout(Some(ANSWER)).map_err(|error| error.to_string())?;
        let (socket, _) = tungstenite::client(format!("ws://127.0.0.1:{port}{path}"), stream)
            .map_err(|error| format!("chromium takes no commands: {error}"))?;
        let mut browser =
            Self { socket, id: 0, session: None, console: Vec::new(), _process: process, _scratch: scratch };
        let page = browser.call("Target.createTarget", &json!({"url": "about:blank"}))?;
        let attach = json!({"targetId": page["targetId"], "flatten": true});
        let session = browser.call("Target.attachToTarget", &attach)?;
        browser.session = session["sessionId"].as_str().map(str::to_owned);
        browser.call("Runtime.enable", &json!({}))?;
        browser.call("Page.enable", &json!({}))?;
        Ok(browser)
    }

    /// Shows a page. It may still be loading when this returns.
    pub(crate) fn open(&mut self, url: &str) -> Result<(), String> {
        self.console.clear();
        let answer = self.call("Page.navigate", &json!({"url": url}))?;
        match answer["errorText"].as_str() {
            None => Ok(()),
            Some(error) => Err(format!("{url}: {error}")),
        }
    }

    /// What a script says of the page.
    pub(crate) fn evaluate(&mut self, script: &str) -> Result<Value, String> {
        let how = json!({"expression": script, "returnByValue": true, "awaitPromise": true});
        let mut answer = self.call("Runtime.evaluate", &how)?;
        if answer.get("exceptionDetails").is_some() {
            return Err(format!("a script fails: {}", answer["exceptionDetails"]));
        }
        Ok(answer["result"]["value"].take())
    }

    /// Types lower case letters, spaces and line ends into what has the focus.
    pub(crate) fn type_text(&mut self, text: &str) -> Result<(), String> {
        for character in text.chars() {
            let (code, key, number) = match character {
                ' ' => ("Space".to_owned(), " ".to_owned(), 32),
                '\n' => ("Enter".to_owned(), "Enter".to_owned(), 13),
                letter => {
                    let upper = letter.to_ascii_uppercase();
                    (format!("Key{upper}"), letter.to_string(), u32::from(upper))
                }
            };
            for kind in ["rawKeyDown", "keyUp"] {
                let event = json!({"type": kind, "code": code, "key": key, "windowsVirtualKeyCode": number});
                self.call("Input.dispatchKeyEvent", &event)?;
            }
        }
        Ok(())
    }

    /// What the page looks like, as a PNG file for people to look at.
    pub(crate) fn screenshot(&mut self, path: &Path) -> Result<(), String> {
        let answer = self.call("Page.captureScreenshot", &json!({"format": "png"}))?;
        let data = answer["data"].as_str().and_then(|text| STANDARD.decode(text).ok());
        fs::write(path, data.ok_or("no screenshot of the page")?)
            .map_err(|error| format!("cannot write {}: {error}", path.display()))
    }

    /// What the page has printed so far, and what it has failed with.
    pub(crate) fn console(&self) -> &[String] {
        &self.console
    }

    /// Does something, and answers with what came of it.
    fn call(&mut self, method: &str, parameters: &Value) -> Result<Value, String> {
        self.id += 1;
        let mut command = json!({"id": self.id, "method": method, "params": parameters});
        if let Some(session) = &self.session {
            command["sessionId"] = session.as_str().into();
        }
        let failed = |error: tungstenite::Error| format!("{method}: {error}");
        self.socket.send(Message::text(command.to_string())).map_err(failed)?;
        let end = Instant::now() + ANSWER;
        while Instant::now() < end {
            let Message::Text(text) = self.socket.read().map_err(failed)? else { continue };
            let mut said: Value =
                serde_json::from_str(&text).map_err(|error| format!("{method}: {error}"))?;
            if said["id"] == self.id {
                return match said.get("error") {
                    None => Ok(said["result"].take()),
                    Some(error) => Err(format!("{method}: {error}")),
                };
            }
            self.console.extend(printed(&said));
        }
        Err(format!("{method}: no answer within {ANSWER:?}"))
    }
}

/// What an event tells that a page has printed.
fn printed(event: &Value) -> Option<String> {
    match event["method"].as_str()? {
        "Runtime.consoleAPICalled" => {
            let pieces = event["params"]["args"].as_array()?.iter();
            let text = |piece: &Value| match &piece["value"] {
                Value::String(text) => text.clone(),
                Value::Null => piece["description"].as_str().unwrap_or_default().to_owned(),
                value => value.to_string(),
            };
            Some(pieces.map(text).collect::<Vec<_>>().join(" "))
        }
        "Runtime.exceptionThrown" => {
            let details = &event["params"]["exceptionDetails"];
            let text = details["exception"]["description"].as_str().or(details["text"].as_str())?;
            Some(format!("exception: {text}"))
        }
        _ => None,
    }
}
