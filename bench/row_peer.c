/* row_peer.c - payhook beside a Node service that does the same with the usual libraries (bench/peer/server.js).
 *
 * Both use the same PostgreSQL, in turns.  The service has no nginx before it, which is in its favour.  Where there is no
 * node, or npm cannot fetch the libraries, the row is left out. */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"
#include "dial.h"
#include "rows.h"
#include "stop.h"
#include "support/process.h"
#include "text.h"

#define PATH_LEN 512
#define INSTALL_MS 120000
#define START_MS 20000

static struct {
	pid_t pid; /* 0: not started */
	int port;
	char folder[PATH_LEN / 2];
	PGconn *tables; /* to its database */
} service;

static bool copy(const char *source, const char *name, struct fault *f)
{
	char from[PATH_LEN], to[PATH_LEN];
	snprintf(from, sizeof from, "%s/bench/peer/%s", source, name);
	snprintf(to, sizeof to, "%s/%s", service.folder, name);
	char *text = text_read(from, f);
	bool ok = text && text_write(to, text, f);
	free(text);
	return ok;
}

/* Its folder is kept from one run to the next, so that npm has to fetch the libraries once. */
static bool install(const struct bench *b, struct fault *f)
{
	const char *source = getenv("PAYHOOK_SOURCE");
	char log[PATH_LEN];
	snprintf(service.folder, sizeof service.folder, "%.200s/peer", b->out);
	snprintf(log, sizeof log, "%s/npm.log", service.folder);
	mkdir(b->out, 0755);
	mkdir(service.folder, 0755);
	return copy(source ? source : ".", "package.json", f) && copy(source ? source : ".", "server.js", f) &&
	       child_run((const char *const[]){"npm", "install", "--prefix", service.folder, "--omit=dev",
				 "--no-package-lock", "--no-audit", "--no-fund", NULL},
		       log, INSTALL_MS, f);
}

static bool start(struct stage *s, struct fault *f)
{
	char host[256], user[64], conninfo[PATH_LEN], program[PATH_LEN], log[PATH_LEN], port[16], cores[16];
	const char *const variables[] = {host, user, "PGDATABASE=payhook_peer", NULL};
	service.port = dial_free_port();
	snprintf(host, sizeof host, "PGHOST=%s", PQhost(s->superuser));
	snprintf(user, sizeof user, "PGUSER=%s", PQuser(s->superuser));
	snprintf(conninfo, sizeof conninfo, "host='%s' user=%s dbname=payhook_peer", PQhost(s->superuser),
		PQuser(s->superuser));
	snprintf(program, sizeof program, "%s/server.js", service.folder);
	snprintf(log, sizeof log, "%s/log", service.folder);
	snprintf(port, sizeof port, "%d", service.port);
	snprintf(cores, sizeof cores, "%ld", sysconf(_SC_NPROCESSORS_ONLN));
	if (!pg_run(s->superuser, "CREATE DATABASE payhook_peer", f))
		return false;
	service.pid = process_start((const char *const[]){"node", program, port, cores, NULL}, variables, log);
	return dial_await(service.port, START_MS, f) && pg_open(conninfo, NULL, &service.tables, f);
}

static bool prepare(struct bench *b, struct fault *f)
{
	struct stage *s;
	struct fault missing;
	if (!install(b, &missing)) {
		if (stop_asked())
			return fault_set(f, FAULT_BUSY, "asked to stop");
		bench_print(b, "left out: %s", missing.text);
		report_leave_out(&b->report, missing.text);
		return true;
	}
	return bench_stage(b, STAGE_RESTING, &s, f) && start(s, f);
}

static bool service_rate(struct bench *b, int connections, struct best *best, struct fault *f)
{
	double rate;
	if (!pg_run(service.tables, "TRUNCATE transactions, jobs", f) ||
		!bench_rate(b, service.port, connections, (struct request_plan){.kind = REQUEST_UNIQUE}, &rate, f))
		return false;
	if (rate > best->rate)
		*best = (struct best){.rate = rate, .connections = connections};
	return true;
}

static bool measure(struct bench *b, struct fault *f)
{
	struct stage *s = &b->stages[STAGE_RESTING];
	struct best payhook, node = {0};
	if (service.pid <= 0)
		return true;
	if (!bench_best(b, s, s->instance.port, (struct request_plan){.kind = REQUEST_UNIQUE}, &payhook, f) ||
		!service_rate(b, 64, &node, f) || (!b->quick && !service_rate(b, 256, &node, f)))
		return false;
	bench_add_rate(b, "accepted by payhook", payhook.rate);
	bench_add_rate(b, "accepted by the Node service", node.rate);
	report_add_for(&b->report, "payhook / the Node service", "x", payhook.rate / node.rate, TARGET_LEAST, 2);
	return pg_run(service.tables, "TRUNCATE transactions, jobs", f) && stage_clean(s, f);
}

static void finish(struct bench *b)
{
	int status;
	(void)b;
	PQfinish(service.tables);
	if (service.pid > 0) {
		kill(-service.pid, SIGTERM);
		process_wait(service.pid, 5000, &status);
	}
	service.pid = 0;
	service.tables = NULL;
}

const struct row ROW_PEER = {
	.name = "peer",
	.asks = "how payhook compares to a good Node service (Fastify, pg)",
	.prepare = prepare,
	.measure = measure,
	.finish = finish,
};
