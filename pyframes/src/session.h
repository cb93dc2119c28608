/* SPDX-License-Identifier: MIT */
/*
 * session.h - what this process has open: its token, its arenas, its side file.
 *
 * A session belongs to one process.  Every fork ends it for the child, which
 * must not write a byte into the parent's files and opens its own at its first
 * hooked call.  The proof of ownership is the generation: a number in a page
 * that the kernel wipes on fork (MADV_WIPEONFORK), also on forks that bypass
 * pthread_atfork.  Whatever was registered under another generation is stale.
 *
 *     *session__generation == 0                   forked, or never started: write nothing
 *     *session__generation == SESSION_PAUSED      the files are ours, the hook is off
 *     *session__generation == session.generation  the hook is on
 *
 * A child whose fork bypassed the atfork handlers stays unprofiled: the loader's
 * and malloc's locks may be in any state there.  A child of a process with threads
 * never calls the loader (see enum arena_way).  All calls need the GIL.
 */
#ifndef PYFRAMES_SESSION_H
#define PYFRAMES_SESSION_H

#include "arena.h"
#include "cpython.h"
#include "errbuf.h"
#include "sidefile.h"

#define SESSION_MAX_ARENAS 4u
#define SESSION_PAUSED UINT32_MAX      /* no generation ever gets that far */
#define SESSION_NEVER (UINT32_MAX - 1) /* a generation that is never current */

/**
 * struct session_options - settings, fixed at the first activation
 * @directory:   NULL for the default
 * @slots:       trampolines in the first arena; each later one doubles
 * @side_bytes:  most that the records may take
 * @ring_entries: task steps kept, a power of two, or 0
 * @snapshot_ns: age at which a hooked call renews the snapshot; 0: never
 * @tasks:       whether tasks get a frame of their own
 */
struct session_options {
	const char *directory;
	uint32_t slots;
	uint64_t side_bytes;
	uint64_t ring_entries;
	uint64_t snapshot_ns;
	bool tasks;
};

/**
 * struct session
 * @generation: of this process; kept while the hook is off
 * @strings:    dict of str -> id in the side file
 * @loader_unsafe: this process, or one it descends from, was forked beside other threads
 * @host_namespace: thread ids here are those of the outermost pid namespace
 */
struct session {
	struct session_options options;
	struct privdir dir;
	char token[2 * PYFRAMES_TOKEN_BYTES + 1];
	uint32_t generation;
	unsigned int arenas_open;
	bool arenas_full;
	bool forked;
	bool loader_unsafe;
	bool host_namespace;
	struct arena arenas[SESSION_MAX_ARENAS];
	struct sidefile side;
	PyObject *strings;
};

extern struct session session;

/* The page described above; points to a zero before the first session. */
extern const volatile uint32_t *session__generation;

/** session__is_ours() - whether the open files belong to this process, not to a parent */
static inline bool session__is_ours(void)
{
	return *session__generation != 0;
}

/** session__is_on() - whether the files are ours and the hook is on */
static inline bool session__is_on(void)
{
	return session.generation && *session__generation == session.generation;
}

/**
 * session__open() - opens a session for this process, if there is none
 *
 * Return: 0, or -errno with @err set; then nothing is open and no file left.
 */
int session__open(const struct session_options *options, struct errbuf *err);

/**
 * session__resume() - makes the generation valid (hook on)
 * session__pause()  - makes it invalid (hook off); files stay open
 */
void session__resume(void);
void session__pause(void);

/**
 * session__renew() - after a fork: replaces the parent's session by one of our own
 *
 * The caller then drops what it knows of the parent's session.
 *
 * Return: 0 when this process has a valid session, 1 when it is a new one; -errno
 * otherwise.
 */
int session__renew(void);

/** session__finish() - the interpreter ends: unmaps, so that nothing is written any more */
void session__finish(void);

/** session__remove() - ends the session and deletes its files */
void session__remove(void);

/**
 * session__text() - the UTF-8 of a string, surrogates replaced by '?'
 * @holder: gets a reference that keeps the text alive, to be released by the caller
 *
 * Return: the text, or NULL without memory (no exception is left behind).
 */
const char *session__text(PyObject *string, Py_ssize_t *bytes, PyObject **holder);

/** session__string() - a string's id in the side file; 0 when it cannot be written */
uint32_t session__string(PyObject *string);

/**
 * session__slot() - gives out a trampoline, opening the next arena when one is full
 * @arena: receives the arena's id
 * @slot:  receives the slot
 *
 * Return: the address to call, or NULL when all arenas are full or none is open.
 */
void *session__slot(const char *name, size_t name_bytes, uint32_t *arena, uint32_t *slot);

/** session__warn() - one line on stderr, once per process, and a record in the side file */
void session__warn(const char *text);

#endif
