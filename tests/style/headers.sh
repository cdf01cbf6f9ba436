#!/usr/bin/env bash
# headers.sh COMPILER - each header compiles alone, and included twice.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
read -r -a packages <<<"$(pkg-config --cflags libevent_core libpq json-c fcgi)"
flags=(-std=c17 -D_POSIX_C_SOURCE=200809L -D_DEFAULT_SOURCE -Wall -Wextra -Wpedantic -Werror -fsyntax-only
	-Iinclude -Iapp -Iworker -Ictl -Itests "${packages[@]}")
bad=()

mapfile -t headers < <(tests/style/tree.py '**/*.h')
[[ -e ${headers[0]} ]] || headers=()

for header in "${headers[@]}"; do
	if ! printf '#include "%s"\n#include "%s"\nextern int not_empty;\n' "$PWD/$header" "$PWD/$header" |
		"$@" "${flags[@]}" -I"$(dirname "$header")" -x c - 2>&1; then
		bad+=("$header")
	fi
done > >(sed 's/^/# /')
wait "$!"

echo "1..1"
if [[ ${#headers[@]} -gt 0 && ${#bad[@]} -eq 0 ]]; then
	echo "ok 1 - each header compiles alone and twice"
else
	echo "not ok 1 - each header compiles alone and twice"
	printf '# %s\n' "${#headers[@]} headers were found" "${bad[@]}"
	exit 1
fi
