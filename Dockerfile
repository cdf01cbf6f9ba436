# The images of docker-compose.yml, one stage each.  All except the database image are based on Debian 12: payhook is tested
# with its nginx, libraries and PostgreSQL client, and its security updates cover them.

FROM debian:bookworm-slim AS build
WORKDIR /src
COPY docker/packages packages.txt ./
RUN ./packages $(awk '/^\[/ { wanted = $0 == "[build]" } wanted && /^[a-z]/' packages.txt)
COPY . .
RUN meson setup -Dtests=false -Dbench=false --prefix=/usr --sysconfdir=/etc /build . && \
	meson install -C /build --destdir /installed --strip

# The programs run as users that own no file of the image: the responders as payhook, the worker and the migrations as one of
# their own.
FROM debian:bookworm-slim AS base
RUN groupadd --gid 10001 payhook && \
	useradd --uid 10001 --gid payhook --home-dir /nonexistent --no-create-home --shell /usr/sbin/nologin payhook
COPY docker/packages /usr/share/payhook/docker/
WORKDIR /usr/share/payhook

FROM base AS app
RUN docker/packages spawn-fcgi multiwatch libfcgi-bin libfcgi0ldbl libevent-core-2.1-7 libpq5 libssl3 zlib1g ca-certificates libcurl4
COPY --from=build /installed/usr/sbin/payhook-app /usr/sbin/
COPY --from=build /installed/usr/sbin/payhook-ctl /usr/sbin/
COPY --from=build /installed/usr/share/payhook/ops/pool ops/
COPY --from=build /installed/usr/share/payhook/sources sources/
COPY ops/settings.sh ops/settings_table.sh ops/number.sh ops/printable.sh ops/names.sh ops/trust.sh ops/
COPY docker/app docker/app-health docker/key docker/responder docker/send docker/
# Owner and mode as in the volume that is mounted here: the pool creates its socket in it, and nginx, in the same group,
# connects to it.
RUN install -d -m 750 -o payhook -g payhook /run/payhook /run/keys
USER payhook
CMD ["docker/app"]

# The console's group is that of nginx and of the file of API keys.
FROM base AS console
RUN docker/packages spawn-fcgi multiwatch libfcgi-bin libfcgi0ldbl libevent-core-2.1-7 libpq5 libssl3 zlib1g
COPY --from=build /installed/usr/sbin/payhook-console /usr/sbin/
COPY ops/pool ops/number.sh ops/
COPY docker/console docker/console-process docker/console-health docker/
RUN useradd --uid 10005 --gid payhook --home-dir /nonexistent --no-create-home --shell /usr/sbin/nologin payhook-console && \
	install -d -m 750 -o payhook-console -g payhook /run/payhook-console
USER payhook-console
CMD ["docker/console"]

FROM base AS worker
RUN docker/packages ca-certificates libevent-core-2.1-7 libevent-extra-2.1-7 libpq5 libcurl4 libssl3
COPY --from=build /installed/usr/sbin/payhook-worker /usr/sbin/
COPY docker/worker-health docker/
RUN groupadd --gid 10003 payhook-worker && \
	useradd --uid 10003 --gid payhook-worker --home-dir /nonexistent --no-create-home --shell /usr/sbin/nologin payhook-worker
USER payhook-worker
CMD ["payhook-worker"]

# Applies the migrations; also contains the operator's command (psql, backup, restore, import, forget).
FROM app AS migrate
USER root
RUN docker/packages postgresql-client-15 openssl
COPY --from=build /installed/usr/share/payhook/payhook.env /etc/payhook/
COPY --from=build /installed/usr/bin/payhook /usr/bin/
COPY --from=build /installed/usr/share/payhook .
COPY docker/password docker/migrate docker/
# New volumes inherit the owner of these directories, which the service "password" runs as.
RUN install -d -m 755 -o payhook -g payhook /run/password/owner /run/password/app /run/password/worker \
	/run/password/console /run/password/cluster
RUN groupadd --gid 10004 payhook-owner && \
	useradd --uid 10004 --gid payhook-owner --home-dir /nonexistent --no-create-home --shell /usr/sbin/nologin payhook-owner
USER payhook-owner
CMD ["docker/migrate"]

FROM base AS nginx
RUN docker/packages nginx openssl libjs-chart.js
RUN useradd --uid 10002 --gid payhook --home-dir /nonexistent --no-create-home --shell /usr/sbin/nologin web && \
	install -d -m 750 -o payhook -g payhook /run/payhook
COPY nginx nginx
COPY web web
COPY ops/nginx.sh ops/tls.sh ops/settings.sh ops/settings_table.sh ops/number.sh ops/printable.sh ops/names.sh ops/trust.sh ops/
COPY docker/nginx docker/nginx-health docker/
COPY --chmod=755 docker/python /usr/local/bin/python
USER web
CMD ["docker/nginx"]

# The server of the official PostgreSQL image, with the settings of payhook's private cluster and an entrypoint of payhook's.
FROM postgres:15 AS database
COPY ops/postgresql.conf.in /tmp/
RUN sed -e 's,@SOCKETS@,/var/run/postgresql,; s,@SHARED_BUFFERS@,256,; s,@MAX_WAL_SIZE@,4GB,; s,@MIN_WAL_SIZE@,1GB,' \
	/tmp/postgresql.conf.in >/etc/payhook.conf && rm /tmp/postgresql.conf.in
WORKDIR /usr/share/payhook
COPY docker/database docker/roles docker/
ENV PGDATA=/var/lib/postgresql/data/15
USER postgres
ENTRYPOINT ["/usr/share/payhook/docker/database"]
CMD ["postgres", "-c", "config_file=/etc/payhook.conf", "-c", "listen_addresses=*"]

# The nodes of docker-compose.ha.yml.  New volumes inherit the owner of the directories.
FROM base AS etcd
RUN docker/packages etcd-server etcd-client && install -d -m 700 -o payhook -g payhook /var/lib/etcd
USER payhook
CMD ["etcd"]

# Patroni and PostgreSQL, with the user ids of the official image.
FROM base AS patroni
RUN groupadd --gid 999 postgres && \
	useradd --uid 999 --gid postgres --home-dir /var/lib/postgresql --no-create-home --shell /bin/bash postgres && \
	mkdir -p /etc/postgresql-common/createcluster.d && \
	echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.d/none.conf && \
	docker/packages postgresql-15 patroni python3-etcd && \
	install -d -m 700 -o postgres -g postgres /var/lib/postgresql/data
COPY ops/postgresql.conf.in /tmp/
RUN sed -e 's,@SOCKETS@,/var/run/postgresql,; s,@SHARED_BUFFERS@,256,; s,@MAX_WAL_SIZE@,4GB,; s,@MIN_WAL_SIZE@,1GB,' \
	/tmp/postgresql.conf.in >/etc/payhook.conf && rm /tmp/postgresql.conf.in
COPY docker/patroni docker/patroni-health docker/roles docker/
COPY docker/patroni.yml /etc/patroni.yml
USER postgres
CMD ["docker/patroni"]
