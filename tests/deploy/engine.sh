# shellcheck shell=bash disable=SC2016,SC2154
# A docker engine of the test's own, for a machine that reaches no image registry.
#
# dockerd runs in the test's directory without a service manager.  Debian 12's docker has neither "compose" v2 nor
# buildx, so these come from the next Debian release, unpacked and not installed.  The base images of the project are
# replaced by ones that mmdebstrap builds; that of PostgreSQL has an entrypoint with the functions of the official one
# that the project uses.
#
# Everything comes from the machine's own apt sources.  ENGINE is the directory of the test; results that take long to
# build are kept in CACHE.

NEXT_RELEASE=trixie

# In memory: the files are gigabytes, exist for minutes, and must not be left on a disk.
engine_folder_make() {
	ENGINE=$(mktemp -d /tmp/payhook-compose.XXXXXX)
	mount -t tmpfs -o mode=700,size=8g tmpfs "$ENGINE" 2>/dev/null || true
}

engine_folder_remove() {
	umount "$ENGINE" 2>/dev/null || umount -l "$ENGINE" 2>/dev/null || true
	rm -rf -- "$ENGINE"
}

# engine_possible - fails with the reason if this machine cannot run the test.
engine_possible() {
	local command
	((EUID == 0)) || { echo "only root can run dockerd" && return 1; }
	for command in dockerd containerd docker mmdebstrap iptables setpriv; do
		command -v "$command" >/dev/null || { echo "$command is missing: ./payhook test --deploy installs it" && return 1; }
	done
	mkdir -p "$ENGINE/try/"{lower,upper,work,all}
	mount -t overlay overlay -o "lowerdir=$ENGINE/try/lower,upperdir=$ENGINE/try/upper,workdir=$ENGINE/try/work" \
		"$ENGINE/try/all" || { echo "there are no overlay mounts here, which docker's images need" && return 1; }
	umount "$ENGINE/try/all"
}

# The two programs that docker runs for "compose" and for builds.
engine_plugins() {
	local apt=$ENGINE/apt
	if [[ ! -d $CACHE/cli-plugins ]]; then
		mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$apt/debs" "$apt/tree"
		apt_sources bookworm | sed "s/ bookworm / $NEXT_RELEASE /" >"$apt/sources.list"
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
		find "$apt/debs" -name '*.deb' -exec dpkg-deb -x {} "$apt/tree" \; || return
		mkdir -p "$CACHE"
		mv "$apt/tree/usr/libexec/docker/cli-plugins" "$CACHE/cli-plugins" || return
	fi
	mkdir -p "$DOCKER_CONFIG"
	cp -r "$CACHE/cli-plugins" "$DOCKER_CONFIG/"
}

# Must not run inside a check: the shell that starts dockerd is its parent, and dockerd ends when the shell does,
# however it ends.
engine_start() {
	cat >"$ENGINE/daemon.json" <<-END
		{"default-ulimits": {"nofile": {"Name": "nofile", "Soft": 1024, "Hard": $(ulimit -Hn)},
			"nproc": {"Name": "nproc", "Soft": 8192, "Hard": 8192}}}
	END
	setpriv --pdeathsig TERM dockerd --config-file "$ENGINE/daemon.json" --data-root "$ENGINE/data" \
		--exec-root "$ENGINE/exec" --pidfile "$ENGINE/dockerd.pid" -H "$DOCKER_HOST" >"$ENGINE/dockerd.log" 2>&1 &
	DOCKERD=$!
}

engine_answers() {
	kill -0 "$DOCKERD" 2>/dev/null || { tail -n 20 "$ENGINE/dockerd.log" && exit 1; }
	docker version
}

# dockerd stops its containers and its containerd.  Bridges and firewall chains stay: another docker may use them too.
engine_stop() {
	[[ -n ${DOCKERD-} ]] || return 0
	kill -TERM "$DOCKERD" 2>/dev/null || true
	timeout 30 tail --pid="$DOCKERD" -f /dev/null || kill -KILL "$DOCKERD" 2>/dev/null || true
	wait "$DOCKERD" 2>/dev/null || true
}

# image_import NAME TAR CHANGE... -- MMDEBSTRAP-OPTION... - imports an image of Debian 12, which is built if it is not
# in the cache.
image_import() {
	local name=$1 tar=$CACHE/$2 sources
	local -a changes=()
	shift 2
	while [[ $1 != -- ]]; do
		changes+=(-c "$1")
		shift
	done
	if [[ ! -s $tar ]]; then
		mkdir -p "$CACHE"
		sources=$(apt_sources bookworm bookworm-security bookworm-updates)
		mmdebstrap -q --variant=minbase --dpkgopt=force-unsafe-io "${@:2}" bookworm "$tar.new.tar" - <<<"$sources" || return
		mv "$tar.new.tar" "$tar"
	fi
	docker import "${changes[@]}" "$tar" "$name"
}

# The base images of the project.  The files of the official images differ, but the names, users, variables and paths
# are the same.
engine_images() {
	local here=$ROOT/tests/deploy
	image_import debian:bookworm-slim debian.tar 'CMD ["bash"]' -- || return
	image_import postgres:15 postgres.tar \
		'ENV PATH=/usr/lib/postgresql/15/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
		'ENV PGDATA=/var/lib/postgresql/data' 'VOLUME /var/lib/postgresql/data' \
		'ENTRYPOINT ["docker-entrypoint.sh"]' 'CMD ["postgres"]' -- \
		--include=postgresql-15 \
		--essential-hook='echo postgres:x:999: >>"$1/etc/group"' \
		--essential-hook='echo postgres:x:999:999::/var/lib/postgresql:/bin/bash >>"$1/etc/passwd"' \
		--essential-hook='mkdir -p "$1/etc/postgresql-common/createcluster.d"' \
		--essential-hook='echo "create_main_cluster = false" >"$1/etc/postgresql-common/createcluster.d/none.conf"' \
		--customize-hook='install -d -m 1777 -o 999 -g 999 "$1/var/lib/postgresql/data"' \
		--customize-hook="upload '$here/postgres-entrypoint' /usr/local/bin/docker-entrypoint.sh" \
		--customize-hook='chmod 755 "$1/usr/local/bin/docker-entrypoint.sh"'
}
