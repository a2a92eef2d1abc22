//! What each key means.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use crate::model::{Action, Mode, Stepper};

/// What a key means now; `None`: nothing.
pub fn action(stepper: &Stepper, key: KeyEvent) -> Option<Action> {
    if key.kind == KeyEventKind::Release {
        return None;
    }
    if key.modifiers.contains(KeyModifiers::CONTROL) {
        return (key.code == KeyCode::Char('c')).then_some(Action::Quit);
    }
    match stepper.mode() {
        Mode::Walk => walking(key.code),
        Mode::Help => match key.code {
            KeyCode::Char('q') => Some(Action::Quit),
            _ => Some(Action::Close),
        },
        Mode::Search(_) | Mode::Goto(_) => typing(key.code),
        Mode::Ways(..) | Mode::WhatIf(..) | Mode::Compare(..) => choosing(key.code),
    }
}

fn walking(code: KeyCode) -> Option<Action> {
    Some(match code {
        KeyCode::Right | KeyCode::Char('l') => Action::Next,
        KeyCode::Left | KeyCode::Char('h') => Action::Back,
        KeyCode::PageDown => Action::NextFrame,
        KeyCode::PageUp => Action::PreviousFrame,
        KeyCode::Home => Action::First,
        KeyCode::End => Action::Last,
        KeyCode::Up | KeyCode::Char('k') => Action::Field(-1),
        KeyCode::Down | KeyCode::Char('j') => Action::Field(1),
        KeyCode::Enter => Action::Bytes,
        KeyCode::Char('w') => Action::Ways,
        KeyCode::Char('r') | KeyCode::Backspace => Action::Return,
        KeyCode::Char(letter @ 'x'..='z') => Action::Guess(letter as usize - 'x' as usize),
        KeyCode::Char('t') => Action::State,
        KeyCode::Char('b') => Action::WhatIf,
        KeyCode::Char('v') => Action::OtherHistory,
        KeyCode::Char('d') => Action::SideBySide,
        KeyCode::Tab => Action::OtherHost,
        KeyCode::Char('s') => Action::Source,
        KeyCode::Char('e') => Action::NextOf(0),
        KeyCode::Char('E') => Action::PreviousOf,
        KeyCode::Char(digit @ '1'..='6') => Action::NextOf(digit as u8 - b'0'),
        KeyCode::Char('g') => Action::Goto,
        KeyCode::Char('/') => Action::Search,
        KeyCode::Char('n') => Action::FindNext,
        KeyCode::Char(' ') => Action::Play,
        KeyCode::Char('+' | '=') => Action::Faster,
        KeyCode::Char('-') => Action::Slower,
        KeyCode::Char('?') => Action::Help,
        KeyCode::Char('q') => Action::Quit,
        _ => return None,
    })
}

fn typing(code: KeyCode) -> Option<Action> {
    match code {
        KeyCode::Char(character) => Some(Action::Type(character)),
        KeyCode::Backspace => Some(Action::Erase),
        KeyCode::Enter => Some(Action::Accept),
        KeyCode::Esc => Some(Action::Close),
        _ => None,
    }
}

fn choosing(code: KeyCode) -> Option<Action> {
    match code {
        KeyCode::Up | KeyCode::Char('k') => Some(Action::Field(-1)),
        KeyCode::Down | KeyCode::Char('j') => Some(Action::Field(1)),
        KeyCode::Enter => Some(Action::Accept),
        KeyCode::PageUp => Some(Action::Field(-10)),
        KeyCode::PageDown => Some(Action::Field(10)),
        KeyCode::Esc | KeyCode::Char('w' | 'r' | 'b' | 'd') => Some(Action::Close),
        KeyCode::Char('q') => Some(Action::Quit),
        _ => None,
    }
}
