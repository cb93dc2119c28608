/* SPDX-License-Identifier: GPL-2.0 */
/*
 * images - the ELF files behind DSOs: found, opened once, kept open.
 *
 * Files of a capture's own making (trampolines, side files) are searched by
 * base name in the side folder, beside the capture, then at the recorded path;
 * others at the recorded path, then in the root of the process that mapped them,
 * if it still lives, then in perf's build-id cache, then on servers where they may
 * be asked; where another folder stands for the root, in it, in the cache and on
 * servers.  A file whose build-id differs
 * from the captured one is not used: wrong names are worse than none.  A capture in
 * a bundle has what is in the bundle, and nothing else.
 */
#ifndef PERFCONV_MACHINE_IMAGES_H
#define PERFCONV_MACHINE_IMAGES_H

#include <libelf.h>
#include <stdbool.h>
#include <stdint.h>

#include "perfconv/base/mem.h"
#include "perfconv/machine/answers.h"
#include "perfconv/machine/debugfile.h"
#include "perfconv/machine/dso.h"

struct segment { /* PT_LOAD */
	uint64_t offset, vaddr, file_bytes, memory_bytes;
};

struct image {
	char *path; /* where it was found */
	Elf *elf;   /* mapped; no descriptor is held: a system-wide capture has thousands */
	VEC(struct segment) segments;
	Elf *debug; /* what was stripped off it; NULL: nothing, or nobody asked yet */
	bool debug_tried;
};

struct images {
	struct answers *answers;    /* borrowed; NULL: this machine is asked, nothing is kept */
	char *side_dir;		    /* NULL: none given */
	char *capture_dir;	    /* folder of the capture */
	struct debug_search search; /* set after images__init(); its root is perf's --symfs */
	struct living living;
	bool local_kernel; /* the capture is of the running kernel: its vdso is ours */
	/* Borrowed: a kernel symbol and where it was while recording; address 0: not known. */
	const char *kernel_symbol;
	uint64_t kernel_symbol_address;
	VEC(struct image *) list; /* by dso id; NULL: not there */
	VEC(bool) tried;
	uint64_t missing;    /* objects whose file could not be opened or read */
	uint64_t mismatched; /* objects whose file has another build-id by now */
};

/** images__init - @capture_path's folder is searched; @side_dir may be NULL. */
void images__init(struct images *im, const char *capture_path, const char *side_dir);
void images__release(struct images *im);

/** images__get - the image of dso @id, opened at the first call; NULL if it cannot be had. */
const struct image *images__get(struct images *im, const struct dsos *dsos, uint32_t id);

/**
 * images__debug - what was stripped off the image of dso @id, searched at the first call
 * Return: borrowed; its addresses are the image's; NULL if it cannot be had.
 */
Elf *images__debug(struct images *im, const struct dsos *dsos, uint32_t id);

/**
 * images__find_beside - a file the capture's makers wrote, by its base name
 *
 * @origin: of which process, whose root is tried last; NULL: not known
 * @recorded: its path as captured, tried before that
 * Return: a path that exists, which the caller frees, or NULL.
 */
char *images__find_beside(const struct images *im, const struct origin *origin,
			  const char *recorded);

/** images__are_given - whether a bundle gives all files: what this machine has is no matter. */
bool images__are_given(const struct images *im);

/**
 * images__kallsyms - where the kernel's symbols are
 * Return: a path that the caller frees; NULL, with *@why a sentence, if there are none.
 */
char *images__kallsyms(const struct images *im, const char **why);

/** image__address - file offset to ELF address.  Return: false if no segment holds it. */
bool image__address(const struct image *image, uint64_t offset, uint64_t *address);

#endif
