# shellcheck shell=bash disable=SC2034
# Settings from the environment and the .env file, and the directories that follow from them.

# shellcheck source=ops/settings_table.sh
source "${BASH_SOURCE[0]%/*}/settings_table.sh"
# shellcheck source=ops/number.sh
source "${BASH_SOURCE[0]%/*}/number.sh"
# shellcheck source=ops/printable.sh
source "${BASH_SOURCE[0]%/*}/printable.sh"
# shellcheck source=ops/names.sh
source "${BASH_SOURCE[0]%/*}/names.sh"
# shellcheck source=ops/trust.sh
source "${BASH_SOURCE[0]%/*}/trust.sh"

# The beginning of a command that needs none of our variables, which may contain secrets.
EMPTY=(env -i "PATH=$PATH")

# info TEXT - prints a message on standard output; a supervisor's messages also go to its log.
info() {
	printf 'payhook: %s\n' "$*" 2>/dev/null || true
	info_log "$@"
}

info_log() {
	[[ -z ${INFO_LOG-} ]] || TZ=UTC printf '%(%FT%TZ)T %s\n' -1 "$*" >>"$INFO_LOG" || true
}

# fail STATUS TEXT - prints the message and exits: 1 for a failure, 2 for a wrong argument or setting.
fail() {
	local status=$1
	shift
	printf 'payhook: %s\n' "$*" >&2 || true
	info_log "$@"
	exit "$status"
}

# setting_find NAME - sets KIND, RANGE, DEFAULT, READERS and MEANING from the table.  A NAME_FILE is a path.
setting_find() {
	local line
	for line in "${SETTINGS[@]}"; do
		if [[ $line == "$1|"* ]]; then
			IFS='|' read -r _ KIND RANGE DEFAULT READERS MEANING <<<"$line"
			return 0
		fi
		if [[ $1 == *_FILE && $line =~ ^"${1%_FILE}"\|(filed|secret)\| ]]; then
			KIND=path RANGE='' DEFAULT='' READERS='' MEANING=''
			return 0
		fi
	done
	return 1
}

# Settings of a Django service such as the one that payhook replaces, by name or by beginning.  In .env they are no mistake: its
# file works as it is.  docker-compose.yml has the names that compose reports.
OLD_SETTINGS=(DEBUG SECRET_KEY 'DJANGO_*' 'CELERY_*' 'REDIS_*' BROKER_URL 'FLOWER_*' 'GUNICORN_*' WEB_CONCURRENCY 'CORS_*'
	'CSRF_*' SENTRY_DSN 'PYTHON*')

# setting_is_old NAME
setting_is_old() {
	local pattern
	for pattern in "${OLD_SETTINGS[@]}"; do
		# shellcheck disable=SC2053
		[[ $1 != $pattern ]] || return 0
	done
	return 1
}

# env_take NAME VALUE FOLDER - sets a variable from the file unless it is set already; KIND is from setting_find, or empty.  A
# path in the file is relative to the directory of the file.
env_take() {
	local name=$1 value=$2 folder=$3
	if [[ $KIND == path && -n $value && $value != /* ]]; then
		value=$folder/$value
	fi
	if [[ -z ${!name+set} ]]; then
		export "$name=$value"
		FILE_NAMES+=" $name"
	fi
}

# env_line LINE WHERE FOLDER - reads one line NAME=value.  The value is literal: nothing in it is expanded.  Quotes
# around it are removed; without quotes it ends before " #".  A name that is no setting is added to OTHER_NAMES, with its place.
env_line() {
	local line=$1 where=$2 folder=$3 name value KIND RANGE DEFAULT READERS MEANING
	line=${line%$'\r'}
	line="${line#"${line%%[![:space:]]*}"}"
	line="${line%"${line##*[![:space:]]}"}"
	[[ -n $line && $line != '#'* ]] || return 0
	[[ $line =~ ^([A-Za-z_][A-Za-z0-9_]*)=(.*)$ ]] || fail 2 "$where: not NAME=value"
	name=${BASH_REMATCH[1]} value=${BASH_REMATCH[2]}
	if ! setting_find "$name"; then
		if setting_is_old "$name"; then
			OLD_NAMES+=" $name"
			return
		fi
		! name_is_ignored "$name" || return 0
		KIND='' OTHER_NAMES[$name]=$where
	fi
	if [[ $value =~ ^\"([^\"]*)\"([[:space:]]+#.*)?$ || $value =~ ^\'([^\']*)\'([[:space:]]+#.*)?$ ]]; then
		value=${BASH_REMATCH[1]}
	elif [[ $value == [\"\']* ]]; then
		fail 2 "$where: $name has an opening quote without a closing one"
	else
		value=${value%%[[:space:]]#*}
		value="${value%"${value##*[![:space:]]}"}"
	fi
	env_take "$name" "$value" "$folder"
}

# Adds to FILE_NAMES the settings that the file has set, and to OLD_NAMES those of the replaced service, each after a blank.
FILE_NAMES='' OLD_NAMES=''
env_file_read() {
	local file=${PAYHOOK_ENV_FILE:-$HERE/.env} line number=0 refused=''
	local -A OTHER_NAMES=()
	if [[ ! -e $file ]]; then
		[[ -z ${PAYHOOK_ENV_FILE-} ]] || fail 2 "PAYHOOK_ENV_FILE=$file: there is no such file"
		return 0
	fi
	trust_check PAYHOOK_ENV_FILE "$file" "$SCRIPT_OWNER"
	[[ -r $file ]] || fail 2 "$file: cannot be read"
	local folder
	folder=$(cd -- "$(dirname -- "$file")" && pwd)
	while IFS= read -r line || [[ -n $line ]]; do
		number=$((number + 1))
		env_line "$line" "$file line $number" "$folder"
	done <"$file"
	# Only now SOURCES_FILE is known; its variables may be among them.
	while IFS= read -r line; do
		refused+="${refused:+$'\n'payhook: }${OTHER_NAMES[${line%% *}]}: $line"
	done < <(names_refused "${!OTHER_NAMES[@]}")
	[[ -z $refused ]] || fail 2 "$refused"
}

# Each of the following functions checks the value of the setting NAME against its range or choices in the table.

# number_check NAME "LEAST MOST" - verifies that the value is digits before it is used in arithmetic.
number_check() {
	local value=${!1} least=${2% *} most=${2#* }
	is_number "$least" "$most" || fail 1 "$1 has no range in the table of settings"
	if [[ ! $value =~ ^[0-9]{1,9}$ ]] || ((10#$value < least || 10#$value > most)); then
		fail 2 "$1=$value: must be a whole number from $least to $most"
	fi
}

# choice_check NAME "WORD..."
choice_check() {
	local value=${!1} word
	for word in $2; do
		[[ $value != "$word" ]] || return 0
	done
	fail 2 "$1=$value: must be one of: $2"
}

# networks_check NAME - accepts the same forms as lib/http/network.c.
networks_check() {
	local bad
	bad=$(perl -MSocket=:all -e '
		for my $item (grep { length } split /[, ]+/, $ARGV[0]) {
			my ($address, $bits) = split m{/}, $item, 2;
			my $most = defined inet_pton(AF_INET, $address) ? 32 : defined inet_pton(AF_INET6, $address) ? 128 : 0;
			next if $most && (!defined $bits || ($bits =~ /\A[0-9]{1,3}\z/ && $bits <= $most));
			print $item;
			exit 1;
		}
	' -- "${!1}") || fail 2 "$1: \"$bad\" is neither an address nor a network such as 10.0.0.0/8"
}

# settings_check READER... - checks the settings of these readers that are set.  The C programs check the settings that
# only they read.
settings_check() {
	local line name reader KIND RANGE READERS
	for line in "${SETTINGS[@]}"; do
		IFS='|' read -r name KIND RANGE _ READERS _ <<<"$line"
		[[ -n ${!name-} ]] || continue
		for reader in "$@"; do
			[[ " $READERS " == *" $reader "* ]] || continue
			case $KIND in
			number | choice | networks) "${KIND}_check" "$name" "$RANGE" ;;
			esac
			break
		done
	done
}

# Whether the operators' console is on.
console_is_on() {
	[[ ${CONSOLE:-on} == on ]]
}

# Sets TLS_PORT, empty if TLS is disabled.
tls_settings_check() {
	local name
	TLS_PORT=$((10#${TLS_PORT:-0}))
	((PAYHOOK_PORT > 0 || TLS_PORT > 0)) || fail 2 "PAYHOOK_PORT=0: it needs TLS_PORT"
	[[ $TLS_PORT != "$PAYHOOK_PORT" ]] || fail 2 "TLS_PORT=$TLS_PORT: that is PAYHOOK_PORT too"
	[[ $TLS_PORT != 0 ]] || TLS_PORT=''
	for name in TLS_CERTIFICATE TLS_KEY TLS_CLIENT_CA TLS_CLIENT_CRL; do
		[[ -n ${!name-} ]] || continue
		[[ -n $TLS_PORT ]] || fail 2 "$name=${!name}: it has no use without TLS_PORT"
		# The programs and nginx are started in other directories.
		printf -v "$name" %s "$(realpath -ms -- "${!name}")"
	done
	[[ -n ${TLS_CERTIFICATE-} || -z ${TLS_KEY-} ]] || fail 2 "TLS_KEY=$TLS_KEY: TLS_CERTIFICATE must be set too"
	[[ -n ${TLS_CLIENT_CA-} || -z ${TLS_CLIENT_CRL-} ]] || fail 2 "TLS_CLIENT_CRL=$TLS_CLIENT_CRL: TLS_CLIENT_CA must be set too"
	[[ -n ${TLS_KEY-} || -z ${TLS_CERTIFICATE-} ]] || fail 2 "TLS_CERTIFICATE=$TLS_CERTIFICATE: TLS_KEY must be set too"
}

# The settings of files that the worker reads when it starts.
PROCESSOR_FILES=(PROCESSOR_HEADERS PROCESSOR_SIGNING_SECRETS_FILE PROCESSOR_CA PROCESSOR_CLIENT_CERTIFICATE PROCESSOR_CLIENT_KEY)

settings_read() {
	local line name
	env_file_read
	# In containers the files are those of another container's user.
	[[ $EUID -ne 0 ]] || trust_check_files "${FILED[@]/%/_FILE}"
	filed_take || fail 2 "$REASON"
	for line in "${SETTINGS[@]}"; do
		name=${line%%|*}
		# An empty setting counts as unset, for the programs too.
		if [[ -n ${!name-} ]]; then
			export "${name?}"
		else
			unset "$name"
		fi
	done
	[[ -n ${PAYHOOK_PORT-} ]] || export PAYHOOK_PORT=$((EUID == 0 ? 80 : 8080))
	settings_check shell pool nginx
	PAYHOOK_PORT=$((10#$PAYHOOK_PORT))
	# The programs are started in another directory.
	[[ -z ${API_KEYS_FILE-} ]] || API_KEYS_FILE=$(realpath -ms -- "$API_KEYS_FILE")
	[[ -z ${SOURCES_FILE-} ]] || SOURCES_FILE=$(realpath -ms -- "$SOURCES_FILE")
	for name in "${PROCESSOR_FILES[@]}"; do
		[[ -z ${!name-} ]] || printf -v "$name" %s "$(realpath -ms -- "${!name}")"
	done
	tls_settings_check
	# The variables that libfcgi reads are payhook's to set, not the caller's.
	unset "${!LIBFCGI_@}"
}

# apart COMMAND... - runs it without a terminal.  Whoever has a descriptor of root's terminal, be it the standard output, can read
# what root types; and whoever is in a session of it can put characters there, which root's shell then reads.
apart() {
	if [[ -t 0 ]]; then
		apart "$@" </dev/null
	elif [[ -t 1 || -t 2 ]]; then
		{ { setsid --wait "$@" 3>&- | cat >&3; } 2>&1 | cat >&2; } 3>&1
	else
		setsid --wait "$@"
	fi
}

# folders_find COMMAND - VAR is PAYHOOK_VAR.  RUN is a directory for sockets and for the records of processes.  It is derived
# from VAR alone, so every command finds it.  It is not below $XDG_RUNTIME_DIR, which is removed when its user logs out,
# although "up -d" continues to run.
folders_find() {
	local var=${PAYHOOK_VAR:-$HERE/var}
	[[ $var == /* ]] || var=$PWD/$var
	VAR=$(realpath -m -- "$var")
	BUILD=$(realpath -m -- "${PAYHOOK_BUILD:-$HERE/build}")
	HASH=$(printf '%s' "$VAR" | sha256sum)
	HASH=${HASH:0:12}
	# No part can gain a privilege, neither through a file's owner or capabilities nor through inherited
	# capabilities.
	BARE=(setpriv --no-new-privs --inh-caps=-all)
	AS_DB=("${EMPTY[@]}" "${BARE[@]}" --) AS_APP=("${BARE[@]}" --) APP_USER='' WORKER_USER='' CONSOLE_USER=''
	AS_WORKER=("${BARE[@]}" --)
	if [[ $EUID -eq 0 ]]; then
		APP_USER=payhook WORKER_USER=payhook-worker CONSOLE_USER=payhook-console
		AS_DB=(apart "${EMPTY[@]}" "${BARE[@]}" --reuid=postgres --regid=postgres --init-groups --)
		AS_APP=(apart "${BARE[@]}" --reuid=payhook --regid=payhook --init-groups --)
		AS_WORKER=(apart "${BARE[@]}" --reuid=payhook-worker --regid=payhook-worker --init-groups --)
	fi
	trust_check PAYHOOK_VAR "$var"
	if [[ $1 == up || $1 == bench ]]; then
		folder_make "$VAR" 755 "PAYHOOK_VAR=$VAR"
		# In a folder such as /tmp another user may have made it first.
		trust_check PAYHOOK_VAR "$var"
	fi
	export PAYHOOK_VAR=$VAR
	run_folder_find
	STATE=$VAR
	if [[ -L $VAR/elsewhere ]]; then
		STATE=$(readlink -- "$VAR/elsewhere")
		trust_check '' "$STATE"
	fi
}

# Root's folder is in /run, beside /run/payhook, which belongs to the services of the package.  Other users have theirs in VAR,
# where nobody else can make it first.  Only if its sockets would have paths of more than 107 bytes, or with characters that mean
# something in a connection string or to nginx, it is in /tmp.
run_folder_find() {
	local LC_ALL=C
	RUN=$VAR/run
	if [[ $EUID -eq 0 ]]; then
		RUN=/run/payhook-up/$HASH
		trust_check '' "$RUN"
	elif [[ ${#VAR} -gt 86 || $VAR == *[!A-Za-z0-9/._+-]* ]]; then
		RUN=/tmp/payhook-$EUID-$HASH
		mkdir -m 700 -- "$RUN" 2>/dev/null || true
		[[ $(stat -c '%u %F' -- "$RUN") == "$EUID directory" ]] ||
			fail 1 "$RUN belongs to another user; with a PAYHOOK_VAR of at most 86 letters, digits and ._+- it is not needed"
	elif [[ ! -e $VAR ]]; then
		# Another user could make it now, with records.
		RUN=/nonexistent/run
	fi
}

# The logs are for the operator only.  nginx's processes, which have the group payhook, can open the access log by its name and
# only as its owner, to which nginx makes its user.
logs_folder_close() {
	[[ -e $STATE/log/access.log ]] || : >"$STATE/log/access.log"
	chmod 640 -- "$STATE/log/access.log"
	chmod 750 -- "$STATE/log"
	[[ -z $APP_USER ]] || { chgrp -- "$APP_USER" "$STATE/log" && chmod 710 -- "$STATE/log"; }
}

folder_make() {
	local error
	[[ ! -d $1 ]] || return 0
	error=$( (mkdir -p -- "$1" && chmod "$2" -- "$1") 2>&1) || fail 1 "$3: the folder cannot be made: ${error##*: }"
}

run_folder_make() {
	if [[ $EUID -eq 0 ]]; then
		folder_make "${RUN%/*}" 755 "${RUN%/*}"
		folder_make "$RUN" 755 "$RUN"
		return
	fi
	folder_make "$RUN" 700 "$RUN"
	chmod 700 -- "$RUN"
}

# The database and the programs run as users other than root.  If the state directory is closed to them, the data goes
# to /var/lib/payhook, and the symlink "elsewhere" in the state directory points there.
state_folder_make() {
	local user
	[[ -w $VAR ]] || fail 1 "PAYHOOK_VAR=$VAR: the folder cannot be written to"
	if [[ $EUID -eq 0 && $STATE == "$VAR" ]]; then
		for user in postgres payhook payhook-worker payhook-console; do
			apart "${EMPTY[@]}" "${BARE[@]}" --reuid="$user" --regid="$user" --init-groups -- test -x "$VAR" 2>/dev/null &&
				continue
			[[ ! -e $VAR/pg ]] || fail 1 "$VAR/pg holds data, but user $user can no longer enter $VAR"
			STATE=/var/lib/payhook/$HASH
			trust_check '' "$STATE"
			ln -s -- "$STATE" "$VAR/elsewhere"
			break
		done
	fi
	if [[ $STATE != "$VAR" ]]; then
		folder_make "$STATE" 755 "$STATE"
		info "other users cannot enter $VAR; the data lies in $STATE"
	fi
	mkdir -p -- "$STATE"/{bin,log,nginx}
	logs_folder_close
}
