//! Log lines on their way out: kept in memory and written by a thread of its own, many at once. A request neither
//! pays for a system call nor waits for whoever reads the log; when nobody reads, lines are lost and counted (R28).

use std::io::Write;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tracing_subscriber::fmt::MakeWriter;

/// Most bytes that wait; what comes beyond is lost.
const ROOM: usize = 1 << 20;
/// How long the first line waits for others.
const GATHER: Duration = Duration::from_millis(20);
/// How long the end of the process waits for the last lines.
const LAST_WAIT: Duration = Duration::from_secs(1);

/// The lines that wait.
#[derive(Clone)]
pub(super) struct Lines(Arc<Shared>);

#[derive(Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    arrived: Condvar,
    written: Condvar,
}

#[derive(Default)]
struct Waiting {
    text: Vec<u8>,
    lost: u64,
    writing: bool,
    ending: bool,
}

/// Sees the last lines out when dropped; hold it as long as there may be any.
#[must_use]
pub struct LastLines(Lines);

impl Lines {
    /// Starts the thread that writes to `out`.
    pub(super) fn start(out: impl Write + Send + 'static) -> std::io::Result<(Self, LastLines)> {
        let lines = Self(Arc::default());
        let theirs = lines.clone();
        std::thread::Builder::new().name("log".to_owned()).spawn(move || theirs.write_to(out))?;
        Ok((lines.clone(), LastLines(lines)))
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_to(&self, mut out: impl Write) {
        let mut batch = Vec::new();
        loop {
            let lost = self.take(&mut batch);
            // A log that cannot be written must not stop the service, and there is nowhere to say so.
            let _ = out.write_all(&batch).and_then(|()| out.flush());
            batch.clear();
            if lost > 0 {
                metrics::counter!("cognate_log_lines_lost_total").increment(lost);
                tracing::warn!(lost, "log lines were lost: standard error takes them too slowly");
            }
        }
    }

    /// Waits for lines and moves them into the empty `batch`; answers how many were lost meanwhile.
    fn take(&self, batch: &mut Vec<u8>) -> u64 {
        let mut waiting = self.lock();
        waiting.writing = false;
        while waiting.text.is_empty() {
            self.0.written.notify_all();
            waiting = self.0.arrived.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
        let gathered = self.0.arrived.wait_timeout_while(waiting, GATHER, |waiting| !waiting.ending);
        let (mut waiting, _) = gathered.unwrap_or_else(PoisonError::into_inner);
        waiting.writing = true;
        std::mem::swap(&mut waiting.text, batch);
        std::mem::take(&mut waiting.lost)
    }
}

impl Write for Lines {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        let mut waiting = self.lock();
        if waiting.text.len() + line.len() > ROOM {
            waiting.lost += 1;
        } else {
            waiting.text.extend_from_slice(line);
        }
        if waiting.text.len() == line.len() {
            self.0.arrived.notify_one();
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Lines {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

impl Drop for LastLines {
    fn drop(&mut self) {
        let Self(lines) = self;
        let mut waiting = lines.lock();
        waiting.ending = true;
        lines.0.arrived.notify_one();
        let unwritten = |waiting: &mut Waiting| waiting.writing || !waiting.text.is_empty();
        // Whoever reads nothing must not hold up the end either.
        let _ = lines.0.written.wait_timeout_while(waiting, LAST_WAIT, unwritten);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Instant;

    use super::*;

    /// Hands over what is written, one write at a time, when the test takes it.
    struct Slow(mpsc::SyncSender<Vec<u8>>);

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.send(bytes.to_vec()).map_err(std::io::Error::other)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    // R28
    #[test]
    fn a_log_that_nobody_reads_holds_up_nobody_and_keeps_a_megabyte() {
        let (out, written) = mpsc::sync_channel(0);
        let (mut lines, last) = Lines::start(Slow(out)).unwrap();
        let began = Instant::now();
        for _ in 0..100_000 {
            assert_eq!(lines.write(&[b'x'; 100]).unwrap(), 100);
        }
        assert!(began.elapsed() < Duration::from_secs(5));
        assert!(lines.lock().text.len() <= ROOM && lines.lock().lost > 0);
        drop(last);
        assert!(began.elapsed() < Duration::from_secs(10));
        assert!(written.recv().unwrap().len() <= ROOM);
    }

    #[test]
    fn the_end_waits_for_the_last_lines() {
        let (out, written) = mpsc::sync_channel(10);
        let (mut lines, last) = Lines::start(Slow(out)).unwrap();
        lines.write_all(b"one\n").unwrap();
        lines.write_all(b"two\n").unwrap();
        drop(last);
        assert_eq!(written.try_recv().unwrap(), b"one\ntwo\n");
    }
}
