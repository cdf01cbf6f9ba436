# shellcheck shell=bash disable=SC2034
# Settings from the environment and the .env file, and the folders that follow from them.

# Name, default, what it is for.  The programs know range and kind of theirs: "payhook-app --check" has the last word.
SETTINGS=(
	'PAYHOOK_PORT|80 as root, else 8080|TCP port on which webhooks come in'
	'TLS_PORT|0|the same with TLS and HTTP/2; 0: none'
	'TLS_CERTIFICATE||its certificate, with its chain, in PEM; unset: one for trying'
	'TLS_KEY||the key of that, in PEM, without a passphrase'
	'TLS_CLIENT_CA||who signs the certificates of senders, in PEM'
	'PAYHOOK_VAR|./var|state folder: data, logs, copies of the programs'
	'DATABASE_URL||an existing PostgreSQL (URI or conninfo) instead of a private one'
	'POSTGRES_HOST||the same in five parts: its host, where DATABASE_URL is not set'
	'POSTGRES_PORT|5432|its port'
	'POSTGRES_DB|payhook|its database'
	'POSTGRES_USER|payhook|the user there'
	'POSTGRES_PASSWORD||the password of that user'
	'RESPONDERS|0|responder processes; 0: one for each core, 8 at most'
	'RATE_LIMIT|0|requests per second from one address; 0: no limit'
	'SOURCE_RATE_LIMIT|0|webhooks per second of one source; 0: no limit'
	'CONNECTION_LIMIT|0|requests under way of one address; 0: no limit'
	'REAL_IP_FROM||balancers whose X-Forwarded-For counts: 10.1.2.3,10.2.0.0/16'
	'CONFLICT_POLICY|quarantine|same id, different content: quarantine (202) or reject (409)'
	'EXTRA_CURRENCIES||more currencies with their decimals: USDT:6,BTC:8'
	'SOURCES_FILE||file of the processors that send: docs/sources/README.md'
	'REQUIRE_SIGNATURES|false|true: no start while a source takes unsigned webhooks'
	'API_KEYS_FILE||keys of those who may read; unset: private addresses'
	'PROCESSOR|simulated|what processes a transaction: simulated, or http'
	'PROCESSOR_DELAY_MS|30000|how long the simulated processor takes'
	'PROCESSOR_URL||where http posts each transaction to: http:// or https://'
	'PROCESSOR_CONNECT_TIMEOUT_MS|5000|how long connecting to it may take'
	'PROCESSOR_TIMEOUT_MS|30000|how long a whole call of it may take'
	'MAX_ATTEMPTS|12|calls that a transaction gets before it is FAILED'
	'CIRCUIT_FAILURES|20|failures in a row that stop a worker from claiming; 0: none do'
	'WORKER_SLOTS|0|transactions one worker holds; 0: 256 with http, else 100000'
	'WORKER_GRACE_MS|2000|how long a stopping worker waits for what is under way'
	'ATTEMPTS_KEEP_DAYS|30|how long the history of attempts is kept; 0: for ever'
	'TRANSACTIONS_KEEP_DAYS|0|how long processed ones are kept, 31 or more; 0: for ever'
	'METRICS_FOLDER||where responders share their counts [the run folder]'
	'METRICS_ALLOW||who else may read /metrics: 10.1.2.3,10.2.0.0/16'
	'WORKER_METRICS_ADDRESS|127.0.0.1|where the worker answers /metrics'
	'WORKER_METRICS_PORT|9464|the port there; 0: none'
	'LOG_LEVEL|info|error, warn, info or debug'
	'PAYHOOK_BUILD|./build|build folder'
)

# To whoever started us; a supervisor's words also go to its log.
say() {
	printf 'payhook: %s\n' "$*" 2>/dev/null || true
	say_log "$@"
}

say_log() {
	[[ -z ${SAY_LOG-} ]] || printf '%(%FT%TZ)T %s\n' -1 "$*" >>"$SAY_LOG" || true
}

# fail STATUS TEXT: 1 something went wrong, 2 the caller asked for something that cannot be.
fail() {
	local status=$1
	shift
	printf 'payhook: %s\n' "$*" >&2 || true
	say_log "$@"
	exit "$status"
}

is_setting() {
	local line
	for line in "${SETTINGS[@]}" "${SECRETS[@]/%/_FILE}"; do
		[[ ${line%%|*} != "$1" ]] || return 0
	done
	return 1
}

# Values of the settings that name folders or files are relative to the file that they stand in.
env_take() {
	local name=$1 value=$2 folder=$3
	if [[ $name =~ ^(PAYHOOK_VAR|PAYHOOK_BUILD|TLS_CERTIFICATE|TLS_KEY|TLS_CLIENT_CA|.*_FILE)$ ]] && [[ -n $value && $value != /* ]]; then
		value=$folder/$value
	fi
	if [[ -z ${!name+set} ]]; then
		export "$name=$value"
	fi
}

# One line NAME=value.  The value is taken as it stands, nothing in it is expanded; quotes around it are removed, and
# without quotes it ends before " #".
env_line() {
	local line=$1 where=$2 folder=$3 name value
	line=${line%$'\r'}
	line="${line#"${line%%[![:space:]]*}"}"
	line="${line%"${line##*[![:space:]]}"}"
	[[ -n $line && $line != '#'* ]] || return 0
	[[ $line =~ ^([A-Za-z_][A-Za-z0-9_]*)=(.*)$ ]] || fail 2 "$where: not NAME=value"
	name=${BASH_REMATCH[1]} value=${BASH_REMATCH[2]}
	is_setting "$name" || fail 2 "$where: $name is not a setting of payhook"
	if [[ $value =~ ^\"([^\"]*)\"([[:space:]]+#.*)?$ || $value =~ ^\'([^\']*)\'([[:space:]]+#.*)?$ ]]; then
		value=${BASH_REMATCH[1]}
	elif [[ $value == [\"\']* ]]; then
		fail 2 "$where: $name has a quote without its pair"
	else
		value=${value%%[[:space:]]#*}
		value="${value%"${value##*[![:space:]]}"}"
	fi
	env_take "$name" "$value" "$folder"
}

env_file_read() {
	local file=${PAYHOOK_ENV_FILE:-$HERE/.env} line number=0
	if [[ ! -e $file ]]; then
		[[ -z ${PAYHOOK_ENV_FILE-} ]] || fail 2 "PAYHOOK_ENV_FILE=$file: there is no such file"
		return 0
	fi
	[[ -r $file ]] || fail 2 "$file: cannot be read"
	local folder
	folder=$(cd -- "$(dirname -- "$file")" && pwd)
	while IFS= read -r line || [[ -n $line ]]; do
		number=$((number + 1))
		env_line "$line" "$file line $number" "$folder"
	done <"$file"
}

# number_check NAME LEAST MOST
number_check() {
	local value=${!1}
	if [[ ! $value =~ ^[0-9]{1,9}$ ]] || ((10#$value < $2 || 10#$value > $3)); then
		fail 2 "$1=$value: must be a whole number from $2 to $3"
	fi
}

# Sets TLS_PORT, empty where there is none.
tls_settings_check() {
	local name
	TLS_PORT=${TLS_PORT:-0}
	number_check TLS_PORT 0 65535
	TLS_PORT=$((10#$TLS_PORT))
	[[ $TLS_PORT != "$PAYHOOK_PORT" ]] || fail 2 "TLS_PORT=$TLS_PORT: that is PAYHOOK_PORT too"
	[[ $TLS_PORT != 0 ]] || TLS_PORT=''
	for name in TLS_CERTIFICATE TLS_KEY TLS_CLIENT_CA; do
		[[ -n ${!name-} ]] || continue
		[[ -n $TLS_PORT ]] || fail 2 "$name=${!name}: it has no use without TLS_PORT"
		# The programs and nginx are started from other folders.
		printf -v "$name" %s "$(realpath -ms -- "${!name}")"
	done
	[[ -n ${TLS_CERTIFICATE-} || -z ${TLS_KEY-} ]] || fail 2 "TLS_KEY=$TLS_KEY: it wants its TLS_CERTIFICATE"
	[[ -n ${TLS_KEY-} || -z ${TLS_CERTIFICATE-} ]] || fail 2 "TLS_CERTIFICATE=$TLS_CERTIFICATE: it wants its TLS_KEY"
}

settings_read() {
	local line name
	env_file_read
	secrets_take || fail 2 "$REASON"
	for line in "${SETTINGS[@]}"; do
		name=${line%%|*}
		# Set but empty means not set, for the programs too.
		if [[ -n ${!name-} ]]; then
			export "${name?}"
		else
			unset "$name"
		fi
	done
	[[ ${PAYHOOK_PORT:-0} != 0 ]] || export PAYHOOK_PORT=$((EUID == 0 ? 80 : 8080))
	number_check PAYHOOK_PORT 1 65535
	PAYHOOK_PORT=$((10#$PAYHOOK_PORT))
	# The programs are started from another folder.
	[[ -z ${API_KEYS_FILE-} ]] || API_KEYS_FILE=$(realpath -ms -- "$API_KEYS_FILE")
	[[ -z ${SOURCES_FILE-} ]] || SOURCES_FILE=$(realpath -ms -- "$SOURCES_FILE")
	# These are used here as numbers, before the programs could check them.
	[[ -z ${RESPONDERS-} ]] || number_check RESPONDERS 0 64
	for name in RATE_LIMIT SOURCE_RATE_LIMIT CONNECTION_LIMIT; do
		[[ -z ${!name-} ]] || number_check "$name" 0 1000000
	done
	tls_settings_check
	[[ -z ${WORKER_GRACE_MS-} ]] || number_check WORKER_GRACE_MS 0 600000
	# What libfcgi reads from the environment is ours to decide, not the caller's.
	unset "${!LIBFCGI_@}"
}

# VAR is what PAYHOOK_VAR says.  RUN is a short path for sockets (at most 107 bytes) and the records of processes; it
# follows from VAR alone, so that every command finds it.  Not under $XDG_RUNTIME_DIR, which goes when its user logs
# out while "up -d" runs on.
folders_find() {
	VAR=$(realpath -m -- "${PAYHOOK_VAR:-$HERE/var}")
	BUILD=$(realpath -m -- "${PAYHOOK_BUILD:-$HERE/build}")
	export PAYHOOK_VAR=$VAR
	HASH=$(printf '%s' "$VAR" | sha256sum)
	HASH=${HASH:0:12}
	# No part ever gains a privilege: by a file's owner, by its capabilities, or by some that were handed down.
	BARE=(setpriv --no-new-privs --inh-caps=-all)
	AS_DB=("${BARE[@]}" --) AS_APP=("${BARE[@]}" --) APP_USER=
	RUN=/tmp/payhook-$EUID-$HASH
	if [[ $EUID -eq 0 ]]; then
		RUN=/run/payhook/$HASH
		APP_USER=payhook
		AS_DB=("${BARE[@]}" --reuid=postgres --regid=postgres --init-groups --)
		AS_APP=("${BARE[@]}" --reuid=payhook --regid=payhook --init-groups --)
	fi
	STATE=$VAR
	if [[ -L $VAR/elsewhere ]]; then
		STATE=$(readlink -- "$VAR/elsewhere")
	fi
}

folder_make() {
	local error
	[[ ! -d $1 ]] || return 0
	error=$( (mkdir -p -- "$1" && chmod "$2" -- "$1") 2>&1) || fail 1 "$3: the folder cannot be made: ${error##*: }"
}

run_folder_make() {
	if [[ $EUID -eq 0 ]]; then
		folder_make /run/payhook 755 /run/payhook
		folder_make "$RUN" 755 "$RUN"
		return
	fi
	folder_make "$RUN" 700 "$RUN"
	# /tmp is everybody's: a folder by that name which is not ours would be a trap.
	[[ -O $RUN && ! -L $RUN ]] || fail 1 "$RUN belongs to another user"
	chmod 700 -- "$RUN"
}

# Users other than root run the database and the programs; where the state folder is closed to them, the data lies in
# /var/lib/payhook, and the symlink "elsewhere" in the state folder says so.
state_folder_make() {
	local user
	folder_make "$VAR" 755 "PAYHOOK_VAR=$VAR"
	[[ -w $VAR ]] || fail 1 "PAYHOOK_VAR=$VAR: the folder cannot be written to"
	if [[ $EUID -eq 0 && $STATE == "$VAR" ]]; then
		for user in postgres payhook; do
			setpriv --reuid="$user" --regid="$user" --init-groups -- test -x "$VAR" 2>/dev/null && continue
			[[ ! -e $VAR/pg ]] || fail 1 "$VAR/pg holds data, but user $user can no longer enter $VAR"
			STATE=/var/lib/payhook/$HASH
			ln -s -- "$STATE" "$VAR/elsewhere"
			break
		done
	fi
	if [[ $STATE != "$VAR" ]]; then
		folder_make "$STATE" 755 "$STATE"
		say "other users cannot enter $VAR; the data lies in $STATE"
	fi
	mkdir -p -- "$STATE"/{bin,log,nginx}
	# What is logged is for the operator's eyes.
	chmod 750 -- "$STATE/log"
}
