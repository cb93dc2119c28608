/* SPDX-License-Identifier: GPL-2.0 */
/*
 * sidefile - what pyframes wrote about one process: its code objects and the
 * trampolines they run through, its threads.  The format is pyframes_format.h.
 */
#ifndef PERFCONV_SIDEFILE_SIDEFILE_H
#define PERFCONV_SIDEFILE_SIDEFILE_H

#include <stdbool.h>
#include <stdint.h>

#include "perfconv/base/errbuf.h"
#include "perfconv/base/mem.h"
#include "perfconv/sidefile/steps.h"

#define SIDEFILE_TOKEN_CHARS 32u /* hexadecimal digits of a token */

struct sidefile_code {
	uint32_t id;
	bool task; /* an asyncio task's name, no code object */
	uint32_t arena, slot;
	const char *name; /* qualname, UTF-8 */
	const char *file;
	uint32_t first_line;	   /* 0: none */
	uint64_t bytecode_addr;	   /* where the process runs it */
	const uint8_t *bytecode;   /* as compiled; in the file's bytes, as the table is */
	const uint8_t *line_table; /* see linetable.h */
	uint32_t bytecode_bytes, line_table_bytes;
};

struct sidefile_thread {
	uint64_t time_ns; /* when it got this name */
	uint32_t tid, outer_tid;
	const char *name;
	bool main;
};

/* A number that a thread record is found by. */
struct sidefile_tid {
	uint32_t tid;	 /* inside the process's pid namespace or outside of it */
	uint32_t thread; /* index into sidefile.threads */
};

struct sidefile_arena {
	uint32_t id, slots, slot_bytes;
	uint64_t base; /* address of slot 0 in the process that wrote the file */
	uint8_t build_id[20];
};

/* One thread's Python stack at one moment. */
struct sidefile_stack {
	uint64_t time_ns;
	uint32_t tid;
	uint32_t first, frames; /* in sidefile.frames, leaf first */
};

/* A function in a snapshot. */
struct sidefile_frame {
	uint32_t code;	  /* id of its code object */
	int32_t position; /* byte offset of the current instruction; -1: before the first */
};

struct sidefile {
	char token[SIDEFILE_TOKEN_CHARS + 1];
	uint32_t pid, outer_pid;
	uint32_t python_hex;		      /* PY_VERSION_HEX */
	uint64_t start_ns;		      /* CLOCK_MONOTONIC */
	uint64_t runtime_addr, runtime_bytes; /* _PyRuntime; 0: not known */
	VEC(struct sidefile_arena) arenas;
	VEC(struct sidefile_code) codes;     /* sorted by (arena, slot) */
	VEC(struct sidefile_thread) threads; /* in file order: by time */
	VEC(struct sidefile_tid) tids;	     /* sorted by (tid, thread) */
	VEC(struct sidefile_stack) stacks;   /* of all snapshots, sorted by (tid, time) */
	VEC(struct sidefile_frame) frames;
	struct steps steps;	  /* of asyncio tasks */
	VEC(uint32_t) code_by_id; /* index into codes, or UINT32_MAX */
	uint8_t *bytes;		  /* of all records */
	VEC(char *) strings;	  /* by id; NULL where none was written */
	uint64_t strings_limit;	  /* how many the file has room for */
	uint64_t dropped;	  /* records pyframes found no room for */
	uint64_t unknown_types;	  /* records newer than this reader */
	uint64_t bad_records;	  /* wrong checksum or size; reading ends at the first bad size */
};

/**
 * sidefile__open - read a whole side file, also one that is still being written
 *
 * Return: 0 with *@out set, freed by sidefile__free(); -ENOENT if there is none,
 * -EINVAL with a message if it is no side file.
 */
int sidefile__open(struct sidefile **out, const char *path, struct errbuf *err);

void sidefile__free(struct sidefile *s);

/** sidefile__code - what runs through @slot of @arena, or NULL. */
const struct sidefile_code *sidefile__code(const struct sidefile *s, uint32_t arena, uint32_t slot);

/** sidefile__arena - the arena with @id, or NULL. */
const struct sidefile_arena *sidefile__arena(const struct sidefile *s, uint32_t id);

/** sidefile__code_by_id - the code object that snapshots call @id, or NULL. */
const struct sidefile_code *sidefile__code_by_id(const struct sidefile *s, uint32_t id);

/**
 * sidefile__stack_within - a snapshot of thread @tid with @from_ns <= time <= @to_ns
 * @tid: inside the process's pid namespace
 * Return: the earliest, or NULL; its frames are in s->frames.
 */
const struct sidefile_stack *sidefile__stack_within(const struct sidefile *s, uint32_t tid,
						    uint64_t from_ns, uint64_t to_ns);

/** sidefile__inner_tid - the number that thread @tid has inside its pid namespace. */
uint32_t sidefile__inner_tid(const struct sidefile *s, uint32_t tid);

/**
 * sidefile__thread_name - the name thread @tid had last, or NULL
 *
 * @tid may be the number inside the process's pid namespace or outside of it.
 */
const char *sidefile__thread_name(const struct sidefile *s, uint32_t tid);

/**
 * sidefile__arena_path - take a trampoline file's path apart
 *
 * @token: room for SIDEFILE_TOKEN_CHARS + 1 characters
 * Return: true if the base name is pyframes-<token>-<n>.so, with @token and @arena set.
 */
bool sidefile__arena_path(const char *path, char *token, uint32_t *arena);

#endif
