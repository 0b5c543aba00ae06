# List the recipes
default:
    @just --list

# Watch dtsctl plan, copy and verify between two real servers: just demo --source mysql --destination mariadb --keep
demo *arguments:
    cargo demo -- {{arguments}}

# Format all code
fmt:
    cargo fmt --all

# What CI holds against code: format and lints
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets --locked -- -D warnings

# Run all tests, servers included: just test binlog
test *arguments:
    cargo test --workspace {{arguments}}

# Random tests with a new seed each time, until one fails (it prints the seed): just soak 20 follow::random follow::killed
soak rounds='10' +tests='follow::random follow::killed follow::filter follow::mixed follow::operations':
    for round in $(seq {{rounds}}); do cargo test --test main -- {{tests}} || exit 1; done

# Make the generated files anew (schemas, command reference)
gen:
    DTSCTL_GEN=1 cargo test --test main generated

# Measure against mydumper, mariadb-dump and the servers: just bench --rows 1000000 --rounds 3 --only copy,verify
bench *arguments:
    cargo run --release --quiet --example bench -- {{arguments}}

# Everything CI runs
ci:
    .ci/run
