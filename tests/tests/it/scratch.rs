//! Databases for proofs: made, migrated by the one executor, removed, and swept where a run left them.

use backend_migrations::{
    disk,
    mysql::{MySqlConnector, parse_url},
    plan::Goal,
    scratch::{self, Run, Scratch},
    session::Limits,
    tenant::Target,
};
use end_to_end::{Fleet, Server, on_each_server, query};
use tokio_util::sync::CancellationToken;

on_each_server!(
    it_is_migrated_looked_at_and_removed,
    what_a_killed_run_left_is_swept,
    what_a_run_that_is_given_up_has_made_is_removed,
);

fn admin(server: &Server) -> (MySqlConnector, Target) {
    let connector = MySqlConnector::new(Limits::DEFAULT, CancellationToken::new());
    (connector, parse_url(&server.url("mysql"), "scratch").expect("a URL"))
}

async fn is_there(server: &Server, database: &str) -> bool {
    let sql = format!("SELECT COUNT(*) FROM information_schema.schemata WHERE schema_name = '{database}'");
    query::value(&mut server.connect("").await, &sql).await == "1"
}

async fn it_is_migrated_looked_at_and_removed(server: &'static Server) {
    let fleet = Fleet::without_tables(server, "scratchmade").await;
    fleet.write_samples();
    let set = disk::load(&fleet.migrations("tenant")).expect("sound files");
    let (connector, admin) = admin(server);
    let mut scratch = Scratch::create(&connector, &admin, Run::new().unwrap(), None).await.unwrap();
    let name = scratch.label().database.clone();
    assert!(is_there(server, &name).await);
    let empty = scratch.snapshot().await.unwrap();
    assert!(empty.is_empty());
    assert_eq!(scratch.apply_to(&set, Goal::Latest).await.unwrap().len(), set.len());
    assert_eq!(scratch.snapshot().await.unwrap().objects.len(), 9);
    scratch.apply_to(&set, Goal::DownTo(backend_migrations::migration::Version(0))).await.unwrap();
    assert_eq!(scratch.snapshot().await.unwrap(), empty);
    scratch.apply_to(&set, Goal::Latest).await.unwrap();
    scratch.forget_history().await.unwrap();
    // It takes itself for new now, and what is there is in the way.
    let error = scratch.apply_to(&set, Goal::Latest).await.unwrap_err().to_string();
    assert!(error.contains("1050"), "{error}");
    scratch.execute("DROP VIEW open_tasks").await.unwrap();
    assert_eq!(scratch.snapshot().await.unwrap().objects.len(), 8);
    scratch.remove().await.unwrap();
    assert!(!is_there(server, &name).await);
}

async fn what_a_killed_run_left_is_swept(server: &'static Server) {
    let (connector, admin) = admin(server);
    let kept = Scratch::create(&connector, &admin, Run::new().unwrap(), None).await.unwrap();
    let left =
        Scratch::create(&connector, &admin, Run::new().unwrap(), Some("CHARACTER SET latin1")).await.unwrap();
    let name = left.label().database.clone();
    // Its connection ends, and nobody removes it.
    drop(left);
    let mut root = server.connect("").await;
    let is_free = format!("SELECT 1 FROM (SELECT IS_FREE_LOCK('{name}') AS free) f WHERE free = 1");
    query::rows_once_there(&mut root, &is_free).await;
    assert!(is_there(server, &name).await);
    scratch::sweep(&connector, &admin).await.unwrap();
    assert!(!is_there(server, &name).await);
    assert!(is_there(server, &kept.label().database).await, "one that is in use stays");
    kept.remove().await.unwrap();
}

async fn what_a_run_that_is_given_up_has_made_is_removed(server: &'static Server) {
    let (connector, admin) = admin(server);
    let (given_up, other) = (Run::new().unwrap(), Run::new().unwrap());
    let kept = Scratch::create(&connector, &admin, other, None).await.unwrap();
    let mut left = Scratch::create(&connector, &admin, given_up, None).await.unwrap();
    let idle = Scratch::create(&connector, &admin, given_up, None).await.unwrap();
    let names = [&left, &idle].map(|scratch| scratch.label().database.clone());
    // One is in the middle of a statement whose future is dropped, the other still has its connection.
    left.execute("CREATE TABLE given_up AS SELECT 1 AS a").await.unwrap();
    let mut root = server.connect("").await;
    let waits = query::running("root", "INSERT INTO given_up SELECT SLEEP(100)");
    tokio::select! {
        result = left.execute("INSERT INTO given_up SELECT SLEEP(100)") => panic!("{result:?}"),
        _ = query::rows_once_there(&mut root, &waits) => {}
    }
    drop(left);
    assert_eq!(scratch::abandon(&connector, &admin, given_up).await.unwrap(), 2);
    for name in &names {
        assert!(!is_there(server, name).await, "{name}");
    }
    assert_eq!(query::column(&mut root, &waits).await, Vec::<String>::new());
    assert!(is_there(server, &kept.label().database).await, "another run's stays");
    kept.remove().await.unwrap();
    drop(idle);
}
