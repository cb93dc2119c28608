/* SPDX-License-Identifier: MIT */
/*
 * arena.c - see arena.h.
 */
#include "arena.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define ARENA_NAME_BYTES 128u /* room per slot; one name may be longer */

static size_t gap_bytes(void)
{
	return stub__native()->page_bytes;
}

static int write_all(int fd, const uint8_t *bytes, size_t count, uint64_t at)
{
	while (count) {
		ssize_t done = pwrite(fd, bytes, count, (off_t)at);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return done < 0 ? -errno : -ENOSPC;
		bytes += done;
		count -= (size_t)done;
		at += (uint64_t)done;
	}
	return 0;
}

static int arena__write_file(const struct arena *arena, int fd)
{
	const struct elf_layout *layout = &arena->layout;
	uint64_t tail_bytes = layout->file_bytes - layout->tail;
	uint8_t *image;
	int ret;

	if (ftruncate(fd, (off_t)layout->file_bytes) < 0)
		return -errno;
	ret = privdir__allocate(fd, layout->symtab, layout->names_bytes);
	if (ret)
		return ret;
	image = calloc(1, layout->loaded_bytes + tail_bytes);
	if (!image)
		return -ENOMEM;
	elf_image__write_loaded(layout, arena->build_id, image);
	elf_image__write_tail(layout, image + layout->loaded_bytes);
	ret = write_all(fd, image, layout->loaded_bytes, 0);
	if (!ret)
		ret = write_all(fd, image + layout->loaded_bytes, tail_bytes, layout->tail);
	free(image);
	return ret;
}

/*
 * The code is often mapped right below the names.  elfutils takes neighbours in
 * /proc/PID/maps with one inode for one file, and gives up the whole process where
 * their paths differ; it does not see private memory.  So a page of shared memory,
 * which has an inode of its own, lies between.
 */
static int arena__map_names(struct arena *arena, int fd)
{
	uint64_t gap = gap_bytes(), bytes = arena->layout.names_bytes;
	uint8_t *map, *names;
	struct stat st;
	int error;

	if (fstat(fd, &st) < 0)
		return -errno;
	map = mmap(NULL, gap + bytes, PROT_NONE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (map == MAP_FAILED)
		return -errno;
	names = mmap(map + gap, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd,
		     (off_t)arena->layout.symtab);
	if (names == MAP_FAILED) {
		error = errno;
		munmap(map, gap + bytes);
		return -error;
	}
	arena->device = st.st_dev;
	arena->inode = st.st_ino;
	arena->names = names;
	arena->names_used = 1; /* the string table's first byte is the empty name */
	arena->next_slot = 1;
	return 0;
}

/*
 * perf takes the lowest mapping of a file for its base.  The names are therefore
 * mapped under a name of their own, which is gone when the file is loaded under
 * its last one: to perf, and in /proc/PID/maps, these are two files.
 */
static int arena__rename(const char *first_path, const char *path)
{
	if (link(first_path, path) == 0)
		return unlink(first_path) < 0 ? -errno : 0;
	return rename(first_path, path) < 0 ? -errno : 0; /* no hard links here */
}

static int arena__load(struct arena *arena, struct errbuf *err)
{
	void *handle = dlopen(arena->path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	struct link_map *map = NULL;
	const char *why;

	if (handle && dlinfo(handle, RTLD_DI_LINKMAP, &map) == 0 && map) {
		arena->base = map->l_addr + arena->layout.text;
		return 0;
	}
	why = dlerror();
	return errbuf__set(err, -ENOEXEC, "cannot load the trampolines: %s", why ? why : "dlopen");
}

/* Headers and code lie where the loader would put them; nothing reads the dynamic section. */
static int arena__map_code(struct arena *arena, struct errbuf *err)
{
	const struct elf_layout *layout = &arena->layout;
	int fd = privdir__reopen(arena->path, arena->device, arena->inode);
	uint8_t *map = MAP_FAILED, *code = MAP_FAILED;
	int error;

	if (fd < 0)
		return errbuf__set(err, fd, "cannot load the trampolines: %s: %s", arena->path,
				   strerror(-fd));
	map = mmap(NULL, layout->loaded_bytes, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map != MAP_FAILED)
		code = mmap(map + layout->text, layout->dynamic - layout->text,
			    PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, fd,
			    (off_t)layout->text);
	error = errno;
	close(fd);
	if (code == MAP_FAILED) {
		if (map != MAP_FAILED)
			munmap(map, layout->loaded_bytes);
		return errbuf__set(err, -error, "cannot load the trampolines: %s: %s", arena->path,
				   strerror(error));
	}
	arena->base = (uint64_t)(uintptr_t)code;
	return 0;
}

int arena__open(struct arena *arena, const struct privdir *dir, const char *token, uint32_t id,
		uint32_t slots, enum arena_way way, struct errbuf *err)
{
	const struct stub_machine *machine = stub__native();
	char name[64], first_path[PATH_MAX];
	int fd, ret;

	memset(arena, 0, sizeof(*arena));
	if (!machine)
		return errbuf__set(err, -ENOSYS, "no trampolines for this machine");
	ret = elf_layout__init(&arena->layout, machine, slots, ARENA_NAME_BYTES);
	if (ret)
		return errbuf__set(err, ret, "%u trampolines in an arena are not possible", slots);
	ret = privdir__random(arena->build_id, sizeof(arena->build_id));
	if (ret)
		return errbuf__set(err, ret, "no random bytes: %s", strerror(-ret));
	arena->id = id;
	snprintf(arena->path, sizeof(arena->path), "%s/pyframes-%s-%u.so", dir->path, token, id);
	snprintf(name, sizeof(name), "pyframes-%s-%u.names", token, id);
	snprintf(first_path, sizeof(first_path), "%s/%s", dir->path, name);
	fd = privdir__create(dir, name, err);
	if (fd < 0)
		return fd;
	ret = arena__write_file(arena, fd);
	if (!ret)
		ret = arena__map_names(arena, fd);
	close(fd);
	if (!ret)
		ret = arena__rename(first_path, arena->path);
	if (ret)
		errbuf__set(err, ret, "%s: %s", arena->path, strerror(-ret));
	else
		ret = way == ARENA_MAPPED ? arena__map_code(arena, err) : arena__load(arena, err);
	if (ret) {
		unlink(first_path);
		unlink(arena->path);
		arena__forget(arena);
	}
	return ret;
}

uint32_t arena__add(struct arena *arena, const char *name, size_t name_bytes)
{
	const struct elf_layout *layout = &arena->layout;
	uint64_t offset = arena->names_used;
	uint32_t slot = arena->next_slot;

	if (!arena->names || slot >= layout->slots ||
	    name_bytes + 1 > layout->strtab_bytes - offset)
		return 0;
	memcpy(arena->names + (layout->strtab - layout->symtab) + offset, name, name_bytes);
	elf_image__write_symbol(layout, arena->names, slot, (uint32_t)offset);
	arena->names_used = offset + name_bytes + 1;
	arena->next_slot = slot + 1;
	return slot;
}

void arena__forget(struct arena *arena)
{
	if (arena->names)
		munmap(arena->names - gap_bytes(), gap_bytes() + arena->layout.names_bytes);
	arena->names = NULL;
}
