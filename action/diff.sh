#!/usr/bin/env bash
# The second step of the action in diff/: turns the inputs into one run of `ldcheck diff`, its report into outputs and a
# summary.
set -uo pipefail
# shellcheck source=action/arguments.sh
source "${BASH_SOURCE[0]%/*}/arguments.sh"

arguments=(diff)
single since "$INPUT_SINCE"
single working-directory "$INPUT_WORKING_DIRECTORY"
for side in OLD_ELF OLD_MAP NEW_ELF NEW_MAP; do
  value=INPUT_$side
  name=${side,,}
  each "--${name//_/-}=" "${!value}"
done
each --expect= "$INPUT_EXPECT"
each --budget= "$INPUT_BUDGETS"
each --arch= "$INPUT_ARCH"
each -I "$INPUT_INCLUDE"
each -D "$INPUT_DEFINE"

cd -- "$INPUT_WORKING_DIRECTORY" || exit 2
# Scripts are compared with what they were at the base of the event, unless the input says otherwise.
base=${INPUT_SINCE:-${PULL_REQUEST_BASE:-$PUSH_BASE}}
if [[ $INPUT_SINCE == none ]]; then
  base=""
elif [[ $base =~ ^0*$ ]]; then
  echo "::error title=ldcheck::this event has no base to compare with: give the input since, or none for builds alone"
  exit 2
elif ! git rev-parse --verify --quiet --end-of-options "$base^{commit}" >/dev/null; then
  # A checkout has one commit unless it is asked for more.
  if ! git fetch --quiet --no-tags --depth=1 -- origin "$base"; then
    echo "::error title=ldcheck::the base of this change is not in the checkout: give actions/checkout fetch-depth: 0"
    exit 2
  fi
fi
if [[ -n $base ]]; then arguments+=("--since=$base"); fi

folder=$(mktemp -d "$RUNNER_TEMP/ldcheck-diff.XXXXXX")
arguments+=(--format=github)
for format in json=report.json markdown=comment.md html=report.html; do
  arguments+=("--output=${format%%=*}=$folder/${format#*=}")
done
each "" "$INPUT_ARGUMENTS"
arguments+=(--)
each "" "$INPUT_SCRIPTS"

"$RUNNER_TEMP/ldcheck/bin/ldcheck" "${arguments[@]}"
status=$?

if [[ $INPUT_SUMMARY == true && -s $folder/comment.md ]]; then cat "$folder/comment.md" >>"$GITHUB_STEP_SUMMARY"; fi
{
  echo "status=$status"
  for output in report=report.json comment=comment.md page=report.html; do
    if [[ -s $folder/${output#*=} ]]; then echo "${output%%=*}=$folder/${output#*=}"; fi
  done
} >>"$GITHUB_OUTPUT"
exit "$status"
