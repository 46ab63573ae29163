#!/usr/bin/env bash
# paths.sh SOURCE_DIR: every file that the documents name is there, so that the way through the code stays one.
set -euo pipefail
cd "$1"
status=0
while IFS=: read -r document name; do
  # From the root, from src/, as architecture.md has most of them, or as it is included. A name may have a "*".
  compgen -G "$name" > /dev/null || compgen -G "src/$name" > /dev/null || compgen -G "include/$name" > /dev/null || {
    echo "$document: no such file: $name"
    status=1
  }
done < <(grep -oE '`[A-Za-z_]+/[A-Za-z0-9_/.*-]+\.(cpp|h|py|sh)`' README.md CONTRIBUTING.md docs/*.md | tr -d '`')
exit $status
