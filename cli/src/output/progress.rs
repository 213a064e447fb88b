//! Progress on stderr: bars and a live line on a terminal, one line for each state elsewhere.

use std::time::Duration;

use djinn_proto::imports::v1::{Import, ImportState};
use indicatif::{ProgressBar, ProgressFinish, ProgressStyle};

use super::{note, text};

/// Between the frames of a spinner.
const TICK: Duration = Duration::from_millis(120);

/// The style of an upload.
const UPLOAD: &str = "uploading {bar:30} {bytes}/{total_bytes} {bytes_per_sec}";

/// The style of a live line.
const LIVE: &str = "{spinner} {msg}";

/// The bar of an upload. It disappears when dropped.
pub(crate) fn upload(size_bytes: u64) -> ProgressBar {
    ProgressBar::new(size_bytes)
        .with_style(styled(UPLOAD))
        .with_finish(ProgressFinish::AndClear)
}

/// The live line of an import. It disappears when dropped.
pub(crate) struct Live {
    bar: ProgressBar,
    last: ImportState,
}

impl Live {
    /// A line that shows nothing yet.
    pub(crate) fn new() -> Self {
        let bar = ProgressBar::new_spinner().with_style(styled(LIVE));
        bar.enable_steady_tick(TICK);
        Self {
            bar,
            last: ImportState::Unspecified,
        }
    }

    /// Shows where the import stands.
    pub(crate) fn show(&mut self, import: &Import) {
        let state = import.state();
        if self.bar.is_hidden() {
            if state != self.last {
                note(text::state(state));
            }
        } else {
            self.bar.set_message(line(import));
        }
        self.last = state;
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// The state, and how far its step has come.
fn line(import: &Import) -> String {
    let mut line = text::state(import.state());
    if let Some(progress) = import.job.as_ref().and_then(|job| job.progress.as_ref()) {
        let unit = text::clean(&progress.unit);
        match (progress.done_count, progress.total_count) {
            (0, 0) => {}
            (done, 0) => line.push_str(&format!(", {done} {unit}")),
            (done, total) => line.push_str(&format!(", {done} of {total} {unit}")),
        }
    }
    line
}

fn styled(template: &str) -> ProgressStyle {
    // The templates are constants; a wrong one costs the style and nothing else.
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

#[cfg(test)]
mod tests {
    use djinn_proto::common::v1::{Job, JobProgress};

    use super::*;

    #[test]
    fn the_live_line_counts_what_is_known() {
        for (done_count, total_count, expected) in [
            (0, 0, "staging"),
            (10, 0, "staging, 10 rows"),
            (10, 20, "staging, 10 of 20 rows"),
            (0, 20, "staging, 0 of 20 rows"),
        ] {
            let import = Import {
                state: ImportState::Staging.into(),
                job: Some(Job {
                    progress: Some(JobProgress {
                        done_count,
                        total_count,
                        unit: "rows".to_owned(),
                    }),
                    ..Job::default()
                }),
                ..Import::default()
            };
            assert_eq!(line(&import), expected);
        }
    }

    #[test]
    fn every_template_is_valid() {
        for template in [UPLOAD, LIVE] {
            assert!(ProgressStyle::with_template(template).is_ok(), "{template}");
        }
    }
}
