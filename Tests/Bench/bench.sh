#!/bin/sh
# The benchmark in a release build, with nginx as its reference; options as told by `Bench --help`.
set -eu
cd "$(dirname "$0")/../.."

if ! PATH="$PATH:/usr/sbin:/usr/local/sbin" command -v nginx >/dev/null; then
    sudo=
    [ "$(id -u)" = 0 ] || sudo=sudo
    $sudo apt-get update -q
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends nginx-light
fi >&2

swift build -c release --product llm-router >&2
swift build -c release --product Bench >&2
exec "$(swift build -c release --show-bin-path)/Bench" run "$@"
