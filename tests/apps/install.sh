#!/usr/bin/env bash
# install.sh CMAKE BUILD_DIR: what is installed works anywhere, and finds the demo models beside itself.
set -euo pipefail
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
"$1" --install "$2" --prefix "$root/there" > /dev/null
mv "$root/there" "$root/moved"
cd "$root"
for program in gpt-j gpt-2; do
  said=$("moved/bin/$program" -n 0 -p "int x" 2>&1)
  for expected in "demo model '$root/moved/share/gpt-j/models/demo/$program'" "int x"; do
    if [[ $said != *"$expected"* ]]; then
      printf '%s: expected "%s", found:\n%s\n' "$program" "$expected" "$said"
      exit 1
    fi
  done
done
