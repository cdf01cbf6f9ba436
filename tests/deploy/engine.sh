# shellcheck shell=bash disable=SC2154
# A docker engine of the test's own, for a machine that reaches no image registry.
#
# dockerd runs in the test's directory without a service manager.  The base images of the project are replaced by the trees of
# trees.sh; that of PostgreSQL has an entrypoint with the functions of the official one that the project uses.  ENGINE is the
# directory of the test.


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
	for command in dockerd containerd docker mmdebstrap systemd-nspawn iptables setpriv; do
		command -v "$command" >/dev/null || { echo "$command is missing: ./payhook test --deploy installs it" && return 1; }
	done
	mkdir -p "$ENGINE/try/"{lower,upper,work,all}
	mount -t overlay overlay -o "lowerdir=$ENGINE/try/lower,upperdir=$ENGINE/try/upper,workdir=$ENGINE/try/work" \
		"$ENGINE/try/all" || { echo "there are no overlay mounts here, which docker's images need" && return 1; }
	umount "$ENGINE/try/all"
}

# The two programs that docker runs for "compose" and for builds.
engine_plugins() {
	cli_plugins || return
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

# The project's images take minutes to build.  The test that has built some keeps them for the next one, which takes them only if
# they are of the same sources: those of the programs change often, those of docker-compose.ha.yml's nodes rarely.
declare -A ENGINE_SOURCES=(
	[programs]='Dockerfile app console ctl docker include lib man meson.build meson_options.txt nginx ops packages.txt schema
		supervisor systemd web worker'
	[nodes]='Dockerfile docker ops/postgresql.conf.in'
)
declare -A ENGINE_IMAGES=(
	[programs]='payhook-migrate payhook-app payhook-worker payhook-console payhook-nginx'
	[nodes]='payhook-etcd payhook-patroni'
)

# engine_kept KIND - prints the file in which images of these sources are kept.
engine_kept() {
	local sources
	# shellcheck disable=SC2086
	sources=$(tar -C "$ROOT" --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 -c ${ENGINE_SOURCES[$1]} | sha256sum)
	echo "$CACHE/$1-${sources:0:16}.tar"
}

engine_images_keep() {
	local tar
	tar=$(engine_kept "$1")
	rm -f -- "$CACHE/$1"-*.tar
	# shellcheck disable=SC2086
	docker save -o "$tar.new" ${ENGINE_IMAGES[$1]} && mv "$tar.new" "$tar"
}

engine_images_take() {
	local tar
	tar=$(engine_kept "$1")
	[[ -s $tar ]] && docker load -q -i "$tar"
}

# The base images of the project.  The files of the official images differ, but the names, users, variables and paths
# are the same.
engine_images() {
	tree_debian && docker import -c 'CMD ["bash"]' "$CACHE/debian.tar" debian:bookworm-slim || return
	tree_postgres && docker import \
		-c 'ENV PATH=/usr/lib/postgresql/15/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
		-c 'ENV PGDATA=/var/lib/postgresql/data' -c 'VOLUME /var/lib/postgresql/data' \
		-c 'ENTRYPOINT ["docker-entrypoint.sh"]' -c 'CMD ["postgres"]' "$CACHE/postgres.tar" postgres:15
}
