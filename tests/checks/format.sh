#!/usr/bin/env bash
# format.sh SOURCE_DIR CLANG_FORMAT: every C++ file is formatted as .clang-format says.
set -euo pipefail
cd "$1"
find include src apps examples tests bench -name '*.h' -print0 -o -name '*.cpp' -print0 |
  xargs -0 "$2" --dry-run --Werror
