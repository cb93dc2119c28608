/* SPDX-License-Identifier: GPL-2.0 */
/*
 * dso - what code can come from: ELF files, the kernel, the vdso, pyframes'
 * trampoline files, memory without a file.  Told apart by path and build-id.
 */
#ifndef PERFCONV_MACHINE_DSO_H
#define PERFCONV_MACHINE_DSO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "perfconv/base/idmap.h"
#include "perfconv/base/mem.h"
#include "perfconv/machine/living.h"
#include "perfconv/sidefile/sidefile.h"

enum dso_kind {
	DSO_UNKNOWN,	/* no mapping known; addresses are absolute */
	DSO_KERNEL,	/* the kernel or a module; addresses are absolute */
	DSO_ELF,	/* addresses are file offsets */
	DSO_TRAMPOLINE, /* a pyframes arena; addresses are file offsets */
	DSO_VDSO,	/* addresses are offsets into its image */
	DSO_MEMORY,	/* anonymous or generated code; addresses are absolute */
	DSO_JITDUMP,	/* generated code; addresses are offsets in the jitdump, see codemap.h */
};

struct dso {
	enum dso_kind kind;
	char *path;   /* as the capture names it, without " (deleted)" */
	bool deleted; /* the file at the path is not the one that was mapped, if there is one */
	uint8_t build_id[20];
	uint8_t build_id_bytes;		      /* 0: not stated */
	struct origin origin;		      /* DSO_ELF, DSO_TRAMPOLINE */
	uint32_t process;		      /* DSO_MEMORY, DSO_JITDUMP: id of whose memory */
	bool holds_code;		      /* some mapping of it is executable */
	char token[SIDEFILE_TOKEN_CHARS + 1]; /* DSO_TRAMPOLINE */
	uint32_t arena;			      /* DSO_TRAMPOLINE */
	uint64_t mapped_at; /* DSO_TRAMPOLINE: runtime address minus file offset of its code */
};

/* Ids are indices; the first four are always there. */
#define DSO_ID_UNKNOWN 0u
#define DSO_ID_KERNEL 1u
#define DSO_ID_GUEST 2u /* as for an unknown object: a guest's addresses are its own */
#define DSO_ID_HYPERVISOR 3u

/* A build-id that a capture states for a path, beside its mappings. */
struct path_build_id {
	uint8_t bytes[20];
	uint8_t n; /* 0: two different ones were stated */
};

/* Code the kernel said it made: a BPF program, a trampoline. */
struct kernel_symbol {
	uint64_t start, end;
	char *name;
};

struct dsos {
	VEC(struct dso) list;
	struct strtab keys; /* id of the key string = index into list */
	VEC(struct kernel_symbol) kernel_symbols;
	struct idmap kernel_ranges; /* (start, end); id = index into kernel_symbols */
	struct strtab stated_paths; /* id = index into stated */
	VEC(struct path_build_id) stated;
};

void dsos__init(struct dsos *d);
void dsos__release(struct dsos *d);

/** dsos__get - borrowed until the next findnew. */
const struct dso *dsos__get(const struct dsos *d, uint32_t id);

/** dsos__key - what tells the object from all others of its capture, in text. */
const char *dsos__key(const struct dsos *d, uint32_t id);

/**
 * dsos__findnew - the id of the object a mapping names
 *
 * @build_id: borrowed, @build_id_bytes of it; may be empty
 * @process: id of the mapping's process, for memory without a file
 */
uint32_t dsos__findnew(struct dsos *d, const char *path, const uint8_t *build_id,
		       size_t build_id_bytes, uint32_t process);

/** dsos__findnew_module - the id of a kernel module, by its file or as [name]. */
uint32_t dsos__findnew_module(struct dsos *d, const char *path);

/**
 * dsos__findnew_of - the same for a mapping of @origin
 *
 * What two mount namespaces call by one name is two objects, unless both have one
 * build-id.
 */
uint32_t dsos__findnew_of(struct dsos *d, const char *path, const uint8_t *build_id,
			  size_t build_id_bytes, uint32_t process, const struct origin *origin);

/**
 * dsos__state_build_id - mappings of @path without a build-id have this one
 * To be called before the mappings come.
 */
void dsos__state_build_id(struct dsos *d, const char *path, const uint8_t *bytes, size_t n);

/** dsos__set_mapped_at - it has code, mapped there; the first address counts. */
void dsos__set_mapped_at(struct dsos *d, uint32_t id, uint64_t mapped_at);

/** dsos__add_kernel_symbol - @name is copied. */
void dsos__add_kernel_symbol(struct dsos *d, uint64_t start, uint64_t length, const char *name);

/** dso__short_name - how the object is shown: a base name or [kernel] and the like. */
const char *dso__short_name(const struct dso *dso);

#endif
