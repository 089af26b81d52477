//! Debian's Chromium by its driver: a headless browser of the test's own, gone with the test. WebDriver is
//! <https://www.w3.org/TR/webdriver2/>, what goes beyond it the DevTools protocol
//! (<https://chromedevtools.github.io/devtools-protocol/>).

use std::io::{BufRead, BufReader, Lines};
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use axum::http::Method;
use data_encoding::BASE64;
use fantoccini::elements::Element;
use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder, Locator};
use futures_util::FutureExt;
use hyper_util::client::legacy::connect::HttpConnector;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use url::{ParseError, Url};

/// Runs a test in a browser. Where it is not installed the test says so, and fails where
/// `ZHIJIAN_TEST_CHROMIUM=required` is set (as `.ci/run` does).
pub(crate) fn in_browser<F: Future<Output = ()>>(test: impl FnOnce(Browser) -> F) {
    let Some((chromium, driver)) = program("chromium").zip(program("chromedriver")) else {
        assert!(
            std::env::var_os("ZHIJIAN_TEST_CHROMIUM").is_none(),
            "Chromium is not installed, and ZHIJIAN_TEST_CHROMIUM is set"
        );
        println!(
            "NOT TESTED in a browser: chromium and chromedriver are not installed \
             (apt-get install chromium chromium-driver fonts-noto-cjk)"
        );
        return;
    };
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let driver = Driver::start(&driver);
        let browser = Browser::open(&driver, &chromium).await;
        // A session that is not closed leaves its browser behind.
        let ended = AssertUnwindSafe(test(browser.clone())).catch_unwind().await;
        let _ = browser.client.close().await;
        if let Err(panic) = ended {
            resume_unwind(panic);
        }
    });
}

fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|program| program.is_file())
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
        command.arg("--port=0").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
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

/// A command that goes beyond WebDriver.
#[derive(Debug)]
struct Beyond {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for Beyond {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.body.to_string()))
    }
}

/// A tab, in Chinese, without a cache of other tests.
#[derive(Clone)]
pub(crate) struct Browser {
    pub(crate) client: Client,
}

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
        let Value::Object(wanted) = wanted else { unreachable!() };
        let connected =
            ClientBuilder::new(HttpConnector::new()).capabilities(wanted).connect(&driver.address).await;
        let browser = Browser { client: connected.unwrap() };
        browser.width(1280).await;
        browser
    }

    async fn beyond(&self, path: &'static str, body: Value) -> Value {
        self.client.issue_cmd(Beyond { path, body }).await.unwrap()
    }

    /// A command of the DevTools protocol.
    pub(crate) async fn devtools(&self, name: &str, parameters: Value) -> Value {
        self.beyond("goog/cdp/execute", json!({ "cmd": name, "params": parameters })).await
    }

    /// What a script returns.
    pub(crate) async fn script<T: DeserializeOwned>(&self, script: &str, arguments: &[Value]) -> T {
        let value = self.client.execute(script, arguments.to_vec()).await;
        let value = value.unwrap_or_else(|error| panic!("{script}: {error}"));
        serde_json::from_value(value).unwrap_or_else(|error| panic!("{script}: {error}"))
    }

    #[track_caller]
    pub(crate) fn find(&self, css: &str) -> impl Future<Output = Element> {
        let (client, css) = (self.client.clone(), css.to_owned());
        let at = std::panic::Location::caller();
        async move {
            let found = client.wait().for_element(Locator::Css(&css)).await;
            found.unwrap_or_else(|error| panic!("{at}: {css}: {error}"))
        }
    }

    pub(crate) async fn click(&self, css: &str) {
        self.find(css).await.click().await.unwrap();
    }

    pub(crate) async fn write(&self, css: &str, text: &str) {
        self.find(css).await.send_keys(text).await.unwrap();
    }

    pub(crate) async fn text(&self, css: &str) -> String {
        self.find(css).await.text().await.unwrap()
    }

    /// Waits until a script says so.
    #[track_caller]
    pub(crate) fn until(&self, script: &str) -> impl Future<Output = ()> {
        let (browser, script) = (self.clone(), script.to_owned());
        let at = std::panic::Location::caller();
        async move {
            let begun = std::time::Instant::now();
            while !browser.script::<bool>(&script, &[]).await {
                assert!(begun.elapsed().as_secs() < 120, "{at}: {script}");
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
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
        let entries = self.beyond("se/log", json!({ "type": "performance" })).await;
        let message =
            |entry: &Value| -> Value { serde_json::from_str(entry["message"].as_str().unwrap()).unwrap() };
        let sent = entries.as_array().unwrap().iter().map(message);
        let sent = sent.filter(|entry| entry["message"]["method"] == "Network.requestWillBeSent");
        sent.map(|entry| entry["message"]["params"]["request"]["url"].as_str().unwrap().to_owned()).collect()
    }

    /// What the browser complained of since the last call: policies that were broken, scripts that failed.
    pub(crate) async fn complaints(&self) -> Vec<String> {
        let entries = self.beyond("se/log", json!({ "type": "browser" })).await;
        let entries = entries.as_array().unwrap().iter();
        entries.map(|entry| entry["message"].as_str().unwrap_or_default().to_owned()).collect()
    }
}

fn keep(name: &str, base64: &str) -> Vec<u8> {
    let bytes = BASE64.decode(base64.as_bytes()).unwrap();
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("screens");
    std::fs::create_dir_all(&target).unwrap();
    std::fs::write(target.join(name), &bytes).unwrap();
    bytes
}
