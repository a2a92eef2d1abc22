//! Layers that are broken on purpose: the kit must find what is wrong, and name it.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU8, Ordering};

use framewise_conformance::{Failure, Law, PairSuite, Suite, check_layer, check_pair, suites};
use framewise_core::buf::ChecksumState;
use framewise_core::seams::segment::{SegmentDown, SegmentUp};
use framewise_core::seams::stream::StreamDown;
use framewise_core::{Cx, Instant, Layer, Rng, Seam};
use framewise_ethernet::Ethernet;
use framewise_tcp::Tcp;
use framewise_udp::Udp;

type Down<S> = <S as Seam>::Down;
type Up<S> = <S as Seam>::Up;

/// What is wrong with a layer: whatever is not overridden works as before.
trait Fault<L: Layer> {
    fn handle_outbound(&mut self, layer: &mut L, message: Down<L::Upper>, cx: &mut Cx) {
        layer.handle_outbound(message, cx);
    }
    fn handle_inbound(&mut self, layer: &mut L, message: Up<L::Lower>, cx: &mut Cx) {
        layer.handle_inbound(message, cx);
    }
    fn poll_outbound(&mut self, layer: &mut L, cx: &mut Cx) -> Option<Down<L::Lower>> {
        layer.poll_outbound(cx)
    }
    fn poll_inbound(&mut self, layer: &mut L, cx: &mut Cx) -> Option<Up<L::Upper>> {
        layer.poll_inbound(cx)
    }
    fn poll_timeout(&self, layer: &L) -> Option<Instant> {
        layer.poll_timeout()
    }
}

struct Broken<L, F>(L, F);

impl<L: Layer, F: Fault<L>> Layer for Broken<L, F> {
    type Upper = L::Upper;
    type Lower = L::Lower;

    fn name(&self) -> &'static str {
        self.0.name()
    }
    fn handle_outbound(&mut self, message: Down<L::Upper>, cx: &mut Cx) {
        self.1.handle_outbound(&mut self.0, message, cx);
    }
    fn handle_inbound(&mut self, message: Up<L::Lower>, cx: &mut Cx) {
        self.1.handle_inbound(&mut self.0, message, cx);
    }
    fn poll_outbound(&mut self, cx: &mut Cx) -> Option<Down<L::Lower>> {
        self.1.poll_outbound(&mut self.0, cx)
    }
    fn poll_inbound(&mut self, cx: &mut Cx) -> Option<Up<L::Upper>> {
        self.1.poll_inbound(&mut self.0, cx)
    }
    fn handle_timeout(&mut self, cx: &mut Cx) {
        self.0.handle_timeout(cx);
    }
    fn poll_timeout(&self) -> Option<Instant> {
        self.1.poll_timeout(&self.0)
    }
}

fn fails<L: Layer>(make: impl Fn() -> L, suite: &Suite<L::Upper, L::Lower>) -> Failure {
    match check_layer(make, suite) {
        Ok(report) => panic!("a broken layer passed:\n{report}"),
        Err(failure) => failure,
    }
}

fn ethernet<F: Fault<Ethernet>>(fault: impl Fn() -> F) -> Failure {
    let setup = suites::EthernetSetup::default();
    let config = || framewise_ethernet::Config::one(setup.mac);
    fails(|| Broken(Ethernet::new(config(), Rng::from_seed(1)), fault()), &suites::ethernet(setup))
}

fn udp<F: Fault<Udp>>(fault: impl Fn() -> F) -> Failure {
    fails(|| Broken(Udp::new(Default::default()), fault()), &suites::udp(Default::default()))
}

fn our_tcp() -> Tcp {
    Tcp::new(Default::default(), Rng::from_seed(1))
}

fn tcp<F: Fault<Tcp>>(fault: impl Fn() -> F) -> Failure {
    fails(|| Broken(our_tcp(), fault()), &suites::tcp(Default::default()))
}

#[test]
fn one_that_answers_with_a_clock_of_its_own_breaks_law_1() {
    static CLOCK: AtomicU8 = AtomicU8::new(0);
    struct Stamps;
    impl Fault<Ethernet> for Stamps {
        fn poll_outbound(
            &mut self,
            layer: &mut Ethernet,
            cx: &mut Cx,
        ) -> Option<Down<framewise_core::seams::Frames>> {
            let mut frame = layer.poll_outbound(cx)?;
            frame.append(1).fill(CLOCK.fetch_add(1, Ordering::Relaxed));
            Some(frame)
        }
    }
    let failure = ethernet(|| Stamps);
    assert_eq!(failure.law(), Some(Law::Pure), "{failure}");
}

#[test]
fn one_that_loses_every_tenth_frame_breaks_law_2() {
    struct Loses(usize);
    impl Fault<Ethernet> for Loses {
        fn handle_inbound(
            &mut self,
            layer: &mut Ethernet,
            message: Up<framewise_core::seams::Frames>,
            cx: &mut Cx,
        ) {
            self.0 += 1;
            if !self.0.is_multiple_of(10) {
                layer.handle_inbound(message, cx);
            }
        }
    }
    let failure = ethernet(|| Loses(0));
    assert_eq!(failure.law(), Some(Law::NothingLost), "{failure}");
}

#[test]
fn one_without_a_bound_breaks_law_3() {
    let config = framewise_udp::Config { inbound: usize::MAX, ..Default::default() };
    let failure = fails(|| Udp::new(config), &suites::udp(Default::default()));
    assert_eq!(failure.law(), Some(Law::Bounded), "{failure}");
}

#[test]
fn one_that_delivers_more_than_was_granted_breaks_law_3() {
    struct Generous;
    impl Fault<Tcp> for Generous {
        fn handle_outbound(&mut self, layer: &mut Tcp, message: StreamDown, cx: &mut Cx) {
            let message = match message {
                StreamDown::Grant { conn, bytes } => StreamDown::Grant { conn, bytes: bytes + 1 },
                other => other,
            };
            layer.handle_outbound(message, cx);
        }
    }
    let failure = tcp(|| Generous);
    assert_eq!(failure.law(), Some(Law::Bounded), "{failure}");
    assert_eq!(failure.case(), "keeps data back until it is granted");
}

#[test]
fn one_that_still_has_something_after_none_breaks_law_4() {
    #[derive(Default)]
    struct Hesitates(bool);
    impl Fault<Udp> for Hesitates {
        fn poll_inbound(
            &mut self,
            layer: &mut Udp,
            cx: &mut Cx,
        ) -> Option<Up<framewise_core::seams::Datagrams>> {
            self.0 = !self.0;
            if self.0 { None } else { layer.poll_inbound(cx) }
        }
    }
    let failure = udp(Hesitates::default);
    assert_eq!(failure.law(), Some(Law::PollUntilNone), "{failure}");
}

#[test]
fn one_that_never_gives_none_breaks_law_4() {
    struct Endless;
    impl Fault<Udp> for Endless {
        fn poll_inbound(&mut self, _: &mut Udp, _: &mut Cx) -> Option<Up<framewise_core::seams::Datagrams>> {
            Some(framewise_core::seams::datagram::DatagramUp::BindFailed { port: 1 })
        }
    }
    let failure = udp(|| Endless);
    assert_eq!(failure.law(), Some(Law::PollUntilNone), "{failure}");
}

#[test]
fn one_that_panics_on_short_input_breaks_law_5() {
    struct Reads;
    impl Fault<Ethernet> for Reads {
        fn handle_inbound(
            &mut self,
            layer: &mut Ethernet,
            message: Up<framewise_core::seams::Frames>,
            cx: &mut Cx,
        ) {
            // What a first attempt looks like: the EtherType, wherever the frame ends.
            assert_ne!(u16::from_be_bytes([message[12], message[13]]), 1);
            layer.handle_inbound(message, cx);
        }
    }
    let failure = ethernet(|| Reads);
    assert_eq!(failure.law(), Some(Law::BadInput), "{failure}");
    insta::assert_snapshot!("panics_on_a_short_frame", failure.to_string());
}

#[test]
fn one_whose_timeout_never_moves_breaks_law_6() {
    struct Stuck;
    impl Fault<Udp> for Stuck {
        fn poll_timeout(&self, _: &Udp) -> Option<Instant> {
            Some(Instant::ZERO)
        }
    }
    let failure = udp(|| Stuck);
    assert_eq!(failure.law(), Some(Law::Timeouts), "{failure}");
}

#[test]
fn one_that_makes_its_segments_ahead_breaks_law_7() {
    #[derive(Default)]
    struct Hurries(VecDeque<SegmentDown>);
    impl Fault<Tcp> for Hurries {
        fn handle_outbound(&mut self, layer: &mut Tcp, message: StreamDown, cx: &mut Cx) {
            layer.handle_outbound(message, cx);
            self.0.extend(std::iter::from_fn(|| layer.poll_outbound(cx)));
        }
        fn poll_outbound(&mut self, layer: &mut Tcp, cx: &mut Cx) -> Option<SegmentDown> {
            self.0.pop_front().or_else(|| layer.poll_outbound(cx))
        }
    }
    let failure = tcp(Hurries::default);
    assert_eq!(failure.law(), Some(Law::Pull), "{failure}");
}

#[test]
fn one_that_sends_nothing_while_stepping_breaks_law_8() {
    struct Freezes;
    impl Fault<Udp> for Freezes {
        fn poll_outbound(&mut self, layer: &mut Udp, cx: &mut Cx) -> Option<SegmentDown> {
            if cx.stepping { None } else { layer.poll_outbound(cx) }
        }
    }
    let failure = udp(|| Freezes);
    assert_eq!(failure.law(), Some(Law::Stepping), "{failure}");
}

#[test]
fn one_that_answers_twice_fails_the_case() {
    #[derive(Default)]
    struct Twice(Option<SegmentDown>);
    impl Fault<Udp> for Twice {
        fn poll_outbound(&mut self, layer: &mut Udp, cx: &mut Cx) -> Option<SegmentDown> {
            if let Some(again) = self.0.take() {
                return Some(again);
            }
            let message = layer.poll_outbound(cx)?;
            if let SegmentDown::Segment(segment) = &message {
                self.0 = Some(SegmentDown::Segment(segment.clone()));
            }
            Some(message)
        }
    }
    let failure = udp(Twice::default);
    assert_eq!(failure.law(), None, "{failure}");
    insta::assert_snapshot!("answers_twice", failure.to_string());
}

#[test]
fn one_that_takes_a_wrong_checksum_for_right_fails_the_case() {
    struct Trusts;
    impl<L: Layer<Lower = framewise_core::seams::Segments>> Fault<L> for Trusts {
        fn handle_inbound(&mut self, layer: &mut L, mut message: SegmentUp, cx: &mut Cx) {
            if let SegmentUp::Segment(segment) = &mut message {
                segment.label_mut().offload.checksum = ChecksumState::Verified;
            }
            layer.handle_inbound(message, cx);
        }
    }
    assert_eq!(udp(|| Trusts).case(), "drops a datagram whose checksum is wrong");
    assert_eq!(tcp(|| Trusts).case(), "drops a segment whose checksum is wrong");
}

#[test]
fn a_pair_with_one_that_never_sends_its_fin_does_not_end() {
    struct Lingers;
    impl Fault<Tcp> for Lingers {
        fn handle_outbound(&mut self, layer: &mut Tcp, message: StreamDown, cx: &mut Cx) {
            if !matches!(message, StreamDown::Close { .. }) {
                layer.handle_outbound(message, cx);
            }
        }
    }
    let failure = check_pair(our_tcp, || Broken(our_tcp(), Lingers), &PairSuite::default()).unwrap_err();
    assert_eq!(failure.case(), "opens and closes with nothing to say", "{failure}");
    assert!(failure.came().contains("the client's connection ended: no answer in time"), "{failure}");
    assert!(failure.came().contains("server: still open; 0 bytes left to send"), "{failure}");
}

#[test]
fn a_pair_with_one_that_takes_wrong_checksums_for_right_carries_wrong_bytes() {
    struct Trusts;
    impl Fault<Tcp> for Trusts {
        fn handle_inbound(&mut self, layer: &mut Tcp, mut message: SegmentUp, cx: &mut Cx) {
            if let SegmentUp::Segment(segment) = &mut message {
                segment.label_mut().offload.checksum = ChecksumState::Verified;
            }
            layer.handle_inbound(message, cx);
        }
    }
    let mut suite = PairSuite::default();
    suite.runs.retain(|run| run.weather.corruption > 0.0);
    suite.runs.iter_mut().for_each(|run| run.weather.corruption = 0.2);
    let failure = check_pair(our_tcp, || Broken(our_tcp(), Trusts), &suite).unwrap_err();
    assert_eq!(failure.case(), "carries 30,000 bytes over a bad link", "{failure}");
}
