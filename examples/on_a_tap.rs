//! On a TAP: our own layers answer this computer's kernel, frame by frame, in real time.
//!
//! The kernel's end of the device has 192.0.2.1, ours 192.0.2.80. The client is the standard library's
//! `TcpStream`, so everything below it on that side is the kernel's.
//!
//! Run it (Linux): `cargo build -p framewise-examples --example on_a_tap`, then as root
//! `unshare --net target/debug/examples/on_a_tap`, which keeps the device in a network of its own.
//!
//! Requires: tap

#[cfg(target_os = "linux")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    use std::thread;
    use std::time::SystemTime;

    use framewise::device::{Tap, tap_setup};
    use framewise::http::{Request, Response};
    use framewise::tls::{Config, Crypto, TimeSource};
    use framewise::{HostConfig, Interface, Plug, Runner};

    const DEVICE: &str = "fwexample";
    tap_setup::up(DEVICE, &[("192.0.2.1".parse()?, 24)], None)?;
    let device = Tap::open(DEVICE)?;

    let mut runner = Runner::real(framewise::entropy()?)?;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_secs();
    let tls = Config::new(TimeSource::starting_at(now), Crypto::Real);
    let interface = Interface::new("02:00:00:00:00:50".parse()?, ["192.0.2.80/24".parse()?]);
    let config = HostConfig::new("server", vec![interface], tls);
    let stack = config.stack(&runner.randomness("hosts"))?;
    let host = runner.add_host("server", stack, vec![Plug::Device(Box::new(device))]);
    runner.host(host).return_page(80, |request: Request| {
        Response::text(format!("{} asked me for {}\n", request.connection.remote, request.path()))
    })?;

    let waker = runner.waker();
    let client = thread::spawn(move || {
        let answer = ask("192.0.2.80:80");
        waker.wake();
        answer
    });
    runner.run_until(|_| client.is_finished())?;
    let answer = client.join().expect("the client does not panic");
    drop(runner);
    tap_setup::down(DEVICE)?;
    print!("{}", answer?);
    Ok(())
}

/// A client as plain as can be, above the kernel's TCP.
#[cfg(target_os = "linux")]
fn ask(server: &str) -> std::io::Result<String> {
    use std::io::{Read, Write};
    let mut stream = std::net::TcpStream::connect(server)?;
    stream.write_all(b"GET /hello HTTP/1.1\r\nHost: shop.test\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("TAP devices are for Linux; the other examples run everywhere.");
}
