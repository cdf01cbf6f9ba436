/* page.c - a file of slots, mapped by each process.
 *
 * The file's name has the table's mark, so a program whose cells mean something else has another file, and no file needs
 * a header: all zeros, it is a page on which nothing was counted yet.  All of its memory is taken at the beginning; on a
 * full tmpfs a cell's first use would else end the process. */

#define _GNU_SOURCE /* F_OFD_SETLK: locks that belong to the open file, not to whoever opens it once more */

#include "runtime/scoreboard.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define LINE 64 /* bytes that processors hand over at a time: a slot shares none with its neighbours */

struct scoreboard {
	const struct metrics *metrics;
	int fd;
	size_t slot_size, size;
	char *memory;
	int own;
};

static _Atomic int64_t *slot(const struct scoreboard *p, int n)
{
	return (_Atomic int64_t *)(void *)(p->memory + (size_t)n * p->slot_size);
}

/* A lock of one byte for each slot; what the byte holds does not matter. */
static struct flock byte_of(int n)
{
	return (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = n, .l_len = 1};
}

static bool map(struct scoreboard *p, const char *path, struct fault *f)
{
	p->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (p->fd < 0)
		return fault_set(f, FAULT_BUSY, "%s: %s", path, strerror(errno));
	int error = posix_fallocate(p->fd, 0, (off_t)p->size);
	if (error)
		return fault_set(f, FAULT_BUSY, "%s: %s", path, strerror(error));
	void *memory = mmap(NULL, p->size, PROT_READ | PROT_WRITE, MAP_SHARED, p->fd, 0);
	if (memory == MAP_FAILED)
		return fault_set(f, FAULT_BUSY, "%s: %s", path, strerror(errno));
	p->memory = memory;
	return true;
}

/* What the slot's last process was doing when it ended says nothing of ours. */
static void clear_gauges(const struct scoreboard *p)
{
	const struct metrics *m = p->metrics;
	for (int i = 0; i < m->count; i++) {
		for (int s = 0; m->table[i].kind == METRIC_GAUGE && s < metric_series(&m->table[i]); s++)
			metric_set(m, scoreboard_cells(p), i, s, 0);
	}
}

static bool take_slot(struct scoreboard *p, struct fault *f)
{
	for (p->own = 0; p->own < SCOREBOARD_SLOTS; p->own++) {
		struct flock lock = byte_of(p->own);
		if (fcntl(p->fd, F_OFD_SETLK, &lock) == 0) {
			clear_gauges(p);
			return true;
		}
		if (errno != EAGAIN && errno != EACCES)
			return fault_set(f, FAULT_BUSY, "a slot cannot be locked: %s", strerror(errno));
	}
	return fault_set(f, FAULT_BUSY, "all of the %d slots are taken", SCOREBOARD_SLOTS);
}

bool scoreboard_open(
	const char *folder, const char *program, const struct metrics *m, struct scoreboard **ret, struct fault *f)
{
	char path[PATH_MAX];
	int len = snprintf(path, sizeof path, "%s/%s-%016" PRIx64, folder, program, metrics_mark(m));
	if (len < 0 || (size_t)len >= sizeof path)
		return fault_set(f, FAULT_INPUT, "the path of the folder is too long");
	struct scoreboard *p = calloc(1, sizeof *p);
	if (!p)
		return fault_set(f, FAULT_BUSY, "out of memory");
	p->metrics = m;
	p->fd = -1;
	p->slot_size = ((size_t)m->cells * sizeof(int64_t) + LINE - 1) / LINE * LINE;
	p->size = p->slot_size * SCOREBOARD_SLOTS;
	if (!map(p, path, f) || !take_slot(p, f)) {
		scoreboard_close(p);
		return false;
	}
	*ret = p;
	return true;
}

void scoreboard_close(struct scoreboard *p)
{
	if (!p)
		return;
	if (p->memory)
		munmap(p->memory, p->size);
	if (p->fd >= 0)
		close(p->fd);
	free(p);
}

_Atomic int64_t *scoreboard_cells(const struct scoreboard *p)
{
	return slot(p, p->own);
}

/* A lock of our own is none to us. */
static bool lives(const struct scoreboard *p, int n)
{
	struct flock lock = byte_of(n);
	return n == p->own || (fcntl(p->fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK);
}

int scoreboard_sum(const struct scoreboard *p, int64_t *ret)
{
	const struct metrics *m = p->metrics;
	int living = 0;
	memset(ret, 0, (size_t)m->cells * sizeof *ret);
	for (int n = 0; n < SCOREBOARD_SLOTS; n++) {
		bool alive = lives(p, n);
		living += alive;
		for (int i = 0; i < m->count; i++) {
			int end = i + 1 < m->count ? m->first[i + 1] : m->cells;
			for (int c = m->first[i]; (alive || m->table[i].kind != METRIC_GAUGE) && c < end; c++)
				ret[c] += atomic_load_explicit(&slot(p, n)[c], memory_order_relaxed);
		}
	}
	return living;
}
