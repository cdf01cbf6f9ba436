#!/bin/bash
# test_shell_settings.sh - ops/settings.sh checks the settings that the shell, the pool and nginx read; prints TAP.
# shellcheck disable=SC2030,SC2031
set -euo pipefail

HERE=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../../.." && pwd)
# shellcheck source=tests/support/tap.sh
source "$HERE/tests/support/tap.sh"
tap_folder settings
# shellcheck source=ops/settings.sh
source "$HERE/ops/settings.sh"
# shellcheck source=ops/conninfo.sh
source "$HERE/ops/conninfo.sh"
for line in "${SETTINGS[@]}"; do
	unset "${line%%|*}" "${line%%|*}_FILE"
done
: >"$DIR/env"
export PAYHOOK_ENV_FILE=$DIR/env

# takes NAME=VALUE...: as ./payhook reads its settings.
takes() {
	(export "${@?}" && settings_read) || { echo "$* is refused" && return 1; }
}

# refuses TEXT NAME=VALUE - the setting is refused with status 2, its name and the reason.
refuses() {
	local status=0 answer
	answer=$( (export "${@:2}" && settings_read) 2>&1) || status=$?
	[[ $status == 2 && $answer == "payhook: ${2%%=*}"*"$1"* ]] || { echo "$2: status $status: $answer" && return 1; }
}

# For each number that the shell checks: both ends of its range, and the values beyond.
numbers_have_their_range() {
	local line name kind range readers least most seen=0
	for line in "${SETTINGS[@]}"; do
		IFS='|' read -r name kind range _ readers _ <<<"$line"
		[[ $kind == number && " $readers " =~ ' '(shell|pool|nginx)' ' ]] || continue
		least=${range% *} most=${range#* } seen=$((seen + 1))
		is_number "$most" || return
		# PAYHOOK_PORT=0 needs a port for TLS.
		takes TLS_PORT=8443 "$name=$least" || return
		takes "$name=$most" || return
		refuses "=$((most + 1)): must be a whole number from $least to $most" "$name=$((most + 1))" || return
		refuses "must be a whole number from $least to $most" "$name=-1" || return
	done
	((seen > 5))
}

a_port_is_needed() {
	takes PAYHOOK_PORT=0 TLS_PORT=443 &&
		refuses "=0: it needs TLS_PORT" PAYHOOK_PORT=0 &&
		refuses "=0: it needs TLS_PORT" PAYHOOK_PORT=00 TLS_PORT=0
}

numbers_are_digits() {
	local value
	for value in x 1.5 '1 ' 0x10 99999999999999999999 "a[\$(touch $DIR/ran)]" '1+1' RATE_LIMIT; do
		refuses "=$value: must be a whole number" "RATE_LIMIT=$value" || return
		refuses "=$value: must be a whole number" "TLS_PORT=$value" || return
	done
	[[ ! -e $DIR/ran ]] || { echo "a value was run as a command" && return 1; }
	# Decimal, not octal.
	takes RATE_LIMIT=0089
}

networks_are_addresses_and_networks() {
	local value
	for value in ' , ' 10.1.2.3 10.0.0.0/8,192.168.1.7 'fd00::/8 ::1' 0.0.0.0/0 ::/0 ::ffff:10.1.2.3 \
		2001:db8:1111:2222:3333:4444:5555:6666/128; do
		takes "METRICS_ALLOW=$value" || return
		takes "REAL_IP_FROM=$value" || return
	done
	for value in all 10.1.2 10.1.2.3/33 ::1/129 10.1.2.3/ 10.1.2.3/8/8 10.1.2.3/-1 '10.1.2.3; deny all' host.example \
		10.1.2.3/0008 010.1.2.3 $'::1\n' 10.1.2.3,x /8 -e 2001:db8:1111:2222:3333:4444:5555:6666:7777:8888; do
		refuses "is neither an address nor a network" "METRICS_ALLOW=$value" || return
	done
	refuses '"balancer" is neither' REAL_IP_FROM=10.0.0.0/8,balancer
}

choices_are_whole_words() {
	local SETTINGS=('COLOUR|choice|red light blue|red|nginx|Colour.')
	(export COLOUR=light && settings_check nginx) || return
	refuses_colour 'red light' && refuses_colour ligh && refuses_colour '*'
}

refuses_colour() {
	local answer
	answer=$( (export COLOUR=$1 && settings_check nginx) 2>&1) && echo "$1 is taken" && return 1
	[[ $answer == "payhook: COLOUR=$1: must be one of: red light blue" ]]
}

# The shell does not check the settings of the C programs: "down" must work whatever they are.
others_are_left_alone() {
	takes MAX_ATTEMPTS=many LOG_LEVEL=loud PROCESSOR=pigeon
}

empty_is_unset() {
	takes PAYHOOK_PORT= RATE_LIMIT= METRICS_ALLOW= RESPONDERS= TLS_PORT=
}

# env_gives NAME VALUE - the setting has this value after the .env file was read.
env_gives() {
	local value
	value=$(settings_read && printf '%s' "${!1-}")
	[[ $value == "$2" ]] || { echo "$1 is $value, and not $2" && return 1; }
}

paths_start_from_their_file() {
	printf '%s\n' PAYHOOK_VAR=state SOURCES_FILE=a/sources.json API_KEYS_FILE=/keys.json TLS_PORT=8443 TLS_KEY=k TLS_CERTIFICATE=c \
		METRICS_FOLDER=counts LOG_LEVEL=info >"$DIR/env"
	env_gives PAYHOOK_VAR "$DIR/state" && env_gives SOURCES_FILE "$DIR/a/sources.json" && env_gives API_KEYS_FILE /keys.json &&
		env_gives TLS_KEY "$DIR/k" && env_gives METRICS_FOLDER "$DIR/counts" && env_gives LOG_LEVEL info || return
	printf 'DATABASE_URL_FILE=url\n' >"$DIR/env"
	printf 'host=db\n' >"$DIR/url"
	env_gives DATABASE_URL host=db || return
	printf 'POSTGRES_HOST=db\nPOSTGRES_USER_FILE=user\n' >"$DIR/env"
	printf 'shop\n' >"$DIR/user"
	env_gives POSTGRES_USER shop
}

# env_refused TEXT LINE
env_refused() {
	local status=0 answer
	printf '%s\n' "$2" >"$DIR/env"
	answer=$(settings_read 2>&1) || status=$?
	: >"$DIR/env"
	[[ $status == 2 && $answer == *"$1"* ]] || { echo "$2: status $status: $answer" && return 1; }
}

other_names_are_refused() {
	env_refused 'COLOUR is not a setting of payhook' COLOUR=red &&
		env_refused 'LOG_LEVEL_FILE is not a setting' LOG_LEVEL_FILE=x &&
		env_refused 'RATE_LIMIT=x: must be' RATE_LIMIT=x
}

# A name of the service that payhook replaces is no mistake: its .env works as it is.  Its values may have any form.
names_of_the_old_service_are_left_out() {
	local name
	printf '%s\n' DEBUG=True "SECRET_KEY='django-insecure-(\"#" CELERY_BROKER_URL=redis://redis:6379/0 DJANGO_SETTINGS_MODULE=a.b \
		LOG_LEVEL=warn >"$DIR/env"
	env_gives LOG_LEVEL warn && env_gives DEBUG '' && env_gives SECRET_KEY '' || return
	equal "$(settings_read && printf '%s' "$OLD_NAMES")" ' DEBUG SECRET_KEY CELERY_BROKER_URL DJANGO_SETTINGS_MODULE' || return
	for name in DEBUGGER SECRET_KEYS MY_CELERY_X CELERY DJANGO; do
		env_refused "$name is not a setting of payhook" "$name=x" || return
	done
}

# database WHAT LINE... - which database ./payhook uses with these lines in .env: "private", or the connection string.
database() {
	local found
	printf '%s\n' "${@:2}" >"$DIR/env"
	# shellcheck source=ops/database.sh
	found=$(source "$HERE/ops/database.sh" && RUN=/run/x && settings_read && database_find &&
		printf '%s' "${DB_PRIVATE:+private}${POSTGRES_PASSWORD-}${POSTGRES_DB-}" && { [[ -n $DB_PRIVATE ]] || printf '%s' "$CONNINFO"; }) || return
	: >"$DIR/env"
	[[ $found == *"$1"* && ($1 != private || $found == private) ]] || { echo "${*:2}: $found" && return 1; }
}

# Its server "db" was in its own compose project only.
its_server_is_no_existing_one() {
	local -a old=(POSTGRES_DB=payments POSTGRES_USER=postgres POSTGRES_PASSWORD=postgres POSTGRES_PORT=5432)
	database private SECRET_KEY=x POSTGRES_HOST=db "${old[@]}" || return
	# A server of the operator's is one, and so is "db" where nothing else is of the old service.
	database "host='db.internal'" SECRET_KEY=x POSTGRES_HOST=db.internal "${old[@]}" || return
	database "host='db'" POSTGRES_HOST=db "${old[@]}" || return
	POSTGRES_HOST=db database "host='db'" SECRET_KEY=x "${old[@]}" || return
	database host=there SECRET_KEY=x POSTGRES_HOST=db DATABASE_URL=host=there
}

pool_refuses() {
	local status=0 answer
	answer=$(RESPONDERS=$1 "$HERE/ops/pool" true 2>&1) || status=$?
	[[ $status == 2 && $answer == "payhook: RESPONDERS=$1: must be a whole number from 0 to 64" ]] ||
		{ echo "status $status: $answer" && return 1; }
}

the_pool_checks_its_own() {
	pool_refuses 65 && pool_refuses two && pool_refuses "a[\$(touch $DIR/ran)]" && [[ ! -e $DIR/ran ]]
}

# counts RESPONDERS COUNT - the pool has this number of responders on one core.
counts() {
	local answer
	answer=$(RESPONDERS=$1 taskset -c "$CORE" bash -c "source '$HERE/ops/pool'; pool_command ./app; echo \"\${POOL[*]}\"")
	[[ $answer == *" -f $2 "* ]] || { echo "RESPONDERS=$1: $answer" && return 1; }
}

# One frozen responder must not be the only one.
one_core_has_two_responders() {
	local CORE
	CORE=$(taskset -cp $$)
	CORE=${CORE##*: }
	CORE=${CORE%%[,-]*}
	counts '' 2 && counts 0 2 && counts 1 1 && counts 3 3
}

check "a number lies in its range" numbers_have_their_range
check "without a port for HTTP there is one for TLS" a_port_is_needed
check "a number is digits before it is used in arithmetic" numbers_are_digits
check "a list of networks holds addresses and networks" networks_are_addresses_and_networks
check "a choice is one of its words" choices_are_whole_words
check "what the C programs alone read is left to them" others_are_left_alone
check "an empty value is none" empty_is_unset
check "a relative path in .env starts from the folder of .env" paths_start_from_their_file
check "a name in .env that is no setting is refused" other_names_are_refused
check "names of the service that payhook replaces are left out" names_of_the_old_service_are_left_out
check "its server is not taken for an existing one" its_server_is_no_existing_one
check "the pool of responders refuses a bad RESPONDERS" the_pool_checks_its_own
check "on one core the pool has two responders unless RESPONDERS names another number" one_core_has_two_responders
finish
