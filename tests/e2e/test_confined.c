/* test_confined.c - the privileges of the processes of "up", and the access to the responders' socket. */

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <criterion/criterion.h>
#include <libpq-fe.h>

#include "base/base.h"
#include "support/instance.h"

#define NOBODY 65534
#define PLANTED "planted-0b5e3c" /* test_limits.c has it in a variable of the instance */

/* Reads a line of /proc/PID/status as a number of this base. */
static unsigned long long status_of(pid_t pid, const char *name, int base)
{
	char path[64], line[256];
	size_t len = strlen(name);
	unsigned long long value = ~0ULL;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	FILE *f = fopen(path, "r");
	cr_assert_not_null(f, "%s", path);
	while (fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, name, len) == 0 && line[len] == ':')
			value = strtoull(line + len + 1, NULL, base);
	fclose(f);
	return value;
}

/* The first processes of nginx and the pool may have to run as root.  A process that handles a sender's bytes never
 * does. */
Test(confined, no_process_has_a_privilege_or_can_gain_one)
{
	static const char *const names[] = {"nginx", "multiwatch", "payhook-app", "payhook-worker", "postgres"};

	for (size_t n = 0; n < COUNT_OF(names); n++) {
		struct pids all;
		instance_parts(instance(), names[n], &all);
		cr_assert(all.count > 0, "%s", names[n]);
		for (int i = 0; i < all.count; i++) {
			pid_t pid = all.list[i];
			cr_expect_eq(
				status_of(pid, "NoNewPrivs", 10), 1, "%s %d can gain privileges", names[n], (int)pid);
			cr_expect_eq(
				status_of(pid, "CapInh", 16), 0, "%s %d hands down capabilities", names[n], (int)pid);
			if (strcmp(names[n], "nginx") == 0 && pid == instance_first(instance(), "nginx"))
				continue;
			cr_expect_eq(status_of(pid, "CapEff", 16), 0, "%s %d has capabilities", names[n], (int)pid);
			cr_expect_eq(
				status_of(pid, "CapPrm", 16), 0, "%s %d can have capabilities", names[n], (int)pid);
			cr_expect_neq(status_of(pid, "Uid", 10), 0, "%s %d is root", names[n], (int)pid);
		}
	}
}

/* Opens a file of a process as its own user does.  Returns 0, or the errno. */
static int try_open(pid_t pid, const char *file)
{
	char path[64];
	int status;
	uid_t user = (uid_t)status_of(pid, "Uid", 10);
	gid_t group = (gid_t)status_of(pid, "Gid", 10);
	pid_t child = fork();

	if (child == 0) {
		if (geteuid() == 0 && (setgroups(0, NULL) < 0 || setgid(group) < 0 || setuid(user) < 0))
			_exit(255);
		snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
		_exit(open(path, O_RDONLY | O_CLOEXEC) < 0 ? errno : 0);
	}
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* A process that was taken over must not read the secrets of the others that its user has.  Root can read everything. */
Test(confined, no_program_of_ours_can_be_looked_into_by_its_user)
{
	static const char *const names[] = {"payhook-app", "payhook-worker"};
	struct pids all = {1, {instance_supervisor(instance())}};

	for (size_t n = 0; n <= COUNT_OF(names); n++) {
		if (n > 0)
			instance_parts(instance(), names[n - 1], &all);
		cr_assert_gt(all.count, 0);
		for (int i = 0; i < all.count; i++) {
			if (status_of(all.list[i], "Uid", 10) == 0)
				continue;
			cr_expect_eq(try_open(all.list[i], "environ"), EACCES, "%d", (int)all.list[i]);
			cr_expect_eq(try_open(all.list[i], "mem"), EACCES, "%d", (int)all.list[i]);
			cr_expect_eq(try_open(all.list[i], "comm"), 0, "%d", (int)all.list[i]);
		}
	}
}

/* Variables of the shell that started payhook, such as keys of other services, reach no part of it. */
Test(confined, a_variable_that_no_part_needs_is_in_no_environment)
{
	static char variables[256 * 1024];
	struct pids all;
	pid_t top = instance_supervisor(instance());

	process_tree(top, &all);
	cr_assert(all.count >= 8, "only %d processes", all.count);
	all.list[all.count++] = top;
	for (int i = 0; i < all.count; i++) {
		ssize_t len = process_environment(all.list[i], variables, sizeof(variables));
		cr_assert(len >= 0 || geteuid() != 0);
		cr_expect_null(len > 0 ? memmem(variables, (size_t)len, PLANTED, strlen(PLANTED)) : NULL, "%d has it",
			(int)all.list[i]);
	}
}

/* Reads the path of the responders' socket from the configuration of nginx, which may have that of the console too. */
static void find_socket(char *ret, size_t size)
{
	char path[128], line[512];

	snprintf(path, sizeof(path), "%s/state/nginx/payhook.conf", instance()->folder);
	FILE *f = fopen(path, "r");
	cr_assert_not_null(f, "%s", path);
	*ret = '\0';
	while (fgets(line, sizeof(line), f) != NULL) {
		char *at = strstr(line, "server unix:");
		if (at != NULL && strstr(at, "/app.sock") != NULL)
			snprintf(ret, size, "%.*s", (int)strcspn(at + 12, ";"), at + 12);
	}
	fclose(f);
	cr_assert_neq(*ret, '\0');
}

/* Returns 0, or the errno. */
static int try_connect(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	int error = connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 ? 0 : errno;
	close(fd);
	return error;
}

static uid_t user_of(const char *name)
{
	return (uid_t)status_of(instance_first(instance(), name), "Uid", 10);
}

/* Runs a function in a process of the user that this program has, with the groups of that user. */
static int as_user_of(const char *name, int (*run)(const char *argument), const char *argument)
{
	int status;
	const struct passwd *user = getpwuid(user_of(name));
	pid_t pid = fork();

	cr_assert_not_null(user, "%s", name);
	if (pid == 0) {
		if (initgroups(user->pw_name, user->pw_gid) < 0 || setgid(user->pw_gid) < 0 || setuid(user->pw_uid) < 0)
			_exit(255);
		_exit(run(argument));
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert(WIFEXITED(status) && WEXITSTATUS(status) != 255);
	return WEXITSTATUS(status);
}

/* Returns 0 if this user may connect in the role. */
static int try_role(const char *role)
{
	char conninfo[320];

	snprintf(conninfo, sizeof(conninfo), "%s user=%s", instance()->database, role);
	PGconn *c = PQconnectdb(conninfo);
	int result = PQstatus(c) == CONNECTION_OK ? 0 : 1;
	PQfinish(c);
	return result;
}

/* A responder that was taken over must not settle or delete jobs, nor a worker invent transactions. */
Test(confined, responders_and_worker_are_users_with_one_role_each)
{
	static const char *const roles[] = {
		"payhook_app", "payhook_worker", "payhook_operator", "payhook_console", "payhook", "postgres"};

	if (geteuid() != 0)
		cr_skip_test("only root starts the parts as several users");
	cr_assert_neq(user_of("multiwatch"), user_of("payhook-worker"));
	for (size_t n = 0; n < COUNT_OF(roles); n++) {
		cr_expect_eq(as_user_of("multiwatch", try_role, roles[n]), n == 0 ? 0 : 1, "responder: %s", roles[n]);
		cr_expect_eq(as_user_of("payhook-worker", try_role, roles[n]), n == 1 ? 0 : 1, "worker: %s", roles[n]);
	}
}

/* The same as another user, without groups. */
static int try_connect_as(uid_t user, const char *path)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (setgroups(0, NULL) < 0 || setgid(NOBODY) < 0 || setuid(user) < 0)
			_exit(255);
		_exit(try_connect(path));
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

Test(confined, the_pool_s_socket_is_nginx_s_alone)
{
	char path[256];
	struct stat is;

	find_socket(path, sizeof(path));
	cr_assert_eq(stat(path, &is), 0, "%s: %s", path, strerror(errno));
	cr_expect(S_ISSOCK(is.st_mode));
	cr_expect_eq(is.st_mode & 07777, 0660, "%o", (unsigned)is.st_mode & 07777);
	cr_expect_eq(try_connect(path), 0);
	if (geteuid() != 0)
		return;
	cr_expect_neq(is.st_uid, 0);
	cr_expect_neq(is.st_gid, 0);
	cr_expect_eq(try_connect_as(NOBODY, path), EACCES);
	cr_expect_eq(as_user_of("payhook-worker", try_connect, path), EACCES);
}
