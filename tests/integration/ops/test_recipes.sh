#!/bin/bash
# test_recipes.sh - every SQL example of docs/operations.md runs; prints TAP.
set -euo pipefail

ROOT=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../../.." && pwd)
# shellcheck source=tests/support/shell_database.sh disable=SC1091
source "$ROOT/tests/support/shell_database.sh"
SCHEMA=yes

every_recipe_for_psql_runs() {
	awk '/^```sql$/ { on = 1; next } /^```$/ { on = 0 } on' "$ROOT/docs/operations.md" >"$DIR/recipes.sql"
	[[ $(grep -c ';' "$DIR/recipes.sql") -gt 10 ]]
	psql -X -q -v ON_ERROR_STOP=1 -d "$DB" -f "$DIR/recipes.sql"
}

run_all every_recipe_for_psql_runs
