# The commands of this project; .ci/run and README.md use the same ones. Everything else is plain cargo.

# What `built` has built: everything once, with one set of features. For a single binary cargo would build most crates anew.
BUILT := $(or $(CARGO_TARGET_DIR),target)/debug
WITH_SERVICES := $(BUILT)/with_services

.PHONY: run built test clients gateway fuzz bench schema check ci

# The demonstration: everything in one process, embedded database, simulated vendors.
run:
	cargo run

built:
	cargo build -q --workspace --all-targets

# The whole suite, on SQLite and on PostgreSQL + Redis. Starts the servers it needs and ends them.
test: built
	$(WITH_SERVICES) cargo test --workspace --no-fail-fast

# The example client against the built binary. Needs Node and npm; says so
# loudly, and ends well, where it cannot be tried. The same holds for `gateway`.
clients: built
	scripts/with-npm.sh examples/typescript-client sh -c 'npm run -s build && node ../../tests/gateway/client.mjs'

# A supergraph of Gatehouse and a second subgraph behind a real gateway; the READMEs' documents against the schema.
gateway: built
	scripts/with-npm.sh tests/gateway sh -c 'node readme.mjs && node main.mjs'

# Hostile inputs by the hundred thousand, the same ones for the same seed; any panic or undeclared 5xx fails.
fuzz: built
	$(BUILT)/fuzz 100000

bench: built
	$(WITH_SERVICES) cargo run --release -p gatehouse-tests --bin bench
	$(WITH_SERVICES) cargo run --release -p gatehouse-tests --bin who_can_open
	$(WITH_SERVICES) cargo run --release -p gatehouse-tests --bin ledger_cost

# Regenerates the checked-in SDL; the `schema` test compares it.
schema: built
	$(BUILT)/gatehouse schema > schema.graphql.new || { rm schema.graphql.new; exit 1; }
	mv schema.graphql.new schema.graphql

# What has to pass before a push.
check: built
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	$(BUILT)/gatehouse schema | diff -u schema.graphql -
	$(MAKE) test

# What the build server runs: `check` with times, and what only it has tools for.
ci:
	.ci/run
