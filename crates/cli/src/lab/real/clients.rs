//! Clients of the operating system's own: connections through its TCP to our stack, all of one thread.

use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use framewise::core::Rng;
use framewise_server::simulate::Time;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: lab\r\n\r\n";
/// What the page ends with: see `Works`.
pub(super) const PAGE: &str = "done\n";
/// Connections that random requests use at most: each has one request at a time.
const MOST: usize = 4_096;
/// How long to sleep at most while requests come at random moments.
const NAP: Duration = Duration::from_micros(200);
/// How long to wait for something to happen where clients only answer.
const PATIENCE: Duration = Duration::from_millis(20);

/// How clients ask.
#[derive(Clone, Copy, Debug)]
pub(super) enum Asks {
    /// So many, each again as soon as it is answered.
    Always(usize),
    /// At random moments, so many in a second on average.
    Random(f64),
}

/// Asks until `stop` says so: how often the answer was no page.
pub(super) fn ask(address: SocketAddr, asks: Asks, seed: u64, stop: &AtomicBool) -> io::Result<u64> {
    let mut clients = Clients::new(address)?;
    let mut rng = Rng::from_seed(seed).fork("clients");
    let mut next = Instant::now();
    if let Asks::Always(count) = asks {
        for _ in 0..count {
            clients.ask()?;
        }
    }
    while !stop.load(Ordering::Relaxed) {
        match asks {
            Asks::Always(_) => {
                for _ in 0..clients.hear(PATIENCE)? {
                    clients.ask()?;
                }
            }
            Asks::Random(rate) => {
                let mean = Time::Exponential(Duration::from_secs_f64(1.0 / rate));
                while next <= Instant::now() {
                    clients.ask()?;
                    next += mean.draw(&mut rng);
                }
                clients.hear(Duration::ZERO)?;
                thread::sleep(next.saturating_duration_since(Instant::now()).min(NAP));
            }
        }
    }
    Ok(clients.refused)
}

struct Clients {
    address: SocketAddr,
    poll: Poll,
    events: Events,
    all: Vec<Client>,
    /// Those that nobody uses.
    idle: Vec<usize>,
    refused: u64,
}

struct Client {
    stream: TcpStream,
    heard: Vec<u8>,
    /// It is still to ask.
    is_silent: bool,
}

impl Clients {
    fn new(address: SocketAddr) -> io::Result<Self> {
        let events = Events::with_capacity(1_024);
        Ok(Clients { address, poll: Poll::new()?, events, all: Vec::new(), idle: Vec::new(), refused: 0 })
    }

    /// One more request, by a connection that is idle or a new one.
    fn ask(&mut self) -> io::Result<()> {
        let client = match self.idle.pop() {
            Some(client) => client,
            None if self.all.len() < MOST => self.connect()?,
            None => {
                let sentence = format!("{MOST} requests are under way: more come than are answered");
                return Err(io::Error::other(sentence));
            }
        };
        self.all[client].is_silent = true;
        self.speak(client)
    }

    fn connect(&mut self) -> io::Result<usize> {
        let mut stream = TcpStream::connect(self.address)?;
        let number = self.all.len();
        self.poll.registry().register(&mut stream, Token(number), Interest::READABLE | Interest::WRITABLE)?;
        self.all.push(Client { stream, heard: Vec::new(), is_silent: true });
        Ok(number)
    }

    /// Says the request, if the connection is there already.
    fn speak(&mut self, number: usize) -> io::Result<()> {
        let client = &mut self.all[number];
        if !client.is_silent {
            return Ok(());
        }
        match client.stream.write(REQUEST) {
            Ok(length) if length == REQUEST.len() => {
                client.is_silent = false;
                let _ = client.stream.set_nodelay(true);
                Ok(())
            }
            // A socket takes so few bytes as a whole, or none.
            Ok(_) => Err(ErrorKind::WriteZero.into()),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::NotConnected) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Waits for answers, and counts them.
    fn hear(&mut self, patience: Duration) -> io::Result<usize> {
        let mut events = std::mem::replace(&mut self.events, Events::with_capacity(0));
        let polled = match self.poll.poll(&mut events, Some(patience)) {
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(()),
            polled => polled,
        };
        let mut answered = 0;
        for event in &events {
            let Token(number) = event.token();
            self.speak(number)?;
            answered += usize::from(self.take(number)?);
        }
        self.events = events;
        polled.map(|()| answered)
    }

    /// Reads what has come; whether it is all of an answer.
    fn take(&mut self, number: usize) -> io::Result<bool> {
        let client = &mut self.all[number];
        let mut piece = [0; 4_096];
        loop {
            match client.stream.read(&mut piece) {
                Ok(0) => {
                    return Err(io::Error::new(ErrorKind::UnexpectedEof, "the server ended a connection"));
                }
                Ok(length) => client.heard.extend_from_slice(&piece[..length]),
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::NotConnected) => {
                    break;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        let is_whole = client.heard.ends_with(PAGE.as_bytes());
        if is_whole {
            self.refused += u64::from(!client.heard.starts_with(b"HTTP/1.1 200 "));
            client.heard.clear();
            self.idle.push(number);
        }
        Ok(is_whole)
    }
}
