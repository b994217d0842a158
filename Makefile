# The commands of this project; .ci/run and README.md use the same ones. Everything else is plain cargo.

WITH_SERVICES := cargo run -q -p gatehouse-tests --bin with_services --

.PHONY: run test clients gateway fuzz bench schema check ci

# The demonstration: everything in one process, embedded database, simulated vendors.
run:
	cargo run

# The whole suite, on SQLite and on PostgreSQL + Redis. Starts the servers it needs and ends them.
test:
	$(WITH_SERVICES) cargo test --workspace --no-fail-fast

# The example client against the built binary. Needs Node and npm; says so
# loudly, and ends well, where it cannot be tried. The same holds for `gateway`.
clients:
	cargo build -q --bin gatehouse
	scripts/with-npm.sh examples/typescript-client sh -c 'npm run -s build && node ../../tests/gateway/client.mjs'

# A supergraph of Gatehouse and a second subgraph behind a real gateway; the READMEs' documents against the schema.
gateway:
	cargo build -q --bin gatehouse
	scripts/with-npm.sh tests/gateway sh -c 'node readme.mjs && node main.mjs'

# Hostile inputs by the hundred thousand, the same ones for the same seed; any panic or undeclared 5xx fails.
fuzz:
	cargo run -q -p gatehouse-tests --bin fuzz -- 100000

bench:
	$(WITH_SERVICES) cargo run --release -p gatehouse-tests --bin bench
	$(WITH_SERVICES) cargo run --release -p gatehouse-tests --bin who_can_open
	$(WITH_SERVICES) cargo run --release -p gatehouse-tests --bin ledger_cost

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
