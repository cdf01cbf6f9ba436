/* pg_server.c - copies, starts, freezes, promotes and removes PostgreSQL servers for one test. */

#include "support/pg_server.h"

#include <criterion/criterion.h>
#include <ftw.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/base.h"
#include "support/calm.h"
#include "support/process.h"

#define COPY_MS 60000  /* pg_basebackup of some 50 MB on a busy machine */
#define START_MS 50000 /* it reads and writes as much, while another test may flush gigabytes */
#define STEP_MS 20000  /* any other step */
#define ARGUMENTS_MAX 48

/* ---- processes ---- */

static const char *program(const char *name, char ret[256])
{
	const char *bin = getenv("PAYHOOK_TEST_PGBIN");
	snprintf(ret, 256, "%s/%s", bin ? bin : "/usr/lib/postgresql/15/bin", name);
	return ret;
}

/* Starts one of PostgreSQL's programs, which refuse to run as root.  If the test's process ends, the kernel sends
 * SIGINT. */
static pid_t start(const struct pg_server *s, const char *const arguments[])
{
	const char *argv[ARGUMENTS_MAX] = {"setpriv", "--pdeathsig", "INT"};
	char log[128];
	int count = 3;
	if (geteuid() == 0) {
		argv[count++] = "--reuid=postgres";
		argv[count++] = "--regid=postgres";
		argv[count++] = "--init-groups";
	}
	argv[count++] = "--";
	for (; *arguments && count < ARGUMENTS_MAX - 1; arguments++)
		argv[count++] = *arguments;
	snprintf(log, sizeof log, "%s/log", s->folder);
	pid_t pid = process_start(argv, NULL, log);
	cr_assert_gt(pid, 0);
	return pid;
}

static void make_folder(struct pg_server *s)
{
	snprintf(s->folder, sizeof s->folder, "/tmp/payhook-test.XXXXXX");
	cr_assert_not_null(mkdtemp(s->folder));
	s->pid = 0;
}

/* The user that runs PostgreSQL owns it. */
static void give_folder(const struct pg_server *s)
{
	const struct passwd *user = getpwnam("postgres");
	cr_assert_eq(chmod(s->folder, 0755), 0);
	if (geteuid() == 0)
		cr_assert(user && chown(s->folder, user->pw_uid, user->pw_gid) == 0);
}

/* Copies the server of this conninfo, as its standby if so wished. */
static void copy(const struct pg_server *s, const char *conninfo, bool is_standby)
{
	char file[256], data[128], from[512];
	int status;
	give_folder(s);
	snprintf(data, sizeof data, "--pgdata=%s/data", s->folder);
	snprintf(from, sizeof from, "--dbname=%s application_name=standby", conninfo);
	pid_t pid = start(
		s, (const char *const[]){program("pg_basebackup", file), data, from, "--checkpoint=fast",
			   "--wal-method=stream", "--no-sync", is_standby ? "--write-recovery-conf" : NULL, NULL});
	cr_assert(process_wait(pid, COPY_MS, &status) && status == 0, "pg_basebackup: see %s/log", s->folder);
}

/* Criterion prints no message of an assertion that fails before the test begins. */
static void print_log(const struct pg_server *s)
{
	char name[256], text[4096];
	snprintf(name, sizeof name, "%s/log", s->folder);
	FILE *log = fopen(name, "r");
	size_t len = log ? fread(text, 1, sizeof text - 1, log) : 0;
	text[len] = '\0';
	if (log)
		fclose(log);
	fprintf(stderr, "%s %s: %s\n", s->folder, process_lives(s->pid) ? "starts too slowly" : "has ended", text);
}

void pg_server_start(struct pg_server *s)
{
	char file[256], data[128], conninfo[256];
	snprintf(data, sizeof data, "%s/data", s->folder);
	s->pid = start(s, (const char *const[]){program("postgres", file), "-D", data, "-k", s->folder, "-c",
				  "listen_addresses=", "-c", "unix_socket_permissions=0700", "-c", "fsync=off", "-c",
				  "autovacuum=off", "-c", "jit=off", "-c", "max_connections=50", "-c",
				  "shared_buffers=16MB", "-c", "wal_retrieve_retry_interval=50ms", "-c",
				  "min_wal_size=32MB", "-c", "max_wal_size=64MB", NULL});
	pg_server_conninfo(s, "postgres", conninfo);
	for (long long end = calm_ms() + START_MS; PQping(conninfo) != PQPING_OK; pause_a_little()) {
		if (!process_lives(s->pid) || calm_ms() >= end)
			print_log(s);
		cr_assert(process_lives(s->pid) && calm_ms() < end, "PostgreSQL does not start");
	}
}

static void every_process(const struct pg_server *s, int signal)
{
	struct pids all;
	process_tree(s->pid, &all);
	kill(s->pid, signal);
	process_signal(&all, signal);
}

/* Twice, to include processes that were forked meanwhile. */
void pg_server_freeze(const struct pg_server *s)
{
	every_process(s, SIGSTOP);
	every_process(s, SIGSTOP);
}

void pg_server_thaw(const struct pg_server *s)
{
	every_process(s, SIGCONT);
}

void pg_server_end(struct pg_server *s, int signal)
{
	int status;
	if (s->pid == 0)
		return;
	pg_server_thaw(s);
	kill(s->pid, signal);
	bool ended = process_wait(s->pid, STEP_MS, &status);
	s->pid = 0;
	cr_assert(ended, "PostgreSQL does not end: see %s/log", s->folder);
}

/* ---- servers ---- */

static void copy_cluster(struct pg_server *s)
{
	char conninfo[256];
	const char *cluster = getenv("PAYHOOK_TEST_CLUSTER");
	cr_assert_not_null(cluster, "no PAYHOOK_TEST_CLUSTER: run it through tests/support/with_cluster.sh");
	copy(s, cluster, false);
	pg_server_start(s);
	snprintf(conninfo, sizeof conninfo, "host=%s user=postgres", s->folder);
	setenv("PAYHOOK_TEST_CLUSTER", conninfo, 1);
}

void pg_server_primary(struct pg_server *s)
{
	make_folder(s);
	copy_cluster(s);
}

bool pg_server_primary_on_disk(struct pg_server *s, int megabytes)
{
	char size[32];
	make_folder(s);
	snprintf(size, sizeof size, "size=%dm", megabytes);
	if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
		mount("tmpfs", s->folder, "tmpfs", 0, size) != 0) {
		pg_server_remove(s);
		return false;
	}
	copy_cluster(s);
	return true;
}

void pg_server_standby(struct pg_server *s, const struct pg_server *primary)
{
	char conninfo[256];
	make_folder(s);
	snprintf(conninfo, sizeof conninfo, "host=%s user=postgres", primary->folder);
	copy(s, conninfo, true);
	pg_server_start(s);
	pg_server_await(primary, "postgres", "SELECT state FROM pg_stat_replication WHERE application_name = 'standby'",
		"streaming");
}

void pg_server_promote(const struct pg_server *s)
{
	cr_assert_str_eq(pg_server_value(s, "postgres", "SELECT pg_promote()"), "t");
	pg_server_await(s, "postgres", "SELECT pg_is_in_recovery()", "f");
}

void pg_server_set(const struct pg_server *s, const char *name, const char *value)
{
	char sql[512];
	snprintf(sql, sizeof sql, "ALTER SYSTEM SET %s = '%s'", name, value);
	pg_server_value(s, "postgres", sql);
	pg_server_value(s, "postgres", "SELECT pg_reload_conf()");
	snprintf(sql, sizeof sql, "SELECT current_setting('%s')", name);
	pg_server_await(s, "postgres", sql, value);
}

void pg_server_cut_off(const struct pg_server *standby)
{
	pg_server_set(standby, "primary_conninfo", "");
	pg_server_await(standby, "postgres", "SELECT count(*) FROM pg_stat_wal_receiver", "0");
}

void pg_server_join(const struct pg_server *standby, const struct pg_server *primary)
{
	char conninfo[256];
	snprintf(conninfo, sizeof conninfo, "host=%s user=postgres application_name=standby", primary->folder);
	pg_server_set(standby, "primary_conninfo", conninfo);
	pg_server_await(primary, "postgres", "SELECT state FROM pg_stat_replication WHERE application_name = 'standby'",
		"streaming");
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st, (void)type, (void)where;
	return remove(path);
}

void pg_server_remove(struct pg_server *s)
{
	if (!*s->folder)
		return;
	pg_server_end(s, SIGQUIT);
	umount2(s->folder, MNT_DETACH);
	nftw(s->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	*s->folder = '\0';
}

/* ---- queries ---- */

const char *pg_server_conninfo(const struct pg_server *s, const char *database, char ret[256])
{
	snprintf(ret, 256, "host=%s user=postgres dbname=%s", s->folder, database);
	return ret;
}

const char *pg_server_value(const struct pg_server *s, const char *database, const char *sql)
{
	static char value[1024];
	char conninfo[256];
	PGconn *conn = PQconnectdb(pg_server_conninfo(s, database, conninfo));
	PGresult *r = PQexec(conn, sql);
	ExecStatusType status = PQresultStatus(r);
	cr_assert(status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK, "%s: %s", sql, PQerrorMessage(conn));
	snprintf(value, sizeof value, "%s", PQntuples(r) > 0 ? PQgetvalue(r, 0, 0) : "");
	PQclear(r);
	PQfinish(conn);
	return value;
}

void pg_server_await(const struct pg_server *s, const char *database, const char *sql, const char *value)
{
	const char *seen = pg_server_value(s, database, sql);
	for (long long end = calm_ms() + STEP_MS; strcmp(seen, value) != 0; pause_a_little()) {
		cr_assert(calm_ms() < end, "%s is \"%s\", not \"%s\"", sql, seen, value);
		seen = pg_server_value(s, database, sql);
	}
}
