/* machine.c - reads the properties of the machine: cores, kernel, disk, PostgreSQL.
 *
 * A figure without its machine cannot be compared.  The cost of a flush matters most, because each batch pays for
 * one; it is measured with PostgreSQL's own pg_test_fsync, in the folder of the instance. */

#include "machine.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "child.h"
#include "stop.h"
#include "support/process.h"
#include "text.h"

#define FSYNC_PROGRAM "/usr/lib/postgresql/15/bin/pg_test_fsync"
#define FSYNC_MS 20000 /* until pg_test_fsync must have measured fdatasync */

static const char SETTINGS[] =
	"SELECT 'PostgreSQL ' || current_setting('server_version') || ': ' ||"
	" string_agg(name || '=' || current_setting(name), ' ' ORDER BY name) FROM pg_settings"
	" WHERE name IN ('fsync', 'synchronous_commit', 'full_page_writes', 'wal_sync_method', 'wal_compression', 'wal_level',"
	"  'wal_buffers', 'shared_buffers', 'max_wal_size', 'checkpoint_timeout', 'commit_delay', 'data_checksums')";

/* Reads the text behind "model name : "; processors of other architectures may have none. */
static void read_processor(char *ret, size_t size)
{
	struct fault f;
	char *text = text_read("/proc/cpuinfo", &f);
	const char *name = text ? strstr(text, "model name") : NULL;
	name = name ? strchr(name, ':') : NULL;
	snprintf(ret, size, "%.*s", name ? (int)strcspn(name + 2, "\n") : 7, name ? name + 2 : "unknown");
	free(text);
}

static int read_huge_pages(void)
{
	struct fault f;
	char *text = text_read("/proc/meminfo", &f);
	const char *line = text ? strstr(text, "HugePages_Total:") : NULL;
	int pages = 0;
	if (line && sscanf(line, "HugePages_Total: %d", &pages) != 1)
		pages = 0;
	free(text);
	return pages;
}

/* The type of the file system that holds the folder: that of the longest mount point on its path. */
static void read_file_system(const char *folder, char *ret, size_t size)
{
	char point[256], type[32], device[128];
	size_t best = 0;
	FILE *mounts = fopen("/proc/mounts", "r");
	snprintf(ret, size, "unknown");
	while (mounts && fscanf(mounts, "%127s %255s %31s %*[^\n]", device, point, type) == 3) {
		size_t len = strcmp(point, "/") == 0 ? 0 : strlen(point);
		if (len >= best && strncmp(folder, point, len) == 0 && (folder[len] == '/' || folder[len] == '\0')) {
			best = len;
			snprintf(ret, size, "%s", type);
		}
	}
	if (mounts)
		fclose(mounts);
}

/* pg_test_fsync measures every method there is; it is ended as soon as its output has the line for fdatasync. */
static bool read_fsync(const char *folder, double *ret, struct fault *f)
{
	char log[128], file[128];
	int status;
	snprintf(log, sizeof log, "%s/fsync.log", folder);
	snprintf(file, sizeof file, "%s/fsync.out", folder);
	pid_t pid = process_start((const char *const[]){FSYNC_PROGRAM, "-s", "1", "-f", file, NULL}, NULL, log);
	int64_t until = now_ns() + FSYNC_MS * INT64_C(1000000);
	double rate = 0;
	while (rate <= 0 && now_ns() < until && wait_ms(100)) {
		double printed;
		if (child_output_number(log, "        fdatasync ", &printed, f))
			rate = printed;
	}
	kill(pid, SIGTERM);
	process_wait(pid, 3000, &status);
	unlink(file);
	*ret = rate > 0 ? 1e6 / rate : 0;
	return rate > 0 || fault_set(f, FAULT_BUSY, "pg_test_fsync said nothing; see %s", log);
}

bool machine_read(struct machine *ret, struct stage *s, struct fault *f)
{
	struct utsname name;
	struct sysinfo info;
	uname(&name);
	sysinfo(&info);
	*ret = (struct machine){.cores = get_nprocs(), .huge_pages = read_huge_pages()};
	snprintf(ret->kernel, sizeof ret->kernel, "%.16s %.80s", name.sysname, name.release);
	ret->memory_gb = (double)info.totalram * info.mem_unit / 1e9;
	read_processor(ret->processor, sizeof ret->processor);
	read_file_system(s->instance.folder, ret->file_system, sizeof ret->file_system);
	if (!pg_text(s->owner, SETTINGS, ret->postgres, sizeof ret->postgres, f) ||
		!read_fsync(s->instance.folder, &ret->fdatasync_us, f))
		return false;
	if (!strstr(ret->postgres, " fsync=on") || !strstr(ret->postgres, " synchronous_commit=on"))
		return fault_set(f, FAULT_BUG, "this PostgreSQL's commits are not durable: %.150s", ret->postgres);
	return true;
}

void machine_print(const struct machine *m, FILE *out)
{
	fprintf(out,
		"%d cores (%s), %.0f GB, %d huge pages, %s, %s\n%s\nfdatasync of 8 kB: %.0f us (pg_test_fsync); commits are durable\n",
		m->cores, m->processor, m->memory_gb, m->huge_pages, m->kernel, m->file_system, m->postgres,
		m->fdatasync_us);
	fflush(out);
}
