/* scoreboard.c - a file of slots, mapped by each process.
 *
 * The file's name ends in the hash of the metrics table.  A program whose cells have another meaning therefore uses
 * another file, and the file needs no header: all zeros are a scoreboard on which nothing has been counted.
 *
 * All of the file's memory is allocated when it is opened.  Otherwise the first use of a cell on a full tmpfs would
 * end the process by SIGBUS.
 *
 * A slot is owned by a lock on one byte.  No process writes to the slot of another, so a crash at any point leaves
 * only valid cells. */

#define _GNU_SOURCE /* F_OFD_SETLK: the lock of an open file; closing another descriptor does not release it */

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

#define LINE 64 /* bytes of a cache line: slots share none, so processes do not slow each other down */

struct scoreboard {
	const struct metrics *metrics;
	int fd;
	size_t slot_size, size; /* bytes of a slot, and of the file */
	char *memory;           /* the mapping; NULL: none yet */
	int own;                /* number of the own slot */
};

static _Atomic int64_t *slot(const struct scoreboard *sb, int n)
{
	return (_Atomic int64_t *)(void *)(sb->memory + (size_t)n * sb->slot_size);
}

/* The lock of slot n covers byte n of the file.  The byte's content does not matter: it is a cell of the first
 * slots. */
static struct flock byte_of(int n)
{
	return (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = n, .l_len = 1};
}

/* Several processes may do this at the same time: posix_fallocate() keeps what is in the file and only extends it. */
static bool map(struct scoreboard *sb, const char *path, struct fault *f)
{
	sb->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (sb->fd < 0)
		return fault_set(f, FAULT_BUSY, "%s: %s", path, strerror(errno));
	int error = posix_fallocate(sb->fd, 0, (off_t)sb->size);
	if (error)
		return fault_set(f, FAULT_BUSY, "%s: %s", path, strerror(error));
	void *memory = mmap(NULL, sb->size, PROT_READ | PROT_WRITE, MAP_SHARED, sb->fd, 0);
	if (memory == MAP_FAILED)
		return fault_set(f, FAULT_BUSY, "%s: %s", path, strerror(errno));
	sb->memory = memory;
	return true;
}

/* The gauges describe the state in which the slot's last process ended, not the state of this one. */
static void clear_gauges(const struct scoreboard *sb)
{
	const struct metrics *m = sb->metrics;
	for (int i = 0; i < m->count; i++) {
		for (int s = 0;
			m->table[i].kind == METRIC_GAUGE && !m->table[i].is_latest && s < metric_series(&m->table[i]);
			s++)
			metric_set(m, scoreboard_cells(sb), i, s, 0);
	}
}

/* The first free slot.  Slots are reused from the lowest number, so the file does not fill up with dead ones. */
static bool take_slot(struct scoreboard *sb, struct fault *f)
{
	for (sb->own = 0; sb->own < SCOREBOARD_SLOTS; sb->own++) {
		struct flock lock = byte_of(sb->own);
		if (fcntl(sb->fd, F_OFD_SETLK, &lock) == 0) {
			clear_gauges(sb);
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
	struct scoreboard *sb = calloc(1, sizeof *sb);
	if (!sb)
		return fault_set(f, FAULT_BUSY, "out of memory");
	sb->metrics = m;
	sb->fd = -1;
	sb->slot_size = ((size_t)m->cells * sizeof(int64_t) + LINE - 1) / LINE * LINE;
	sb->size = sb->slot_size * SCOREBOARD_SLOTS;
	if (!map(sb, path, f) || !take_slot(sb, f)) {
		scoreboard_close(sb);
		return false;
	}
	*ret = sb;
	return true;
}

void scoreboard_close(struct scoreboard *sb)
{
	if (!sb)
		return;
	if (sb->memory)
		munmap(sb->memory, sb->size);
	if (sb->fd >= 0)
		close(sb->fd);
	free(sb);
}

_Atomic int64_t *scoreboard_cells(const struct scoreboard *sb)
{
	return slot(sb, sb->own);
}

/* F_OFD_GETLK reports only locks of other open files, so the own slot is known to be live without it. */
static bool lives(const struct scoreboard *sb, int n)
{
	struct flock lock = byte_of(n);
	return n == sb->own || (fcntl(sb->fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK);
}

/* A gauge that is absent in one process adds nothing, and the sum is absent only if it is absent in all. */
static void add_cell(int64_t *sum, int64_t value)
{
	if (value != METRIC_ABSENT)
		*sum = *sum == METRIC_ABSENT ? value : *sum + value;
}

static void add_latest(int64_t *highest, int64_t value)
{
	if (value > *highest)
		*highest = value;
}

/* Reads cells while their owners write them: each is consistent in itself, and a sum is as of no exact moment. */
int scoreboard_sum(const struct scoreboard *sb, int64_t *ret)
{
	const struct metrics *m = sb->metrics;
	int living = 0;
	bool alive[SCOREBOARD_SLOTS];
	for (int n = 0; n < SCOREBOARD_SLOTS; n++)
		living += alive[n] = lives(sb, n);
	for (int i = 0; i < m->count; i++) {
		bool is_latest = m->table[i].is_latest, gauge = m->table[i].kind == METRIC_GAUGE && !is_latest;
		int end = i + 1 < m->count ? m->first[i + 1] : m->cells;
		for (int c = m->first[i]; c < end; c++) {
			ret[c] = gauge ? METRIC_ABSENT : 0;
			for (int n = 0; n < SCOREBOARD_SLOTS; n++) {
				int64_t value = atomic_load_explicit(&slot(sb, n)[c], memory_order_relaxed);
				if (is_latest)
					add_latest(&ret[c], value);
				else if (alive[n] || !gauge)
					add_cell(&ret[c], value);
			}
		}
	}
	return living;
}
