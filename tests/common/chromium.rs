//! Debian's Chromium by its driver: a headless browser of the test's own, gone with the test. WebDriver is
//! <https://www.w3.org/TR/webdriver2/>, what goes beyond it the DevTools protocol
//! (<https://chromedevtools.github.io/devtools-protocol/>).

use std::io::{BufRead, BufReader, Lines};
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use data_encoding::BASE64;
use futures_util::FutureExt;
use reqwest::Method;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::tool::tools;

/// How long anything may take on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(120);
const PAUSE: Duration = Duration::from_millis(50);

/// Runs a test in a browser. Where it is not installed the test says so, and fails where
/// `ZHIJIAN_TEST_CHROMIUM=required` is set (as `.ci/run` does).
pub(crate) fn in_browser<F: Future<Output = ()>>(test: impl FnOnce(Browser) -> F) {
    let packages = "chromium chromium-driver fonts-noto-cjk";
    let found = tools(["chromium", "chromedriver"], "ZHIJIAN_TEST_CHROMIUM", packages);
    let Some([chromium, driver]) = found else { return };
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let driver = Driver::start(&driver);
        let browser = Browser::open(&driver, &chromium).await;
        // A session that is not closed leaves its browser behind.
        let ended = AssertUnwindSafe(test(browser.clone())).catch_unwind().await;
        browser.close().await;
        if let Err(panic) = ended {
            resume_unwind(panic);
        }
    });
}

struct Driver {
    process: Child,
    address: String,
    /// It says more later, and must not find that nobody listens.
    _said: Lines<BufReader<ChildStdout>>,
}

impl Driver {
    fn start(program: &Path) -> Self {
        let mut command = Command::new(program);
        command
            .arg("--port=0")
            .env("LANGUAGE", "zh_CN")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut process = command.spawn().unwrap();
        let mut said = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut lines = said.by_ref().map_while(Result::ok);
        let line = lines.find(|line| line.contains("successfully on port")).unwrap();
        let port = line.trim_end_matches('.').rsplit(' ').next().unwrap();
        Driver { process, address: format!("http://127.0.0.1:{port}/"), _said: said }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A tab, in Chinese, with nothing kept from before.
#[derive(Clone)]
pub(crate) struct Browser {
    client: reqwest::Client,
    /// Address of the session.
    session: String,
}

/// By what WebDriver names an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

impl Browser {
    async fn open(driver: &Driver, chromium: &Path) -> Self {
        let wanted = json!({
            "goog:chromeOptions": {
                "binary": chromium,
                // Nothing but what the page asks for goes out, and nothing but this machine is found. In containers
                // tests are run by root, and shared memory is small.
                "args": [
                    "--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu",
                    "--hide-scrollbars", "--lang=zh-CN", "--disable-background-networking",
                    "--disable-component-update", "--no-first-run",
                    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
                ],
                "prefs": { "intl.accept_languages": "zh-CN,zh" },
            },
            "goog:loggingPrefs": { "performance": "ALL", "browser": "ALL" },
        });
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let address = format!("{}session", driver.address);
        let opened =
            ask(&client, Method::POST, &address, json!({ "capabilities": { "alwaysMatch": wanted } })).await;
        let opened = opened.unwrap_or_else(|error| panic!("{error}"));
        let session = format!("{address}/{}", opened["sessionId"].as_str().unwrap());
        let browser = Browser { client, session };
        browser.width(1280).await;
        browser
    }

    async fn close(&self) {
        let _ = ask(&self.client, Method::DELETE, &self.session, Value::Null).await;
    }

    async fn post(&self, path: &str, body: Value) -> Result<Value, String> {
        ask(&self.client, Method::POST, &format!("{}/{path}", self.session), body).await
    }

    async fn done(&self, path: &str, body: Value) -> Value {
        self.post(path, body).await.unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// Opens an address, until it is loaded.
    pub(crate) async fn open_page(&self, address: &str) {
        self.done("url", json!({ "url": address })).await;
    }

    /// Where the tab is.
    pub(crate) async fn address(&self) -> String {
        self.script("return location.href", &[]).await
    }

    /// A command of the DevTools protocol.
    pub(crate) async fn devtools(&self, name: &str, parameters: Value) -> Value {
        self.done("goog/cdp/execute", json!({ "cmd": name, "params": parameters })).await
    }

    /// What a script returns.
    pub(crate) async fn script<T: DeserializeOwned>(&self, script: &str, arguments: &[Value]) -> T {
        let value = self.post("execute/sync", json!({ "script": script, "args": arguments })).await;
        let value = value.unwrap_or_else(|error| panic!("{script}: {error}"));
        serde_json::from_value(value).unwrap_or_else(|error| panic!("{script}: {error}"))
    }

    /// The path of an element of the session, which may take a while to come.
    async fn find(&self, css: &str) -> String {
        let begun = Instant::now();
        loop {
            match self.post("element", json!({ "using": "css selector", "value": css })).await {
                Ok(found) => return format!("element/{}", found[ELEMENT].as_str().unwrap()),
                Err(error) => assert!(begun.elapsed() < PATIENCE, "{css}: {error}"),
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    pub(crate) async fn click(&self, css: &str) {
        let element = self.find(css).await;
        self.done(&format!("{element}/click"), json!({})).await;
    }

    /// Types into a field; into one for files, the path of a file.
    pub(crate) async fn write(&self, css: &str, text: &str) {
        let element = self.find(css).await;
        self.done(&format!("{element}/value"), json!({ "text": text })).await;
    }

    pub(crate) async fn text(&self, css: &str) -> String {
        self.find(css).await;
        self.script("return document.querySelector(arguments[0]).innerText", &[css.into()]).await
    }

    /// Waits until a script says so.
    pub(crate) async fn until(&self, script: &str) {
        let begun = Instant::now();
        // What asks of an element that is not there yet gives null.
        while self.script::<Option<bool>>(script, &[]).await != Some(true) {
            assert!(begun.elapsed() < PATIENCE, "{script}");
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Presses a key, as a keyboard does: a letter, `Tab`, `Enter`, `Escape`.
    pub(crate) async fn press(&self, key: &str) {
        let (code, text) = match key {
            "Tab" => (9, ""),
            "Enter" => (13, "\r"),
            "Escape" => (27, ""),
            letter => (i32::from(letter.as_bytes()[0].to_ascii_uppercase()), letter),
        };
        for kind in ["keyDown", "keyUp"] {
            let text = if kind == "keyDown" { text } else { "" };
            let event = json!({ "type": kind, "key": key, "windowsVirtualKeyCode": code, "text": text });
            self.devtools("Input.dispatchKeyEvent", event).await;
        }
    }

    /// Drags files from outside over an element and drops them there.
    pub(crate) async fn drop_files(&self, css: &str, files: &[PathBuf]) {
        let script = "const of = document.querySelector(arguments[0]); of.scrollIntoView({block: 'center'}); \
                      const at = of.getBoundingClientRect(); \
                      return [at.left + at.width / 2, at.top + at.height / 2]";
        let (x, y): (f64, f64) = self.script(script, &[css.into()]).await;
        for kind in ["dragEnter", "dragOver", "drop"] {
            let data = json!({ "items": [], "files": files, "dragOperationsMask": 1 });
            let event = json!({ "type": kind, "x": x, "y": y, "data": data });
            self.devtools("Input.dispatchDragEvent", event).await;
        }
    }

    /// A screen of so many pixels; narrow ones are those of telephones.
    pub(crate) async fn width(&self, pixels: u32) {
        let (height, mobile) = if pixels < 500 { (812, true) } else { (900, false) };
        let metrics = json!({ "width": pixels, "height": height, "deviceScaleFactor": 1, "mobile": mobile });
        self.devtools("Emulation.setDeviceMetricsOverride", metrics).await;
    }

    /// As it is printed, or as it is on the screen again.
    pub(crate) async fn printed(&self, printed: bool) {
        self.devtools("Emulation.setEmulatedMedia", json!({ "media": if printed { "print" } else { "" } }))
            .await;
    }

    /// The whole page as a picture for people to look at: `target/screens/<name>.png`.
    pub(crate) async fn picture(&self, name: &str) {
        let wanted = json!({ "format": "png", "captureBeyondViewport": true });
        let taken = self.devtools("Page.captureScreenshot", wanted).await;
        keep(&format!("{name}.png"), taken["data"].as_str().unwrap());
    }

    /// The page as it comes out of a printer: `target/screens/<name>.pdf`, and its bytes.
    pub(crate) async fn paper(&self, name: &str) -> Vec<u8> {
        let wanted = json!({ "preferCSSPageSize": true, "printBackground": true });
        let printed = self.devtools("Page.printToPDF", wanted).await;
        keep(&format!("{name}.pdf"), printed["data"].as_str().unwrap())
    }

    /// Every address that was asked for since the last call.
    pub(crate) async fn requests(&self) -> Vec<String> {
        let entries = self.done("se/log", json!({ "type": "performance" })).await;
        let message =
            |entry: &Value| -> Value { serde_json::from_str(entry["message"].as_str().unwrap()).unwrap() };
        let sent = entries.as_array().unwrap().iter().map(message);
        let sent = sent.filter(|entry| entry["message"]["method"] == "Network.requestWillBeSent");
        sent.map(|entry| entry["message"]["params"]["request"]["url"].as_str().unwrap().to_owned()).collect()
    }

    /// What the browser complained of since the last call: policies that were broken, scripts that failed.
    pub(crate) async fn complaints(&self) -> Vec<String> {
        let entries = self.done("se/log", json!({ "type": "browser" })).await;
        let entries = entries.as_array().unwrap().iter();
        entries.map(|entry| entry["message"].as_str().unwrap_or_default().to_owned()).collect()
    }
}

/// The value of an answer of the driver, or what is wrong.
async fn ask(client: &reqwest::Client, method: Method, address: &str, body: Value) -> Result<Value, String> {
    let request = client.request(method, address).header("content-type", "application/json");
    let body = if body.is_null() { Vec::new() } else { serde_json::to_vec(&body).unwrap() };
    let response = request.body(body).send().await.map_err(|error| error.to_string())?;
    let status = response.status();
    let answer = response.bytes().await.map_err(|error| error.to_string())?;
    let mut answer: Value = serde_json::from_slice(&answer).map_err(|error| error.to_string())?;
    let value = answer["value"].take();
    if status.is_success() {
        Ok(value)
    } else {
        Err(value["message"].as_str().unwrap_or_default().to_owned())
    }
}

fn keep(name: &str, base64: &str) -> Vec<u8> {
    let bytes = BASE64.decode(base64.as_bytes()).unwrap();
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("screens");
    std::fs::create_dir_all(&target).unwrap();
    std::fs::write(target.join(name), &bytes).unwrap();
    bytes
}
