//! A plain HTTP client: one request after the other over one connection, everything visible.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use super::{Host, Value, json};

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(it, _)| it == name);
        let value = found.next().map(|(_, value)| value.as_str());
        assert!(found.next().is_none(), "{name} twice");
        value
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }
}

/// A connection that speaks HTTP.
pub struct Http {
    stream: BufReader<TcpStream>,
}

impl Http {
    pub fn new(host: &Host) -> Self {
        Self {
            stream: BufReader::new(host.stream()),
        }
    }

    /// How long an answer may take; [`answer`](Self::answer) is `None` then.
    pub fn set_patience(&mut self, patience: std::time::Duration) {
        let stream = self.stream.get_ref();
        stream.set_read_timeout(Some(patience)).unwrap();
    }

    pub fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) {
        let mut request = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n",
            body.len()
        );
        for (name, value) in headers {
            request += &format!("{name}: {value}\r\n");
        }
        let bytes = [request.as_bytes(), b"\r\n", body].concat();
        self.stream.get_mut().write_all(&bytes).unwrap();
    }

    pub fn send_bytes(&mut self, bytes: &[u8]) {
        self.stream.get_mut().write_all(bytes).unwrap();
    }

    /// The next answer; `None` if the connection has ended.
    pub fn answer(&mut self) -> Option<Answer> {
        let mut line = String::new();
        if self.stream.read_line(&mut line).unwrap_or(0) == 0 {
            return None;
        }
        let status = line.split(' ').nth(1).unwrap().parse().unwrap();
        let mut headers = Vec::new();
        loop {
            line.clear();
            self.stream.read_line(&mut line).unwrap();
            let Some((name, value)) = line.trim_end().split_once(": ") else {
                break;
            };
            headers.push((name.to_ascii_lowercase(), value.to_owned()));
        }
        let length = headers.iter().find(|(name, _)| name == "content-length");
        let length = length.map_or(0, |(_, value)| value.parse().unwrap());
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).unwrap();
        Some(Answer {
            status,
            headers,
            body,
        })
    }

    pub fn request(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        self.send(method, path, headers, body);
        self.answer().expect("an answer")
    }

    pub fn post(&mut self, path: &str, body: &[u8]) -> Answer {
        self.request("POST", path, &[], body)
    }
}

/// A session over long-polling, with JSON.
pub struct Polled {
    pub http: Http,
    /// Its path, without a slash at the end.
    pub path: String,
    /// What opening it was answered with.
    pub opened: Answer,
}

impl Polled {
    pub fn open(host: &Host, base: &str, protocol: &str) -> Self {
        let mut http = Http::new(host);
        let body = json!({ "protocols": [protocol] }).to_string();
        let answer = http.post(&format!("{base}/open"), body.as_bytes());
        assert_eq!(answer.status, 200, "{answer:?}");
        let opened = answer.json();
        assert_eq!(opened["protocol"], protocol);
        let path = format!("{base}/{}", opened["transport"].as_str().unwrap());
        Self {
            http,
            path,
            opened: answer,
        }
    }

    /// A session in realm1, without batches.
    pub fn joined(host: &Host) -> Self {
        let mut polled = Self::open(host, "/longpoll", "wamp.2.json");
        polled.send(&super::Peer::hello("realm1"));
        assert_eq!(polled.message()[0], 2);
        polled
    }

    pub fn post(&mut self, verb: &str, body: &[u8]) -> Answer {
        self.http.post(&format!("{}/{verb}", self.path), body)
    }

    pub fn send(&mut self, message: &Value) {
        let answer = self.post("send", message.to_string().as_bytes());
        assert_eq!(answer.status, 202, "{answer:?}");
    }

    /// The next message, however often that has to be polled for.
    pub fn message(&mut self) -> Value {
        loop {
            let answer = self.post("receive", b"");
            match answer.status {
                204 => {}
                200 => return answer.json(),
                _ => panic!("{answer:?}"),
            }
        }
    }
}
