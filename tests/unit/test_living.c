// SPDX-License-Identifier: GPL-2.0
/* Files as a process in another root sees them. */
#include "perfconv/machine/living.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "perfconv/base/file.h"
#include "tests/unit/support.h"

/* A process whose root is @root.  Return: its pid; 0 if we may not make one. */
static pid_t start_in(const char *root)
{
	int ready[2];
	char byte = 'n';
	pid_t child;

	assert_int_equal(pipe(ready), 0);
	child = fork();
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		byte = chroot(root) ? 'n' : 'y';
		(void)!write(ready[1], &byte, 1);
		pause();
		_exit(0);
	}
	(void)!read(ready[0], &byte, 1);
	close(ready[0]);
	close(ready[1]);
	if (byte == 'y')
		return child;
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	return 0;
}

/* A file of everybody's, and the same name in the other root. */
#define FILE_NAME "/etc/passwd"

static const char *const made[] = { "root", "root/etc", "root/etc/passwd", "root/absolute",
				    "root/relative" };

static void make_root(const char *folder)
{
	assert_int_equal(mkdir(scratch__path(folder, made[0]), 0700), 0);
	assert_int_equal(mkdir(scratch__path(folder, made[1]), 0700), 0);
	(void)scratch__write(folder, made[2], "its own", 7);
	assert_int_equal(symlink(FILE_NAME, scratch__path(folder, made[3])), 0);
	assert_int_equal(symlink("etc/passwd", scratch__path(folder, made[4])), 0);
}

/* What stands in its root as /out leads to our own folder. */
static void folders_that_lead_out_of_the_root_are_not_entered(void **state)
{
	const char *folder = *state, *root, *ours, *link;
	int through, plain, last;
	pid_t child;

	root = scratch__path(folder, "root");
	assert_int_equal(mkdir(root, 0700), 0);
	ours = scratch__write(folder, "perf-5.map", "1 1 ours", 8);
	link = scratch__path(folder, "root/out");
	assert_int_equal(symlink(folder, link), 0);
	assert_int_equal(symlink("file", scratch__path(folder, "root/link")), 0);
	(void)scratch__write(folder, "root/file", "its own", 7);
	child = start_in(root);
	through = living__open_in_root((uint32_t)child, "/out/perf-5.map", O_NOFOLLOW);
	plain = living__open_in_root((uint32_t)child, "/file", O_NOFOLLOW);
	last = living__open_in_root((uint32_t)child, "/link", O_NOFOLLOW);
	(void)remove(ours);
	(void)remove(link);
	(void)remove(scratch__path(folder, "root/link"));
	(void)remove(scratch__path(folder, "root/file"));
	(void)remove(root);
	if (!child) {
		print_message("chroot() needs root\n");
		skip();
	}
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	assert_int_equal(through, -ENOENT);
	assert_true(plain >= 0);
	close(plain);
	assert_int_equal(last, -ELOOP);
}

static void links_that_lead_out_of_the_root_are_not_followed(void **state)
{
	struct living l = { .local = true };
	char *absolute, *relative, *nothing;
	struct origin o = { 0 };
	pid_t child;

	make_root(*state);
	child = start_in(scratch__path(*state, made[0]));
	o.pid = (uint32_t)child;
	absolute = living__path(&l, &o, "/absolute");
	relative = living__path(&l, &o, "/relative");
	nothing = living__path(&l, &o, "/nothing");
	for (size_t i = sizeof(made) / sizeof(*made); i-- > 0;)
		(void)remove(scratch__path(*state, made[i]));
	if (!child) {
		print_message("chroot() needs root\n");
		skip();
	}
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	assert_null(absolute);
	assert_non_null(relative);
	assert_null(nothing);
	free(relative);
}

static void the_running_kernel_is_known_by_its_build_id(void **state)
{
	char *notes, *name;
	uint8_t id[20];
	size_t n;

	(void)state;
	if (file__read("/sys/kernel/notes", 1 << 20, &notes, &n, NULL)) {
		print_message("/sys/kernel/notes cannot be read\n");
		skip();
	}
	name = memmem(notes, n, "\x14\0\0\0\x03\0\0\0GNU", 12); /* 20 bytes of type 3 */
	if (name) {
		memcpy(id, name + 12, sizeof(id));
		assert_true(living__is_kernel(id, sizeof(id)));
		assert_false(living__is_kernel(id, 16));
		id[7] ^= 1;
		assert_false(living__is_kernel(id, sizeof(id)));
	}
	free(notes);
	if (!name) {
		print_message("this kernel has no build-id\n");
		skip();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_running_kernel_is_known_by_its_build_id),
		scratch_test(folders_that_lead_out_of_the_root_are_not_entered),
		scratch_test(links_that_lead_out_of_the_root_are_not_followed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
