#!/usr/bin/env bash
# lines.sh SOURCE_DIR: a file above 600 lines is more than one idea.
set -euo pipefail
cd "$1"
long=$(find src apps examples tests -path tests/data -prune -o -type f -exec awk 'FNR == 601 { print FILENAME }' {} +)
if [ -n "$long" ]; then
  printf 'more than 600 lines:\n%s\n' "$long"
  exit 1
fi
