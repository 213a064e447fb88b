//! At a terminal: what the command asks, and what the keys of a person answer.

use std::{
    fs::File,
    io::{Read, Write},
    process::Stdio,
    time::Duration,
};

use nix::pty::{Winsize, openpty};
use tokio::{sync::mpsc, time::timeout};

use crate::{
    process::{command, djinn, file},
    server::Fake,
};

/// Long enough for a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

const DOWN: &[u8] = b"\x1b[B";
const ENTER: &[u8] = b"\r";

/// A person's side of the terminal.
struct Terminal {
    keys: File,
    screen: mpsc::UnboundedReceiver<Vec<u8>>,
    seen: String,
}

impl Terminal {
    /// Waits until the screen has shown this since the last time.
    async fn shows(&mut self, text: &str) {
        loop {
            if let Some((_, rest)) = self.seen.split_once(text) {
                self.seen = rest.to_owned();
                return;
            }
            match timeout(PATIENCE, self.screen.recv()).await {
                Ok(Some(bytes)) => self.seen.push_str(&String::from_utf8_lossy(&bytes)),
                end => panic!("{end:?} before {text:?}: {}", self.seen),
            }
        }
    }

    fn press(&mut self, keys: &[u8]) {
        self.keys.write_all(keys).unwrap();
    }
}

#[tokio::test]
async fn questions_are_answered_with_the_arrow_keys() {
    let (fake, url) = Fake::start().await;
    let create = ["account", "create", "--name", "Main", "--currency", "EUR"];
    djinn(&url, &create).await.ended(0);
    let (_folder, path) = file("twice.csv", b"x");
    let size = Winsize {
        ws_row: 40,
        ws_col: 100,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    let pty = openpty(&size, None).unwrap();
    let answer = ["--answer", "date_order=day_first"];
    let args = ["import", &path, "--account", "Main", "--json"];
    let mut child = {
        let mut command = command(&url, &[&args[..], &answer].concat());
        command
            .env("TERM", "xterm")
            .stdin(Stdio::from(pty.slave.try_clone().unwrap()))
            .stderr(Stdio::from(pty.slave));
        command.spawn().unwrap()
    };
    let mut screen = File::from(pty.master.try_clone().unwrap());
    let (sender, receiver) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        // The other side's end is an error here, and the end.
        while let Ok(count @ 1..) = screen.read(&mut buffer) {
            if sender.send(buffer[..count].to_vec()).is_err() {
                break;
            }
        }
    });
    let mut terminal = Terminal {
        keys: File::from(pty.master),
        screen: receiver,
        seen: String::new(),
    };
    terminal.shows("Do they count?").await;
    terminal.shows("> No.").await;
    terminal.shows("left out: 16.01.2025;Hotel").await;
    terminal.shows("16 January 2025  -80.00 EUR  Hotel").await;
    terminal.press(DOWN);
    terminal.shows("> Yes.").await;
    terminal.press(ENTER);
    terminal
        .shows("Read with date_order=day_first rows=keep")
        .await;
    terminal.shows("Commit this?").await;
    terminal.press(b"y");
    assert_eq!(
        child.wait().await.unwrap().code(),
        Some(0),
        "{}",
        terminal.seen
    );
    let state = fake.state();
    let given: Vec<_> = state.answered[1].answers.iter().collect();
    assert_eq!(given, [(&"rows".to_owned(), &"keep".to_owned())]);
    assert_eq!(state.confirmations.len(), 1);
}
