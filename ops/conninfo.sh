# shellcheck shell=bash
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
