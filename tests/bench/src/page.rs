//! A page asked for, and read by someone who does nothing with it.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use crate::{Measured, Outcome};

/// Bytes read at a time: enough that reading costs little, little enough for the cache.
const ROOM: usize = 256 << 10;
/// A server that says nothing for so long will say nothing more.
const PATIENCE: Duration = Duration::from_secs(10);

/// The request for a page, after which the server closes.
pub(crate) fn request(path: &str, host: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")
}

/// Reads a page to its end; the time counts from the request.
pub(crate) fn read(server: SocketAddr, path: &str) -> Outcome<Measured> {
    let mut stream = TcpStream::connect_timeout(&server, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut room = vec![0; ROOM];
    let began = Instant::now();
    stream.write_all(request(path, &server.ip().to_string()).as_bytes())?;
    let mut head = Head::default();
    loop {
        let length = stream.read(&mut room)?;
        let now = began.elapsed();
        let is_whole = head.take(&room[..length])?;
        if length == 0 || is_whole {
            return head.measured(now.as_secs_f64());
        }
    }
}

/// Finds out where the page begins and how long it is.
#[derive(Default)]
pub(crate) struct Head {
    text: Vec<u8>,
    length: Option<u64>,
    received: u64,
}

impl Head {
    /// Takes what came; whether that was all of the page.
    pub(crate) fn take(&mut self, data: &[u8]) -> Outcome<bool> {
        if self.length.is_some() {
            self.received += data.len() as u64;
            return Ok(Some(self.received) == self.length);
        }
        self.text.extend_from_slice(data);
        let Some(end) = self.text.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(false) };
        let text = String::from_utf8_lossy(&self.text[..end]).to_ascii_lowercase();
        if !text.starts_with("http/1.1 200") {
            return Err(format!("the server answered {:?}", text.lines().next().unwrap_or_default()).into());
        }
        let length = text.lines().find_map(|line| line.strip_prefix("content-length:"));
        let length = length.and_then(|length| length.trim().parse().ok());
        self.length = Some(length.ok_or("the answer does not say how long it is")?);
        self.received = (self.text.len() - end - 4) as u64;
        Ok(Some(self.received) == self.length)
    }

    /// The whole page in this many seconds, or what was missing.
    pub(crate) fn measured(&self, seconds: f64) -> Outcome<Measured> {
        match self.length {
            Some(length) if length == self.received => Ok(Measured { count: length, seconds }),
            Some(length) => Err(format!("{} of {length} bytes came", self.received).into()),
            None => Err("the connection ended before the head did".into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_in_any_pieces_is_counted_whole() {
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
        for cut in 1..answer.len() {
            let mut head = Head::default();
            assert!(!head.take(&answer[..cut]).unwrap(), "after {cut} bytes");
            assert!(head.take(&answer[cut..]).unwrap(), "after all, cut at {cut}");
            assert_eq!(head.measured(1.0).unwrap().count, 5);
        }
    }

    #[test]
    fn another_answer_is_no_measurement() {
        assert!(Head::default().take(b"HTTP/1.1 404 Not Found\r\n\r\n").is_err());
        let mut short = Head::default();
        assert!(!short.take(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell").unwrap());
        assert!(short.measured(1.0).is_err());
    }
}
