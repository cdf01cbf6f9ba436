#!/bin/bash
# test_names.sh - a name that is no setting is refused in every file of settings: .env of ./payhook and of docker compose, and the
# files of systemd's services; prints TAP.
# shellcheck disable=SC2030,SC2031
set -euo pipefail

# Without the caller's settings.
[[ -n ${IS_CLEAN-} ]] || exec env -i "PATH=$PATH" IS_CLEAN=yes "$0" "$@"

HERE=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../../.." && pwd)
# shellcheck source=tests/support/tap.sh
source "$HERE/tests/support/tap.sh"
tap_folder names
# shellcheck source=ops/settings.sh
source "$HERE/ops/settings.sh"
# shellcheck source=ops/conninfo.sh
source "$HERE/ops/conninfo.sh"
export PAYHOOK_ENV_FILE=$DIR/env
printf '{"sources": [{"secrets": [{"env": "STRIPE_OLD"}]}]}' >"$DIR/sources.json"

# names_are REFUSED NAME... - these names are refused with these sentences, separated by "|".
names_are() {
	equal "$(names_refused "${@:2}" | paste -sd'|')" "$1"
}

misspelt_ones_are_refused() {
	names_are 'PROCESOR is not a setting of payhook; did you mean PROCESSOR?' PROCESOR PROCESSOR
	names_are 'PORCESSOR is not a setting of payhook; did you mean PROCESSOR?' PORCESSOR
	names_are 'processor is not a setting of payhook; did you mean PROCESSOR?' processor
	names_are 'POSTGRES_PASWORDFILE is not a setting of payhook' POSTGRES_PASWORDFILE
	names_are 'RATE_LIMITS is not a setting of payhook; did you mean RATE_LIMIT?' RATE_LIMITS
	names_are 'COLOUR is not a setting of payhook|TLSKEYS is not a setting of payhook' COLOUR TLSKEYS
	names_are 'PROCESSOR http is not a setting of payhook' 'PROCESSOR http'
	names_are '' DATABASE_URL_FILE POSTGRES_PASSWORD_FILE "${SETTINGS[@]%%|*}"
}

# Of the service that payhook replaced, of libraries, and of docker compose.
others_may_stay() {
	names_are '' DEBUG SECRET_KEY CELERY_BROKER_URL DJANGO_SETTINGS_MODULE REDIS_URL PGSSLMODE LC_ALL SSL_CERT_FILE \
		COMPOSE_PROJECT_NAME DOCKER_HOST PAYHOOK_ENV_FILE
}

variables_of_sources_may_stay() {
	names_are 'STRIPE_OLD is not a setting of payhook' STRIPE_OLD
	SOURCES_FILE=$DIR/sources.json names_are 'STRIPE_NEW is not a setting of payhook' STRIPE_OLD STRIPE_NEW
	# As for the worker: its user may not read the file.
	SOURCES_FILE=$DIR/absent names_are 'PROCESOR is not a setting of payhook; did you mean PROCESSOR?' STRIPE_OLD PROCESOR
}

# env_refused TEXT LINE...
env_refused() {
	local status=0 answer
	printf '%s\n' "${@:2}" >"$DIR/env"
	answer=$(settings_read 2>&1) || status=$?
	equal "$status $answer" "2 $1"
}

of_the_env_file() {
	env_refused "payhook: $DIR/env line 2: PROCESOR is not a setting of payhook; did you mean PROCESSOR?" RATE_LIMIT=5 PROCESOR=http
	env_refused "payhook: $DIR/env line 1: LOG_LEVEL_FILE is not a setting of payhook" LOG_LEVEL_FILE=x
	printf '%s\n' DEBUG=True STRIPE_OLD=secret PGSSLMODE=require COMPOSE_FILE=x SOURCES_FILE=sources.json >"$DIR/env"
	equal "$(settings_read && echo "${STRIPE_OLD-} ${PGSSLMODE-} ${DEBUG-}${COMPOSE_FILE-}")" 'secret require '
}

# The forms that systemd.exec(5) and systemd.syntax(7) allow.
as_systemd_reads_them() {
	cat >"$DIR/forms" <<-'END'
		# A=comment
		; B=comment

		C=1
		  D = 2
		E="three
		F=no
		"
		G=four\
		H=no
		I='five
		J=no' "and
		K=no"
		L=host=x password='a b'
		nonsense
		M="unfinished
		N=don't
		O=end\
	END
	equal "$(names_of_file "$DIR/forms" | paste -sd' ')" 'C D E G I L nonsense M N O'
	: >"$DIR/forms"
	equal "$(names_of_file "$DIR/forms")" ''
}

# service_answers STATUS TEXT LINE... - ops/service with these lines in its file.
service_answers() {
	local status=0 answer
	mkdir -p "$DIR/credentials"
	printf '#\n' >"$DIR/credentials/payhook-worker.env"
	printf 'not for us' >"$DIR/credentials/database_url"
	printf '%s\n' "${@:3}" >"$DIR/credentials/payhook.env"
	answer=$(CREDENTIALS_DIRECTORY=$DIR/credentials "$HERE/ops/service" echo became it 2>&1) || status=$?
	equal "$status $answer" "$1 $2"
}

of_a_service() {
	service_answers 0 'became it' '#PROCESOR=http' PROCESSOR=http DEBUG=True
	service_answers 2 'payhook: payhook.env: PROCESOR is not a setting of payhook; did you mean PROCESSOR?' PROCESOR=http
	service_answers 2 'payhook: payhook.env: PROCESSOR http is not a setting of payhook' 'PROCESSOR http'
	SOURCES_FILE=$DIR/sources.json service_answers 0 'became it' STRIPE_OLD=x
}

# password_answers TEXT NAME=VALUE... - the service "password" of docker compose with these variables; without the volumes it can
# only refuse the names, or fail later.
password_answers() {
	local status=0 answer
	answer=$(cd "$HERE" && env -i "PATH=$PATH" HOSTNAME=c HTTPS_PROXY=x "${@:2}" docker/password 2>&1) || status=$?
	((status > 0))
	[[ $answer == *"$1"* && ($1 == *setting* || $answer != *setting*) ]] || { echo "status $status: $answer" && return 1; }
}

of_compose() {
	password_answers 'password: .env: PROCESOR is not a setting of payhook; did you mean PROCESSOR?' PROCESOR=http
	password_answers '/run/password' PROCESSOR=http DEBUG=True CELERY_BROKER_URL=x SOURCES_FILE="$DIR/sources.json" STRIPE_OLD=x
}

of_the_environment() {
	equal "$(env -i "PATH=$PATH" PROCESOR=http DATABASE=x bash -c "info() { echo \"\$*\"; }; source '$HERE/ops/settings.sh'
		info() { echo \"\$*\"; }; names_warn")" 'warning: PROCESOR is not a setting of payhook; did you mean PROCESSOR?'
}

check "a name that is no setting is refused, with the setting that it resembles" misspelt_ones_are_refused
check "settings of the replaced service and variables of others are not" others_may_stay
check "nor are the secrets that SOURCES_FILE names" variables_of_sources_may_stay
check "in .env, ./payhook refuses it" of_the_env_file
check "names are found as systemd reads a file" as_systemd_reads_them
check "in the files of a service, systemd's service does not start" of_a_service
check "in .env, docker compose's first service refuses it" of_compose
check "in the environment it is warned of if it resembles a setting" of_the_environment
finish
