//! A server of our own on loopback that says exactly what a test wants, well or ill behaved.

#![allow(unreachable_pub, dead_code, reason = "shared by test files, each of which uses a part")]

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// A request as the server heard it.
#[derive(Debug, Clone)]
pub struct Request {
    pub method: String,
    pub path: String,
    headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub at: Instant,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// What the server does then.
pub enum Step {
    Say(Vec<u8>),
    Pause(Duration),
    /// The same bytes again and again, until the client goes away or so many were said.
    Repeat(Vec<u8>, u64),
    Hang,
}

/// A whole answer.
pub fn answer(status: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<Step> {
    let mut head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n", body.len());
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    vec![Step::Say([head.as_bytes(), body].concat())]
}

pub struct Server {
    address: SocketAddr,
    heard: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    /// Listens on an address of 127.0.0.0/8 and answers by a function, one thread for each connection.
    pub fn start(ip: &str, reply: impl Fn(&Request) -> Vec<Step> + Send + Sync + 'static) -> Server {
        let listener = TcpListener::bind((ip, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let heard: Arc<Mutex<Vec<Request>>> = Arc::default();
        let (known, reply) = (heard.clone(), Arc::new(reply));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (known, reply) = (known.clone(), reply.clone());
                std::thread::spawn(move || serve(stream, &known, &*reply));
            }
        });
        Server { address, heard }
    }

    /// A server that allows everything to robots.
    pub fn open(ip: &str, reply: impl Fn(&Request) -> Vec<Step> + Send + Sync + 'static) -> Server {
        Server::start(ip, move |request| match request.path.as_str() {
            "/robots.txt" => answer("404 Not Found", &[], b""),
            _ => reply(request),
        })
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn authority(&self) -> String {
        self.address.to_string()
    }

    /// Requests heard so far, those for `robots.txt` left out.
    pub fn heard(&self) -> Vec<Request> {
        self.all().into_iter().filter(|request| request.path != "/robots.txt").collect()
    }

    pub fn all(&self) -> Vec<Request> {
        self.heard.lock().unwrap().clone()
    }
}

fn serve(stream: TcpStream, heard: &Mutex<Vec<Request>>, reply: &dyn Fn(&Request) -> Vec<Step>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut stream = stream;
    while let Some(request) = read(&mut reader) {
        heard.lock().unwrap().push(request.clone());
        for step in reply(&request) {
            let said = match step {
                Step::Say(bytes) => stream.write_all(&bytes),
                Step::Pause(time) => {
                    std::thread::sleep(time);
                    Ok(())
                }
                Step::Repeat(bytes, most) => {
                    let mut said = Ok(());
                    let mut count = 0;
                    while said.is_ok() && count < most {
                        said = stream.write_all(&bytes);
                        count += bytes.len() as u64;
                    }
                    said
                }
                Step::Hang => return,
            };
            if said.is_err() {
                return;
            }
        }
    }
}

fn read(reader: &mut impl BufRead) -> Option<Request> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|count| *count > 0)?;
    let mut words = line.split_whitespace();
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|count| *count > 0)?;
        match line.trim_end().split_once(": ") {
            Some((name, value)) => headers.push((name.to_owned(), value.to_owned())),
            None => break,
        }
    }
    let length = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let mut body = vec![0; length.map_or(0, |(_, value)| value.parse().unwrap())];
    reader.read_exact(&mut body).ok()?;
    Some(Request { method, path, headers, body, at: Instant::now() })
}
