/* SPDX-License-Identifier: GPL-2.0 */
/*
 * fail_nth.c - preloaded: makes the N-th request to the system fail.
 *
 * Requests are those for memory, disk space, files and the loader that come from
 * pyframes' own code (by return address).  FAIL_AT is N; when that request is
 * made, the file FAIL_LOG is created.  With INTERRUPT set, signals seem to
 * interrupt every other request for disk space.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *block, size_t bytes);

static int count;

static int is_ours(const void *caller)
{
	Dl_info info;

	return dladdr(caller, &info) && info.dli_fname && strstr(info.dli_fname, "_pyframes.");
}

static int fails(const void *caller)
{
	static __thread int inside;
	const char *at;
	int fail;

	if (inside)
		return 0;
	inside = 1;
	at = getenv("FAIL_AT");
	fail = at && is_ours(caller) && __atomic_add_fetch(&count, 1, __ATOMIC_RELAXED) == atoi(at);
	if (fail)
		close((int)syscall(SYS_openat, AT_FDCWD, getenv("FAIL_LOG"),
				   O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
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
	static int calls;

	if (fails(CALLER))
		return ENOSPC;
	if (getenv("INTERRUPT") && is_ours(CALLER) && ++calls % 2)
		return EINTR;
	return syscall(SYS_fallocate, fd, 0, offset, bytes) < 0 ? errno : 0;
}

/* The rest fails with EIO, as a failing disk would make it. */
static long result(int fail, long value)
{
	if (fail)
		errno = EIO;
	return fail ? -1 : value;
}

int open(const char *path, int flags, ...)
{
	int fail = fails(CALLER);
	va_list args;
	int mode;

	va_start(args, flags);
	mode = flags & O_CREAT ? va_arg(args, int) : 0;
	va_end(args);
	return (int)result(fail, fail ? -1 : syscall(SYS_openat, AT_FDCWD, path, flags, mode));
}

int openat(int directory, const char *path, int flags, ...)
{
	int fail = fails(CALLER);
	va_list args;
	int mode;

	va_start(args, flags);
	mode = flags & O_CREAT ? va_arg(args, int) : 0;
	va_end(args);
	return (int)result(fail, fail ? -1 : syscall(SYS_openat, directory, path, flags, mode));
}

int ftruncate(int fd, off_t bytes)
{
	int fail = fails(CALLER);

	return (int)result(fail, fail ? -1 : syscall(SYS_ftruncate, fd, bytes));
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t offset)
{
	int fail = fails(CALLER);

	return result(fail, fail ? -1 : syscall(SYS_pwrite64, fd, bytes, size, offset));
}

int link(const char *from, const char *to)
{
	int fail = fails(CALLER);

	return (int)result(fail, fail ? -1 : syscall(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0));
}

int rename(const char *from, const char *to)
{
	int fail = fails(CALLER);

	return (int)result(fail,
			   fail ? -1 : syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0));
}

ssize_t getrandom(void *bytes, size_t size, unsigned int flags)
{
	int fail = fails(CALLER);

	return result(fail, fail ? -1 : syscall(SYS_getrandom, bytes, size, flags));
}

void *dlopen(const char *path, int flags)
{
	static void *(*real)(const char *, int);

	if (fails(CALLER))
		return NULL;
	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "dlopen");
	return real(path, flags);
}
