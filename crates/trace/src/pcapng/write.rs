//! Writing captures: from a trace, or while a run goes on.
//!
//! The same trace gives the same bytes: nothing of the machine or the day is written.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::Duration;

use framewise_core::buf::{InterfaceId, Offload};
use framewise_core::observe::Crossing;
use framewise_core::{Direction, Instant, Observer};
use pcap_file::pcapng::blocks::enhanced_packet::{EnhancedPacketBlock, EnhancedPacketOption};
use pcap_file::pcapng::blocks::interface_description::{
    InterfaceDescriptionBlock, InterfaceDescriptionOption,
};
use pcap_file::pcapng::blocks::section_header::SectionHeaderBlock;
use pcap_file::pcapng::blocks::unknown::UnknownBlock;
use pcap_file::pcapng::{PcapNgBlock, PcapNgWriter};
use pcap_file::{DataLink, Endianness, PcapError};

use super::{DECRYPTION_SECRETS_BLOCK, TLS_KEY_LOG, custom};
use crate::trace::{Event, HostId, Trace, WIRE, is_on_the_wire};
use crate::wire;

/// When simulated runs begin, in captures: 2026-01-01 00:00:00 UTC, since 1970.
pub const SIMULATED_EPOCH: Duration = Duration::from_secs(1_767_225_600);

/// Timestamps count nanoseconds: 10⁻⁹ s (the option if_tsresol).
const NANOSECONDS: u8 = 9;
/// The flags of a packet (the option epb_flags): which way it went.
const INBOUND: u32 = 1;
const OUTBOUND: u32 = 2;
/// Bytes of the longest comment that is written whole.
const COMMENT: usize = 2_000;

/// What a capture is to contain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaptureOptions {
    /// Since 1970, when the run began: [`SIMULATED_EPOCH`] unless it was a real one.
    pub epoch: Duration,
    /// Whether the TLS secrets are written too, so that whoever has the file can read what was encrypted.
    pub secrets: bool,
    /// Whether what the layers said about a frame is written as comments on it.
    pub comments: bool,
    /// Whether super-frames are written whole, as they are between the host and its device, but for their checksums. Else the
    /// frames on the wire are written that each stands for.
    pub super_frames: bool,
}

impl Default for CaptureOptions {
    /// A simulated run, without secrets, with comments.
    fn default() -> Self {
        CaptureOptions { epoch: SIMULATED_EPOCH, secrets: false, comments: true, super_frames: false }
    }
}

/// Writes the frames that a host sent and received, as pcapng. Secrets come before all packets. What the host's
/// layers noted and dropped after a frame and before the next is written as comments on that frame.
///
/// # Errors
/// `out` can't be written.
pub fn write_capture(trace: &Trace, host: &str, out: impl Write, options: &CaptureOptions) -> io::Result<()> {
    let mut blocks = Blocks::new(out, host, options)?;
    let key_log = trace.key_log();
    if options.secrets && !key_log.is_empty() {
        blocks.secrets(&key_log)?;
    }
    let Some(host) = trace.host(host) else {
        return blocks.flush();
    };
    let mut waiting: Option<Captured<'_>> = None;
    for event in trace.events() {
        match (captured(trace, event, host), &mut waiting) {
            (Some(next), _) => {
                if let Some(frame) = waiting.replace(next) {
                    blocks.frame(&frame)?;
                }
            }
            (None, Some(frame)) if options.comments => frame.comments.extend(comment(event, host)),
            _ => {}
        }
    }
    if let Some(frame) = waiting {
        blocks.frame(&frame)?;
    }
    blocks.flush()
}

/// An observer that writes the frames of one host as they cross, and keeps none.
///
/// Secrets are written as they are told, which is before anything is sent under them. The first error of
/// `out` stops it; [`finish`](Self::finish) tells it.
///
/// ```
/// use framewise_trace::{CaptureOptions, CaptureWriter};
/// let mut capture = CaptureWriter::new(Vec::new(), "me", CaptureOptions::default())?;
/// // … hand `&mut capture` to whoever runs the host …
/// let file: Vec<u8> = capture.finish()?;
/// assert_eq!(file[..4], [0x0a, 0x0d, 0x0d, 0x0a]);
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct CaptureWriter<W: Write> {
    blocks: Blocks<W>,
    host: String,
    /// Whether the host that speaks now is ours. A run of one host need not name it.
    ours: bool,
    secrets: bool,
    error: Option<io::Error>,
}

impl<W: Write> CaptureWriter<W> {
    /// A capture of the host of this name.
    ///
    /// # Errors
    /// `out` can't be written.
    pub fn new(out: W, host: &str, options: CaptureOptions) -> io::Result<Self> {
        Ok(CaptureWriter {
            blocks: Blocks::new(out, host, &options)?,
            host: host.to_owned(),
            ours: true,
            secrets: options.secrets,
            error: None,
        })
    }

    /// What went wrong, if something did: nothing is written after it.
    pub fn error(&self) -> Option<&io::Error> {
        self.error.as_ref()
    }

    /// Hands what was written on, so that whoever reads along sees it.
    pub fn flush(&mut self) {
        let result = self.blocks.flush();
        self.keep_first_error(result);
    }

    /// Ends the capture and gives `out` back.
    ///
    /// # Errors
    /// Now or before, `out` could not be written.
    pub fn finish(mut self) -> io::Result<W> {
        self.flush();
        match self.error {
            Some(error) => Err(error),
            None => Ok(self.blocks.into_inner()),
        }
    }

    fn keep_first_error(&mut self, result: io::Result<()>) {
        if let (Err(error), None) = (result, &self.error) {
            self.error = Some(error);
        }
    }
}

impl<W: Write> Observer for CaptureWriter<W> {
    fn host(&mut self, name: &str) {
        self.ours = name == self.host;
    }

    fn crossed(&mut self, crossing: &Crossing<'_>) {
        if !self.ours || self.error.is_some() || !is_on_the_wire(crossing.seam, crossing.lower) {
            return;
        }
        let result = self.blocks.frame(&Captured {
            now: crossing.now,
            interface: crossing.message.interface().unwrap_or_default(),
            direction: crossing.direction,
            bytes: crossing.message.bytes(),
            offload: crossing.message.offload_facts(),
            comments: Vec::new(),
        });
        self.keep_first_error(result);
    }

    fn secret(&mut self, _now: Instant, line: &str) {
        if !self.ours || self.error.is_some() || !self.secrets {
            return;
        }
        let result = self.blocks.secrets(&format!("{line}\n"));
        self.keep_first_error(result);
    }
}

/// A frame to be written.
pub(crate) struct Captured<'t> {
    pub(crate) now: Instant,
    pub(crate) interface: InterfaceId,
    pub(crate) direction: Direction,
    pub(crate) bytes: &'t [u8],
    pub(crate) offload: Offload,
    pub(crate) comments: Vec<String>,
}

fn captured<'t>(trace: &'t Trace, event: &Event, host: HostId) -> Option<Captured<'t>> {
    let Event::Crossing(crossing) = event else {
        return None;
    };
    (crossing.host == host && crossing.is_on_the_wire()).then(|| Captured {
        now: crossing.now,
        interface: crossing.interface.unwrap_or_default(),
        direction: crossing.direction,
        bytes: trace.bytes(crossing),
        offload: crossing.offload,
        comments: Vec::new(),
    })
}

/// What an event of this host says about the frame before it.
fn comment(event: &Event, ours: HostId) -> Option<String> {
    match event {
        // Where a capture is made nobody sees what becomes of a frame on its way.
        Event::Note(note) if note.layer == WIRE => None,
        Event::Note(note) if note.host == ours => Some(format!("{}: {}", note.layer, note.text)),
        Event::Drop(dropped) if dropped.host == ours => {
            Some(format!("{} dropped this: {}", dropped.layer, dropped.reason))
        }
        _ => None,
    }
}

/// The blocks of a capture of one host, in little-endian whatever the machine.
pub(crate) struct Blocks<W: Write> {
    writer: PcapNgWriter<W>,
    host: String,
    options: CaptureOptions,
    /// The number that the file gives to each interface, in the order in which they were first used.
    interfaces: BTreeMap<InterfaceId, u32>,
}

impl<W: Write> Blocks<W> {
    pub(crate) fn new(out: W, host: &str, options: &CaptureOptions) -> io::Result<Self> {
        let section = SectionHeaderBlock { endianness: Endianness::Little, ..SectionHeaderBlock::default() };
        Ok(Blocks {
            writer: PcapNgWriter::with_section_header(out, section).map_err(io_error)?,
            host: host.to_owned(),
            options: options.clone(),
            interfaces: BTreeMap::new(),
        })
    }

    /// Writes a frame: whole, or as the frames on the wire that it stands for. What was said of it stands at the last one.
    pub(crate) fn frame(&mut self, frame: &Captured<'_>) -> io::Result<()> {
        if self.options.super_frames {
            let count = wire::count(frame.bytes, frame.offload);
            let mut comments =
                self.of_super_frame(count, || format!("super-frame: {count} frames on the wire"));
            comments.extend_from_slice(&frame.comments);
            return self.packet(frame, &wire::whole(frame.bytes, frame.offload), &comments);
        }
        let pieces = wire::frames(frame.bytes, frame.offload);
        let (count, length) = (pieces.len(), frame.bytes.len());
        for (number, piece) in (1..).zip(pieces) {
            let mut comments = self.of_super_frame(count, || {
                format!("{number} of {count} frames on the wire: one super-frame of {length} bytes")
            });
            if number == count {
                comments.extend_from_slice(&frame.comments);
            }
            self.packet(frame, &piece, &comments)?;
        }
        Ok(())
    }

    /// What is said of a frame that is `count` on the wire, if it is more than one, and comments are wanted.
    fn of_super_frame(&self, count: usize, says: impl FnOnce() -> String) -> Vec<String> {
        if count > 1 && self.options.comments { vec![says()] } else { Vec::new() }
    }

    fn packet(&mut self, frame: &Captured<'_>, bytes: &[u8], comments: &[String]) -> io::Result<()> {
        let interface_id = self.interface(frame.interface)?;
        let flags = match frame.direction {
            Direction::Inbound => INBOUND,
            Direction::Outbound => OUTBOUND,
        };
        let comments = comments.iter().map(|comment| shortened(comment));
        let options = std::iter::once(EnhancedPacketOption::Flags(flags))
            .chain(comments.map(|comment| EnhancedPacketOption::Comment(Cow::Borrowed(comment))))
            .collect();
        self.write(EnhancedPacketBlock {
            interface_id,
            timestamp: self.options.epoch.saturating_add(Duration::from_nanos(frame.now.as_nanos())),
            original_len: bytes.len() as u32,
            data: Cow::Borrowed(bytes),
            options,
        })
    }

    /// The file's number of an interface, which is described before its first packet.
    fn interface(&mut self, interface: InterfaceId) -> io::Result<u32> {
        if let Some(&number) = self.interfaces.get(&interface) {
            return Ok(number);
        }
        let number = self.interfaces.len() as u32;
        let name = format!("{} eth{}", self.host, interface.0);
        self.write(InterfaceDescriptionBlock {
            linktype: DataLink::ETHERNET,
            snaplen: 0,
            options: vec![
                InterfaceDescriptionOption::IfName(name.trim_start().to_owned().into()),
                InterfaceDescriptionOption::IfTsResol(NANOSECONDS),
            ],
        })?;
        self.interfaces.insert(interface, number);
        Ok(number)
    }

    pub(crate) fn secrets(&mut self, key_log: &str) -> io::Result<()> {
        let length = key_log.len() as u32;
        let mut value = [TLS_KEY_LOG.to_le_bytes(), length.to_le_bytes()].concat();
        value.extend(key_log.as_bytes());
        value.resize(value.len().next_multiple_of(4), 0);
        self.write(UnknownBlock::new(DECRYPTION_SECRETS_BLOCK, value.len() as u32, &value))
    }

    fn write<'b>(&mut self, block: impl PcapNgBlock<'b>) -> io::Result<()> {
        self.writer.write_pcapng_block(block).map(drop).map_err(io_error)
    }

    /// Writes a block of ours with this value.
    pub(crate) fn custom(&mut self, value: &[u8]) -> io::Result<()> {
        self.write(UnknownBlock::new(custom::BLOCK, value.len() as u32, value))
    }

    pub(crate) fn into_inner(self) -> W {
        self.writer.into_inner()
    }

    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.writer.get_mut().flush()
    }
}

/// At most as much of a comment as one may be long, ending between characters.
fn shortened(comment: &str) -> &str {
    let end = (0..=COMMENT.min(comment.len())).rev().find(|&end| comment.is_char_boundary(end));
    comment.get(..end.unwrap_or_default()).unwrap_or_default()
}

fn io_error(error: PcapError) -> io::Error {
    match error {
        PcapError::IoError(error) => error,
        other => io::Error::other(other),
    }
}
