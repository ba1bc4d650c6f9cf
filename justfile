# The commands of everyday work. CI runs `.ci/run`, which calls the same.

# Lists the recipes.
default:
    @just --list

# Everything that must be clean before a push.
check: fmt-check lint test doc

# Formats the sources.
fmt:
    cargo fmt

fmt-check:
    cargo fmt --check

# Clippy on all targets, warnings denied.
lint:
    cargo clippy --all-targets --locked -- -D warnings

# All tests that need nothing but Rust.
test:
    cargo test --locked

# The tests against two real Asterisk servers, which it sets up and stops.
test-live:
    tests/pbx/lab run

# How fast the parts are, and whole runs against real servers beside other clients (docs/speed.md).
bench:
    cargo bench
    benches/whole-run/run

# The library's manual, broken links denied.
doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --locked

# The library's API against a release: what changed, and which version that asks for.
semver baseline="v0.1.0":
    cargo semver-checks --baseline-rev {{ baseline }}

# Licences, sources, duplicates, and known vulnerabilities where the database can be reached.
deny:
    cargo deny check
