# Shortcuts; `just` lists them. Everything here works without just, too.

default:
    @just --list

# Everything a change must pass
ci:
    .ci/run

# Format, lint and test while working
check:
    cargo fmt
    cargo clippy --all-targets
    cargo test

# One group of integration tests: just it tidy
it filter:
    cargo test --test it {{filter}}

# Accept snapshots that changed; read the diff before committing
snapshots:
    INSTA_UPDATE=always cargo test --test it

# Print the page of a diagnostic code
explain code:
    cargo run -q -- explain {{code}}

# Features, versions, sources and licences of the dependencies
deps:
    .ci/deps
