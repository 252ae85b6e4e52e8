#!/usr/bin/env bash
# Prints the folder of PostgreSQL's programs, for ./run bench: Debian's where it is installed, else unpacked into a directory,
# because installing it would create and start a cluster.
#
#   tools/postgresql.sh [directory]     without one: build/postgresql
set -euo pipefail
cd "$(dirname "$0")/.."
programs=usr/lib/postgresql/15/bin
if [ -x "/$programs/initdb" ] && [ -x "/$programs/postgres" ]; then
  echo "/$programs"
  exit 0
fi
directory=$(tools/unpack.sh postgresql "${1:-build/postgresql}" "$programs/initdb" "$programs/postgres")
echo "$directory/$programs"
