/* SPDX-License-Identifier: MIT */
/*
 * procinfo.c - see procinfo.h.
 */
#include "procinfo.h"

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define COMM_BYTES 15u

/* Reads a small file of /proc whole; returns its length, or 0. */
static size_t read_file(const char *path, char *text, size_t capacity)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t used = 0;
	ssize_t got;

	if (fd < 0)
		return 0;
	while (used + 1 < capacity && (got = read(fd, text + used, capacity - 1 - used)) > 0)
		used += (size_t)got;
	close(fd);
	text[used] = 0;
	return used;
}

/* "NSpid:\t1234\t1": outermost first; a single entry is our own namespace's and says nothing. */
uint32_t procinfo__outer_tid(pid_t tid, int host)
{
	char path[64], status[4096];
	char *line, *end;
	unsigned long outer;

	if (host)
		return (uint32_t)tid;
	snprintf(path, sizeof(path), "/proc/self/task/%d/status", (int)tid);
	if (!read_file(path, status, sizeof(status)))
		return 0;
	line = strstr(status, "\nNSpid:");
	if (!line)
		return 0;
	outer = strtoul(line + strlen("\nNSpid:"), &end, 10);
	return *end == '\t' ? (uint32_t)outer : 0;
}

void procinfo__runtime(uint64_t *address, uint64_t *bytes)
{
	const void *runtime = dlsym(RTLD_DEFAULT, "_PyRuntime");
	const ElfW(Sym) *symbol = NULL;
	Dl_info info;

	*address = *bytes = 0;
	if (!runtime || !dladdr1(runtime, &info, (void **)&symbol, RTLD_DL_SYMENT) || !symbol)
		return;
	*address = (uint64_t)(uintptr_t)runtime;
	*bytes = symbol->st_size;
}

struct build_id_search {
	uint64_t address;
	uint8_t *build_id;
	size_t capacity;
	uint32_t found;
};

static uint32_t note__build_id(const uint8_t *note, size_t bytes, uint8_t *build_id,
			       size_t capacity)
{
	ElfW(Nhdr) header;

	while (bytes >= sizeof(header)) {
		size_t name, all;

		memcpy(&header, note, sizeof(header));
		name = sizeof(header) + (((size_t)header.n_namesz + 3) & ~(size_t)3);
		all = name + (((size_t)header.n_descsz + 3) & ~(size_t)3);
		if (all > bytes)
			break;
		if (header.n_type == NT_GNU_BUILD_ID && header.n_namesz == 4 &&
		    !memcmp(note + sizeof(header), "GNU", 4)) {
			size_t size = header.n_descsz < capacity ? header.n_descsz : capacity;

			memcpy(build_id, note + name, size);
			return (uint32_t)size;
		}
		note += all;
		bytes -= all;
	}
	return 0;
}

static int object__search(struct dl_phdr_info *object, size_t size, void *context)
{
	struct build_id_search *search = context;
	unsigned int i;
	int inside = 0;

	(void)size;
	for (i = 0; i < object->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &object->dlpi_phdr[i];

		if (segment->p_type == PT_LOAD &&
		    search->address - (object->dlpi_addr + segment->p_vaddr) < segment->p_memsz)
			inside = 1;
	}
	for (i = 0; inside && i < object->dlpi_phnum && !search->found; i++) {
		const ElfW(Phdr) *segment = &object->dlpi_phdr[i];

		if (segment->p_type == PT_NOTE)
			search->found = note__build_id(
				(const uint8_t *)(object->dlpi_addr + segment->p_vaddr),
				segment->p_memsz, search->build_id, search->capacity);
	}
	return inside;
}

uint32_t procinfo__build_id(uint64_t address, uint8_t *build_id, size_t capacity)
{
	struct build_id_search search = { address, build_id, capacity, 0 };

	dl_iterate_phdr(object__search, &search);
	return search.found;
}

void procinfo__set_comm(pid_t tid, const char *name)
{
	size_t bytes = strnlen(name, COMM_BYTES + 1);
	char path[64], comm[COMM_BYTES + 1];
	int fd;

	if (tid == getpid() || !bytes)
		return;
	if (bytes > COMM_BYTES) {
		bytes = COMM_BYTES;
		while (bytes && ((unsigned char)name[bytes] & 0xc0) == 0x80)
			bytes--;
	}
	memcpy(comm, name, bytes);
	comm[bytes] = 0;
	if (tid == (pid_t)syscall(SYS_gettid)) {
		prctl(PR_SET_NAME, comm, 0, 0, 0);
		return;
	}
	snprintf(path, sizeof(path), "/proc/self/task/%d/comm", (int)tid);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (write(fd, comm, bytes) < 0)
		comm[0] = 0; /* the thread has ended */
	close(fd);
}
