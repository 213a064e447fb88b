//! What Temporal's history tells of a run: how long each step took, and how many events it has.

use std::collections::BTreeMap;

use anyhow::{Context as _, bail};
use serde_json::Value;
use tokio::process::Command;

use crate::command;
use crate::install;
use crate::stack::{NAMESPACE, Stack};

/// The steps of an import in their order, as activities are called.
pub(super) const STEPS: [&str; 5] = ["scan", "recognise", "stage", "match_rows", "commit"];

/// No run lasts longer.
const DAY_SECONDS: f64 = 86_400.0;

/// A workflow that has ended.
pub(super) struct History {
    /// Seconds from its start to the end of its last activity.
    pub(super) total_seconds: f64,
    /// Seconds by activity.
    pub(super) step_seconds: BTreeMap<String, f64>,
    /// Events.
    pub(super) event_count: usize,
}

impl History {
    /// Seconds in a step; 0 if it did not run.
    pub(super) fn step(&self, name: &str) -> f64 {
        self.step_seconds.get(name).copied().unwrap_or_default()
    }
}

/// Reads the history of an import.
pub(super) async fn read(stack: &Stack<'_>, import_id: &str) -> anyhow::Result<History> {
    let program = install::TEMPORAL.path(stack.workspace).await?;
    let address = format!("127.0.0.1:{}", stack.state.ports.temporal);
    let mut show = Command::new(program);
    show.args(["workflow", "show", "--output", "json"])
        .args(["--address", &address, "--namespace", NAMESPACE])
        .args(["--workflow-id", &format!("import:{import_id}")]);
    let text = command::capture(&mut show).await?;
    let history: Value = serde_json::from_str(&text).context("cannot read a history")?;
    parse(&history)
}

fn parse(history: &Value) -> anyhow::Result<History> {
    let events = history["events"].as_array().context("it has no events")?;
    let begin = seconds(events.first().context("it is empty")?)?;
    let mut names: BTreeMap<&str, &str> = BTreeMap::new();
    let mut starts: BTreeMap<&str, f64> = BTreeMap::new();
    let mut step_seconds: BTreeMap<String, f64> = BTreeMap::new();
    let mut end = begin;
    for event in events {
        let id = event["eventId"].as_str().unwrap_or_default();
        match event["eventType"].as_str().unwrap_or_default() {
            "EVENT_TYPE_ACTIVITY_TASK_SCHEDULED" => {
                let scheduled = &event["activityTaskScheduledEventAttributes"];
                let name = scheduled["activityType"]["name"].as_str();
                // The workflow's name for it is `Imports.stage` or `stage`.
                let name = name.unwrap_or_default().rsplit(['.', ':']).next();
                names.insert(id, name.unwrap_or_default());
            }
            "EVENT_TYPE_ACTIVITY_TASK_STARTED" => {
                let of = &event["activityTaskStartedEventAttributes"]["scheduledEventId"];
                starts.insert(of.as_str().unwrap_or_default(), seconds(event)?);
            }
            "EVENT_TYPE_ACTIVITY_TASK_COMPLETED" => {
                let of = &event["activityTaskCompletedEventAttributes"]["scheduledEventId"];
                let of = of.as_str().unwrap_or_default();
                let (Some(name), Some(start)) = (names.get(of), starts.get(of)) else {
                    bail!("event {id} completes an activity that never began");
                };
                end = seconds(event)?;
                *step_seconds.entry((*name).to_owned()).or_default() += elapsed(*start, end);
            }
            _ => {}
        }
    }
    Ok(History {
        total_seconds: elapsed(begin, end),
        step_seconds,
        event_count: events.len(),
    })
}

/// Seconds from one time of day to another, which may be that of the next day.
fn elapsed(begin: f64, end: f64) -> f64 {
    if end < begin {
        end + DAY_SECONDS - begin
    } else {
        end - begin
    }
}

/// The time of an event in seconds since midnight.
fn seconds(event: &Value) -> anyhow::Result<f64> {
    let time = event["eventTime"]
        .as_str()
        .context("an event without a time")?;
    let clock = time
        .split_once('T')
        .and_then(|(_, clock)| clock.strip_suffix('Z'))
        .with_context(|| format!("{time} is no time"))?;
    let mut sum = 0.0;
    for part in clock.split(':') {
        sum = sum * 60.0
            + part
                .parse::<f64>()
                .with_context(|| format!("{time} is no time"))?;
    }
    Ok(sum)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_step_lasts_from_its_start_to_its_completion() {
        let history = json!({"events": [
            {"eventId": "1", "eventType": "EVENT_TYPE_WORKFLOW_EXECUTION_STARTED",
             "eventTime": "2026-01-01T10:00:00.500Z"},
            {"eventId": "5", "eventType": "EVENT_TYPE_ACTIVITY_TASK_SCHEDULED",
             "eventTime": "2026-01-01T10:00:01Z",
             "activityTaskScheduledEventAttributes": {"activityType": {"name": "stage"}}},
            {"eventId": "6", "eventType": "EVENT_TYPE_ACTIVITY_TASK_STARTED",
             "eventTime": "2026-01-01T10:00:02.25Z",
             "activityTaskStartedEventAttributes": {"scheduledEventId": "5"}},
            {"eventId": "7", "eventType": "EVENT_TYPE_ACTIVITY_TASK_COMPLETED",
             "eventTime": "2026-01-01T10:01:03.25Z",
             "activityTaskCompletedEventAttributes": {"scheduledEventId": "5"}},
        ]});
        let history = parse(&history).unwrap();
        assert_eq!(history.event_count, 4);
        assert!((history.step("stage") - 61.0).abs() < 1e-6);
        assert!((history.total_seconds - 62.75).abs() < 1e-6);
        assert!(history.step("commit").abs() < 1e-6);
    }

    #[test]
    fn a_run_may_last_over_midnight() {
        assert!((elapsed(86_399.5, 0.75) - 1.25).abs() < 1e-6);
        assert!((elapsed(10.0, 11.5) - 1.5).abs() < 1e-6);
    }
}
