/* SPDX-License-Identifier: GPL-2.0 */
/*
 * debugfile - where else a file, or what was stripped off it, may lie:
 *
 *     /usr/lib/debug/.build-id/ab/cdef...debug    debug packages
 *     ~/.debug/.build-id/ab/cdef.../{elf,debug,vdso}   perf's build-id cache
 *     .gnu_debuglink's name, beside the file, in .debug/ there, below /usr/lib/debug
 *     servers, where they may be asked
 *
 * Nothing found is believed: a file has to carry the same build-id, or the
 * checksum that the link states.
 */
#ifndef PERFCONV_MACHINE_DEBUGFILE_H
#define PERFCONV_MACHINE_DEBUGFILE_H

#include <libelf.h>
#include <stddef.h>
#include <stdint.h>

struct debuginfod;

/* Where to look.  All zero: in this machine's folders. */
struct debug_search {
	const char *root;	       /* folder that stands for /; NULL: none; borrowed */
	struct debuginfod *debuginfod; /* NULL: no server is asked; borrowed */
};

/**
 * debugfile__open - the file that holds what was stripped off @elf
 * @path: where @elf lies, below the root; the link is followed only where this is absolute
 * Return: for elf_end(); NULL if there is none.
 */
Elf *debugfile__open(const struct debug_search *search, const char *path, Elf *elf);

/**
 * debugfile__cached - what perf's build-id cache has of an object
 * @kind: "elf", "debug" or "vdso"
 * Return: a descriptor, with *@path set to where it is, which the caller frees; -1 if
 * it has none.  The content is not checked.
 */
int debugfile__cached(const uint8_t *id, size_t bytes, const char *kind, char **path);

#endif
