/* test_folder.c - the run folder is removed with all that is in it, and nothing elsewhere by way of a link. */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "folder.h"
#include "message.h"

#define FILES 64   /* in the folder that is swapped, and in the one that the link leads to */
#define ROUNDS 100 /* removals while it is swapped */

static char top[] = "/tmp/payhook-folder-XXXXXX";

static void prepare(void)
{
	cr_assert_not_null(mkdtemp(top));
	cr_assert_eq(chdir(top), 0);
	struct fault f;
	cr_assert(message_open(top, &f));
}

static void clean(void)
{
	cr_assert_eq(chdir("/"), 0);
	folder_remove(top);
}

TestSuite(folder, .init = prepare, .fini = clean);

static void make_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	cr_assert_geq(fd, 0, "%s: %s", path, strerror(errno));
	close(fd);
}

static void make_files(const char *folder)
{
	char path[64];
	mkdir(folder, 0755);
	for (int n = 0; n < FILES; n++) {
		snprintf(path, sizeof path, "%s/%d", folder, n);
		make_file(path);
	}
}

Test(folder, is_removed_with_all_that_is_in_it)
{
	mkdir("run", 0755);
	make_files("run/pool");
	mkdir("run/pool/deep", 0700);
	make_files("run/pool/deep/deeper");
	cr_assert_eq(mkfifo("run/pool/pipe", 0600), 0);
	folder_remove("run");
	cr_assert_neq(access("run", F_OK), 0);
}

Test(folder, a_link_in_it_is_removed_and_not_followed)
{
	mkdir("run", 0755);
	make_files("elsewhere");
	cr_assert_eq(symlink("../elsewhere", "run/link"), 0);
	folder_remove("run");
	cr_assert_neq(access("run", F_OK), 0);
	cr_assert_eq(access("elsewhere/0", F_OK), 0);
	/* And if the folder itself is a link. */
	cr_assert_eq(symlink("elsewhere", "run"), 0);
	folder_remove("run");
	cr_assert_eq(access("elsewhere/0", F_OK), 0);
}

/* As the owner of run/pool does it: run/pool/a is a folder at one moment, and a link at the next. */
static pid_t swap_for_ever(void)
{
	pid_t pid = fork();
	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		renameat2(AT_FDCWD, "run/pool/a", AT_FDCWD, "link", RENAME_EXCHANGE);
}

/* What a removal has left is still being swapped, so a link may come back just after it was removed. */
static void make_link(void)
{
	while (symlink("/proc/self/cwd/elsewhere", "link") != 0) {
		cr_assert_eq(errno, EEXIST);
		unlink("link");
		folder_remove("link");
	}
}

static void expect_all(const char *folder)
{
	char path[64];
	for (int n = 0; n < FILES; n++) {
		snprintf(path, sizeof path, "%s/%d", folder, n);
		cr_assert_eq(access(path, F_OK), 0, "%s is gone", path);
	}
}

Test(folder, what_takes_a_folders_place_meanwhile_is_not_followed, .timeout = 60)
{
	make_files("elsewhere");
	pid_t pid = swap_for_ever();
	for (int n = 0; n < ROUNDS; n++) {
		make_link();
		mkdir("run", 0755);
		mkdir("run/pool", 0755);
		make_files("run/pool/a");
		folder_remove("run");
		expect_all("elsewhere");
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}
