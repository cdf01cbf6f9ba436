# The images of docker-compose.yml, one stage each.  All but the database's come from Debian 12, whose nginx, libraries
# and PostgreSQL client are those that payhook is tested with and that its security updates cover.

FROM debian:bookworm-slim AS build
WORKDIR /src
COPY docker/packages packages.txt ./
RUN ./packages $(awk '/^\[/ { wanted = $0 == "[build]" } wanted && /^[a-z]/' packages.txt)
COPY . .
RUN meson setup -Dtests=false -Dbench=false /build . && ninja -C /build app/payhook-app worker/payhook-worker && \
	strip /build/app/payhook-app /build/worker/payhook-worker

# What runs has a user of its own, and nothing in it belongs to that user.
FROM debian:bookworm-slim AS base
RUN groupadd --gid 10001 payhook && \
	useradd --uid 10001 --gid payhook --home-dir /nonexistent --no-create-home --shell /usr/sbin/nologin payhook
COPY docker/packages /usr/lib/payhook/docker/
WORKDIR /usr/lib/payhook

FROM base AS app
RUN docker/packages spawn-fcgi multiwatch libfcgi-bin libfcgi0ldbl libjson-c5 libevent-core-2.1-7 libpq5 libssl3 zlib1g
COPY --from=build /build/app/payhook-app /usr/sbin/
COPY ops/pool ops/
COPY docker/app docker/app-health docker/
# A new volume takes owner and mode from here: the pool makes its socket in it, and nginx, of the same group, finds it.
RUN install -d -m 750 -o payhook -g payhook /run/payhook
USER payhook
CMD ["docker/app"]

FROM base AS worker
RUN docker/packages ca-certificates libjson-c5 libevent-core-2.1-7 libevent-extra-2.1-7 libpq5 libcurl4 libssl3
COPY --from=build /build/worker/payhook-worker /usr/sbin/
COPY docker/worker-health docker/
USER payhook
CMD ["payhook-worker"]

FROM base AS migrate
RUN docker/packages postgresql-client-15
COPY ops/conninfo.sh ops/
COPY schema schema
COPY docker/password docker/
RUN install -d -m 755 -o payhook -g payhook /run/password
USER payhook
CMD ["schema/migrate"]

FROM base AS nginx
RUN docker/packages nginx
RUN useradd --uid 10002 --gid payhook --home-dir /nonexistent --no-create-home --shell /usr/sbin/nologin door && \
	install -d -m 750 -o payhook -g payhook /run/payhook
COPY nginx nginx
COPY ops/nginx.sh ops/
COPY docker/nginx docker/nginx-health docker/
USER door
CMD ["docker/nginx"]

# PostgreSQL's own image, with the settings of payhook's private cluster and a role that is no superuser.
FROM postgres:15 AS database
COPY ops/postgresql.conf.in /tmp/
RUN sed -e 's,@SOCKETS@,/var/run/postgresql,; s,@SHARED_BUFFERS@,256,; s,@MAX_WAL_SIZE@,4GB,; s,@MIN_WAL_SIZE@,1GB,' \
	/tmp/postgresql.conf.in >/etc/payhook.conf && rm /tmp/postgresql.conf.in
COPY --chmod=755 docker/database /docker-entrypoint-initdb.d/payhook.sh
USER postgres
CMD ["postgres", "-c", "config_file=/etc/payhook.conf", "-c", "listen_addresses=*"]
