/* SPDX-License-Identifier: GPL-2.0 */
/*
 * resolve - address stacks become stacks of frames that a person can read:
 * named, with Python and native frames in one stack.
 *
 *     clone3 > start_thread > [python] > py:_bootstrap > eval > [python] > py:run > eval > recv
 *     python   _bootstrap > run
 *     merged   _bootstrap > run > recv
 *
 * The interpreter's object is recognised by position: it is what trampolines
 * call.  That holds for a stripped Python too, where names say nothing.
 */
#ifndef PERFCONV_RESOLVE_RESOLVE_H
#define PERFCONV_RESOLVE_RESOLVE_H

#include <stdint.h>

#include "perfconv/base/idmap.h"
#include "perfconv/base/mem.h"
#include "perfconv/resolve/python.h"
#include "perfconv/store/store.h"
#include "perfconv/symbol/symbols.h"

enum frames_mode {
	FRAMES_MERGED, /* Python frames, and native ones that are not the interpreter's own */
	FRAMES_PYTHON, /* Python frames only */
	FRAMES_NATIVE, /* all but the Python frames */
	FRAMES_ALL,    /* everything */
};

#define TASK_MARK " [task]" /* behind the name of a FRAME_TASK, which may be its coroutine's */

enum frame_kind {
	FRAME_PYTHON,
	FRAME_TASK, /* an asyncio task */
	FRAME_NATIVE,
	FRAME_KERNEL,
	FRAME_NOTE,   /* says something about the stack, in brackets */
	FRAME_THREAD, /* a thread, where several are in one profile */
};

struct frame {
	uint32_t name, file; /* string ids; file 0: none; the source where it is known */
	uint32_t object;     /* string id of a native frame's ELF file; 0: none */
	uint32_t first_line; /* of the function; 0: not known */
	uint32_t line;	     /* current one; 0: not known, or the frame is of all lines */
	uint32_t hot_line;   /* of all lines: where most time was; resolver__note_lines() */
	uint32_t base;	     /* the frame of all of the function's lines; this one, if it is that */
	enum frame_kind kind;
	bool named;	  /* false: the name is only the object's */
	bool interpreter; /* a function of the interpreter's own */
};

struct resolve_options {
	enum frames_mode mode;
	bool inlines; /* functions that the compiler inlined are frames, files are sources */
	bool lines;   /* a function has a frame for each of its lines */
};

#define RESOLVE_NO_STACK UINT32_MAX

/* The tables that later stages read. */
struct resolved {
	struct strtab strings; /* id 0 is "" */
	VEC(struct frame) frames;
	struct idmap stacks; /* (parent + 1, frame) */
	struct idmap frame_keys;
	VEC(bool) inlined; /* by stack: its leaf is inlined in its caller; may be shorter */
};

struct lines;

struct resolver;

/**
 * resolver__new - look at the whole @store and get ready to resolve its stacks
 * All arguments are borrowed for the resolver's life.
 */
struct resolver *resolver__new(const struct store *store, const struct machine *machine,
			       struct symbols *symbols, struct python *python,
			       const struct resolve_options *options);

/** resolver__set_lines - what is known of Python's current lines; borrowed; NULL: nothing. */
void resolver__set_lines(struct resolver *r, const struct lines *lines);

/** resolver__lines - what was set; NULL: nothing. */
const struct lines *resolver__lines(const struct resolver *r);

void resolver__free(struct resolver *r);

/**
 * resolver__stack - the readable stack of a store's stack
 *
 * @cut: whether the stack lacks its root; it then begins with [stack cut]
 * Return: an id into resolved.stacks, or RESOLVE_NO_STACK if nothing is to show.
 */
uint32_t resolver__stack(struct resolver *r, uint32_t stack, bool cut);

/**
 * resolver__lined - the same with current lines: of native functions by their addresses,
 * of Python's by what was observed
 *
 * @positions: node of the Python frames in the store's positions, innermost; or
 * POSITIONS_NONE.  Frames further out than it tells have no line.
 * Return: its frames are of single lines; show it with resolver__show().
 */
uint32_t resolver__lined(struct resolver *r, uint32_t stack, bool cut, uint32_t positions);

/** resolver__sample - resolver__lined() of a sample of the store's. */
uint32_t resolver__sample(struct resolver *r, const struct store_sample *s);

/**
 * resolver__show - the stack to show in place of one with lines
 * @weight: of what has this stack; lines with much of it are their functions' hot ones
 * Return: @stack itself where lines are asked for, else the same with frames of all lines.
 */
uint32_t resolver__show(struct resolver *r, uint32_t stack, uint64_t weight);

/** resolver__note_lines - set hot_line of all frames, from all that was shown. */
void resolver__note_lines(struct resolver *r);

/** resolver__label - a frame that is no function: its name is @text. */
uint32_t resolver__label(struct resolver *r, enum frame_kind kind, const char *text);

/** resolver__python - the frame of a Python function at @line; 0: of all lines. */
uint32_t resolver__python(struct resolver *r, const struct python_frame *f, uint32_t line);

/** resolver__push - the stack that has @frame called by @parent (or RESOLVE_NO_STACK). */
uint32_t resolver__push(struct resolver *r, uint32_t parent, uint32_t frame);

/** resolver__mode - which frames it keeps. */
enum frames_mode resolver__mode(const struct resolver *r);

/** resolver__resolved - the tables, which grow with resolver__stack(). */
const struct resolved *resolver__resolved(const struct resolver *r);

/** resolved__inlined - whether the leaf of @stack has no machine code of its own there. */
static inline bool resolved__inlined(const struct resolved *r, uint32_t stack)
{
	return stack < r->inlined.n && r->inlined.data[stack];
}

/** resolved__parent, resolved__leaf - a stack taken apart. */
static inline uint32_t resolved__parent(const struct resolved *r, uint32_t stack)
{
	return (uint32_t)r->stacks.keys[stack].a - 1;
}

static inline uint32_t resolved__leaf(const struct resolved *r, uint32_t stack)
{
	return (uint32_t)r->stacks.keys[stack].b;
}

#endif
