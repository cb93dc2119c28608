/* SPDX-License-Identifier: GPL-2.0 */
/*
 * world - a machine with one Python process, and a store to put stacks into:
 *
 *     0x10000000  trampolines   (a side file names them; slot s at 64 * s)
 *     0x20000000  libpython     (an ELF file; eval, and helpers around it)
 *     0x30000000  libc          (an ELF file; start-up, recv, ...)
 *     0x40000000  stripped.so   (an ELF file without symbols)
 *     0x50000000  _pyframes...so (pyframes itself)
 *
 * The side file also has _PyRuntime at 0x900000, 4 KiB, and a snapshot of the main
 * thread at time 1000: _bootstrap called Loop.run.
 *
 * Every ELF file has its functions at 0x1000, 0x1100, 0x1200 ...
 */
#ifndef PERFCONV_TESTS_UNIT_WORLD_H
#define PERFCONV_TESTS_UNIT_WORLD_H

#include "perfconv/machine/images.h"
#include "perfconv/machine/machine.h"
#include "perfconv/profile/profile.h"
#include "perfconv/resolve/python.h"
#include "perfconv/resolve/resolve.h"
#include "perfconv/store/store.h"
#include "perfconv/symbol/symbols.h"
#include "tests/unit/sidefile_builder.h"

#define WORLD_PID 100u
#define WORLD_PYTHON_BASE 0x10000000u

/* Frames by what they are; an address in the process. */
enum world_frame {
	/* trampolines */
	PY_BOOTSTRAP = 0x10001000 + 64 * 1,
	PY_RUN = 0x10001000 + 64 * 2,
	PY_RECV = 0x10001000 + 64 * 3,
	PY_TASK = 0x10001000 + 64 * 4,
	PY_UNNAMED = 0x10001000 + 64 * 50,
	/* libpython */
	EVAL = 0x20001000,
	VECTORCALL = 0x20001100,
	SOCK_RECV = 0x20001200,
	/* libc */
	START = 0x30001000,
	START_THREAD = 0x30001100,
	RECV = 0x30001200,
	/* stripped.so, three places of it */
	STRIPPED = 0x40001000,
	STRIPPED_2 = 0x40001100,
	/* pyframes' own hook */
	HOOK = 0x50001000,
};

#define WORLD_KERNEL 0xffffffff81000000u

struct world {
	struct machine machine;
	struct images images;
	struct sidefiles sidefiles;
	struct store store;
	struct symbols *symbols;
	struct python *python;
	struct resolver *resolver;
};

/** world__init - @folder holds its files; without @side_file only ELF files are there. */
void world__init(struct world *w, const char *folder, bool side_file);
void world__release(struct world *w);

/** world__fork - a thread begins. */
void world__fork(struct world *w, uint32_t pid, uint32_t tid, uint64_t time_ns);

/** world__comm - a thread's kernel name. */
void world__comm(struct world *w, uint32_t pid, uint32_t tid, const char *comm);

/** world__stack - the store's stack of @ips, root first, 0-terminated; all but the leaf
 *  are return addresses. */
uint32_t world__stack(struct world *w, const uint64_t *ips);

/** world__sample - a sample of event 0. */
void world__sample(struct world *w, uint32_t pid, uint32_t tid, uint64_t time_ns, uint64_t weight,
		   uint32_t stack);

/** world__resolve - make symbols, python and resolver, after all stacks are there. */
void world__resolve(struct world *w, enum frames_mode mode);

/** world__text - a resolved stack's names, root first, divided by " > "; "-" if there is
 *  none.  Static storage. */
const char *world__text(const struct world *w, uint32_t resolved);

#define STACK(w, ...) world__stack(w, (const uint64_t[]){ __VA_ARGS__, 0 })

/** world__profile - of all samples of @event, the first; needs world__resolve(). */
struct profile *world__profile(struct world *w, const struct perfdata_event *event);

#endif
