/* front.c - nginx for the ceilings.
 *
 * The configuration is a copy of a running instance's, in which the port, the pool's socket and for ceiling H the
 * answer are replaced as text.  So a ceiling measures the nginx that ships and follows every change of its
 * configuration.  A text that is not found is an error: the ceiling would otherwise measure something else. */

#include "front.h"

#include <errno.h>
#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dial.h"
#include "stop.h"
#include "text.h"

#define PATH_LEN 192
#define ANSWER " default_type application/json; return 202 '{\"message\":\"Accepted\"}';"

/* A text of the instance's configuration and its replacement. */
struct change {
	char what[128], by[PATH_LEN];
	bool optional; /* it need not occur */
	int found;     /* occurrences in all files */
};

static void list_changes(
	const struct front *fr, enum front_kind kind, const struct instance *like, struct change ret[4])
{
	char host[128] = "host";
	snprintf(ret[0].what, sizeof ret[0].what, "listen %d ", like->port);
	snprintf(ret[0].by, sizeof ret[0].by, "listen %d ", fr->port);
	snprintf(ret[1].what, sizeof ret[1].what, "listen [::]:%d ", like->port);
	snprintf(ret[1].by, sizeof ret[1].by, "listen [::]:%d ", fr->port);
	ret[1].optional = true;
	/* The socket of the pool lies beside "pg", the folder of the database's socket. */
	sscanf(like->database, "host=%127s", host);
	snprintf(ret[2].what, sizeof ret[2].what, "%.*spool/app.sock", (int)(strrchr(host, '/') + 1 - host), host);
	snprintf(ret[2].by, sizeof ret[2].by, "%s/app.sock", fr->folder);
	snprintf(ret[3].what, sizeof ret[3].what, "location / {");
	snprintf(ret[3].by, sizeof ret[3].by, "location / {%s", kind == FRONT_ALONE ? ANSWER : "");
}

static bool change_file(const char *from, const char *to, struct change changes[4], struct fault *f)
{
	char *text = text_read(from, f);
	bool ok = text;
	for (int i = 0; ok && i < 4; i++) {
		int found = text_replace(&text, changes[i].what, changes[i].by);
		changes[i].found += found;
		ok = found >= 0 || fault_set(f, FAULT_BUSY, "out of memory");
	}
	ok = ok && text_write(to, text, f);
	free(text);
	return ok;
}

/* Copies every file of the instance's configuration with the replacements. */
static bool configure(const struct front *fr, enum front_kind kind, const struct instance *like, struct fault *f)
{
	struct change changes[4] = {0};
	char pattern[PATH_LEN], to[PATH_LEN];
	glob_t files;
	bool ok = true;
	list_changes(fr, kind, like, changes);
	snprintf(pattern, sizeof pattern, "%s/state/nginx/*.conf", like->folder);
	if (glob(pattern, 0, NULL, &files) != 0)
		return fault_set(f, FAULT_BUG, "there is no %s", pattern);
	for (size_t i = 0; ok && i < files.gl_pathc; i++) {
		snprintf(to, sizeof to, "%s/nginx/%s", fr->folder, strrchr(files.gl_pathv[i], '/') + 1);
		ok = change_file(files.gl_pathv[i], to, changes, f);
	}
	globfree(&files);
	for (int i = 0; ok && i < 4; i++) {
		if (changes[i].found == 0 && !changes[i].optional)
			ok = fault_set(f, FAULT_BUG, "there is no \"%s\" in %s", changes[i].what, pattern);
	}
	return ok;
}

static bool make_folders(const struct front *fr, struct fault *f)
{
	static const char *const FOLDERS[] = {"", "/nginx", "/log"};
	char path[PATH_LEN];
	for (size_t i = 0; i < COUNT_OF(FOLDERS); i++) {
		snprintf(path, sizeof path, "%s%s", fr->folder, FOLDERS[i]);
		if (mkdir(path, 0755) < 0)
			return fault_set(f, FAULT_BUSY, "%s: %s", path, strerror(errno));
	}
	return true;
}

bool front_start(
	struct front *fr, enum front_kind kind, const struct instance *like, const char *program, struct fault *f)
{
	char log[PATH_LEN], socket[PATH_LEN], prefix[PATH_LEN], count[16];
	static struct pids pool;

	const char *name = kind == FRONT_ALONE ? "alone" : "echo";
	*fr = (struct front){.port = dial_free_port()};
	snprintf(fr->folder, sizeof fr->folder, "%s/%s", like->folder, name);
	snprintf(log, sizeof log, "%s/log/front.log", fr->folder);
	snprintf(socket, sizeof socket, "%s/app.sock", fr->folder);
	snprintf(prefix, sizeof prefix, "%s/nginx/", fr->folder);
	if (!make_folders(fr, f) || !configure(fr, kind, like, f))
		return false;
	instance_parts(like, "payhook-app", &pool);
	snprintf(count, sizeof count, "%d", pool.count);
	if (kind == FRONT_ECHO)
		fr->pool = process_start((const char *const[]){program, socket, count, NULL}, NULL, log);
	fr->nginx = process_start(
		(const char *const[]){"nginx", "-p", prefix, "-c", "nginx.conf", "-e", "stderr", NULL}, NULL, log);
	return dial_await(fr->port, 5000, f);
}

static void end(pid_t pid)
{
	int status;
	if (pid <= 0)
		return;
	kill(pid, SIGTERM);
	process_wait(pid, 5000, &status);
}

void front_stop(struct front *fr)
{
	end(fr->nginx);
	end(fr->pool);
	*fr = (struct front){0};
}
