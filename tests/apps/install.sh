#!/usr/bin/env bash
# install.sh CMAKE BUILD_DIR: what is installed works anywhere, and finds the demo models beside itself. Shells and man
# find what is for them.
set -euo pipefail
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
"$1" --install "$2" --prefix "$root/there" > /dev/null
mv "$root/there" "$root/moved"
cd "$root"
for file in bash-completion/completions/gpt-{j,2} zsh/site-functions/_gpt-{j,2} man/man1/gpt-{j,2}{,-convert}.1 \
  gpt-j/presets/plain.preset; do
  if [ ! -s "moved/share/$file" ]; then
    echo "expected share/$file to be installed, found none"
    exit 1
  fi
done
for program in gpt-j gpt-2; do
  said=$("moved/bin/$program" -n 0 -p "int x" 2>&1)
  for expected in "demo model '$root/moved/share/gpt-j/models/demo/$program'" "int x"; do
    if [[ $said != *"$expected"* ]]; then
      printf '%s: expected "%s", found:\n%s\n' "$program" "$expected" "$said"
      exit 1
    fi
  done
done
