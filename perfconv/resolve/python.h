/* SPDX-License-Identifier: GPL-2.0 */
/*
 * python - what the capture knows of Python: the side files of its processes,
 * found through the trampoline files that are mapped in them.
 */
#ifndef PERFCONV_RESOLVE_PYTHON_H
#define PERFCONV_RESOLVE_PYTHON_H

#include <stdbool.h>
#include <stdint.h>

#include "perfconv/machine/images.h"
#include "perfconv/machine/machine.h"
#include "perfconv/machine/sidefiles.h"
#include "perfconv/sidefile/sidefile.h"
#include "perfconv/symbol/symbols.h"

struct python;

/* A Python frame's identity.  Strings live with the struct python. */
struct python_frame {
	const char *name; /* qualname, or the task's name */
	const char *file;
	uint32_t first_line; /* 0: not known */
	bool task;
};

/**
 * python__new - what the side files of all trampoline files in @machine tell
 * @sidefiles: complete.  All are borrowed.
 */
struct python *python__new(const struct machine *machine, struct images *images,
			   struct symbols *symbols, struct sidefiles *sidefiles);
void python__free(struct python *py);

/**
 * python__frame - the function whose trampoline holds @place
 *
 * From the side file; without one, from the trampoline file's own symbols; for
 * CPython's own trampolines (-X perf) from what names generated code.
 * Return: true with @out set; false if @place is no trampoline or nobody names it.
 */
bool python__frame(struct python *py, struct place place, struct python_frame *out);

/**
 * python__code - the function whose trampoline holds @place, as its side file has it
 * @python_hex: of the Python that runs it
 * Return: NULL if none is known, or if it is a task's.
 */
const struct sidefile_code *python__code(struct python *py, struct place place,
					 uint32_t *python_hex);

/** python__thread_name - the full Python name of thread @id, or NULL. */
const char *python__thread_name(const struct python *py, uint32_t id);

/** python__side_file - of the process of thread @id, borrowed; NULL: none was read. */
const struct sidefile *python__side_file(const struct python *py, uint32_t id);

/** python__version - of the first Python seen, PY_VERSION_HEX; 0: none. */
uint32_t python__version(const struct python *py);

/* How the search for what pyframes wrote went. */
struct python_files {
	struct sidefiles_counts side;
	uint64_t arenas_missing; /* trampoline files not found: nothing steps through them */
};

/** python__files - counts over all processes. */
struct python_files python__files(const struct python *py);

/** python__broken - what is wrong with the first broken side file; "" if none is. */
const char *python__broken(const struct python *py);

#endif
