//! The real network without root: our own layers fetch from a server that is the operating system's, through a gateway that is
//! a host of ours on an in-memory wire, and return a page to a client of the operating system's by the same gateway.
//!
//! Everything stays on this computer here; any URL will do.
//!
//! Run it: `cargo run -p framewise-examples --example gateway`

use std::error::Error;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::SystemTime;

use framewise::gateway::Setup;
use framewise::http::{Request, Response};
use framewise::tls::{Config, Crypto, TimeSource};

fn main() -> Result<(), Box<dyn Error>> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_secs();
    let tls = Config::new(TimeSource::starting_at(now), Crypto::Real);

    // The way in: whoever comes to this address of this computer comes to port 80 of ours.
    let mut setup = Setup::new("me", tls);
    let entrance = setup.forward(TcpListener::bind("127.0.0.1:0")?, 80)?;
    let mut world = setup.build(framewise::entropy()?)?;

    // The way out: a server that knows nothing of us, as plain as can be.
    let server = kernels_server()?;
    let page = world.runner.host(world.host).fetch_page(&format!("http://{server}/"))?;
    println!("fetched   {:?} from {}", page.text(), world.meant_by(page.remote));

    world.runner.host(world.host).return_page(80, |request: Request| {
        Response::text(format!("{} came through the gateway", request.path()))
    })?;
    let waker = world.runner.waker();
    let client = thread::spawn(move || {
        let answer = kernels_client(entrance);
        waker.wake();
        answer
    });
    world.runner.run_until(|_| client.is_finished())?;
    let answer = client.join().expect("the client does not panic")?;
    println!("returned  {:?}", answer.lines().last().unwrap_or_default());

    for host in [world.host, world.gateway] {
        println!("{:<9} dropped {}", world.runner.name(host), world.runner.counters(host).total());
    }
    Ok(())
}

/// Answers one request, above the operating system's TCP.
fn kernels_server() -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        let (mut stream, _) = listener.accept()?;
        let _head = stream.read(&mut [0; 4_096])?;
        stream.write_all(
            b"HTTP/1.1 200 OK\r\nContent-Length: 18\r\nConnection: close\r\n\r\nthe kernel's page.",
        )
    });
    Ok(address)
}

/// Asks for a page, above the operating system's TCP.
fn kernels_client(server: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect(server)?;
    stream.write_all(b"GET /hello HTTP/1.1\r\nHost: me\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}
