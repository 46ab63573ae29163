#!/usr/bin/env bash
# includes.sh SOURCE_DIR: every folder includes downward only.
set -euo pipefail
cd "$1"

# Who may include what, of the project's headers; <gptj/...> is for everybody. Of the rows that fit a file
# the longest counts. A row grants folders and single headers; "!" takes one header out of a folder.
table='
include/gptj
src/base          base/
src/text          base/ text/
src/grammar       base/ text/ grammar/
src/sampling      base/ sampling/
src/hub           base/ hub/ text/json.h text/vocab_files.h
src/tensor        base/ tensor/
src/kernels       base/ tensor/ kernels/
src/io            base/ text/ tensor/ io/
src/model         base/ text/ tensor/ io/ model/ !base/thread_pool.h
src/model/config  base/ text/ tensor/ io/ model/ !base/thread_pool.h kernels/kernels.h
src/model/load    base/ text/ tensor/ io/ model/
src/model/pass    base/ text/ tensor/ io/ model/ kernels/
src/model/ops     base/ text/ tensor/ io/ model/ kernels/
src/convert       base/ text/ tensor/ io/ model/ convert/
src/engine        base/ text/ tensor/ io/ model/ engine/ kernels/cpu.h
src/measure       base/ tensor/ io/ measure/ text/unicode.h kernels/cpu.h kernels/roofs.h engine/common_beginning.h convert/importance_file.h
examples
apps              cli/ terminal/
apps/terminal     terminal/ base/quoted.h
apps/cli          terminal/ cli/ base/quoted.h
apps/options      terminal/ cli/ options/ base/file.h base/quoted.h text/json_watch.h
apps/generate     terminal/ cli/ options/ generate/ base/quoted.h
apps/chat         terminal/ cli/ options/ chat/ base/file.h base/quoted.h
apps/commands     terminal/ cli/ options/ commands/ base/quoted.h
apps/bench        terminal/ cli/ options/ bench/ base/quoted.h
apps/shell        terminal/ cli/ shell/
'

grep -rnE --include='*.h' --include='*.cpp' '^[[:space:]]*#[[:space:]]*include[[:space:]]*[<"]' include src apps examples |
  awk -v table="$table" '
    BEGIN {
      n_rules = split(table, rules, "\n")
      for (i = 1; i <= n_rules; i++) {
        split(rules[i], word, " ")
        allowed[word[1]] = rules[i] " "
        if (word[1] ~ /^(src|apps)\/[^\/]+$/) folder[substr(word[1], index(word[1], "/") + 1)] = 1
      }
    }
    function refuse(why) { print file ":" line ": " header " " why; bad = 1 }
    {
      split($0, at, ":"); file = at[1]; line = at[2]
      header = $0; sub(/^[^<"]*[<"]/, "", header); sub(/[>"].*/, "", header)
      local = $0 ~ /include[ \t]*"/
      part = index(header, "/") ? substr(header, 1, index(header, "/") - 1) : ""

      rule = ""
      for (who in allowed) if (index(file, who) == 1 && length(who) > length(rule)) rule = who

      if (rule == "") refuse("is included by a folder that the table does not know")
      else if (part == "gptj" || part == "" || (!local && !(part in folder))) next
      else if (index(allowed[rule], " " header " ")) next
      else if (index(allowed[rule], " !" header " ") || !index(allowed[rule], " " part "/ "))
        refuse("is not for " rule)
    }
    END { exit bad }'
