//! What a certificate costs: the first visit to a host, and every later one.
#![expect(clippy::unwrap_used, reason = "a bench may fail loudly")]

use std::time::Duration;

use criterion::{BatchSize, Criterion};
use wayleave::clock::Clock;
use wayleave::facts::Host;
use wayleave::tls::{Issuer, Mint, Settings};

fn main() {
    wayleave::tls::install_default();
    let clock = Clock::system();
    let mint = Mint::new(Issuer::temporary(&clock).unwrap(), clock, &Settings::default()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_millis(1200))
        .configure_from_args();
    let mut number = 0_u64;
    criterion.bench_function("mint/first-visit", |b| {
        b.iter_batched(
            || {
                number += 1;
                Host::parse(&format!("host-{number}.example.org")).unwrap()
            },
            |host| runtime.block_on(mint.server_config(&host)).unwrap(),
            BatchSize::SmallInput,
        );
    });
    let known = Host::parse("www.linkedin.com").unwrap();
    criterion.bench_function("mint/known-host", |b| {
        b.iter(|| runtime.block_on(mint.server_config(&known)).unwrap());
    });
    criterion.final_summary();
}
