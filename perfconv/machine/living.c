// SPDX-License-Identifier: GPL-2.0
/*
 * Links inside a container are its owner's to set and may be absolute, so paths
 * are resolved by openat2(RESOLVE_IN_ROOT), with the process's root as the root.
 */
#include "perfconv/machine/living.h"

#include <elf.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "perfconv/base/cursor.h"
#include "perfconv/base/file.h"
#include "perfconv/base/mem.h"

#define STAT_LIMIT ((size_t)1 << 16)
#define NOTES_LIMIT ((size_t)1 << 20)
#define START_FIELD 22u /* of /proc/PID/stat, as proc(5) counts */
#define SECOND_NS 1000000000ull
/* Clocks that count from the start differ by their corrections. */
#define TOLERANCE_NS(at) (2 * SECOND_NS + (at) / 1000)

bool living__is_host(const char *hostname)
{
	char here[256] = "";

	return !*hostname || (!gethostname(here, sizeof(here) - 1) && !strcmp(here, hostname));
}

/* A note: sizes of its name and content, its type, both padded to multiples of four. */
static bool note_agrees(const char *notes, size_t n, const uint8_t *id, size_t bytes)
{
	struct cursor c;

	cursor__init(&c, notes, n, false);
	while (cursor__left(&c)) {
		uint32_t name_bytes = cursor__u32(&c), id_bytes = cursor__u32(&c);
		uint32_t type = cursor__u32(&c);
		const uint8_t *name = cursor__bytes(&c, ((size_t)name_bytes + 3) & ~(size_t)3);
		const uint8_t *its = cursor__bytes(&c, ((size_t)id_bytes + 3) & ~(size_t)3);

		if (c.failed)
			break;
		if (type == NT_GNU_BUILD_ID && name_bytes == 4 && !memcmp(name, "GNU", 4))
			return id_bytes == bytes && !memcmp(its, id, bytes);
	}
	return true;
}

bool living__is_kernel(const uint8_t *id, size_t bytes)
{
	char *notes;
	size_t n;
	bool agrees;

	if (file__read("/sys/kernel/notes", NOTES_LIMIT, &notes, &n, NULL))
		return true;
	agrees = note_agrees(notes, n, id, bytes);
	free(notes);
	return agrees;
}

static uint64_t inode_of(const char *path)
{
	struct stat st;

	return stat(path, &st) ? 0 : st.st_ino;
}

bool living__is_foreign(const struct living *l, const struct origin *o)
{
	return l->local && o->mount_namespace &&
	       o->mount_namespace != inode_of("/proc/self/ns/mnt");
}

/* Since the machine's start; 0: not known.  The name in brackets may hold anything. */
static uint64_t start_of(uint32_t pid)
{
	char path[64], *text, *at;
	uint64_t ticks = 0;
	size_t n;

	snprintf(path, sizeof(path), "/proc/%" PRIu32 "/stat", pid);
	if (file__read(path, STAT_LIMIT, &text, &n, NULL))
		return 0;
	at = strrchr(text, ')');
	for (unsigned int field = 2; at && field < START_FIELD; field++)
		at = strchr(at + 1, ' ');
	if (at)
		ticks = strtoull(at, NULL, 10);
	free(text);
	return ticks * (SECOND_NS / (uint64_t)sysconf(_SC_CLK_TCK));
}

static bool is_as_old(const struct living *l, const struct origin *o)
{
	uint64_t start = start_of(o->pid), stated = o->start_ns ? o->start_ns : l->first_ns;

	if (!start)
		return false;
	if (!l->since_boot || !stated)
		return true;
	if (start > stated + TOLERANCE_NS(stated))
		return false;
	return !o->start_ns || start + TOLERANCE_NS(stated) >= stated;
}

static bool lives(const struct living *l, const struct origin *o)
{
	char path[64];

	if (!l->local || !o->pid || o->pid > INT32_MAX)
		return false;
	snprintf(path, sizeof(path), "/proc/%" PRIu32 "/ns/mnt", o->pid);
	if (o->mount_namespace && inode_of(path) != o->mount_namespace)
		return false;
	return is_as_old(l, o);
}

int living__open_in_root(uint32_t pid, const char *path, int flags)
{
	char root[64];

	snprintf(root, sizeof(root), "/proc/%" PRIu32 "/root", pid);
	return file__open_in_root(root, path, flags);
}

int living__open(const struct living *l, const struct origin *o, const char *path, bool *proven)
{
	struct stat st;
	int fd;

	if (*path != '/' || !lives(l, o))
		return -1;
	fd = living__open_in_root(o->pid, path, 0);
	if (fd < 0)
		return -1;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || (o->inode && st.st_ino != o->inode)) {
		close(fd);
		return -1;
	}
	*proven = o->inode || o->mount_namespace;
	return fd;
}

/* The name is opened from our root, where an absolute link leads elsewhere. */
char *living__path(const struct living *l, const struct origin *o, const char *path)
{
	bool proven;
	int fd = living__open(l, o, path, &proven);
	char *name = mem__format("/proc/%" PRIu32 "/root%s", o->pid, path);
	struct stat inside, here;

	if (fd < 0 || fstat(fd, &inside) || stat(name, &here) || inside.st_ino != here.st_ino ||
	    inside.st_dev != here.st_dev) {
		free(name);
		name = NULL;
	}
	if (fd >= 0)
		close(fd);
	return name;
}
