//! How fast bytes become rows, rows a snapshot, and a snapshot a file; and what each allocates.
//!
//! `cargo bench` runs all of it. `benches/whole-run/run` measures whole runs against real servers.
#![allow(clippy::unwrap_used, reason = "a benchmark that fails should stop")]
#![allow(clippy::print_stdout, reason = "the table of allocations")]

use std::{fs, hint::black_box, path::Path};

use allocation_counter::measure;
use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput};
use freepbx_snapshot::{
    ami::{Block, Decoder, Exchange, Limits},
    collect::{Collected, Plan},
    commands::collect::{serialize, write_json},
    normalize::{Context, snapshot},
    output,
    snapshot::{Snapshot, Timestamp},
};

mod pbx;
use pbx::Size;

const SIZES: [Size; 4] = [
    Size { endpoints: 250, channels: 50, queues: 10 },
    Size { endpoints: 2_500, channels: 500, queues: 100 },
    Size { endpoints: 10_000, channels: 2_000, queues: 400 },
    Size { endpoints: 25_000, channels: 5_000, queues: 1_000 },
];

fn normalized(collected: &Collected) -> Snapshot {
    let context = Context {
        host: "192.0.2.1".to_owned(),
        port: 5038,
        tls: false,
        demo: false,
        collected_at: Timestamp::from_epoch(pbx::NOW).unwrap(),
        stale_after_seconds: 600,
    };
    snapshot(collected, &Plan::default(), &context, None)
}

/// Every recording, whole, as one stream without anybody to ask it for anything.
fn recordings(folder: &Path) -> Vec<u8> {
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|it| it.unwrap().path()).collect();
    paths.sort();
    let mut bytes = Vec::new();
    for path in paths {
        if path.is_dir() {
            bytes.extend(recordings(&path));
        } else if path.extension().is_some_and(|it| it == "ami") {
            bytes.extend(fs::read(path).unwrap());
        }
    }
    bytes
}

/// Blocks, and the bookkeeping of whose they are.
fn decode_stream(bytes: &[u8]) -> usize {
    let mut decoder = Decoder::new(Limits::default());
    let mut exchange = Exchange::new("bench", Limits::default());
    let mut blocks = 0;
    for chunk in bytes.chunks(64 << 10) {
        decoder.space(chunk.len()).extend_from_slice(chunk);
        while let Some(block) = decoder.next_block() {
            if let Block::Text(text) = block {
                exchange.accept(&text);
                blocks += 1;
            }
        }
    }
    blocks
}

fn decoding(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("decode");
    let bytes = recordings(Path::new("tests/fixtures"));
    group.throughput(Throughput::Bytes(bytes.len() as u64));
    group.bench_function("recordings", |b| b.iter(|| decode_stream(black_box(&bytes))));
    for size in SIZES {
        let wires = pbx::wires(size);
        let (bytes, elements) = (pbx::bytes(&wires), pbx::rows(&wires));
        group.throughput(Throughput::ElementsAndBytes { elements, bytes });
        let id = BenchmarkId::new("endpoints", size.endpoints);
        group.bench_with_input(id, &wires, |b, wires| b.iter(|| pbx::decode(black_box(wires))));
    }
    group.finish();
}

fn writing(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("freepbx.json");
    let target = output::Target { path: &path, mode: 0o640 };
    let mut group = criterion.benchmark_group("decoded to written");
    group.sampling_mode(SamplingMode::Flat).sample_size(20);
    for size in SIZES {
        let wires = pbx::wires(size);
        let collected = pbx::decode(&wires);
        let elements = pbx::rows(&wires);
        group.throughput(Throughput::Elements(elements));
        group.bench_function(BenchmarkId::new("normalize", size.endpoints), |b| {
            b.iter(|| normalized(black_box(&collected)));
        });
        let snapshot = normalized(&collected);
        group.bench_function(BenchmarkId::new("serialize", size.endpoints), |b| {
            b.iter(|| serialize(black_box(&snapshot), true).unwrap());
        });
        let bytes = serialize(&snapshot, true).unwrap();
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        group.bench_function(BenchmarkId::new("write", size.endpoints), |b| {
            b.iter(|| output::write(black_box(&bytes), &target).unwrap());
        });
        group.throughput(Throughput::Elements(elements));
        group.bench_function(BenchmarkId::new("all three", size.endpoints), |b| {
            b.iter(|| {
                let snapshot = normalized(black_box(&collected));
                output::write_with(&target, |file| write_json(&snapshot, true, file)).unwrap();
            });
        });
    }
    group.finish();
}

/// Allocations do not vary from run to run, so once is enough.
fn allocations() {
    println!(
        "{:>10} {:>10} {:>10} {:>22} {:>22}",
        "endpoints", "rows", "MB", "decode", "normalize"
    );
    for size in SIZES {
        let wires = pbx::wires(size);
        let rows = pbx::rows(&wires);
        let mut collected = None;
        let decode = measure(|| collected = Some(pbx::decode(&wires)));
        let collected = collected.unwrap();
        let normalize = measure(|| {
            black_box(normalized(&collected));
        });
        let per_row = |count: u64| format!("{:.2} allocations/row", count as f64 / rows as f64);
        println!(
            "{:>10} {rows:>10} {:>10.1} {:>22} {:>22}",
            size.endpoints,
            pbx::bytes(&wires) as f64 / 1e6,
            per_row(decode.count_total),
            per_row(normalize.count_total)
        );
    }
}

fn main() {
    allocations();
    let mut criterion = Criterion::default().configure_from_args();
    decoding(&mut criterion);
    writing(&mut criterion);
    criterion.final_summary();
}
