//! Counts the activities of one worker, to tell when a new one should take its place.

use temporalio_sdk::interceptors::{
    ActivityInboundInterceptor, ExecuteActivityInput, ExecuteActivityOutput, Next,
};
use tokio::sync::watch;

/// A worker that never rests ends after so many times its share: what it does then is tried again
/// by the next one if it takes longer than a grace period.
const BUSY_FACTOR: u64 = 4;

/// Counts activities. Clones are one.
#[derive(Clone)]
pub(super) struct Census {
    activities_max: u64,
    counts: watch::Sender<Counts>,
}

/// Activities, those that have begun and those of them that have not ended.
#[derive(Clone, Copy, Default)]
struct Counts {
    begun: u64,
    under_way: u64,
}

impl Census {
    pub(super) fn new(activities_max: u32) -> Self {
        Self {
            activities_max: activities_max.into(),
            counts: watch::Sender::default(),
        }
    }

    /// Whether the worker has had its share, and none is under way or it never rests.
    pub(super) fn is_full(&self) -> bool {
        self.fills(*self.counts.borrow())
    }

    /// Waits until that is so.
    pub(super) async fn full(&self) {
        let mut counts = self.counts.subscribe();
        // Fails without a sender, and there is one here.
        counts.wait_for(|counts| self.fills(*counts)).await.ok();
    }

    fn fills(&self, counts: Counts) -> bool {
        let rests = counts.under_way == 0;
        let factor = if rests { 1 } else { BUSY_FACTOR };
        counts.begun >= self.activities_max.saturating_mul(factor)
    }

    fn enter(&self) -> Present {
        self.counts.send_modify(|counts| {
            counts.begun += 1;
            counts.under_way += 1;
        });
        Present(self.counts.clone())
    }
}

/// An activity that is under way, until dropped.
struct Present(watch::Sender<Counts>);

impl Drop for Present {
    fn drop(&mut self) {
        self.0.send_modify(|counts| counts.under_way -= 1);
    }
}

impl ActivityInboundInterceptor for Census {
    fn execute_activity<'a>(
        &'a self,
        input: ExecuteActivityInput,
        next: Next<'a, ExecuteActivityInput, ExecuteActivityOutput<'a>>,
    ) -> ExecuteActivityOutput<'a> {
        let present = self.enter();
        let running = next.run(input);
        Box::pin(async move {
            let _present = present;
            running.await
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_is_full_when_it_rests_or_never_does() {
        let census = Census::new(3);
        let mut under_way = Vec::new();
        for (begin, end, full) in [
            (2, 2, false),
            (1, 0, false),
            (0, 1, true),
            (1, 0, false),
            (7, 7, false),
            (1, 0, true),
            (0, 2, true),
        ] {
            under_way.extend((0..begin).map(|_| census.enter()));
            under_way.truncate(under_way.len() - end);
            assert_eq!(census.is_full(), full, "{begin} begun, {end} ended");
        }
    }

    #[tokio::test]
    async fn whoever_waits_is_told_when_the_last_one_ends() {
        let census = Census::new(1);
        let present = census.enter();
        let waiting = tokio::spawn({
            let census = census.clone();
            async move { census.full().await }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(present);
        waiting.await.unwrap();
    }
}
