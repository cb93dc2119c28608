// SPDX-License-Identifier: GPL-2.0
/*
 * Stepping through generated code: a hostile jitdump, whose unwinding tables libdw
 * reads, and a stack copy that leads from one of its functions to the next.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "perfconv/machine/codemap.h"
#include "perfconv/unwind/unwind.h"
#include "tests/fuzz/target.h"

#define PID 100u
#define REGS_MASK 0x1ffull /* AX to IP */
#define SP_AT 7u
#define IP_AT 8u
#define STACK 0x7ffd00000000ull
#define WORDS 64u
#define STARTS 8u

static const char *folder(void)
{
	static char path[40];

	if (!*path) {
		snprintf(path, sizeof(path), "/tmp/perfconv-fuzz-%d", (int)getpid());
		if (mkdir(path, 0700)) {
			perror("target: a folder");
			exit(1);
		}
	}
	return path;
}

static void write_dump(const uint8_t *bytes, size_t n)
{
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "%s/jit-%u.dump", folder(), PID);
	f = fopen(path, "we");
	if (!f || fwrite(bytes, 1, n, f) != n || fclose(f)) {
		perror("target: a dump");
		exit(1);
	}
}

static void remove_dump(void)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/jit-%u.dump", folder(), PID);
	unlink(path);
	rmdir(folder());
}

static uint64_t middle_of(const struct map *map)
{
	return map->start + (map->end - map->start) / 2;
}

/* From the middle of @first on; the stack holds return addresses into all functions. */
static void unwind_from(struct unwinder *u, const struct maps *code, const struct map *first)
{
	static struct unwind_stack out;
	struct maps_position at = maps__end(code);
	uint64_t regs[IP_AT + 1] = { 0 }, words[WORDS];
	struct record_sample sample = { .user_abi = 2,
					.user_regs_mask = REGS_MASK,
					.user_regs = regs,
					.stack = (const uint8_t *)words,
					.stack_bytes = sizeof(words) };

	for (size_t i = 0; i < WORDS; i++) {
		const struct map *to = maps__before(code, &at);

		if (!to) {
			at = maps__end(code);
			to = maps__before(code, &at);
		}
		words[i] = i % 3 ? middle_of(to) : STACK + 8 * i + 16;
	}
	for (size_t i = 0; i < SP_AT; i++)
		regs[i] = STACK + 32;
	regs[SP_AT] = STACK;
	regs[IP_AT] = middle_of(first);
	unwinder__unwind(u, 0, &sample, &out);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	static bool registered;
	struct codemap_capture about = { .path = "/nonexistent/perf.data",
					 .hostname = "elsewhere",
					 .clockid = 1 };
	struct record map = { .type = 1, .misc = 2, .time_ns = RECORD_NO_TIME };
	const struct maps *code;
	struct maps_position at;
	const struct map *first;
	struct machine m;
	struct images images;
	struct unwinder *u;

	if (!registered)
		registered = !atexit(remove_dump);
	write_dump(bytes, n);
	machine__init(&m);
	images__init(&images, about.path, folder());
	m.codemap = codemap__new(&m, &images, &about);
	map.mmap = (struct record_mmap){ .pid = PID,
					 .tid = PID,
					 .start = 0x1000,
					 .length = 0x1000,
					 .prot = 4,
					 .path = "/tmp/jit-100.dump" };
	machine__apply(&m, &map);
	machine__set_time(&m, UINT64_MAX - 1);
	u = unwinder__new("x86_64", &m, &images);
	code = &m.processes.data[0].generated;
	at = maps__end(code);
	for (size_t i = 0; i < STARTS && (first = maps__before(code, &at)); i++)
		unwind_from(u, code, first);
	unwinder__free(u);
	codemap__free(m.codemap);
	images__release(&images);
	machine__release(&m);
	return 0;
}
