//! How long does the server take for the index of 600 and of 10,000 pets, and how many bytes is it?
//!
//! Requests over loopback to a whole program: the first page and a search of all pets. Before each, a pet
//! of the page gets another status, so no card comes from the cache. The page must be at most 60 KB,
//! compressed. The baseline is `/healthz`. Run with `cargo bench --bench board`.

use std::time::{Duration, Instant};

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use pet_store::app::App;
use pet_store::config::Config;
use reqwest::Client;
use serde_json::json;
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// The most bytes of a page as it is transferred.
const MAX_BYTES: usize = 60_000;

/// A running program with sample pets.
struct Rescue {
    runtime: Runtime,
    client: Client,
    url: String,
    /// Stops when dropped.
    _app: App,
    _folder: TempDir,
}

impl Rescue {
    fn start(pets: u32) -> Self {
        let runtime = Runtime::new().expect("threads can be started");
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"));
        let folder = folder.expect("the target folder is writable");
        let mut config = Config::quiet(folder.path().to_owned());
        config.simulator.sample_pets = pets;
        let app = runtime.block_on(App::start(config)).expect("it starts");
        let client = Client::builder().no_proxy().build();
        Rescue {
            url: format!("http://{}", app.address()),
            client: client.expect("no certificates are needed"),
            runtime,
            _app: app,
            _folder: folder,
        }
    }

    /// Returns the bytes of an answer, compressed.
    fn get(&self, path: &str) -> usize {
        let request = self.client.get(format!("{}{path}", self.url));
        let request = request.header("accept-encoding", "br");
        self.runtime.block_on(async {
            let answer = request.send().await.expect("it answers");
            assert!(answer.status().is_success());
            answer.bytes().await.expect("the answer is whole").len()
        })
    }

    /// Gives the first pet another status.
    fn change(&self, status: &str) {
        let request = self
            .client
            .put(format!("{}/api/v1/pets/1/status", self.url));
        let answer = request.json(&json!({ "status": status })).send();
        let answer = self.runtime.block_on(answer).expect("it answers");
        assert!(answer.status().is_success());
    }
}

#[expect(clippy::print_stdout, reason = "a bench prints its figures")]
fn index(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("index");
    group.sample_size(10);
    group.measurement_time(Duration::from_secs(3));
    for pets in [600, 10_000] {
        let rescue = Rescue::start(pets);
        let mut turn = 0;
        for (name, path) in [
            ("baseline", "/healthz"),
            ("first page", "/pets"),
            ("search of all, by name", "/pets?q=e&sort=name"),
            ("API, last page", "/api/v1/pets?page=12"),
        ] {
            let bytes = rescue.get(path);
            assert!(bytes <= MAX_BYTES, "{path}: {bytes} bytes");
            let begun = Instant::now();
            rescue.get(path);
            let cached = begun.elapsed();
            println!("{pets} pets, {path}: {bytes} bytes, {cached:?} with cached cards");
            group.bench_function(format!("{pets} pets, {name}"), |bencher| {
                bencher.iter_batched(
                    || {
                        turn += 1;
                        rescue.change(["eating", "playing"][turn % 2]);
                    },
                    |()| rescue.get(path),
                    BatchSize::PerIteration,
                );
            });
        }
    }
    group.finish();
}

criterion_group!(benches, index);
criterion_main!(benches);
