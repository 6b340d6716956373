#!/usr/bin/env bash
# The action's second step: turns the inputs into one run of `ldcheck check`, and its report into outputs and a summary.
# Inputs arrive in the environment and are never part of a command's text, so they may hold anything.
set -uo pipefail

arguments=(check --format=github --fail-on="$INPUT_FAIL_ON")

# Add an argument for every line of a list, the option in front of it.
each() {
  local line
  while IFS= read -r line; do
    line=${line%$'\r'}
    if [[ $line == *[![:space:]]* ]]; then arguments+=("$1$line"); fi
  done <<<"$2"
}

# Stop for a value that would break out of its line in an output.
single() {
  if [[ $2 == *[$'\n\r']* ]]; then
    echo "::error title=ldcheck::the input $1 must be one line"
    exit 2
  fi
}

single sarif "$INPUT_SARIF"
single working-directory "$INPUT_WORKING_DIRECTORY"
each --policy= "$INPUT_POLICIES"
each --target= "$INPUT_TARGETS"
each --elf= "$INPUT_ELF"
each --map= "$INPUT_MAP"
each --objects= "$INPUT_OBJECTS"
each --arch= "$INPUT_ARCH"
each -I "$INPUT_INCLUDE"
each -D "$INPUT_DEFINE"
each --require= "$INPUT_REQUIRE"
each --baseline= "$INPUT_BASELINE"

folder=$(mktemp -d "$RUNNER_TEMP/ldcheck-report.XXXXXX")
arguments+=("--output=json=$folder/report.json" "--output=markdown=$folder/summary.md")
if [[ -n $INPUT_SARIF ]]; then arguments+=("--output=sarif=$INPUT_SARIF"); fi
each "" "$INPUT_ARGUMENTS"
arguments+=(--)
each "" "$INPUT_SCRIPTS"

cd -- "$INPUT_WORKING_DIRECTORY" || exit 2
"$RUNNER_TEMP/ldcheck/bin/ldcheck" "${arguments[@]}"
status=$?

if [[ $INPUT_SUMMARY == true && -s $folder/summary.md ]]; then cat "$folder/summary.md" >>"$GITHUB_STEP_SUMMARY"; fi
{
  echo "status=$status"
  if [[ -s $folder/report.json ]]; then
    "$RUNNER_TEMP/ldcheck/bin/python" -I -c '
import json, sys
with open(sys.argv[1], encoding="utf-8") as file:
    found = [finding["severity"] for finding in json.load(file)["findings"]]
print("errors=" + str(found.count("error")), "warnings=" + str(found.count("warning")), sep="\n")
' "$folder/report.json"
    echo "report=$folder/report.json"
  fi
  if [[ -n $INPUT_SARIF ]]; then echo "sarif=$INPUT_SARIF"; fi
} >>"$GITHUB_OUTPUT"
exit "$status"
