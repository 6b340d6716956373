#!/usr/bin/env bash
# The action's second step: turns the inputs into one run of `ldcheck check`, and its report into outputs and a summary.
set -uo pipefail
# shellcheck source=action/arguments.sh
source "${BASH_SOURCE[0]%/*}/arguments.sh"

arguments=(check --format=github --fail-on="$INPUT_FAIL_ON")

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
