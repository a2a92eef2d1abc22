//! The name server that asks above: what it passes on, what it answers itself, and what it keeps.

use std::net::{IpAddr, SocketAddr};

use framewise_core::seams::datagram::{Datagram, DatagramDown, DatagramUp};
use framewise_core::seams::lookup::{LookupDown, LookupError, LookupUp};
use framewise_core::{Counters, Cx, Instant, Layer};
use framewise_dns::record::{Kind, Question, ResponseCode};
use framewise_dns::{Message, Name, describe, record};

const CLIENT: &str = "192.0.2.10:40000";

struct Rig {
    relay: framewise_dns::Relay,
    counters: Counters,
}

impl Rig {
    fn new(limit: usize) -> Self {
        let mut rig = Rig { relay: framewise_dns::Relay::new(limit), counters: Counters::default() };
        assert!(matches!(rig.next_down(), Some(DatagramDown::Bind { port: 53 })));
        rig
    }

    fn cx<T>(&mut self, act: impl FnOnce(&mut framewise_dns::Relay, &mut Cx) -> T) -> T {
        act(&mut self.relay, &mut Cx::new(Instant::ZERO, &mut self.counters))
    }

    fn next_down(&mut self) -> Option<DatagramDown> {
        self.cx(|relay, cx| relay.poll_outbound(cx))
    }

    /// Brings a query, and gives the number of the question that is asked above.
    fn ask(&mut self, query: &Message) -> Option<(u64, String)> {
        let remote: SocketAddr = CLIENT.parse().expect("an address");
        let local = Some("192.0.2.1".parse().expect("an address"));
        let data = query.emit().expect("a query").into();
        let datagram = DatagramUp::Datagram(Datagram { port: 53, local, remote, data });
        self.cx(|relay, cx| relay.handle_inbound(datagram, cx));
        let LookupUp::Asked { question, name } = self.cx(|relay, cx| relay.poll_inbound(cx))?;
        Some((question, name))
    }

    fn answer(&mut self, question: u64, result: Result<Vec<IpAddr>, LookupError>) {
        self.cx(|relay, cx| relay.handle_outbound(LookupDown::Answer { question, result }, cx));
    }

    fn response(&mut self) -> Option<Message> {
        let DatagramDown::Send(sent) = self.next_down()? else { panic!("it binds once") };
        assert_eq!((sent.port, sent.remote.to_string().as_str()), (53, CLIENT));
        assert_eq!(sent.local.expect("from where it was asked").to_string(), "192.0.2.1");
        Some(Message::parse(&sent.data).expect("a response can be read"))
    }
}

fn query(name: &str, kind: Kind) -> Message {
    let name: Name = name.parse().expect("a name");
    Message::query(0x1234, Question { name, kind, class: record::INTERNET })
}

fn both() -> Vec<IpAddr> {
    ["203.0.113.80", "2001:db8::80"].map(|text| text.parse().expect("an address")).to_vec()
}

#[test]
fn each_family_gets_its_own_addresses() {
    let mut rig = Rig::new(8);
    for (kind, expected) in [(Kind::A, "203.0.113.80"), (Kind::Aaaa, "2001:db8::80")] {
        let (question, name) = rig.ask(&query("Example.ORG", kind)).expect("it is asked above");
        assert_eq!(name, "Example.ORG");
        assert!(rig.response().is_none(), "nothing is said before the answer is known");
        rig.answer(question, Ok(both()));
        let response = rig.response().expect("a response");
        assert!(response.response && response.recursion_available && !response.authoritative);
        assert_eq!((response.id, response.code), (0x1234, ResponseCode::NoError));
        let addresses: Vec<_> = response.answers.iter().filter_map(|a| a.data.address()).collect();
        assert_eq!(addresses, [expected.parse::<IpAddr>().expect("an address")]);
        assert!(describe(&response.emit().expect("it can be written")).is_ok());
    }
}

#[test]
fn what_is_not_known_is_told_apart_from_what_can_not_be_known_now() {
    let mut rig = Rig::new(8);
    let no_address = Ok(Vec::new());
    let outcomes = [
        (Err(LookupError::NoSuchName), ResponseCode::NameError),
        (Err(LookupError::Failed), ResponseCode::ServerFailure),
        (no_address, ResponseCode::NoError),
    ];
    for (result, code) in outcomes {
        let (question, _) = rig.ask(&query("example.org", Kind::A)).expect("it is asked above");
        rig.answer(question, result);
        let response = rig.response().expect("a response");
        assert_eq!((response.code, response.answers.len()), (code, 0));
    }
}

#[test]
fn what_addresses_do_not_answer_is_not_asked_above() {
    let mut rig = Rig::new(8);
    assert_eq!(rig.ask(&query("example.org", Kind::Soa)), None);
    assert_eq!(rig.response().expect("a response").code, ResponseCode::NoError);
    let mut two = query("example.org", Kind::A);
    two.questions.push(two.questions[0].clone());
    assert_eq!(rig.ask(&two), None);
    assert_eq!(rig.response().expect("a response").code, ResponseCode::FormatError);
    let mut response = query("example.org", Kind::A);
    response.response = true;
    assert_eq!(rig.ask(&response), None);
    assert!(rig.response().is_none(), "a response is never answered");
}

#[test]
fn only_so_many_questions_wait() {
    let mut rig = Rig::new(2);
    let first = rig.ask(&query("one.example", Kind::A)).expect("asked").0;
    rig.ask(&query("two.example", Kind::A)).expect("asked");
    assert_eq!(rig.ask(&query("three.example", Kind::A)), None);
    assert_eq!(rig.counters.total(), 1);
    rig.answer(first, Ok(both()));
    rig.answer(first, Ok(both()));
    assert_eq!(rig.counters.total(), 2, "a second answer to one question is a drop");
    assert!(rig.response().is_some() && rig.response().is_none());
    rig.ask(&query("four.example", Kind::A)).expect("there is room again");
}
