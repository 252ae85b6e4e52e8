#!/usr/bin/env bash
# Puts Debian's Prometheus into a directory and prints that: for the tests. Installed it would start a service and bring a
# web interface along.
#
#   tools/prometheus.sh [directory]     without one: build/prometheus
set -euo pipefail
cd "$(dirname "$0")/.."
exec tools/unpack.sh metrics "${1:-build/prometheus}" usr/bin/prometheus usr/bin/promtool
