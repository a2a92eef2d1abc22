//! A stub resolver. Read beside it: RFC 1034 section 5.3.1, RFC 1035 sections 4 and 7.3, RFC 5452, RFC 9267.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use framewise_core::seams::datagram::{Datagram, DatagramDown, DatagramUp};
use framewise_core::seams::resolve::{NameDown, NameUp, ResolveError};
use framewise_core::seams::{Datagrams, Names};

use super::{must, same};
use crate::Notes;
use crate::case::{Case, Verdict};
use crate::craft::damage::{arbitrary, damaged};
use crate::craft::dns::{A, AAAA, Question, address, address_of, alias, name};
use crate::suite::{Aside, Flood, Suite};

type Script = Case<Names, Datagrams>;

const SHOP: &str = "shop.test";
const SHOP_ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 80));
const FORGED: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 66));
const TTL: u32 = 300;
/// Longer than any resolver waits for the other family's answer.
const SOON: Duration = Duration::from_millis(900);

/// How the layer under test was set up.
#[derive(Clone, Copy, Debug)]
pub struct DnsSetup {
    /// The only server that it asks.
    pub server: IpAddr,
}

impl Default for DnsSetup {
    fn default() -> Self {
        DnsSetup { server: Ipv4Addr::new(192, 0, 2, 1).into() }
    }
}

/// What a stub resolver must do. Questions for IPv6 addresses are answered by "none" without being mentioned.
pub fn dns(setup: DnsSetup) -> Suite<Names, Datagrams> {
    Suite::new("dns", "the application", "UDP")
        .aside_outbound(|down| match down {
            DatagramDown::Bind { .. } | DatagramDown::Unbind { .. } => Aside::Ignore,
            DatagramDown::Send(query) => match Question::read(&query.data) {
                Some(question) if question.kind == AAAA => {
                    Aside::Answer(reply(query.remote, query.port, question.answer(0, &[])))
                }
                _ => Aside::No,
            },
        })
        .cases([resolves(setup), no_such_name(setup), follows(setup), remembers(setup), forgets(setup)])
        .cases([wrong_id(setup), wrong_server(setup), wrong_port(setup), wrong_question(setup)])
        .cases([loops(setup), asks_again(setup), bad_name(), cancelled(setup)])
        .flood(flood(setup))
        .garbage(move |rng| {
            let data = arbitrary(rng, 80);
            reply(SocketAddr::new(setup.server, 53), 1_024 + rng.below(60_000) as u16, data)
        })
        .mutate(|message, rng| match message {
            DatagramUp::Datagram(datagram) => {
                Some(DatagramUp::Datagram(Datagram { data: damaged(&datagram.data, rng), ..datagram }))
            }
            _ => None,
        })
}

fn resolves(setup: DnsSetup) -> Script {
    Case::new("asks for a name's address and tells it", "RFC 1035 section 4.1")
        .hint("One question with RD set goes to the server's port 53; the answer repeats its number and question.")
        .then(|case| asks(case, setup))
        .hears(format!("the answer: {SHOP_ADDRESS}"), |notes| answer(notes, &[address(SHOP_ADDRESS, TTL)]))
        .await_inbound("the address", SOON, found(SHOP_ADDRESS))
}

fn no_such_name(setup: DnsSetup) -> Script {
    Case::new("tells that there is no such name", "RFC 1035 section 4.1.1")
        .hint("Response code 3, NXDOMAIN: the server knows that the name does not exist.")
        .then(|case| asks(case, setup))
        .hears("NXDOMAIN", |notes| respond(notes, |question| question.answer(3, &[])))
        .await_inbound("that there is no such name", SOON, |up, _| match failure(up)? {
            ResolveError::NoSuchName { .. } => Ok(()),
            error => Err(format!("the reason is \"{error}\"")),
        })
}

fn follows(setup: DnsSetup) -> Script {
    Case::new("follows an alias within an answer", "RFC 1034 section 3.6.2")
        .hint("A CNAME record says which name is meant; the address stands under that one.")
        .then(|case| asks(case, setup))
        .hears("shop.test is an alias of www.shop.test, which has the address", |notes| {
            let target = name("www.shop.test");
            answer(notes, &[alias(&target, TTL), address_of(&target, SHOP_ADDRESS, TTL)])
        })
        .await_inbound("the alias's address", SOON, found(SHOP_ADDRESS))
}

fn remembers(setup: DnsSetup) -> Script {
    Case::new("remembers an answer for as long as it may", "RFC 1034 section 5.3.3")
        .hint("Within its time to live an answer need not be asked for again.")
        .then(|case| asks(case, setup))
        .hears(format!("the answer, good for {TTL} seconds"), |notes| {
            answer(notes, &[address(SHOP_ADDRESS, TTL)])
        })
        .await_inbound("the address", SOON, found(SHOP_ADDRESS))
        .wait("less than that", Duration::from_secs(200))
        .says("which address has shop.test?", |_| resolve(2))
        .await_inbound("the address", SOON, found(SHOP_ADDRESS))
        .expect_nothing_outbound("it was known")
}

fn forgets(setup: DnsSetup) -> Script {
    Case::new("asks again when an answer is too old", "RFC 1035 section 3.2.1")
        .hint("After its time to live an answer says nothing any more: the address may have moved.")
        .then(|case| asks(case, setup))
        .hears(format!("the answer, good for {TTL} seconds"), |notes| {
            answer(notes, &[address(SHOP_ADDRESS, TTL)])
        })
        .await_inbound("the address", SOON, found(SHOP_ADDRESS))
        .wait("more than that", Duration::from_secs(u64::from(TTL) + 1))
        .says("which address has shop.test?", |_| resolve(2))
        .await_outbound("the question again", SOON, is_query(setup))
}

fn wrong_id(setup: DnsSetup) -> Script {
    forged(Case::new("takes no answer with another number", "RFC 5452 section 9.1"), setup, |notes| {
        respond(notes, |question| {
            let id = question.id ^ 1;
            Question { id, ..question.clone() }.answer(0, &[address(FORGED, TTL)])
        })
    })
}

fn wrong_server(setup: DnsSetup) -> Script {
    forged(Case::new("takes no answer from another host", "RFC 5452 section 9.1"), setup, |notes| {
        let (question, port): (Question, u16) = (notes.recall("question"), notes.recall("port"));
        reply(SocketAddr::new(FORGED, 53), port, question.answer(0, &[address(FORGED, TTL)]))
    })
}

fn wrong_port(setup: DnsSetup) -> Script {
    forged(
        Case::new("takes no answer from another port of the server", "RFC 5452 section 9.1"),
        setup,
        |notes| {
            let (question, port): (Question, u16) = (notes.recall("question"), notes.recall("port"));
            let server: SocketAddr = notes.recall("server");
            reply(SocketAddr::new(server.ip(), 5_353), port, question.answer(0, &[address(FORGED, TTL)]))
        },
    )
}

fn wrong_question(setup: DnsSetup) -> Script {
    forged(Case::new("takes no answer to another question", "RFC 5452 section 9.1"), setup, |notes| {
        respond(notes, |question| {
            let section = [name("shop.evil"), vec![0, A as u8, 0, 1]].concat();
            Question { section, ..question.clone() }.answer(0, &[address(FORGED, TTL)])
        })
    })
}

/// A forgery comes first, the true answer after it.
fn forged(case: Script, setup: DnsSetup, forgery: impl Fn(&Notes) -> DatagramUp + 'static) -> Script {
    asks(case, setup)
        .hint("Anybody can send a datagram: server, port, number and question must all be those that were used.")
        .hears(format!("a forged answer: {FORGED}"), forgery)
        .expect_nothing_inbound("nobody asked for that")
        .hears(format!("the true answer: {SHOP_ADDRESS}"), |notes| {
            answer(notes, &[address(SHOP_ADDRESS, TTL)])
        })
        .await_inbound("the true address", SOON, found(SHOP_ADDRESS))
}

fn loops(setup: DnsSetup) -> Script {
    Case::new("survives a name that points to itself", "RFC 9267 section 2")
        .hint("A compression pointer may only point back, and only so often; else reading it never ends.")
        .then(|case| asks(case, setup))
        .hears("an answer whose owner's name is a pointer to that pointer", |notes| {
            respond(notes, |question| {
                let at = 12 + question.section.len();
                let own = [0xc0 | (at >> 8) as u8, at as u8];
                question.answer(0, &[address_of(&own, FORGED, TTL)])
            })
        })
        .expect_no_inbound_like("it gives no address", |up, _| {
            failure(up).map_or(Ok(()), |_| Err("an error".into()))
        })
}

fn asks_again(setup: DnsSetup) -> Script {
    Case::new("asks again when nobody answers, and gives up at last", "RFC 1035 section 7.2")
        .hint("Datagrams get lost. The application must be told in the end, exactly once.")
        .then(|case| asks(case, setup))
        .await_outbound("the question again", Duration::from_secs(15), is_query(setup))
        .await_inbound("that nobody answered", Duration::from_secs(300), |up, _| match failure(up)? {
            ResolveError::TimedOut { .. } => Ok(()),
            error => Err(format!("the reason is \"{error}\"")),
        })
        .wait("and no more", Duration::from_secs(300))
        .expect_nothing_inbound("one answer was given")
}

fn bad_name() -> Script {
    Case::new("refuses a name that DNS can't carry", "RFC 1035 section 2.3.4")
        .hint("A label has at most 63 bytes: its length stands in six bits.")
        .says("which address has a name with a label of 64 bytes?", |_| NameDown::Resolve {
            query: 1,
            name: format!("{}.test", "a".repeat(64)),
        })
        .expect_inbound("that this is no name", |up, _| match failure(up)? {
            ResolveError::BadName { .. } => Ok(()),
            error => Err(format!("the reason is \"{error}\"")),
        })
        .expect_nothing("nobody can be asked")
}

fn cancelled(setup: DnsSetup) -> Script {
    Case::new("is silent about a question that was cancelled", "the name seam")
        .hint("After Cancel no Resolved may come, not even by a late answer.")
        .then(|case| asks(case, setup))
        .says("question 1 is no longer asked", |_| NameDown::Cancel { query: 1 })
        .hears("the answer, too late", |notes| answer(notes, &[address(SHOP_ADDRESS, TTL)]))
        .wait("whatever was planned", Duration::from_secs(60))
        .expect_nothing_inbound("nobody asks any more")
}

fn flood(setup: DnsSetup) -> Flood<Names, Datagrams> {
    let opening = Case::new("drops a flood of answers that nobody asked for", "RFC 5452");
    Flood::new("an answer to no question", opening, 20_000, 1_024, move |number| {
        let section = [name(SHOP), vec![0, A as u8, 0, 1]].concat();
        let question = Question { id: number as u16, flags: 0, name: SHOP.into(), kind: A, section };
        let port = 1_024 + (number % 60_000) as u16;
        reply(SocketAddr::new(setup.server, 53), port, question.answer(0, &[address(FORGED, TTL)]))
    })
}

fn asks(case: Script, setup: DnsSetup) -> Script {
    case.says("which address has shop.test?", |_| resolve(1))
        .await_outbound(format!("the question, to {} port 53", setup.server), SOON, is_query(setup))
        .expect_nothing_inbound("nothing is known yet")
}

fn resolve(query: u64) -> NameDown {
    NameDown::Resolve { query, name: SHOP.to_owned() }
}

/// A query for the shop's IPv4 address, which is noted.
fn is_query(setup: DnsSetup) -> impl Fn(&DatagramDown, &mut Notes) -> Verdict {
    move |down, notes| {
        let DatagramDown::Send(query) = down else { return Err("it is no datagram".into()) };
        same("the destination", query.remote, SocketAddr::new(setup.server, 53))?;
        let question = Question::read(&query.data).ok_or("it is no query with one question")?;
        same("the name", question.name.as_str(), SHOP)?;
        same("the type", question.kind, A)?;
        must(question.flags & 0xf800 == 0, "it is no standard query")?;
        must(question.flags & 0x0100 != 0, "it does not ask for recursion")?;
        notes.keep("question", question);
        notes.keep("port", query.port);
        notes.keep("server", query.remote);
        Ok(())
    }
}

fn reply(server: SocketAddr, port: u16, message: Vec<u8>) -> DatagramUp {
    DatagramUp::Datagram(Datagram { port, local: None, remote: server, data: Bytes::from(message) })
}

/// The server's response to the question that was noted.
fn respond(notes: &Notes, make: impl Fn(&Question) -> Vec<u8>) -> DatagramUp {
    reply(notes.recall("server"), notes.recall("port"), make(&notes.recall("question")))
}

fn answer(notes: &Notes, records: &[Vec<u8>]) -> DatagramUp {
    respond(notes, |question| question.answer(0, records))
}

fn found(address: IpAddr) -> impl Fn(&NameUp, &mut Notes) -> Verdict {
    move |up, _| {
        let NameUp::Resolved { result, .. } = up;
        let found = result.as_ref().map_err(|error| format!("it has none: {error}"))?;
        same("the list of addresses", &found.addresses[..], &[address][..])
    }
}

fn failure(up: &NameUp) -> Result<&ResolveError, String> {
    let NameUp::Resolved { result, .. } = up;
    result.as_ref().err().ok_or_else(|| "it gives an address".to_owned())
}
