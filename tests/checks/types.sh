#!/usr/bin/env bash
# types.sh ROOT: no two headers define a type of the same name in the same namespace. Compilers see one file at a time,
# and the linker keeps one of two inline functions that are called the same, whichever type they were made for.
set -euo pipefail
cd "$1"

# Types of src/ and include/ are in namespace gptj, those of apps/ in gptj::apps; each instruction set has its own.
defined_types() {
  awk '/^(struct|class) [A-Za-z0-9_]+ *(:|{|final)/ && before !~ /^template/ { sub(/:$/, "", $2); print $2, FILENAME }
       { before = $0 }' "$@"
}
status=0
for namespace in "src include" apps; do
  # shellcheck disable=SC2086
  mapfile -t headers < <(find $namespace -name '*.h' ! -name 'simd_*.h')
  while read -r type; do
    echo "$type is defined more than once:" $(defined_types "${headers[@]}" | awk -v type="$type" '$1 == type { print $2 }')
    status=1
  done < <(defined_types "${headers[@]}" | cut -d' ' -f1 | sort | uniq -d)
done
exit $status
