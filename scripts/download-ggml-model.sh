#!/usr/bin/env bash
# download-ggml-model.sh MODEL: makes models/MODEL/ggml-model.bin, as ggml's script of this name did, from what the
# model's authors published: fetches that by its name and converts it. GPT_J names the program to use.
set -euo pipefail

declare -A repositories=(
  [gpt-j-6B]=EleutherAI/gpt-j-6b@float16
  [gpt-2-117M]=openai-community/gpt2
  [gpt-2-345M]=openai-community/gpt2-medium
  [gpt-2-774M]=openai-community/gpt2-large
  [gpt-2-1558M]=openai-community/gpt2-xl
)

model=${1:-}
case $model in
  6B) model=gpt-j-6B ;;
  117M | 345M | 774M | 1558M) model=gpt-2-$model ;;  # as ggml's script for GPT-2 called them
esac
if [ $# -ne 1 ] || [ -z "${repositories[$model]:-}" ]; then
  echo "usage: $0 MODEL, one of: gpt-j-6B gpt-2-117M gpt-2-345M gpt-2-774M gpt-2-1558M" >&2
  exit 2
fi

built=$(dirname "${BASH_SOURCE[0]}")/../build/bin/gpt-j
program=${GPT_J:-gpt-j}
if [ -z "${GPT_J:-}" ] && [ -x "$built" ]; then program=$built; fi

out=models/$model/ggml-model.bin
in=$("$program" pull "${repositories[$model]}")
mkdir -p "models/$model"
"$program" convert "$in" "$out" --type f16
echo "The model is $out; try: $program -m $out -p \"This is an example\""
