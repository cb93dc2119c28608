// SPDX-License-Identifier: GPL-2.0
#include "perfconv/machine/debugfile.h"

#include <gelf.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "perfconv/base/file.h"
#include "perfconv/base/mem.h"
#include "perfconv/machine/debuginfod.h"
#include "perfconv/machine/elf_file.h"

#define DEBUG_ROOT "/usr/lib/debug"
#define MAX_ID_BYTES 64u

/* "ab/cdef...": how both stores lay out build-ids.  @text holds 2 * MAX_ID_BYTES + 2. */
static bool format_id(const uint8_t *id, size_t bytes, char *text)
{
	if (bytes < 2 || bytes > MAX_ID_BYTES)
		return false;
	text += sprintf(text, "%02x/", id[0]);
	for (size_t i = 1; i < bytes; i++)
		text += sprintf(text, "%02x", id[i]);
	return true;
}

int debugfile__cached(const uint8_t *id, size_t bytes, const char *kind, char **path)
{
	const char *home = getenv("HOME");
	char text[2 * MAX_ID_BYTES + 2];
	int fd;

	*path = NULL;
	if (!home || !format_id(id, bytes, text))
		return -1;
	*path = mem__format("%s/.debug/.build-id/%s/%s", home, text, kind);
	fd = file__open(*path, NULL, NULL);
	if (fd < 0) {
		free(*path);
		*path = NULL;
	}
	return fd;
}

/* Takes the descriptor over.  Return: NULL if it is not of this build-id. */
static Elf *map_if_same(int fd, const uint8_t *id, size_t bytes)
{
	Elf *elf = elf_file__map(fd);
	const uint8_t *its;
	size_t its_bytes;

	if (elf && elf_kind(elf) == ELF_K_ELF && elf_file__build_id(elf, &its, &its_bytes) &&
	    its_bytes == bytes && !memcmp(its, id, bytes))
		return elf;
	elf_end(elf);
	return NULL;
}

static int open_below(const struct debug_search *s, const char *path)
{
	return s->root ? file__open_in_root(s->root, path, 0) : file__open(path, NULL, NULL);
}

static Elf *open_by_id(const struct debug_search *s, const uint8_t *id, size_t bytes)
{
	char text[2 * MAX_ID_BYTES + 2], *path, *cached;
	Elf *elf;

	if (!format_id(id, bytes, text))
		return NULL;
	path = mem__format("%s/.build-id/%s.debug", DEBUG_ROOT, text);
	elf = map_if_same(open_below(s, path), id, bytes);
	free(path);
	if (!elf) {
		elf = map_if_same(debugfile__cached(id, bytes, "debug", &cached), id, bytes);
		free(cached);
	}
	return elf;
}

static bool checksum_of(int fd, uint32_t *sum)
{
	uLong crc = crc32(0, NULL, 0);
	uint8_t *bytes = mem__alloc(1 << 16, 1);
	ssize_t n;

	while ((n = read(fd, bytes, 1 << 16)) > 0)
		crc = crc32(crc, bytes, (uInt)n);
	free(bytes);
	*sum = (uint32_t)crc;
	return n == 0;
}

/* Takes @path over. */
static Elf *open_if_sum(const struct debug_search *s, char *path, uint32_t wanted)
{
	int fd = open_below(s, path);
	uint32_t sum;

	free(path);
	if (fd >= 0 && checksum_of(fd, &sum) && sum == wanted)
		return elf_file__map(fd);
	if (fd >= 0)
		close(fd);
	return NULL;
}

/* The link's section: a base name, zeros up to a multiple of four, a checksum. */
static const char *read_link(Elf *elf, uint32_t *sum)
{
	Elf_Scn *section = elf_file__section(elf, ".gnu_debuglink");
	const Elf_Data *data = section ? elf_rawdata(section, NULL) : NULL;
	const char *name = data ? data->d_buf : NULL;
	bool swapped = elf_getident(elf, NULL)[EI_DATA] == ELFDATA2MSB;
	size_t n;

	if (!name || data->d_size < 8)
		return NULL;
	n = strnlen(name, data->d_size);
	if (!n || memchr(name, '/', n) || (n + 4) / 4 * 4 + sizeof(*sum) > data->d_size)
		return NULL;
	memcpy(sum, name + (n + 4) / 4 * 4, sizeof(*sum));
	*sum = swapped ? __builtin_bswap32(*sum) : *sum;
	return name;
}

static Elf *open_by_link(const struct debug_search *s, const char *path, Elf *elf)
{
	int folder = (int)(file__base(path) - path);
	uint32_t sum;
	const char *name = *path == '/' ? read_link(elf, &sum) : NULL;
	Elf *found;

	if (!name)
		return NULL;
	found = open_if_sum(s, mem__format("%.*s%s", folder, path, name), sum);
	if (!found)
		found = open_if_sum(s, mem__format("%.*s.debug/%s", folder, path, name), sum);
	if (!found)
		found = open_if_sum(s, mem__format("%s%.*s%s", DEBUG_ROOT, folder, path, name),
				    sum);
	return found;
}

Elf *debugfile__open(const struct debug_search *search, const char *path, Elf *elf)
{
	const uint8_t *id;
	size_t bytes;
	Elf *found = NULL;
	bool has_id = elf_file__build_id(elf, &id, &bytes);

	if (has_id)
		found = open_by_id(search, id, bytes);
	if (!found)
		found = open_by_link(search, path, elf);
	if (!found && has_id && search->debuginfod)
		found = map_if_same(debuginfod__debug(search->debuginfod, id, bytes), id, bytes);
	if (found && elf_kind(found) != ELF_K_ELF) {
		elf_end(found);
		found = NULL;
	}
	return found;
}
