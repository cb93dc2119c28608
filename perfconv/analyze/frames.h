/* SPDX-License-Identifier: GPL-2.0 */
/*
 * frames - what the analysis knows of functions by their names, and of stacks by
 * the functions in them.  Each is looked at once.
 *
 * The tables in frames.c are the only place that knows names of Python's library
 * and of others.
 */
#ifndef PERFCONV_ANALYZE_FRAMES_H
#define PERFCONV_ANALYZE_FRAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "perfconv/analyze/report.h"
#include "perfconv/resolve/resolve.h"

#define NO_FRAME UINT32_MAX
#define NO_FUNCTION UINT32_MAX

/* What a stack's time is spent on as far as messages go; the innermost counts. */
enum message_kind {
	MESSAGE_NONE,
	MESSAGE_JSON_DUMPS,
	MESSAGE_JSON_LOADS,
	MESSAGE_PICKLE_DUMPS,
	MESSAGE_PICKLE_LOADS,
	MESSAGE_MAVLINK_PACK,
	MESSAGE_MAVLINK_PARSE,
	MESSAGE_STRUCT,
	MESSAGE_COPY,
	MESSAGE_ROUTE,
	MESSAGE_KINDS,
};

enum frame_mark {
	MARK_LIBRARY = 1 << 0, /* not the user's own code: Python's library, a well-known package */
	MARK_LOOP = 1 << 1,    /* asyncio's or uvloop's machinery */
	MARK_SELECT = 1 << 2,  /* what asyncio's loop polls with */
	MARK_GC = 1 << 3,      /* the garbage collector */
	MARK_IMPORT = 1 << 4,
	MARK_WAITER = 1 << 5, /* waits to be told something: a condition, an event, a queue */
	MARK_CHECK = 1 << 6,  /* asks for a state and returns at once */
	MARK_FILE = 1 << 7,   /* reads or writes a file */
	MARK_HTTP = 1 << 8,   /* a synchronous HTTP client */
	MARK_INTERPRETER = 1 << 9,
	MARK_LIBC = 1 << 10,
};

/* Where in an event loop a stack is. */
enum loop_state {
	LOOP_NONE,
	LOOP_ITSELF, /* in its own machinery */
	LOOP_BELOW,  /* in something that the loop called */
};

struct stack_facts {
	bool known;
	bool cut;	  /* its root is not known */
	uint8_t loop;	  /* enum loop_state */
	uint8_t message;  /* enum message_kind */
	uint16_t marks;	  /* of all its frames; MARK_LIBRARY: of the innermost Python one */
	uint16_t depth;	  /* in Python functions */
	uint32_t python;  /* frame of the innermost Python function, or NO_FRAME */
	uint32_t user;	  /* of the innermost one that is the user's own, or NO_FRAME */
	uint32_t inner;	  /* the same, below an event loop or without one */
	uint32_t entry;	  /* of what the loop called, or NO_FRAME */
	uint32_t task;	  /* of the task, or NO_FRAME */
	uint32_t caller;  /* stack that ends where its message kind begins, or RESOLVE_NO_STACK */
	uint32_t library; /* string id in frames.libraries of the native code called last; or 0 */
};

/* Zero-initialised but for resolved is empty. */
struct frames {
	const struct resolved *resolved;
	bool all_lines;		 /* stacks are of all lines: the hottest one stands for them */
	struct strtab libraries; /* id 0 is "" */
	VEC(struct stack_facts) stacks;
	VEC(uint32_t) path; /* scratch */
	/* by frame */
	VEC(uint32_t) functions; /* lines of one function have one number */
	VEC(uint32_t) marks;
	VEC(uint8_t) messages;
	struct idmap function_keys;
};

void frames__init(struct frames *f, const struct resolved *resolved);
void frames__release(struct frames *f);

/** frames__facts - of a resolved stack or RESOLVE_NO_STACK; borrowed until the next call. */
const struct stack_facts *frames__facts(struct frames *f, uint32_t stack);

/** frames__function - the same for all frames of one function. */
uint32_t frames__function(struct frames *f, uint32_t frame);

/** frames__functions - how many there are up to now. */
uint32_t frames__functions(const struct frames *f);

/** frames__name, frames__file - of a frame; borrowed from the resolved tables. */
const char *frames__name(const struct frames *f, uint32_t frame);
const char *frames__file(const struct frames *f, uint32_t frame);

/** frames__marks - of one frame. */
uint32_t frames__marks(struct frames *f, uint32_t frame);

/** frames__report - as a report shows it; NO_FRAME: nothing. */
struct report_frame frames__report(const struct frames *f, struct report *r, uint32_t frame);

/** message__name - "json", the same for both directions; static. */
const char *message__name(enum message_kind kind);

#endif
