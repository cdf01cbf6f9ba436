#!/bin/bash
# test_environment.sh - each part of "./payhook up" gets the variables that it needs, and no others; prints TAP.
# shellcheck disable=SC2034
set -euo pipefail

HERE=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../../.." && pwd)
# shellcheck source=tests/support/tap.sh
source "$HERE/tests/support/tap.sh"
tap_folder environment
# shellcheck source=ops/settings.sh
source "$HERE/ops/settings.sh"
# shellcheck source=ops/environment.sh
source "$HERE/ops/environment.sh"
for line in "${SETTINGS[@]}"; do
	unset "${line%%|*}"
done
unset "${!PG@}" "${LIBRARY_VARIABLES[@]}"
DB_PRIVATE=''
export OF_SOURCE=s1 OF_ANOTHER_SOURCE=s2 OF_NOBODY=s3 LOG_LEVEL=debug PROCESSOR=http API_KEYS_FILE=/k RATE_LIMIT=5
export DATABASE_URL='postgresql://u:p@h/d' PGSSLMODE=require SOURCES_FILE=$DIR/sources.json
printf '{"sources": [{"secrets": [{"env": "OF_SOURCE"},\n{"env"\n:"OF_ANOTHER_SOURCE", "not_after": ""}, {"env": "OF_NONE"}]}]}' \
	>"$SOURCES_FILE"

# has PART NAME... - the variables besides PATH, without their values.
has() {
	local -a names
	"environment_of_$1"
	equal "${ENVIRONMENT[0]}" "PATH=$PATH"
	names=("${ENVIRONMENT[@]:1}")
	equal "$1: $(printf '%s\n' "${names[@]%%=*}" | sort | paste -sd' ')" "$1: ${*:2}"
}

parts() {
	has postgres ''
	has nginx TZ
	has worker DATABASE_URL HOME LOG_LEVEL PGSSLMODE PROCESSOR
	has console API_KEYS_FILE DATABASE_URL HOME LOG_LEVEL PGSSLMODE
	has pool API_KEYS_FILE DATABASE_URL HOME LOG_LEVEL OF_ANOTHER_SOURCE OF_SOURCE PGSSLMODE PROCESSOR SOURCES_FILE
}

roles() {
	DB_PRIVATE=yes DATABASE_URL='host=/r/pg port=5432 user=payhook dbname=payhook'
	environment_of_worker
	[[ " ${ENVIRONMENT[*]} " == *' user=payhook_worker dbname=payhook '* ]] || return 1
	environment_of_console
	[[ " ${ENVIRONMENT[*]} " == *' user=payhook_console dbname=payhook '* ]] || return 1
	environment_of_pool
	[[ " ${ENVIRONMENT[*]} " == *' user=payhook_app dbname=payhook '* ]] || return 1
}

commands() {
	ENVIRONMENT=("PATH=$PATH" 'A=x y' 'BASH_FUNC_f%%=() { :; }' 'B=')
	equal "$(with_environment env | sed '/^_=/d' | sort | paste -sd' ')" "A=x y B= PATH=$PATH"
	equal "$OF_NOBODY" s3
}

check "PostgreSQL and nginx get no setting, worker, console and responders theirs, the responders the secrets of sources" parts
check "in the private cluster, worker, console and responders connect in their roles" roles
check "a command can be run with such an environment" commands
finish
