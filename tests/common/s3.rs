//! An S3-compatible server of the test's own on loopback: `moto_server` (from PyPI), gone with the test.

use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// A running server.
pub(crate) struct Server {
    child: Child,
    port: u16,
}

impl Server {
    /// A server, if the program is here: in the path, or named by `MOTO_SERVER`. When it is not, the test says so, and
    /// fails where `ZHIJIAN_TEST_S3=required` is set (as `.ci/run` does).
    pub(crate) fn start() -> Option<Server> {
        let program =
            std::env::var_os("MOTO_SERVER").map_or_else(|| PathBuf::from("moto_server"), PathBuf::from);
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut command = Command::new(&program);
        command.args(["-H", "127.0.0.1", "-p", &port.to_string()]);
        let Ok(child) = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()
        else {
            assert!(
                std::env::var_os("ZHIJIAN_TEST_S3").is_none(),
                "moto_server is not installed, and ZHIJIAN_TEST_S3 is set"
            );
            println!(
                "NOT TESTED with S3: moto_server is not installed (pip install 'moto[s3]' flask flask-cors)"
            );
            return None;
        };
        let server = Server { child, port };
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(60), "{} does not listen", program.display());
            std::thread::sleep(Duration::from_millis(100));
        }
        Some(server)
    }

    /// A new bucket.
    pub(crate) fn bucket(&self) -> String {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("zhijian-{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let url = format!("http://127.0.0.1:{}/{name}", self.port);
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let made = runtime.block_on(async { client.put(url).send().await.unwrap().status() });
        assert!(made.is_success(), "{made}");
        name
    }

    /// How a program finds it.
    pub(crate) fn variables(&self) -> Vec<(&'static str, String)> {
        vec![
            ("AWS_ENDPOINT", format!("http://127.0.0.1:{}", self.port)),
            ("AWS_ALLOW_HTTP", "true".into()),
            ("AWS_REGION", "us-east-1".into()),
            ("AWS_ACCESS_KEY_ID", "test".into()),
            ("AWS_SECRET_ACCESS_KEY", "test".into()),
            ("NO_PROXY", "127.0.0.1".into()),
        ]
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
