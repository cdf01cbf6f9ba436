/* instance.c - starts a payhook for the tests with ./payhook, finds its processes and removes all its traces. */

#include "support/instance.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef FOLDER_PREFIX /* the benchmark uses a prefix of its own */
#define FOLDER_PREFIX "/tmp/payhook-e2e-"
#endif
#define UP_MS 120000     /* a first start creates a PostgreSQL cluster; the programs have been built before */
#define DOWN_MS 60000    /* includes PostgreSQL's checkpoint on a slow disk */
#define VARIABLES_MAX 80 /* environment variables: those that are neutralised and those that the tests set */
#define PORT_LEAST 20001
#define PORT_COUNT 12000 /* below the range of ports that the kernel uses for outgoing connections */

/* Settings from the developer's environment or .env file must not affect the tests. */
static const char *const neutral[] = {"DATABASE_URL", "POSTGRES_HOST", "POSTGRES_PORT", "POSTGRES_DB", "POSTGRES_USER",
	"POSTGRES_PASSWORD", "TLS_PORT", "TLS_CERTIFICATE", "TLS_KEY", "TLS_CLIENT_CA", "TLS_CLIENT_CRL", "RESPONDERS",
	"BODY_LIMIT", "RATE_LIMIT", "SOURCE_RATE_LIMIT", "CONNECTION_LIMIT", "REAL_IP_FROM", "ALLOWED_HOSTS",
	"OPEN_SOURCE_FROM", "CONFLICT_POLICY", "EXTRA_CURRENCIES", "SOURCES_FILE", "REQUIRE_SIGNATURES",
	"API_KEYS_FILE", "PROCESSOR", "PROCESSOR_DELAY_MS", "PROCESSOR_URL", "PROCESSOR_CONNECT_TIMEOUT_MS",
	"PROCESSOR_TIMEOUT_MS", "MAX_ATTEMPTS", "CIRCUIT_FAILURES", "PROCESSOR_BODY", "PROCESSOR_HEADERS",
	"PROCESSOR_SIGNING_SECRETS_FILE", "PROCESSOR_RATE", "PROCESSOR_CA", "PROCESSOR_TOKEN_URL",
	"PROCESSOR_CLIENT_ID", "PROCESSOR_CLIENT_SECRET", "PROCESSOR_TOKEN_SCOPE", "PROCESSOR_CLIENT_CERTIFICATE",
	"PROCESSOR_CLIENT_KEY", "PAYLOADS_KEEP_DAYS", "ATTEMPTS_KEEP_DAYS", "TRANSACTIONS_KEEP_DAYS", "WORKER_SLOTS",
	"WORKER_GRACE_MS", "METRICS_FOLDER", "METRICS_ALLOW", "WORKER_METRICS_ADDRESS", "LOG_LEVEL", "PGHOST", "PGPORT",
	"PGUSER", "PGDATABASE", "PGPASSWORD", "PGOPTIONS", "CONSOLE=off", "CONSOLE_ALLOW", "CONSOLE_USER_HEADER",
	"PAYHOOK_ENV_FILE=/dev/null", NULL};

const struct instance *instance(void)
{
	static struct instance shared;

	if (shared.port == 0) {
		const char *port = getenv("E2E_PORT");
		snprintf(shared.folder, sizeof(shared.folder), "%s", getenv("E2E_FOLDER"));
		snprintf(shared.database, sizeof(shared.database), "%s", getenv("E2E_DATABASE"));
		const char *metrics_port = getenv("E2E_METRICS_PORT");
		shared.port = port == NULL ? 0 : (int)strtol(port, NULL, 10);
		shared.metrics_port = metrics_port == NULL ? 0 : (int)strtol(metrics_port, NULL, 10);
		shared.guard = -1;
	}
	return &shared;
}

void instance_share(const struct instance *i)
{
	char port[16];

	snprintf(port, sizeof(port), "%d", i->port);
	setenv("E2E_FOLDER", i->folder, 1);
	setenv("E2E_PORT", port, 1);
	snprintf(port, sizeof(port), "%d", i->metrics_port);
	setenv("E2E_METRICS_PORT", port, 1);
	setenv("E2E_DATABASE", i->database, 1);
}

static bool port_is_free(int port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	/* As nginx does: a lingering old connection does not make the port unavailable. */
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
	bool is_free = bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0 && listen(fd, 1) == 0;

	close(fd);
	return is_free;
}

/* The first free port from this index on. */
static int find_port(int start)
{
	for (int n = 0; n < PORT_COUNT; n++)
		if (port_is_free(PORT_LEAST + (start + n) % PORT_COUNT))
			return PORT_LEAST + (start + n) % PORT_COUNT;
	return 0;
}

/* The path of ./payhook: from PAYHOOK_SOURCE, which meson sets, otherwise in the current directory. */
static const char *payhook_file(char ret[512])
{
	const char *source = getenv("PAYHOOK_SOURCE");

	snprintf(ret, 512, "%s/payhook", source == NULL ? "." : source);
	return ret;
}

pid_t instance_begin(const struct instance *i, const char *const arguments[], const char *const settings[])
{
	const char *argv[16], *variables[VARIABLES_MAX + 1];
	char file[512], state[96], port[32], metrics_port[40], log[96];
	int args = 0, count = 0;

	argv[args++] = payhook_file(file);
	while (*arguments != NULL && args < 15)
		argv[args++] = *arguments++;
	argv[args] = NULL;
	for (const char *const *name = neutral; *name != NULL; name++)
		variables[count++] = *name;
	snprintf(state, sizeof(state), "PAYHOOK_VAR=%s/state", i->folder);
	snprintf(port, sizeof(port), "PAYHOOK_PORT=%d", i->port);
	variables[count++] = state;
	variables[count++] = port;
	snprintf(metrics_port, sizeof(metrics_port), "WORKER_METRICS_PORT=%d", i->metrics_port);
	variables[count++] = metrics_port;
	while (settings != NULL && *settings != NULL && count < VARIABLES_MAX)
		variables[count++] = *settings++;
	variables[count] = NULL;
	snprintf(log, sizeof(log), "%s/log", i->folder);
	return process_start(argv, variables, log);
}

bool instance_run(const struct instance *i, const char *const arguments[], const char *const settings[], int timeout_ms)
{
	int status;
	pid_t pid = instance_begin(i, arguments, settings);

	return pid > 0 && process_wait(pid, timeout_ms, &status) && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static int remove_one(const char *path, const struct stat *s, int type, struct FTW *where)
{
	(void)s;
	(void)type;
	(void)where;
	return remove(path);
}

static void remove_folder(const char *folder)
{
	nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* payhook chooses the name of the directory for its sockets.  The socket of the database is in it, so the directory is
 * found through the conninfo. */
static void remove_traces(const struct instance *i)
{
	char host[128], *end;

	if (getenv("E2E_KEEP") != NULL)
		return;
	remove_folder(i->folder);
	if (sscanf(i->database, "host=%127s", host) != 1 || (end = strrchr(host, '/')) == NULL ||
		strcmp(end, "/pg") != 0)
		return;
	*end = '\0';
	remove_folder(host);
}

/* Frozen processes cannot react to SIGTERM. */
static void thaw(const struct instance *i)
{
	struct pids all;
	pid_t top = instance_supervisor(i);

	if (top == 0)
		return;
	process_tree(top, &all);
	process_signal(&all, SIGCONT);
	kill(top, SIGCONT);
}

static bool take_down(struct instance *i, char *trouble, size_t size)
{
	struct pids all = {0};
	pid_t top = instance_supervisor(i);

	if (top > 0)
		process_tree(top, &all);
	thaw(i);
	if (i->database[0] == '\0')
		instance_find_database(i);
	if (instance_run(i, (const char *const[]){"down", NULL}, NULL, DOWN_MS) && process_wait_gone(&all, 2000))
		return true;
	snprintf(trouble, size, "payhook down failed or left processes");
	process_signal(&all, SIGKILL);
	return false;
}

/* Runs beside the process that started the instance, and stops the instance if that process ends without doing so. */
static void guard(struct instance *i, int pipe_end)
{
	char byte, trouble[256];
	int nowhere = open("/dev/null", O_RDWR);

	setsid();
	/* A process that reads the test's output waits until the last writer has closed it, so this one must not keep
	 * it open. */
	for (int fd = 0; fd < 3; fd++)
		dup2(nowhere, fd);
	dup2(pipe_end, 3);
	closefrom(4);
	if (read(3, &byte, 1) == 0) {
		take_down(i, trouble, sizeof(trouble));
		remove_traces(i);
	}
	_exit(0);
}

static bool start_guard(struct instance *i)
{
	int ends[2];

	if (pipe(ends) < 0)
		return false;
	fcntl(ends[0], F_SETFD, FD_CLOEXEC);
	fcntl(ends[1], F_SETFD, FD_CLOEXEC);
	i->watcher = fork();
	if (i->watcher == 0) {
		close(ends[1]);
		guard(i, ends[0]);
	}
	close(ends[0]);
	i->guard = ends[1];
	return i->watcher > 0;
}

bool instance_prepare(struct instance *i, char *trouble, size_t size)
{
	int start = (int)((getpid() * 37LL + now_ms()) % PORT_COUNT);

	*i = (struct instance){.guard = -1, .port = find_port(start)};
	i->metrics_port = find_port(i->port + 1 - PORT_LEAST);
	snprintf(i->folder, sizeof(i->folder), "%sXXXXXX", FOLDER_PREFIX);
	/* The user that runs PostgreSQL must be able to enter the directory. */
	if (mkdtemp(i->folder) == NULL || chmod(i->folder, 0755) < 0 || !start_guard(i)) {
		snprintf(trouble, size, "%s: %s", i->folder, strerror(errno));
		return false;
	}
	return true;
}

bool instance_find_database(struct instance *i)
{
	char path[96], line[256] = "";
	const char *ask = "\\echo host=:HOST port=:PORT user=:USER dbname=:DBNAME";

	/* The output of psql goes to the log, as that of other commands does: it is the last line there. */
	if (!instance_run(i, (const char *const[]){"psql", "-Atc", ask, NULL}, NULL, 10000))
		return false;
	snprintf(path, sizeof(path), "%s/log", i->folder);
	FILE *f = fopen(path, "r");
	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, "host=", 5) == 0)
			snprintf(i->database, sizeof(i->database), "%.*s", (int)strcspn(line, "\n"), line);
	if (f != NULL)
		fclose(f);
	return i->database[0] != '\0';
}

bool instance_start(struct instance *i, const char *const settings[], char *trouble, size_t size)
{
	char log[2048], ignored[256];

	if (!instance_prepare(i, trouble, size))
		return false;
	if (instance_run(i, (const char *const[]){"up", "-d", NULL}, settings, UP_MS) && instance_find_database(i))
		return true;
	instance_log(i, log, sizeof(log));
	snprintf(trouble, size, "payhook up -d failed:\n%s", log);
	instance_stop(i, ignored, sizeof(ignored));
	return false;
}

bool instance_stop(struct instance *i, char *trouble, size_t size)
{
	bool ok = take_down(i, trouble, size);

	remove_traces(i);
	if (i->guard >= 0) {
		if (write(i->guard, "d", 1) == 1)
			waitpid(i->watcher, NULL, 0);
		close(i->guard);
	}
	*i = (struct instance){.guard = -1};
	return ok;
}

void instance_log(const struct instance *i, char *ret, size_t size)
{
	char path[96];

	snprintf(path, sizeof(path), "%s/log", i->folder);
	FILE *f = fopen(path, "r");
	size_t len = 0;
	if (f != NULL) {
		fseek(f, 0, SEEK_END);
		long end = ftell(f);
		fseek(f, end > (long)size - 1 ? end - (long)size + 1 : 0, SEEK_SET);
		len = fread(ret, 1, size - 1, f);
		fclose(f);
	}
	ret[len] = '\0';
}

pid_t instance_supervisor(const struct instance *i)
{
	struct pids ours, found;
	char program[96];

	/* Its environment is empty, and other users than root could not read it. */
	snprintf(program, sizeof(program), "%s/state/bin/payhook", i->folder);
	process_mention(program, &ours);
	process_pick(&ours, "payhook", &found);
	/* A process that it is about to start has its name as well. */
	for (int n = 0; n < found.count; n++)
		if (!process_in(&found, process_parent(found.list[n])))
			return found.list[n];
	return 0;
}

void instance_parts(const struct instance *i, const char *name, struct pids *ret)
{
	struct pids all;

	/* Those that outlive their parent become children of the supervisor. */
	process_tree(instance_supervisor(i), &all);
	process_pick(&all, name, ret);
}

pid_t instance_first(const struct instance *i, const char *name)
{
	struct pids all;
	pid_t top = instance_supervisor(i);

	instance_parts(i, name, &all);
	for (int n = 0; n < all.count; n++)
		if (process_parent(all.list[n]) == top && process_lives(all.list[n]))
			return all.list[n];
	return 0;
}
