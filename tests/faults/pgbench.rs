//! A backup while pgbench writes: each of its transactions adds one number to four places, so in one snapshot the four sums
//! are equal.

use std::process::{Child, Stdio};

use crate::support::wait::wait_for;
use crate::support::{Database, REFERENCE, Scene, Server, run};

const SUMS: &str = "SELECT (SELECT sum(abalance) FROM pgbench_accounts), (SELECT sum(bbalance) FROM pgbench_branches),
    (SELECT sum(tbalance) FROM pgbench_tellers), (SELECT coalesce(sum(delta), 0) FROM pgbench_history),
    (SELECT count(*) FROM pgbench_history)";

struct Bench(Child);

impl Bench {
    /// Writes for two minutes at most.
    fn start(database: &Database<'_>) -> Self {
        let mut command = database.tool(REFERENCE, "pgbench");
        command.args(["-n", "-c", "2", "-T", "120"]).stdout(Stdio::null()).stderr(Stdio::null());
        Self(command.spawn().unwrap())
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn history(database: &Database<'_>) -> u64 {
    database.sql("SELECT count(*) FROM pgbench_history").parse().unwrap()
}

#[test]
fn archive_is_one_snapshot_while_pgbench_writes() {
    for server in Server::each([13, 15, 18]) {
        let major = server.major();
        let database = server.database("pgbench");
        run(database.tool(REFERENCE, "pgbench").args(["-i", "-q", "-s", "2"]));
        let bench = Bench::start(&database);
        for jobs in ["1", "3"] {
            let before = wait_for("transactions", || Some(history(&database)).filter(|n| *n > 100));
            let scene = Scene::new();
            scene.run(&["backup", "--url", &database.url(), "--output", "out.dump", "--jobs", jobs]);
            wait_for("transactions after the backup", || (history(&database) > before).then_some(()));
            let restored = server.database("pgbench");
            restored.restore(&scene.path("out.dump"), &[]);
            let answer = restored.sql(SUMS);
            let sums: Vec<i64> = answer.split('|').map(|n| n.parse().unwrap()).collect();
            assert!(sums[1..4].iter().all(|sum| *sum == sums[0]), "on {major} with {jobs} jobs: {answer}");
            assert!(sums[4] >= i64::try_from(before).unwrap(), "on {major}: {answer}, but there were {before} before");
            assert_eq!(restored.sql("SELECT count(*) FROM pgbench_accounts"), "200000");
        }
        drop(bench);
    }
}
