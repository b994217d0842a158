//! Live events across processes.

use std::time::Duration;

use futures::StreamExt;
use gatehouse_messaging::{Backend, LiveEvent, LiveSignal, LiveStream, Topic};
use tokio::time::timeout;
use uuid::Uuid;

use crate::support::{Ground, PrivateRedis, connection};

const SOON: Duration = Duration::from_secs(8);

fn command(id: Uuid, version: i64) -> LiveEvent {
    LiveEvent::Command { id, organization: Uuid::from_u128(9), version }
}

async fn next(stream: &mut LiveStream) -> LiveSignal {
    timeout(SOON, stream.next()).await.expect("nothing was heard").unwrap()
}

#[tokio::test]
async fn an_event_crosses_processes_in_order_and_only_to_its_topic() {
    let ground = Ground::redis().await;
    let (here, there) = (ground.backend().await, ground.backend().await);
    let id = Uuid::now_v7();
    let live = there.live();
    let mut watching = live.subscribe(&[Topic::Command(id)]);
    let mut other = live.subscribe(&[Topic::Command(Uuid::now_v7())]);
    assert_eq!(next(&mut watching).await, LiveSignal::Lagged, "the subscription stands: reload once");
    assert_eq!(next(&mut other).await, LiveSignal::Lagged);
    here.live().publish(&command(id, 1)).await.unwrap();
    let many: Vec<_> = (2..=5).map(|version| command(id, version)).collect();
    here.live().publish_all(&many).await.unwrap();
    for version in 1..=5 {
        assert_eq!(next(&mut watching).await, LiveSignal::Event(command(id, version)));
    }
    assert!(timeout(Duration::from_millis(100), other.next()).await.is_err());
}

#[tokio::test]
async fn after_a_restart_everybody_reloads_and_hears_again() {
    let mut server = PrivateRedis::start().await;
    let backend = Backend::redis(&server.url(), "r:").await.unwrap();
    let id = Uuid::now_v7();
    let mut watching = backend.live().subscribe(&[Topic::Command(id)]);
    assert_eq!(next(&mut watching).await, LiveSignal::Lagged);
    server.stop();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(backend.live().publish(&command(id, 1)).await.is_err());
    server.restart().await;
    assert_eq!(next(&mut watching).await, LiveSignal::Lagged);
    backend.live().publish(&command(id, 2)).await.unwrap();
    assert_eq!(next(&mut watching).await, LiveSignal::Event(command(id, 2)));
}

#[tokio::test]
async fn an_idle_subscription_stays_alive_beyond_its_ping() {
    let ground = Ground::redis().await;
    let backend = ground.backend().await;
    let id = Uuid::now_v7();
    let mut watching = backend.live().subscribe(&[Topic::Command(id)]);
    assert_eq!(next(&mut watching).await, LiveSignal::Lagged);
    assert!(timeout(Duration::from_secs(7), watching.next()).await.is_err(), "no needless reload");
    backend.live().publish(&command(id, 1)).await.unwrap();
    assert_eq!(next(&mut watching).await, LiveSignal::Event(command(id, 1)));
}

#[tokio::test]
async fn what_cannot_be_read_asks_for_a_reload_or_is_skipped() {
    let ground = Ground::redis().await;
    let Ground::Redis { url, prefix, .. } = &ground else { panic!("this ground is Redis") };
    let backend = ground.backend().await;
    let id = Uuid::now_v7();
    let mut watching = backend.live().subscribe(&[Topic::Command(id)]);
    assert_eq!(next(&mut watching).await, LiveSignal::Lagged);
    let mut redis = connection(url).await;
    for message in ["garbage", r#"[{"kind":"from_the_future"}]"#] {
        redis::cmd("PUBLISH")
            .arg(format!("{prefix}gatehouse-live"))
            .arg(message)
            .query_async::<()>(&mut redis)
            .await
            .unwrap();
    }
    backend.live().publish(&command(id, 1)).await.unwrap();
    assert_eq!(next(&mut watching).await, LiveSignal::Lagged);
    assert_eq!(next(&mut watching).await, LiveSignal::Event(command(id, 1)));
}
