# shellcheck shell=bash disable=SC2034
# The connection string of the database, from the settings, and its password.

# The settings whose value may be in a file, named by NAME_FILE.
SECRETS=(DATABASE_URL POSTGRES_PASSWORD)

# secrets_take - sets these settings from their files.  On failure sets REASON, which does not contain the secret.
secrets_take() {
	local name file value
	local -a lines
	for name in "${SECRETS[@]}"; do
		file=${name}_FILE
		file=${!file-}
		unset "${name}_FILE"
		[[ -n $file ]] || continue
		REASON="$name and ${name}_FILE are both set; set only one"
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

# conninfo_part NAME VALUE - prints a keyword with its value in libpq's quotes.
conninfo_part() {
	local value=${2//\\/\\\\}
	printf "%s='%s' " "$1" "${value//\'/\\\'}"
}

# Sets CONNINFO, empty if the settings name no server.  A password is set as PGPASSWORD.
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

# Every user of the machine can read a program's arguments, so these must not contain a password.

# Moves the password from CONNINFO (URI or keywords) to PGPASSWORD.  A conninfo of another form is left unchanged.
conninfo_hide_password() {
	local word="'(([^'\\\\]|\\\\.)*)'|([^[:space:]']+)"
	if [[ $CONNINFO =~ ^(postgres(ql)?://[^:@/?]*):([^@/?]*)(@.*)$ ]]; then
		CONNINFO=${BASH_REMATCH[1]}${BASH_REMATCH[4]}
		# %41 is A; printf has \x41 for it.
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
