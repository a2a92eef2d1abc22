//! How both ends stand after each frame, and what became of a frame: of captures made by hand.
#![allow(clippy::unwrap_used)]

mod craft;

use craft::{CLIENT, CLIENT_PORT, Cut, ETHERNET, NUMBERS, SERVER_PORT, ethernet, pcap, segment, syn};
use framewise_tcp::passive::{Side, State};
use framewise_trace::Dissection;
use framewise_trace::dissect::{Kind, Limits};
use proptest::prelude::*;

fn taken_apart(frames: &[Vec<u8>]) -> Dissection {
    Dissection::of_capture(&pcap(ETHERNET, frames)[..], "", Limits::default()).unwrap()
}

/// A bare acknowledgment of the client, of all before byte `at` of what the server sends.
fn acknowledgment(at: usize) -> Vec<u8> {
    let number = NUMBERS[0].wrapping_add(1);
    let tcp = ethernet(0).tcp(CLIENT_PORT, SERVER_PORT, number, 65_000);
    let mut frame = Vec::new();
    tcp.ack(NUMBERS[1].wrapping_add(1 + at as u32)).write(&mut frame, &[]).unwrap();
    frame
}

#[test]
fn states_follow_one_another_over_all_that_is_kept_of_them() {
    let streams = [vec![b'a'; 10], vec![b'b'; 1_000_000]];
    let mut frames = vec![syn(0), syn(1)];
    for at in (0..1_000_000).step_by(1_000) {
        frames.push(segment(&streams, Cut { side: 1, at, length: 1_000 }));
        frames.push(acknowledgment(at + 1_000));
    }
    let dissection = taken_apart(&frames);
    let mut last = None;
    for frame in dissection.frames() {
        let [before, after] = frame.ends().unwrap();
        assert!(last.is_none_or(|last| last == before), "frame {}", frame.number());
        last = Some(after);
    }
    let ends = last.unwrap();
    let (client, server) = (ends.of(Side::Client), ends.of(Side::Server));
    assert_eq!(server.next, Some(1_000_001));
    assert_eq!(client.expected.map(|known| (known.value, known.inferred)), Some((1_000_001, false)));
    let una = server.unacknowledged.unwrap();
    assert_eq!(
        (una.value, una.inferred),
        (1_000_001, true),
        "whether the acknowledgment arrived is not seen"
    );
    assert_eq!(client.state.unwrap().value, State::Established);
}

#[test]
fn a_hole_that_is_asked_for_is_found_with_who_asked_and_who_filled_it() {
    let streams = [vec![b'a'; 10], vec![b'b'; 10_000]];
    let cut = |at| segment(&streams, Cut { side: 1, at, length: 1_000 });
    let mut frames = vec![syn(0), syn(1), cut(0), acknowledgment(1_000), cut(1_000)];
    // The segment of byte 1,000 was captured, and lost behind: three acknowledgments ask for it.
    for at in [2_000, 3_000, 4_000] {
        frames.push(cut(at));
        frames.push(acknowledgment(1_000));
    }
    frames.push(cut(1_000));
    frames.push(acknowledgment(5_000));
    let dissection = taken_apart(&frames);
    let lost = dissection.frame(5).unwrap();
    let told = lost.consequences();
    assert_eq!(
        told.iter().map(|told| (told.kind, told.frame)).collect::<Vec<_>>(),
        [(Kind::Noticed, Some(7)), (Kind::Caused, Some(12))]
    );
    assert!(told[0].sentence.contains("3 times from frame 7 on"), "{}", told[0].sentence);
    let again = dissection.frame(12).unwrap().unusual();
    assert_eq!(
        again.iter().map(|unusual| (unusual.name, unusual.frame)).collect::<Vec<_>>(),
        [("fast retransmission", Some(5))]
    );
    assert!(again[0].sentence.contains("frame 11 the last of them"), "{}", again[0].sentence);
    assert!(dissection.frame(3).unwrap().consequences().is_empty(), "nothing became of what simply arrived");
}

#[test]
fn what_the_server_did_not_take_with_the_syn_is_no_harm() {
    let [client, server] = NUMBERS;
    let early = ethernet(0).tcp(CLIENT_PORT, SERVER_PORT, client, 65_000).syn();
    let (mut first, mut answer) = (Vec::new(), Vec::new());
    early.write(&mut first, b"hello").unwrap();
    let tcp = ethernet(1).tcp(SERVER_PORT, CLIENT_PORT, server, 65_000).syn();
    tcp.ack(client.wrapping_add(1)).write(&mut answer, &[]).unwrap();
    let again = segment(&[b"hello".to_vec(), Vec::new()], Cut { side: 0, at: 0, length: 5 });
    let dissection = taken_apart(&[first, answer, again]);
    let unusual = dissection.frame(3).unwrap().unusual();
    assert_eq!(unusual.len(), 1);
    assert_eq!((unusual[0].name, unusual[0].is_trouble), ("not taken with the SYN", false));
    assert!(dissection.frames().all(|frame| !frame.has_consequences()), "nothing went wrong");
}

/// Its time to live and its MACs may be others: its identification is the same.
#[test]
fn a_packet_that_was_captured_twice_was_sent_once() {
    let identified = |mut frame: Vec<u8>, identification: u8, time_to_live: u8| {
        frame[19] = identification;
        frame[22] = time_to_live;
        frame[24..26].fill(0);
        let sum = framewise_core::checksum::checksum(&frame[14..34]);
        frame[24..26].copy_from_slice(&sum.to_be_bytes());
        frame
    };
    let streams = [vec![b'a'; 10], Vec::new()];
    let data = segment(&streams, Cut { side: 0, at: 0, length: 10 });
    let frames = [
        syn(0),
        syn(1),
        identified(data.clone(), 7, 64),
        identified(data.clone(), 7, 63),
        identified(data, 8, 64),
    ];
    let dissection = taken_apart(&frames);
    let unusual = |frame: usize| {
        let unusual = dissection.frame(frame).unwrap().unusual();
        unusual
            .into_iter()
            .map(|unusual| (unusual.name, unusual.frame, unusual.is_trouble))
            .collect::<Vec<_>>()
    };
    assert_eq!(unusual(4), [("captured twice", Some(3), false)]);
    assert_eq!(unusual(5), [("retransmission", Some(4), true)]);
    assert!(!dissection.frame(3).unwrap().has_consequences(), "nothing was lost");
}

/// Two interfaces, each with frames of its own: those of one may come to the file later.
#[test]
fn what_stands_behind_its_answer_in_the_capture_is_no_repetition() {
    let streams = [vec![b'a'; 10], Vec::new()];
    let data = segment(&streams, Cut { side: 0, at: 0, length: 10 });
    let mut answer = Vec::new();
    let tcp = ethernet(1).tcp(SERVER_PORT, CLIENT_PORT, NUMBERS[1].wrapping_add(1), 65_000);
    tcp.ack(NUMBERS[0].wrapping_add(11)).write(&mut answer, &[]).unwrap();
    let mut file = pcap(ETHERNET, &[syn(0), syn(1), answer.clone(), data]);
    // The answer is at 3 ms, what it answers at 4 ms: now that is at 2.5 ms.
    let time = 24 + 3 * 16 + syn(0).len() + syn(1).len() + answer.len() + 4;
    file[time..time + 4].copy_from_slice(&2_500_u32.to_le_bytes());
    let dissection = Dissection::of_capture(&file[..], "", Limits::default()).unwrap();
    let unusual = dissection.frame(4).unwrap().unusual();
    assert_eq!(
        unusual.iter().map(|unusual| (unusual.name, unusual.frame, unusual.is_trouble)).collect::<Vec<_>>(),
        [("captured behind its answer", Some(3), false)]
    );
    assert!(unusual[0].sentence.starts_with("Its time is before that of frame 3"), "{unusual:?}");
}

#[test]
fn how_often_the_receiver_noticed_is_said_as_people_say_it() {
    let streams = [vec![b'a'; 10], vec![b'b'; 10_000]];
    let cut = |at| segment(&streams, Cut { side: 1, at, length: 1_000 });
    let said = |duplicates: usize| {
        let mut frames = vec![syn(0), syn(1), cut(0), acknowledgment(1_000), cut(1_000)];
        for number in 1..=duplicates {
            frames.push(cut(1_000 + 1_000 * number));
            frames.push(acknowledgment(1_000));
        }
        frames.push(cut(1_000));
        taken_apart(&frames).frame(5).unwrap().consequences().swap_remove(0).sentence
    };
    assert!(said(1).contains("in frame 7 it acknowledged the same once more"), "{}", said(1));
    assert!(said(2).contains("twice from frame 7 on"), "{}", said(2));
}

#[test]
fn neighbours_are_known_once_they_were_heard() {
    let mac = framewise_core::MacAddr::new([2, 0, 0, 0, 0, 1]);
    let other = framewise_core::MacAddr::new([2, 0, 0, 0, 0, 2]);
    let request = framewise_ethernet::ArpPacket::request(mac, CLIENT.into(), [192, 0, 2, 1].into());
    let reply = request.reply(other);
    let frames = [request.to_frame(framewise_core::MacAddr::BROADCAST, mac), reply.to_frame(mac, other)];
    let frames: Vec<Vec<u8>> = frames.iter().map(|frame| frame.to_vec()).collect();
    let dissection = taken_apart(&[&frames[..], &[syn(0)]].concat());
    let said = |number: usize| {
        let states = dissection.frame(number).unwrap().states();
        let link = states.into_iter().find(|state| state.whose == "this link").unwrap();
        link.fields.into_iter().map(|stated| (stated.field.value, stated.is_changed)).collect::<Vec<_>>()
    };
    assert_eq!(
        said(1),
        [
            ("192.0.2.1: asked for, no answer yet".to_owned(), true),
            ("192.0.2.10 is at 02:00:00:00:00:01".to_owned(), true)
        ]
    );
    assert_eq!(said(2)[0], ("192.0.2.1 is at 02:00:00:00:00:02".to_owned(), true));
    // The SYN goes to that station, and is for somebody beyond it.
    let states = dissection.frame(3).unwrap().states();
    let ip = states.iter().find(|state| state.protocol == "IPv4").unwrap();
    let hop = &ip.fields[0].field;
    assert_eq!((hop.name, hop.value.as_str(), hop.inferred), ("next hop", "192.0.2.1", true));
}

#[test]
fn what_a_machine_sends_to_itself_is_for_no_group() {
    let mut frame = syn(0);
    let hop = |frame: &[u8]| {
        let dissection = taken_apart(&[frame.to_vec()]);
        let states = dissection.frame(1).unwrap().states();
        let ip = states.into_iter().find(|state| state.protocol == "IPv4").unwrap();
        ip.fields[0].field.value.clone()
    };
    assert_eq!(hop(&frame), "02:00:00:00:00:02");
    frame[..12].fill(0);
    assert_eq!(hop(&frame), "this machine itself");
    frame[..6].copy_from_slice(&[1, 0, 0x5e, 0, 0, 1]);
    assert_eq!(hop(&frame), "everybody who listens");
}

#[test]
fn of_many_neighbours_those_of_the_frame_are_told_and_how_many_more_there_are() {
    let mac = |number: u16| {
        let [high, low] = number.to_be_bytes();
        framewise_core::MacAddr::new([2, 0, 0, 0, high, low])
    };
    let announcement = |number: u16| {
        let [high, low] = number.to_be_bytes();
        let sender = [10, 0, high, low].into();
        let request = framewise_ethernet::ArpPacket::request(mac(number), sender, [10, 9, 9, 9].into());
        request.to_frame(framewise_core::MacAddr::BROADCAST, mac(number)).to_vec()
    };
    let mut frames: Vec<_> = (0..900).map(announcement).collect();
    frames.push(announcement(500));
    let dissection = taken_apart(&frames);
    let table = |number: usize| {
        let states = dissection.frame(number).unwrap().states();
        let link = states.into_iter().find(|state| state.whose == "this link").unwrap();
        assert!(link.fields.len() <= 9, "{} rows", link.fields.len());
        link.fields.into_iter().map(|stated| (stated.field.value, stated.is_changed)).collect::<Vec<_>>()
    };
    // Before 256, at 256 and after it: where what is kept is followed from.
    for number in [10, 127, 128, 129, 600, 900] {
        let rows = table(number);
        let own = number - 1;
        let own = format!("10.0.{}.{} is at {}", own / 256, own % 256, mac(own as u16));
        assert!(rows.contains(&(own, true)), "{rows:?}");
        assert!(rows.contains(&("10.9.9.9: asked for, no answer yet".to_owned(), false)), "{rows:?}");
        assert_eq!(rows.last().unwrap().0, format!("{} more", number + 1 - 8));
    }
    let rows = table(901);
    assert!(rows.contains(&(format!("10.0.1.244 is at {}", mac(500)), false)), "{rows:?}");
    assert!(rows.iter().all(|(_, is_changed)| !is_changed));
}

/// What is said of HTTP after the last frame that says something of it.
fn last_of_http(dissection: &Dissection) -> Vec<String> {
    let http = |frame: framewise_trace::dissect::Frame<'_>| {
        frame.states().into_iter().find(|state| state.protocol == "HTTP")
    };
    let state = dissection.frames().filter_map(http).last().unwrap();
    state.fields.into_iter().map(|stated| stated.field.value).collect()
}

#[test]
fn a_message_that_was_cut_short_is_never_said_to_be_whole() {
    let open = |file: &[u8]| Dissection::of_capture(file, "", Limits::default()).unwrap();
    let response = open(include_bytes!("../../../pcaps/http-cut-response.pcapng"));
    assert_eq!(last_of_http(&response)[1], "200, 7 of 500 bytes of body");
    let request = open(include_bytes!("../../../pcaps/http-truncated.pcapng"));
    assert_eq!(last_of_http(&request)[0], "POST /echo, 7 of 500 bytes of body");
}

proptest! {
    #[test]
    fn whatever_was_sent_states_follow_one_another_and_refer_to_frames_that_are_there(
        sent in proptest::collection::vec((0_usize..2, 0_usize..4_000, 1_usize..900, 0_usize..5_000), 1..120),
        begins in any::<bool>(),
    ) {
        let streams = [vec![b'a'; 5_000], vec![b'b'; 5_000]];
        let mut frames = if begins { vec![syn(0), syn(1)] } else { Vec::new() };
        for (side, at, length, acknowledged) in sent {
            let mut frame = match acknowledged % 3 {
                0 => acknowledgment(acknowledged),
                _ => segment(&streams, Cut { side, at, length }),
            };
            if acknowledged % 10 == 1 {
                *frame.last_mut().unwrap() ^= 1;
            }
            frames.push(frame);
        }
        let dissection = taken_apart(&frames);
        let mut last = None;
        for frame in dissection.frames() {
            // A damaged one that comes first is of no connection.
            let Some([before, after]) = frame.ends() else { continue };
            prop_assert!(last.is_none_or(|last| last == before), "frame {}", frame.number());
            for unusual in frame.unusual() {
                prop_assert!(unusual.frame.is_none_or(|other| other < frame.number()), "{:?}", unusual);
            }
            for told in frame.consequences() {
                prop_assert!(told.frame.is_none_or(|other| other >= frame.number()), "{:?}", told);
            }
            prop_assert_eq!(frame.has_consequences(), !frame.consequences().is_empty());
            for state in frame.states() {
                for stated in &state.fields {
                    // What was known before and is the same has not changed.
                    prop_assert!(stated.before.is_none() || stated.is_changed);
                    prop_assert!(stated.before.as_ref() != Some(&stated.field.value));
                }
            }
            last = Some(after);
        }
    }
}
