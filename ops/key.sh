# shellcheck shell=bash disable=SC2034,SC2154
# "key --save": makes an API key and adds its entry to the file that the responders and the console read.
#
# Without API_KEYS_FILE that is keys.json beside the data, which "up" reads if it is there.  The file has digests only, so every
# user may read it.

# Sets API_KEYS_FILE to the file that "key --save" has made, unless the operator has one.
keys_find() {
	[[ -z ${API_KEYS_FILE-} && -e $STATE/keys.json ]] || return 0
	export API_KEYS_FILE=$STATE/keys.json
}

# keys_with ENTRY FILE - prints the list in the file, if there is one, with one entry more.
keys_with() {
	perl -MJSON::PP -e '
		my $list = {keys => []};
		if (-e $ARGV[1]) {
			open(my $in, "<:raw", $ARGV[1]) or die "$ARGV[1]: $!\n";
			local $/;
			$list = JSON::PP->new->utf8->decode(scalar <$in>);
		}
		ref $list eq "HASH" && ref $list->{keys} eq "ARRAY" or die "$ARGV[1]: no list of keys\n";
		push @{$list->{keys}}, JSON::PP->new->utf8->decode($ARGV[0]);
		print JSON::PP->new->utf8->canonical->indent->encode($list);
	' -- "$@"
}

# key_save NAME SCOPE... - makes the key, adds its entry and prints the key.  The file is replaced if the programs take it.  Of several
# commands at once, each waits for the one before.
key_save() {
	local made file=${API_KEYS_FILE:-$STATE/keys.json}
	[[ -d $STATE/bin ]] || fail 1 "payhook has to be started first: ./payhook up"
	made=$("$BUILD/ctl/payhook-ctl" key "$@" 2>/dev/null) || exec "$BUILD/ctl/payhook-ctl" key "$@"
	file=$(readlink -m -- "$file")
	file_lock "$STATE/keys.lock"
	if ! keys_with "${made#*$'\n'}" "$file" >"$file.new"; then
		[[ ! -e $file.new ]] || rm -f -- "$file.new"
		fail 1 "$file: the key cannot be added"
	fi
	if ! with_settings_of_keys "$file.new" "$BUILD/console/payhook-console" --check >/dev/null; then
		rm -f -- "$file.new"
		fail 2 "the key was not added to $file"
	fi
	chmod 644 -- "$file.new"
	mv -f -- "$file.new" "$file"
	printf 'The key, shown this once; it is sent as "Authorization: Bearer KEY":\n' >&2
	printf '%s\n' "${made%%$'\n'*}"
	key_note "$file"
}

# with_settings_of_keys FILE COMMAND...
with_settings_of_keys() {
	ENVIRONMENT=("PATH=$PATH" DATABASE_URL='host=none' "API_KEYS_FILE=$1")
	with_environment "${@:2}"
}

# key_note FILE - prints how the key comes into force.
key_note() {
	is_running || return 0
	if grep -qzxF "API_KEYS_FILE=$1" "$RUN/pool.env" 2>/dev/null; then
		info "it is good after: ./payhook reload" >&2
	else
		info "it is good after a restart: ./payhook down && ./payhook up -d.  From then on, reading needs a key everywhere" >&2
	fi
}
