# The commands of this project; .ci/run and README.md use the same ones. Everything else is plain cargo.

WITH_SERVICES := cargo run -q -p gatehouse-tests --bin with_services --

.PHONY: run test bench schema check ci

# The demonstration: everything in one process, embedded database, simulated vendors.
run:
	cargo run

# The whole suite, on SQLite and on PostgreSQL + Redis. Starts the servers it needs and ends them.
test:
	$(WITH_SERVICES) cargo test --workspace

bench:
	$(WITH_SERVICES) cargo run --release -p gatehouse-tests --bin bench
	$(WITH_SERVICES) cargo run --release -p gatehouse-tests --bin who_can_open

# Regenerates the checked-in SDL; the `schema` test compares it.
schema:
	cargo run -q -- schema > schema.graphql.new || { rm schema.graphql.new; exit 1; }
	mv schema.graphql.new schema.graphql

# What has to pass before a push.
check:
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	cargo run -q -- schema | diff -u schema.graphql -
	$(MAKE) test

# What the build server runs: `check` with times, and what only it has tools for.
ci:
	.ci/run
