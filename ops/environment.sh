# shellcheck shell=bash disable=SC2034,SC2154
# Which variables each part gets.  Nothing else of the environment of "./payhook up" reaches a part: it may contain secrets
# of other programs, and those of one part are none of another's business.
#
# Values are never in arguments, which every user can read.

# environment_begin - sets ENVIRONMENT to what every program needs.
environment_begin() {
	ENVIRONMENT=("PATH=$PATH")
}

# environment_add NAME... - adds those variables that are exported.
environment_add() {
	local name
	for name in "$@"; do
		[[ -z ${!name+set} || ${!name@a} != *x* ]] || ENVIRONMENT+=("$name=${!name}")
	done
}

# environment_add_settings READER... - adds the settings of these readers.
environment_add_settings() {
	local line name readers reader
	for line in "${SETTINGS[@]}"; do
		IFS='|' read -r name _ _ _ readers _ <<<"$line"
		for reader in "$@"; do
			[[ " $readers " != *" $reader "* ]] || { environment_add "$name" && break; }
		done
	done
}

# environment_connects_as ROLE - replaces the role of the private cluster's conninfo: there the programs do not connect as the
# owner; see schema/0010_roles.sql.
environment_connects_as() {
	local n
	[[ -n $DB_PRIVATE ]] || return 0
	for n in "${!ENVIRONMENT[@]}"; do
		[[ ${ENVIRONMENT[n]} != DATABASE_URL=* ]] || ENVIRONMENT[n]=${ENVIRONMENT[n]/ user=payhook / user=$1 }
	done
}

# Each of the following functions sets ENVIRONMENT to that of a part.

environment_of_postgres() {
	environment_begin
}

environment_of_worker() {
	environment_begin
	ENVIRONMENT+=("HOME=/nonexistent")
	environment_add "${LIBRARY_VARIABLES[@]}" "${!PG@}"
	environment_add_settings worker
	environment_connects_as payhook_worker
}

environment_of_pool() {
	local -a secrets=()
	mapfile -t secrets < <(source_variables)
	environment_begin
	ENVIRONMENT+=("HOME=/nonexistent")
	environment_add "${LIBRARY_VARIABLES[@]}" "${!PG@}" "${secrets[@]}"
	environment_add_settings app pool
	environment_connects_as payhook_app
}

# No secret of a source is any of its business.
environment_of_console() {
	environment_begin
	ENVIRONMENT+=("HOME=/nonexistent")
	environment_add "${LIBRARY_VARIABLES[@]}" "${!PG@}"
	environment_add_settings console
	environment_connects_as payhook_console
}

# nginx's log has its times in UTC, as the programs' logs do.
environment_of_nginx() {
	environment_begin
	ENVIRONMENT+=("TZ=UTC")
}

# Of --check, by which each program checks the settings of all.
environment_of_check() {
	environment_of_pool
	environment_add_settings worker console ctl
}

# Of the steps, which are this script again, with the settings that it has read.
environment_of_steps() {
	local line
	environment_begin
	ENVIRONMENT+=("PAYHOOK_ENV_FILE=/dev/null")
	environment_add HOME LANG "${!LC_@}" TMPDIR BEGUN DETACHED PAYHOOK_SCHEMA PAYHOOK_LOCK_TRIES \
		"${LIBRARY_VARIABLES[@]}" "${!PG@}"
	for line in "${SETTINGS[@]}"; do
		environment_add "${line%%|*}"
	done
}

# with_environment COMMAND... - runs it with ENVIRONMENT alone.
with_environment() (
	for variable in $(compgen -e); do
		export -n "${variable?}"
	done
	# The file that an older "up" has left for a reload may have names that are none in a shell.
	for variable in "${ENVIRONMENT[@]}"; do
		[[ ! $variable =~ ^[A-Za-z_][A-Za-z0-9_]*= ]] || export "${variable?}" 2>/dev/null || true
	done
	# For the very last command bash would add SHLVL.
	"$@" || exit
)
