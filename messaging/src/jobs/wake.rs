//! When a worker looks for work: at the bell, shortly after the bell, and at a slow tick. apalis' own interval strategy can
//! return without a registered waker and then sleeps until the next heart-beat (30 s by default).

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Context;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;
use tokio::time::{Interval, MissedTickBehavior, Sleep, interval};

use crate::pace;

/// A bell may be heard while an older, already executed fetch is still on its way back: look again after these pauses.
const ECHOES: [Duration; 2] = [Duration::from_millis(2), Duration::from_millis(20)];

/// Wakes the task that polls it; it has no result, because every poll of a worker looks for work.
pub(crate) struct Wake {
    bell: Arc<Notify>,
    heard: Pin<Box<OwnedNotified>>,
    tick: Interval,
    echo: Pin<Box<Sleep>>,
    echoes_left: usize,
}

impl Wake {
    /// Listens to `bell` and looks every `tick` in any case: delayed jobs ring no bell, and a bell can be lost.
    pub(crate) fn new(bell: Arc<Notify>, tick: Duration) -> Self {
        let mut tick = interval(tick);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            heard: Box::pin(Arc::clone(&bell).notified_owned()),
            bell,
            tick,
            echo: Box::pin(pace::timer()),
            echoes_left: 0,
        }
    }

    /// Registers the waker of `cx` with everything that can wake it. Call on each poll, before the fetch is polled.
    pub(crate) fn arm(&mut self, cx: &mut Context<'_>) {
        while self.tick.poll_tick(cx).is_ready() {}
        let mut rung = false;
        while self.heard.as_mut().poll(cx).is_ready() {
            rung = true;
            self.heard.set(Arc::clone(&self.bell).notified_owned());
        }
        if rung {
            self.echoes_left = ECHOES.len();
            self.schedule_echo();
        }
        while self.echoes_left > 0 && self.echo.as_mut().poll(cx).is_ready() {
            self.echoes_left -= 1;
            self.schedule_echo();
        }
    }

    fn schedule_echo(&mut self) {
        if let Some(pause) = ECHOES.len().checked_sub(self.echoes_left).and_then(|next| ECHOES.get(next)) {
            self.echo.as_mut().reset(pace::now() + *pause);
        }
    }
}
