/* pg_proxy.c - a PostgreSQL proxy that drops or holds chosen messages.
 *
 * It runs in a process of its own and knows as much of the protocol as it needs: a frame is a type byte and a length;
 * Bind ('B') names the statement; ReadyForQuery ('Z') reports that the statement's transaction has ended. */

#include "support/pg_proxy.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "support/calm.h"
#include "support/instance.h"

#define LINES_MAX 32 /* connections at a time */
#define FLOW_MAX \
	(2 * 1024 * 1024) /* bytes of one direction that are held; the answer with 1,000 claimed jobs is smaller */

enum deed { CUT, HOLD_QUESTION, HOLD_ANSWER, DEAFEN };

struct flow {
	size_t len;
	size_t read; /* bytes at the beginning that have been examined */
	char *bytes;
};

struct line {
	int client, server; /* -1: free */
	bool has_begun;     /* the first message, which has no type byte, has been passed on */
	bool is_held;       /* the watched statement is in progress: the server's messages are held back */
	int rows;           /* rows of its answer so far */
	bool is_mute;       /* nothing from the client is passed on any more */
	struct flow asked, answered;
};

static struct line lines[LINES_MAX];
static struct sockaddr_un server_address = {.sun_family = AF_UNIX};
static const char *watched;
static enum deed deed;
static int deeds_left, report_fd;

static size_t big_endian(const char *bytes)
{
	const unsigned char *b = (const unsigned char *)bytes;

	return (size_t)b[0] << 24 | (size_t)b[1] << 16 | (size_t)b[2] << 8 | b[3];
}

static void hang_up(struct line *l)
{
	close(l->client);
	close(l->server);
	l->client = l->server = -1;
}

static void welcome(int listener)
{
	int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	for (struct line *l = lines; l < lines + LINES_MAX; l++) {
		if (l->client >= 0)
			continue;
		if (connect(server, (struct sockaddr *)&server_address, sizeof(server_address)) < 0)
			break;
		struct flow asked = {.bytes = l->asked.bytes}, answered = {.bytes = l->answered.bytes};
		*l = (struct line){.client = client, .server = server, .asked = asked, .answered = answered};
		return;
	}
	close(client);
	close(server);
}

static bool fill(struct flow *f, int fd)
{
	ssize_t got = f->len < FLOW_MAX ? read(fd, f->bytes + f->len, FLOW_MAX - f->len) : 0;

	f->len += (size_t)(got > 0 ? got : 0);
	return got > 0;
}

static bool pass_on(struct flow *f, size_t count, int fd)
{
	size_t done = 0;

	while (done < count) {
		ssize_t sent = send(fd, f->bytes + done, count - done, MSG_NOSIGNAL);
		if (sent <= 0)
			return false;
		done += (size_t)sent;
	}
	f->len -= count;
	f->read -= count;
	memmove(f->bytes, f->bytes + count, f->len);
	return true;
}

/* Returns the next complete message that has not been examined, or NULL. */
static const char *next_message(struct flow *f, bool has_type)
{
	size_t head = has_type ? 5 : 4;
	const char *m = f->bytes + f->read;

	if (f->len - f->read < head)
		return NULL;
	size_t size = big_endian(m + head - 4) + head - 4;
	if (f->len - f->read < size)
		return NULL;
	f->read += size;
	return m;
}

/* The test counts the bytes of the pipe. */
static void report_deed(void)
{
	deeds_left--;
	if (write(report_fd, "x", 1) < 0)
		_exit(1);
}

/* Bind contains the name of the portal and then that of the statement. */
static bool is_watched(const char *m)
{
	const char *statement = m[0] == 'B' ? m + 5 + strlen(m + 5) + 1 : "";

	return deed != DEAFEN && deeds_left > 0 && m[0] == 'B' && strncmp(statement, watched, strlen(watched)) == 0;
}

static bool serve_client(struct line *l)
{
	const char *m;

	if (!fill(&l->asked, l->client))
		return false;
	while (!l->is_mute && (m = next_message(&l->asked, l->has_begun)) != NULL) {
		if (l->has_begun && is_watched(m)) {
			l->is_mute = deed == HOLD_QUESTION;
			l->is_held = deed != HOLD_QUESTION;
			l->rows = 0;
		}
		l->has_begun = true;
		if (l->is_mute) {
			report_deed();
			return pass_on(&l->asked, (size_t)(m - l->asked.bytes), l->server);
		}
	}
	return l->is_mute || pass_on(&l->asked, l->asked.read, l->server);
}

/* Removes the message that was examined last from what is passed on. */
static void leave_out(struct flow *f, const char *m)
{
	size_t at = (size_t)(m - f->bytes), size = f->read - at;

	memmove(f->bytes + at, f->bytes + f->read, f->len - f->read);
	f->len -= size;
	f->read = at;
	report_deed();
}

static bool serve_server(struct line *l)
{
	const char *m;

	if (!fill(&l->answered, l->server))
		return false;
	while ((m = next_message(&l->answered, true)) != NULL) {
		l->rows += m[0] == 'D';
		if (deed == DEAFEN && m[0] == 'A')
			leave_out(&l->answered, m);
		else if (m[0] == 'Z' && l->is_held) {
			bool is_due = l->rows > 0 && deeds_left > 0;
			if (is_due)
				report_deed();
			if (is_due && deed == CUT)
				return false;
			l->is_held = is_due;
		}
	}
	return l->is_held || pass_on(&l->answered, l->answered.read, l->client);
}

static void serve(int listener)
{
	struct pollfd fds[1 + 2 * LINES_MAX];

	for (;;) {
		fds[0] = (struct pollfd){listener, POLLIN, 0};
		for (int n = 0; n < LINES_MAX; n++) {
			fds[1 + 2 * n] = (struct pollfd){lines[n].client, POLLIN, 0};
			fds[2 + 2 * n] = (struct pollfd){lines[n].server, POLLIN, 0};
		}
		poll(fds, 1 + 2 * LINES_MAX, -1);
		for (int n = 0; n < LINES_MAX; n++) {
			if (fds[1 + 2 * n].revents != 0 && !serve_client(&lines[n]))
				hang_up(&lines[n]);
			else if (fds[2 + 2 * n].revents != 0 && !serve_server(&lines[n]))
				hang_up(&lines[n]);
		}
		if (fds[0].revents != 0)
			welcome(listener);
	}
}

static int listen_in(const char *folder, int port)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%s/.s.PGSQL.%d", folder, port);
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(fd, LINES_MAX) < 0)
		return -1;
	chmod(a.sun_path, 0777);
	return fd;
}

static void run(int listener, int reported)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	report_fd = reported;
	for (struct line *l = lines; l < lines + LINES_MAX; l++) {
		l->client = l->server = -1;
		l->asked.bytes = malloc(FLOW_MAX);
		l->answered.bytes = malloc(FLOW_MAX);
	}
	serve(listener);
}

static void start(struct pg_proxy *p, const char *conninfo)
{
	char host[96];
	int port, ends[2];

	*p = (struct pg_proxy){0};
	/* Inside the instance's directory, which is removed however this test ends. */
	snprintf(p->folder, sizeof(p->folder), "%s/cut-XXXXXX", instance()->folder);
	cr_assert_eq(sscanf(conninfo, "host=%95s port=%d", host, &port), 2, "conninfo: %s", conninfo);
	snprintf(server_address.sun_path, sizeof(server_address.sun_path), "%s/.s.PGSQL.%d", host, port);
	cr_assert(mkdtemp(p->folder) != NULL && chmod(p->folder, 0755) == 0 && pipe(ends) == 0, "%s", strerror(errno));
	int listener = listen_in(p->folder, port);
	cr_assert(listener >= 0, "%s: %s", p->folder, strerror(errno));
	p->pid = fork();
	if (p->pid == 0)
		run(listener, ends[1]);
	close(listener);
	close(ends[1]);
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	p->reported = ends[0];
}

void pg_proxy_start(struct pg_proxy *p, const char *conninfo, const char *statement, int cuts)
{
	deed = CUT;
	watched = statement;
	deeds_left = cuts;
	start(p, conninfo);
}

void pg_proxy_hold_question(struct pg_proxy *p, const char *conninfo, const char *statement)
{
	deed = HOLD_QUESTION;
	watched = statement;
	deeds_left = INT_MAX;
	start(p, conninfo);
}

void pg_proxy_hold_answer(struct pg_proxy *p, const char *conninfo, const char *statement)
{
	deed = HOLD_ANSWER;
	watched = statement;
	deeds_left = INT_MAX;
	start(p, conninfo);
}

void pg_proxy_deafen(struct pg_proxy *p, const char *conninfo)
{
	deed = DEAFEN;
	watched = "";
	deeds_left = INT_MAX;
	start(p, conninfo);
}

int pg_proxy_deeds(struct pg_proxy *p)
{
	char bytes[64];
	ssize_t got;

	while ((got = read(p->reported, bytes, sizeof(bytes))) > 0)
		p->deeds += (int)got;
	return p->deeds;
}

void pg_proxy_wait(struct pg_proxy *p, int timeout_ms)
{
	long long deadline = calm_ms() + timeout_ms;

	while (pg_proxy_deeds(p) == 0) {
		cr_assert(calm_ms() < deadline, "nothing to hold in %d ms", timeout_ms);
		pause_a_little();
	}
}

const char *pg_proxy_conninfo(const struct pg_proxy *p, char ret[256])
{
	snprintf(ret, 256, "host=%s port=5432 user=payhook dbname=payhook", p->folder);
	return ret;
}

void pg_proxy_stop(struct pg_proxy *p)
{
	kill(p->pid, SIGKILL);
	waitpid(p->pid, NULL, 0);
	close(p->reported);
}
