# shellcheck shell=bash disable=SC2034
# Where the database is, as the settings say it, and its password.

# The settings that may stand in a file, which NAME_FILE names.
SECRETS=(DATABASE_URL POSTGRES_PASSWORD)

# secrets_take: what such files hold becomes the setting.  The reason why not is in REASON, without the secret.
secrets_take() {
	local name file value
	local -a lines
	for name in "${SECRETS[@]}"; do
		file=${name}_FILE
		file=${!file-}
		unset "${name}_FILE"
		[[ -n $file ]] || continue
		REASON="$name and ${name}_FILE are both set: which?"
		[[ -z ${!name-} ]] || return 1
		REASON="${name}_FILE=$file: the file cannot be read"
		{ mapfile -t lines <"$file"; } 2>/dev/null || return 1
		REASON="${name}_FILE=$file: the file has more than one line"
		((${#lines[@]} <= 1)) || return 1
		REASON="${name}_FILE=$file: the file is empty"
		value=${lines[0]-}
		value=${value%$'\r'}
		[[ -n $value ]] || return 1
		export "$name=$value"
	done
}

# conninfo_part NAME VALUE: a value in libpq's quotes.
conninfo_part() {
	local value=${2//\\/\\\\}
	printf "%s='%s' " "$1" "${value//\'/\\\'}"
}

# Sets CONNINFO, empty when the settings name no server; a password goes into PGPASSWORD.
conninfo_find() {
	CONNINFO=${DATABASE_URL-}
	if [[ -z $CONNINFO && -n ${POSTGRES_HOST-} ]]; then
		CONNINFO=$(conninfo_part host "$POSTGRES_HOST"
			conninfo_part port "${POSTGRES_PORT:-5432}"
			conninfo_part dbname "${POSTGRES_DB:-payhook}"
			conninfo_part user "${POSTGRES_USER:-payhook}")
		[[ -z ${POSTGRES_PASSWORD-} ]] || export PGPASSWORD=$POSTGRES_PASSWORD
	fi
	conninfo_hide_password
}

# A program's arguments can be read by every user of the machine: a password does not stay in them.

# Takes the password out of CONNINFO (URI or keywords) into PGPASSWORD.  What it does not recognise it leaves alone.
conninfo_hide_password() {
	local word="'(([^'\\\\]|\\\\.)*)'|([^[:space:]']+)"
	if [[ $CONNINFO =~ ^(postgres(ql)?://[^:@/?]*):([^@/?]*)(@.*)$ ]]; then
		CONNINFO=${BASH_REMATCH[1]}${BASH_REMATCH[4]}
		# %41 is A; printf knows that as \x41.
		printf -v PGPASSWORD '%b' "$(sed 's/\\/\\\\/g; s/%\([0-9A-Fa-f][0-9A-Fa-f]\)/\\x\1/g' <<<"${BASH_REMATCH[3]}")"
	elif [[ $CONNINFO != *://* && $CONNINFO =~ ^(.*[[:space:]])?password[[:space:]]*=[[:space:]]*($word)(.*)$ ]]; then
		CONNINFO=${BASH_REMATCH[1]}${BASH_REMATCH[6]}
		# shellcheck disable=SC2001
		PGPASSWORD=$(sed 's/\\\(.\)/\1/g' <<<"${BASH_REMATCH[3]}${BASH_REMATCH[5]}")
	else
		return 0
	fi
	export PGPASSWORD
}
