//! Prints the federation SDL: `cargo run -p gatehouse-api --example schema > schema.graphql`.

use std::io::Write;

fn main() -> std::io::Result<()> {
    std::io::stdout().write_all(gatehouse_api::sdl().as_bytes())
}
