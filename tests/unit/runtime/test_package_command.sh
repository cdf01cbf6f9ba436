#!/bin/bash
# test_package_command.sh - "status" and "check" of the package's payhook (ops/installed.sh), as far as they need no database; prints TAP.
# shellcheck disable=SC2030,SC2031,SC2317,SC2329
set -euo pipefail

# Without the caller's settings.
[[ -n ${IS_CLEAN-} ]] || exec env -i "PATH=$PATH" IS_CLEAN=yes "$0" "$@"

HERE=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../../.." && pwd)
# shellcheck source=tests/support/tap.sh
source "$HERE/tests/support/tap.sh"
tap_folder package-command
mkdir -m 755 "$DIR/conf"
export PAYHOOK_ENV_FILE=$DIR/conf/payhook.env
for file in settings console installed; do
	# shellcheck source=/dev/null
	source "$HERE/ops/$file.sh"
done
SITE=$DIR/site

# file NAME LINE... - a file of settings.
file() {
	printf '%s\n' "${@:2}" >"$DIR/conf/$1"
}

# answers STATUS TEXT FUNCTION... - the function ends with this status and prints this text; nothing if it is empty.
answers() {
	local status=0 output
	output=$("${@:3}" 2>&1) || status=$?
	[[ $status == "$1" && $output == *"$2"* && (-n $2 || -z $output) ]] || { echo "status $status: $output" && return 1; }
}

# ---- check ----

every_file_of_the_services_is_looked_at() {
	local name
	file payhook.env PROCESSOR=http
	answers 0 '' files_check
	for name in app worker migrate console; do
		file "payhook-$name.env" 'DATABASE_URL=host=x' '# COLOUR=1' COLOUR=1
		answers 2 "payhook-$name.env" files_check
		answers 2 'COLOUR is not a setting of payhook' files_check
		rm "$DIR/conf/payhook-$name.env"
	done
	file payhook.env PROCESOR=http
	answers 2 'PROCESOR is not a setting of payhook; did you mean PROCESSOR?' files_check
}

secrets_of_sources_are_no_mistake() {
	printf '{"sources": [{"secrets": [{"env": "STRIPE_SECRET"}]}]}' >"$DIR/conf/sources.json"
	file payhook.env SOURCES_FILE=sources.json
	file payhook-app.env STRIPE_SECRET=x
	answers 0 '' files_check
	file payhook-app.env STRIPE_SECRET=x STRIPE_SECRETS=y
	answers 2 'STRIPE_SECRETS is not a setting of payhook' files_check
}

# The responders' own file counts before that of all services.
the_own_file_of_a_service_comes_first() {
	file payhook.env LOG_LEVEL=warn RATE_LIMIT=5
	file payhook-app.env LOG_LEVEL=debug
	equal "$(own_file_read payhook-app.env && own_file_read payhook-none.env && env_file_read && echo "$LOG_LEVEL $RATE_LIMIT")" 'debug 5'
}

# ---- status ----

# certificate NAME DAYS - one that expires so many days from now; a negative number has passed.
certificate() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc -subj /CN=x -days 3650 \
		-keyout "$DIR/$1.key" -out "$DIR/$1.first" 2>/dev/null
	openssl x509 -in "$DIR/$1.first" -signkey "$DIR/$1.key" -days "$2" -out "$DIR/$1.crt" 2>/dev/null
}

certificates_of_the_site_are_shown() {
	certificate good 9
	printf 'server {\n\t# ssl_certificate /none; ssl_certificate_key /none;\n\tssl_certificate %s; ssl_certificate_key %s;\n}\n' \
		"$DIR/good.crt" "$DIR/good.key" >"$SITE"
	answers 0 "  TLS       $DIR/good.crt expires in " certificates_show
	equal "$(certificates_show | wc -l)" 1
	printf '\tssl_certificate "%s";\n' "$DIR/absent.crt" >"$SITE"
	answers 0 "$DIR/absent.crt cannot be read by this user" certificates_show
	rm "$SITE"
	answers 0 '' certificates_show
	CERTIFICATE_IN_USE=$DIR/good.crt answers 0 ' days, on ' certificates_show
}

an_expired_certificate_needs_attention() {
	certificate_expires() { echo $((EPOCHSECONDS - 86400)); }
	printf 'ssl_certificate /some/file;\n' >"$SITE"
	answers 1 '/some/file has EXPIRED, on ' certificates_show
}

# services APP WORKER MIGRATE - the states of the services; all are enabled but a worker that is "absent".
services() {
	STATES="$*"
	systemd_runs() { true; }
	systemctl() {
		local -a states
		read -ra states <<<"$STATES"
		case "$*" in
		*list-units*) [[ ${states[1]} == absent ]] || echo 'payhook-worker@1.service loaded active running a worker' ;;
		*ActiveState*payhook-app*) echo "${states[0]}" ;;
		*ActiveState*payhook-console*) echo "${CONSOLE-active}" ;;
		*ActiveState*worker*) echo "${states[1]}" ;;
		*ActiveState*migrate*) echo "${states[2]}" ;;
		*StateChangeTimestamp*) echo 'Mon 2026-11-30 01:02:03 UTC' ;;
		*is-enabled*) [[ ${ENABLED-yes} == yes ]] ;;
		esac
	}
}

services_are_shown() {
	services active active active
	answers 0 '  worker@1  active since Mon 2026-11-30 01:02:03 UTC' services_show
	services active failed active
	answers 1 '  worker@1  failed since ' services_show
	services failed active active
	answers 3 '  app       failed since ' services_show
	services active absent failed
	answers 1 '  migrate   failed: journalctl -u payhook-migrate' services_show
	services active active active
	CONSOLE=failed answers 1 '  console   failed since ' services_show
	# A host may have workers alone.
	services inactive active active
	ENABLED=no answers 0 '  app       inactive, not enabled here' services_show
}

the_worst_status_counts() {
	equal "$(worse 0 0) $(worse 0 1) $(worse 3 1) $(worse 1 3) $(worse 3 2) $(worse 0 3)" '0 1 3 3 2 3'
}

for name in every_file_of_the_services_is_looked_at secrets_of_sources_are_no_mistake the_own_file_of_a_service_comes_first \
	certificates_of_the_site_are_shown an_expired_certificate_needs_attention services_are_shown the_worst_status_counts; do
	rm -rf -- "$DIR"/conf/* "$SITE"
	check "${name//_/ }" "$name"
done
finish
