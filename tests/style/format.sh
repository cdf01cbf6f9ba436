#!/usr/bin/env bash
# format.sh - runs clang-format over the C files, shellcheck over the scripts, mandoc over the man pages; prints TAP.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source=tests/support/tap.sh
source tests/support/tap.sh
tap_folder format

# By their first line, or by their name.
find_scripts() {
	local file line
	tests/style/tree.py | while IFS= read -r file; do
		line=
		IFS= read -r -n 64 line <"$file" || true
		if [[ $file == *.sh || $line =~ ^'#!'.*[/\ ](ba)?sh($|\ ) || $line == '# shellcheck shell='* ]]; then
			printf '%s\n' "$file"
		fi
	done
}

# by_cores COMMAND... -- FILE...: a part of the files for each core.  The first finding of many is enough to know a file.
by_cores() {
	local -a command=()
	while [[ $1 != -- ]]; do
		command+=("$1")
		shift
	done
	shift
	printf '%s\0' "$@" | xargs -0 -n 12 -P "$(nproc)" -- "${command[@]}"
}

# An empty list would pass without having been looked at: tree.py fails, and wait with it.
mapfile -t sources < <(tests/style/tree.py '**/*.c' '**/*.h')
wait "$!"
mapfile -t scripts < <(find_scripts)
wait "$!"
mapfile -t pages < <(tests/style/tree.py 'man/*.[18]')
wait "$!"
check "C is set by clang-format" by_cores clang-format --dry-run -Werror --ferror-limit=1 -- "${sources[@]}"
check "shellcheck finds nothing in the scripts" by_cores shellcheck -x -- "${scripts[@]}"
check "mandoc finds nothing in the man pages" mandoc -T lint -W warning "${pages[@]}"
finish
