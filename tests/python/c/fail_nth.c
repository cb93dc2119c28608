/* SPDX-License-Identifier: GPL-2.0 */
/*
 * fail_nth.c - preloaded: makes the N-th request for memory or disk space fail.
 *
 * Only requests that come from pyframes' own code count (by return address).
 * FAIL_AT is N; when that request is made, the file FAIL_LOG is created.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *block, size_t bytes);

static int count;

static int fails(const void *caller)
{
	static __thread int inside;
	const char *at;
	Dl_info info;
	int fail;

	if (inside)
		return 0;
	inside = 1;
	at = getenv("FAIL_AT");
	fail = at && dladdr(caller, &info) && info.dli_fname &&
	       strstr(info.dli_fname, "_pyframes.") &&
	       __atomic_add_fetch(&count, 1, __ATOMIC_RELAXED) == atoi(at);
	if (fail)
		close(open(getenv("FAIL_LOG"), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	inside = 0;
	return fail;
}

#define CALLER __builtin_return_address(0)

void *malloc(size_t bytes)
{
	return fails(CALLER) ? NULL : __libc_malloc(bytes);
}

void *calloc(size_t number, size_t bytes)
{
	return fails(CALLER) ? NULL : __libc_calloc(number, bytes);
}

void *realloc(void *block, size_t bytes)
{
	return fails(CALLER) ? NULL : __libc_realloc(block, bytes);
}

char *strdup(const char *text)
{
	size_t bytes = strlen(text) + 1;
	char *copy = fails(CALLER) ? NULL : __libc_malloc(bytes);

	return copy ? memcpy(copy, text, bytes) : NULL;
}

void *mmap(void *address, size_t bytes, int protection, int flags, int fd, off_t offset)
{
	if (fails(CALLER)) {
		errno = ENOMEM;
		return MAP_FAILED;
	}
	return (void *)syscall(SYS_mmap, address, bytes, protection, flags, fd, offset);
}

int posix_fallocate(int fd, off_t offset, off_t bytes)
{
	if (fails(CALLER))
		return ENOSPC;
	return syscall(SYS_fallocate, fd, 0, offset, bytes) < 0 ? errno : 0;
}
