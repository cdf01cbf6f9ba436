# shellcheck shell=bash disable=SC2016
# trees.sh - creates what takes long and the deployments begin with: trees of Debian 12, as tar archives, and docker's plugins.
#
# Each is created once, from the machine's own apt sources, and kept in CACHE.  The trees with PostgreSQL start from a copy of
# the smallest one.

# apt_sources RELEASE... - prints the machine's apt sources for Debian's main component of these releases, as lines of
# sources.list.
apt_sources() {
	apt-get indextargets --format '$(CODENAME) $(COMPONENT) $(SITE)' 'Created-By: Packages' | sort -u |
		awk -v wanted=" $* " '$2 == "main" && index(wanted, " " $1 " ") {
			print "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]", $3, $1, $2 }'
}

# The smallest Debian 12, in place of debian:bookworm-slim.
tree_debian() {
	local sources tar=$CACHE/debian.tar
	[[ ! -s $tar ]] || return 0
	mkdir -p "$CACHE"
	sources=$(apt_sources bookworm bookworm-security bookworm-updates)
	[[ -n $sources ]] || { echo "the machine has no apt source of Debian 12" && return 1; }
	mmdebstrap -q --variant=minbase --dpkgopt=force-unsafe-io bookworm "$tar.new.tar" - <<<"$sources" || return
	mv "$tar.new.tar" "$tar"
}

# tree_install TREE PACKAGE... - installs packages into a tree that does not run, and starts no service.
tree_install() {
	local tree=$1 status=0
	shift
	printf '#!/bin/sh\nexit 101\n' >"$tree/usr/sbin/policy-rc.d"
	chmod 755 "$tree/usr/sbin/policy-rc.d"
	systemd-nspawn -q -D "$tree" --register=no --keep-unit --pipe --resolv-conf=replace-host \
		sh -euc 'apt-get -q update
			DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends \
				-o Dpkg::Options::=--force-unsafe-io "$@"
			apt-get clean' sh "$@" </dev/null || status=1
	rm "$tree/usr/sbin/policy-rc.d"
	return "$status"
}

# tree_extend NAME PREPARE PACKAGE... - creates CACHE/NAME, the smallest Debian 12 with these packages.  Before they are
# installed, PREPARE is called with the directory of the tree.
tree_extend() {
	local tree tar=$CACHE/$1 status=0
	[[ ! -s $tar ]] || return 0
	tree_debian || return
	tree=$(mktemp -d "$CACHE/tree.XXXXXX")
	chmod 755 "$tree"
	{
		tar -C "$tree" --numeric-owner -xpf "$CACHE/debian.tar" && "$2" "$tree" && tree_install "$tree" "${@:3}" &&
			tar -C "$tree" --numeric-owner -cf "$tar.new" . && mv "$tar.new" "$tar"
	} || status=1
	rm -rf --one-file-system -- "$tree"
	return "$status"
}

# In place of postgres:15.
tree_postgres() {
	tree_extend postgres.tar prepare_postgres postgresql-15
}

# The ids of the user are those of the official image.
prepare_postgres() {
	echo postgres:x:999: >>"$1/etc/group"
	echo postgres:x:999:999::/var/lib/postgresql:/bin/bash >>"$1/etc/passwd"
	mkdir -p "$1/etc/postgresql-common/createcluster.d"
	echo "create_main_cluster = false" >"$1/etc/postgresql-common/createcluster.d/none.conf"
	install -d -m 1777 -o 999 -g 999 "$1/var/lib/postgresql/data"
	install -m 755 "$ROOT/tests/deploy/postgres-entrypoint" "$1/usr/local/bin/docker-entrypoint.sh"
}

# A system for systemd to boot, with the services that payhook needs.
tree_system() {
	tree_extend system.tar true systemd systemd-sysv dbus nginx postgresql-15 openssl ca-certificates curl
}

# The next Debian with its PostgreSQL 17, and the 15 that an upgrade of Debian 12 leaves there.
tree_newer() {
	local sources tar=$CACHE/newer.tar
	[[ ! -s $tar ]] || return 0
	mkdir -p "$CACHE"
	sources=$(apt_sources bookworm | sed 's/ bookworm / trixie /')
	[[ -n $sources ]] || { echo "the machine has no apt source of Debian 12" && return 1; }
	{ printf '%s\n' "$sources" && apt_sources bookworm bookworm-security bookworm-updates; } |
		mmdebstrap -q --variant=minbase --dpkgopt=force-unsafe-io \
			--essential-hook='mkdir -p "$1/etc/postgresql-common/createcluster.d"' \
			--essential-hook='echo create_main_cluster = false >"$1/etc/postgresql-common/createcluster.d/none.conf"' \
			--include=postgresql-15,postgresql-17 trixie "$tar.new.tar" - || return
	mv "$tar.new.tar" "$tar"
}

# Docker's plugins "compose" and "buildx", in CACHE/cli-plugins.  Debian 12 has neither, so they come from the next Debian
# release, unpacked and not installed.
cli_plugins() {
	local apt status=0
	[[ ! -d $CACHE/cli-plugins ]] || return 0
	mkdir -p "$CACHE"
	apt=$(mktemp -d "$CACHE/apt.XXXXXX")
	cli_plugins_into "$apt" && mv "$apt/tree/usr/libexec/docker/cli-plugins" "$CACHE/cli-plugins" || status=1
	rm -rf -- "$apt"
	return "$status"
}

cli_plugins_into() {
	local apt=$1
	mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$apt/debs" "$apt/tree"
	apt_sources bookworm | sed 's/ bookworm / trixie /' >"$apt/sources.list"
	[[ -s $apt/sources.list ]] || { echo "the machine has no apt source of Debian 12" && return 1; }
	cat >"$apt/conf" <<-END
		Dir::Etc::sourcelist "$apt/sources.list";
		Dir::Etc::sourceparts "-";
		Dir::State::lists "$apt/lists";
		Dir::Cache "$apt/cache";
		Acquire::Languages "none";
		APT::Sandbox::User "root";
	END
	APT_CONFIG=$apt/conf apt-get -q update || return
	(cd "$apt/debs" && APT_CONFIG=$apt/conf apt-get -q download docker-compose docker-buildx) || return
	find "$apt/debs" -name '*.deb' -exec dpkg-deb -x {} "$apt/tree" \;
}
