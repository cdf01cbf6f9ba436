/* test_pooler.c - connections through PgBouncer 1.18, which does not keep prepared statements in transaction mode. */

#include <criterion/criterion.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pg/connection.h"
#include "support/calm.h"
#include "support/connection_client.h"
#include "support/fresh_database.h"
#include "support/loop.h"
#include "support/process.h"

#define CLIENTS 2

static struct client clients[CLIENTS];
static char folder[] = "/tmp/payhook-pooler.XXXXXX";
static char conninfo[256];
static pid_t pooler;

static const struct statement ONE = {"one", "SELECT 1"};
static const struct statement *const STATEMENTS[] = {&ONE};

static const struct connection_plan PLAN = {.name = "test",
	.statements = STATEMENTS,
	.statement_count = COUNT_OF(STATEMENTS),
	.answer_ms = 5000,
	.up = client_on_up,
	.ready = client_on_ready,
	.down = client_on_down};

static bool is_any_down(void *ctx)
{
	(void)ctx;
	return clients[0].downs + clients[1].downs > 0;
}

static void connect_client(struct connect_state *s, struct client *c)
{
	c->connection = connection_create(s, &PLAN, c);
	cr_assert_not_null(c->connection);
}

/* PgBouncer refuses to run as root, and so does PostgreSQL: both are run by one user. */
static struct connect_state *start_pooler(const char *mode)
{
	char file[128], log[128];
	const char *host = strstr(database_conninfo(), "host=") + strlen("host=");
	const struct passwd *user = getpwnam("postgres");
	snprintf(file, sizeof file, "%s/ini", folder);
	snprintf(log, sizeof log, "%s/log", folder);
	FILE *f = fopen(file, "w");
	cr_assert_not_null(f);
	fprintf(f,
		"[databases]\n* = host=%.*s user=postgres\n[pgbouncer]\nlisten_addr =\nlisten_port = 6432\n"
		"unix_socket_dir = %s\nauth_type = any\npool_mode = %s\nignore_startup_parameters = options\n",
		(int)strcspn(host, " "), host, folder, mode);
	fclose(f);
	cr_assert(geteuid() != 0 || (user && chown(folder, user->pw_uid, user->pw_gid) == 0));
	cr_assert_eq(chmod(folder, 0755), 0);
	const char *const as_root[] = {"setpriv", "--pdeathsig", "INT", "--reuid=postgres", "--regid=postgres",
		"--init-groups", "--", "pgbouncer", file, NULL};
	const char *const as_user[] = {"setpriv", "--pdeathsig", "INT", "--", "pgbouncer", file, NULL};
	pooler = process_start(
		geteuid() == 0 ? as_root : as_user, (const char *const[]){"PATH=/usr/sbin:/usr/bin:/bin", NULL}, log);
	snprintf(conninfo, sizeof conninfo, "host=%s port=6432 user=postgres dbname=%s", folder,
		database_value("SELECT current_database()"));
	for (long long end = calm_ms() + 10000; PQping(conninfo) != PQPING_OK; pause_a_little())
		cr_assert(calm_ms() < end && process_lives(pooler), "PgBouncer does not start: see %s", log);
	struct connect_state *s = loop_open();
	s->conninfo = conninfo;
	return s;
}

static void begin(void)
{
	database_init();
	cr_assert_not_null(mkdtemp(folder));
}

static void end(void)
{
	int status;
	char file[128];
	static const char *const FILES[] = {"ini", "log", ".s.PGSQL.6432"};
	for (int i = 0; i < CLIENTS; i++)
		connection_destroy(clients[i].connection);
	loop_close();
	kill(pooler, SIGINT);
	process_wait(pooler, 10000, &status);
	for (size_t i = 0; i < COUNT_OF(FILES); i++) {
		snprintf(file, sizeof file, "%s/%s", folder, FILES[i]);
		unlink(file);
	}
	rmdir(folder);
	database_drop();
}

TestSuite(pooler, .init = begin, .fini = end, .timeout = 60);

Test(pooler, in_session_mode_is_used)
{
	struct connect_state *s = start_pooler("session");
	for (int i = 0; i < CLIENTS; i++)
		connect_client(s, &clients[i]);
	for (int i = 0; i < CLIENTS; i++) {
		loop_until(client_is_ready, &clients[i], "the connection");
		client_ask(&clients[i], &ONE);
		cr_expect_str_eq(clients[i].text, "1");
		cr_expect_eq(clients[i].downs, 0, "%s", clients[i].text);
	}
}

Test(pooler, in_transaction_mode_is_named_when_the_connections_are_made)
{
	struct connect_state *s = start_pooler("transaction");
	connect_client(s, &clients[0]);
	loop_until(client_is_ready, &clients[0], "the first connection, which has the pooler's session to itself");
	connect_client(s, &clients[1]);
	loop_until(is_any_down, NULL, "the second connection fails");
	cr_expect_eq(clients[1].ups, 0);
	cr_expect_not_null(strstr(clients[1].text, DB_POOLER), "%s", clients[1].text);
}

Test(pooler, in_transaction_mode_is_named_when_a_statement_is_lost)
{
	struct connect_state *s = start_pooler("transaction");
	connect_client(s, &clients[0]);
	loop_until(client_is_ready, &clients[0], "the connection");
	PGconn *other = PQconnectdb(conninfo);
	PQclear(PQexec(other, "DEALLOCATE ALL"));
	PQfinish(other);
	client_ask(&clients[0], &ONE);
	cr_expect(clients[0].failed);
	cr_expect_not_null(strstr(clients[0].text, DB_POOLER), "%s", clients[0].text);
	cr_expect(connection_rolled_back(clients[0].connection));
	loop_until(client_is_ready, &clients[0], "a new session");
	client_ask(&clients[0], &ONE);
	cr_expect_str_eq(clients[0].text, "1");
}
