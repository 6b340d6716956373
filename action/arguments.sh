# What the steps of the actions share: inputs arrive in the environment, lists with one entry a line, and become
# arguments. They are never part of a command's text, so they may hold anything.

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
