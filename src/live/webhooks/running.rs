//! The tasks of the workers, one per webhook.

use std::collections::HashMap;

use tokio::task::{Id, JoinSet};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::failures::Failures;
use crate::model::WebhookId;

/// The tasks that run.
#[derive(Default)]
pub struct RunningWorkers {
    tasks: JoinSet<()>,
    by_task: HashMap<Id, WebhookId>,
    stops: HashMap<WebhookId, CancellationToken>,
    /// Webhooks whose workers panicked the last time.
    panics: HashMap<WebhookId, Failures>,
}

impl RunningWorkers {
    /// Spawns what `start` returns for each webhook of `active` without a task, and stops the others. A
    /// webhook that is resumed before its task has ended gets a new one then. After a panic the new one waits.
    pub fn set<F: Future<Output = ()> + Send + 'static>(
        &mut self,
        active: &[WebhookId],
        start: impl Fn(WebhookId, CancellationToken) -> F,
        stop: &CancellationToken,
    ) {
        for (id, stop) in &self.stops {
            if !active.contains(id) {
                stop.cancel();
            }
        }
        for id in active {
            if self.stops.contains_key(id) {
                continue;
            }
            let stop = stop.child_token();
            let work = start(*id, stop.clone());
            let delay = self.panics.get_mut(id).map(Failures::add_logged);
            let stopped = stop.clone();
            let task = self.tasks.spawn(async move {
                let waited = async { sleep(delay.unwrap_or_default()).await };
                if stopped.run_until_cancelled(waited).await.is_some() {
                    work.await;
                }
            });
            self.by_task.insert(task.id(), *id);
            self.stops.insert(*id, stop);
        }
    }

    /// Waits until a task has ended; forever if there is none. Cancel safe.
    pub async fn ended(&mut self) {
        let Some(ended) = self.tasks.join_next_with_id().await else {
            return std::future::pending().await;
        };
        let task = match &ended {
            Ok((task, ())) => *task,
            Err(error) => error.id(),
        };
        let Some(id) = self.by_task.remove(&task) else {
            return;
        };
        self.stops.remove(&id);
        if let Err(error) = ended {
            tracing::error!(%error, webhook.id = %id, "a worker of a webhook panicked; it is started again after a pause");
            self.panics.entry(id).or_default();
        } else {
            self.panics.remove(&id);
        }
    }

    /// Waits until all tasks have ended.
    pub async fn join(mut self) {
        while self.tasks.join_next().await.is_some() {}
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    /// A worker with a bug used a whole processor, because it was started again without a pause.
    #[tokio::test(start_paused = true)]
    async fn a_worker_that_panics_is_started_again_with_back_off() {
        let starts = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&starts);
        let start = move |_, _| {
            let counted = Arc::clone(&counted);
            async move {
                counted.fetch_add(1, Ordering::Relaxed);
                panic!("a bug")
            }
        };
        let (mut running, stop) = (RunningWorkers::default(), CancellationToken::new());
        let panicking = async {
            loop {
                running.set(&[WebhookId::new(1)], &start, &stop);
                running.ended().await;
            }
        };
        let _ = timeout(Duration::from_secs(31), panicking).await;
        // Now, and after 0.5, 1.5, 3.5, 7.5, 15.5 s.
        assert_eq!(starts.load(Ordering::Relaxed), 6);
        // A stop ends the pause.
        running.set(&[], &start, &stop);
        running.join().await;
        assert_eq!(starts.load(Ordering::Relaxed), 6);
    }
}
