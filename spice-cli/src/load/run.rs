//! All viewers, and when they come, are looked at and go.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::task::spawn_local;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, sleep_until};

use super::channel::{Buffer, Server};
use super::marker;
use super::tally::{Kind, Phase};
use super::viewer::{Common, Viewer};

/// How often screens are looked at.
const SAMPLE: Duration = Duration::from_millis(10);
/// How viewers join unless told otherwise: so many at a time, so often.
const JOIN: (usize, Duration) = (4, Duration::from_millis(10));

/// What is to be done.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) server: Server,
    /// The viewers, in the order in which they join.
    pub(super) kinds: Vec<Kind>,
    pub(super) rate: u32,
    pub(super) paint: bool,
    /// How long it takes until all have joined, where that is told.
    pub(super) join_within: Option<Duration>,
    pub(super) warm: Duration,
    pub(super) measure: Duration,
    pub(super) rest: Duration,
}

impl Plan {
    /// When the viewer of this number joins.
    fn joins(&self, at: usize) -> Duration {
        let at = u32::try_from(at).unwrap_or(u32::MAX);
        let (group, pause) = JOIN;
        match self.join_within {
            Some(within) => within / u32::try_from(self.kinds.len().max(1)).unwrap_or(u32::MAX) * at,
            None => pause * (at / u32::try_from(group).unwrap_or(u32::MAX)),
        }
    }
}

/// Viewers that were measured.
#[derive(Debug)]
pub(super) struct Measured {
    pub(super) viewers: Vec<Rc<Viewer>>,
    /// For how long.
    pub(super) time: Duration,
}

/// Lets the viewers in, waits, measures them, and lets them rest.
///
/// # Errors
/// No viewer has got as far as to its display, and one has failed: why.
pub(super) async fn run(plan: Plan) -> Result<Measured, String> {
    let viewers: Vec<Rc<Viewer>> = plan.kinds.iter().map(|kind| Rc::new(Viewer::new(*kind))).collect();
    let common = Rc::new(Common {
        server: plan.server.clone(),
        buffer: Buffer::default(),
        rate: plan.rate,
        paint: plan.paint,
        phase: Cell::default(),
        linked: Cell::new(false),
    });
    let (failed, mut failures) = unbounded_channel();
    let course = async {
        let start = Instant::now();
        for (at, viewer) in viewers.iter().enumerate() {
            sleep_until(start + plan.joins(at)).await;
            join(viewer, &common, &failed);
        }
        sleep(plan.warm).await;
        let since = marker::now();
        common.phase.set(Phase::Measuring(since));
        sample(&viewers, since + plan.measure).await;
        let end = marker::now();
        viewers.iter().for_each(|viewer| viewer.tally.borrow_mut().close_gap(end, common.phase.get()));
        common.phase.set(Phase::After);
        sleep(plan.rest).await;
        end.saturating_sub(since)
    };
    let first_failure = async {
        match failures.recv().await {
            Some(why) => why,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        time = course => Ok(Measured { viewers: viewers.clone(), time }),
        why = first_failure => Err(why),
    }
}

/// A viewer begins. It is heard of again if it fails before any has succeeded.
fn join(viewer: &Rc<Viewer>, common: &Rc<Common>, failed: &UnboundedSender<String>) {
    let (viewer, common, failed) = (Rc::clone(viewer), Rc::clone(common), failed.clone());
    spawn_local(async move {
        let why = viewer.run(&common).await;
        tracing::info!("a {} viewer has ended: {why}", viewer.kind.name());
        if !common.linked.get() {
            let _ = failed.send(why);
        }
    });
}

/// Looks at all screens until the time has come.
async fn sample(viewers: &[Rc<Viewer>], end: Duration) {
    let mut ticks = interval(SAMPLE);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        ticks.tick().await;
        let now = marker::now();
        if now >= end {
            return;
        }
        viewers.iter().for_each(|viewer| viewer.tally.borrow_mut().sample(now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn viewers_join_four_at_a_time_or_evenly_over_what_is_told() {
        let server = Server { addr: ([127, 0, 0, 1], 1).into(), tls: None, ticket: Vec::new() };
        let zero = Duration::ZERO;
        let mut plan = Plan {
            server,
            kinds: vec![Kind::Fast; 10],
            rate: 1,
            paint: false,
            join_within: None,
            warm: zero,
            measure: zero,
            rest: zero,
        };
        let joins = |plan: &Plan| -> Vec<u128> { (0..10).map(|at| plan.joins(at).as_millis()).collect() };
        assert_eq!(joins(&plan), [0, 0, 0, 0, 10, 10, 10, 10, 20, 20]);
        plan.join_within = Some(Duration::from_secs(2));
        assert_eq!(joins(&plan), [0, 200, 400, 600, 800, 1000, 1200, 1400, 1600, 1800]);
        plan.join_within = Some(zero);
        assert_eq!(joins(&plan), [0; 10]);
    }
}
