//! Keys while the screen is drawn anew: q ends it, and so does Ctrl-C.

use std::io::{self, IsTerminal, Read};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::termios::{self, LocalModes, OptionalActions, Termios};

/// The keys of a terminal, each as it is pressed. The terminal is as it was once this is dropped.
pub(super) struct Keys {
    before: Termios,
    pressed: Receiver<u8>,
}

impl Keys {
    /// `None`: nobody types here.
    pub(super) fn open() -> Option<Self> {
        let stdin = io::stdin();
        if !stdin.is_terminal() {
            return None;
        }
        let before = termios::tcgetattr(&stdin).ok()?;
        let mut each = before.clone();
        // Ctrl-C comes as a key, too: a signal would leave the terminal without an echo.
        each.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG);
        termios::tcsetattr(&stdin, OptionalActions::Now, &each).ok()?;
        let (tell, pressed) = mpsc::channel();
        // It ends with the process.
        thread::spawn(move || {
            let mut keys = io::stdin().lock().bytes().map_while(Result::ok);
            keys.try_for_each(|key| tell.send(key))
        });
        Some(Keys { before, pressed })
    }

    /// Waits so long, or until a key ends it; whether one did.
    pub(super) fn end_within(&self, time: Duration) -> bool {
        let end = Instant::now() + time;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match self.pressed.recv_timeout(left) {
                Ok(key) if is_end(key) => return true,
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) => return false,
                // Whoever typed has gone, and with them the terminal.
                Err(RecvTimeoutError::Disconnected) => return true,
            }
        }
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        let _ = termios::tcsetattr(io::stdin(), OptionalActions::Now, &self.before);
    }
}

/// What Ctrl-C and Ctrl-D are as keys.
const INTERRUPT: u8 = 3;
const END_OF_TEXT: u8 = 4;

fn is_end(key: u8) -> bool {
    matches!(key, b'q' | b'Q' | INTERRUPT | END_OF_TEXT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn q_and_ctrl_c_end_it_and_other_keys_do_not() {
        assert!([b'q', b'Q', 3, 4].into_iter().all(is_end));
        assert!(![b'x', b' ', b'\n', 27].into_iter().any(is_end));
    }
}
