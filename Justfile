# The scripts do the work; these are their short names. Without just: run the script itself.

# what there is
default:
    @{{ just_executable() }} --list

# a server, a simulated WeChat and a walk through what they do
demo *args:
    cargo run -- demo {{ args }}

# everything that must hold before a change lands, or only the stages named
test *stages:
    scripts/test {{ stages }}

# what needs no test run: format, rooms, licences, clippy, documentation
lint:
    scripts/test fmt rooms deny clippy rustdoc

# format all
fmt:
    cargo fmt --all

# the large counts and the measurements
nightly:
    scripts/nightly

# the measurements alone
bench:
    scripts/bench
