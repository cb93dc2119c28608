/* SPDX-License-Identifier: MIT */
/*
 * arena.h - a trampoline arena in this process: its file, its mapping, its slots.
 *
 * The file is written once, preallocated where it is later stored to, loaded
 * with dlopen (or mapped as dlopen would, see ARENA_MAPPED) and closed.  Naming a slot is two stores through a shared mapping
 * of the symbol and string table: no descriptor, no system call, and a disk that
 * fills up later cannot raise SIGBUS.  The code stays loaded for ever: threads
 * may be anywhere in it.  Slots are never given twice.
 */
#ifndef PYFRAMES_ARENA_H
#define PYFRAMES_ARENA_H

#include <stdint.h>

#include "elf_image.h"
#include "errbuf.h"
#include "privdir.h"

/**
 * enum arena_way - how the code gets into memory
 *
 * ARENA_LOADED: by the loader, so that gdb and unwinders inside the process know it too.
 * ARENA_MAPPED: by mmap, at the same places.  A forked child whose parent had threads
 * must not call the loader: glibc (2.36 at least) does not free the child from the
 * loader's list lock (dl_load_write_lock) when another thread held it, and the child
 * would wait for ever.  perf sees no difference.
 */
enum arena_way {
	ARENA_LOADED,
	ARENA_MAPPED,
};

/**
 * struct arena
 * @base:      address of slot 0
 * @next_slot: the slot to be given next
 * @path:      absolute path of the file
 * @names:     shared mapping of symtab and strtab; NULL: no more names can be written
 */
struct arena {
	struct elf_layout layout;
	uint32_t id;
	uint32_t next_slot;
	uint64_t names_used;
	uint8_t *names;
	uint64_t base;
	uint64_t device;
	uint64_t inode;
	uint8_t build_id[PYFRAMES_BUILD_ID_BYTES];
	char path[PATH_MAX];
};

/**
 * arena__open() - makes the file "pyframes-<token>-<id>.so" and loads it
 * @slots: 2 to ELF_IMAGE_MAX_SLOTS
 * @way:   who puts it into memory
 *
 * Return: 0, or -errno with @err set and no file left behind.
 */
int arena__open(struct arena *arena, const struct privdir *dir, const char *token, uint32_t id,
		uint32_t slots, enum arena_way way, struct errbuf *err);

/**
 * arena__add() - gives out a slot under a name
 * @name: without '\n', '@' and NUL
 *
 * Return: the slot, or 0 when the slots or the room for names are used up.
 */
uint32_t arena__add(struct arena *arena, const char *name, size_t name_bytes);

/** arena__entry() - the address to call for @slot */
static inline void *arena__entry(const struct arena *arena, uint32_t slot)
{
	return (void *)(uintptr_t)(arena->base +
				   (uint64_t)slot * arena->layout.machine->slot_bytes);
}

/** arena__forget() - unmaps the names, e.g. of the parent after fork; the code stays */
void arena__forget(struct arena *arena);

#endif
