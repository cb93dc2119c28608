/* SPDX-License-Identifier: MIT */
/*
 * pyframes_format.h - the side file that pyframes writes and perfconv reads.
 *
 * One file per process lies beside the process's trampoline ELF files:
 *
 *     <dir>/pyframes-<token>.side       this format
 *     <dir>/pyframes-<token>-<n>.so     trampoline arena n, a loadable ELF file
 *
 * <token> is 32 lower-case hexadecimal digits, random per process.  A capture
 * names the arena's path in its mmap records; the token in it is the join key.
 * Pids are not: they repeat, and differ between containers.
 *
 * The file is preallocated, mapped shared by the writer and appended to with
 * plain stores.  It can be read at any moment:
 *
 *     0            header_bytes                 used_bytes      ring_offset   file_bytes
 *     |  header    |  record  record  record ...|  zeros        |  task ring  |
 *
 * used_bytes is stored with release order after the record before it is whole,
 * so everything below it is complete, also after kill -9.
 *
 * All integers have the writer's byte order (see byte_order).  Every record
 * begins on a multiple of 8 and its size is a multiple of 8; the padding is
 * zero.  Times are CLOCK_MONOTONIC nanoseconds, as in perf record -k
 * CLOCK_MONOTONIC.  Readers skip record types that they do not know, by size.
 */
#ifndef PYFRAMES_FORMAT_H
#define PYFRAMES_FORMAT_H

#include <stdint.h>

#define PYFRAMES_MAGIC "PYFRAMES" /* 8 bytes, no terminator */
#define PYFRAMES_VERSION 1u
#define PYFRAMES_BYTE_ORDER 0x01020304u
#define PYFRAMES_HEADER_BYTES 4096u
#define PYFRAMES_TOKEN_BYTES 16u
#define PYFRAMES_BUILD_ID_BYTES 20u

enum pyframes_state {
	PYFRAMES_STATE_ACTIVE = 1,  /* the hook is in place */
	PYFRAMES_STATE_STOPPED = 2, /* deactivated, or the interpreter ended */
};

/* The first bytes of the file; the rest of header_bytes is zero. */
struct pyframes_header {
	char magic[8];
	uint32_t version;
	uint32_t header_bytes;	/* offset of the first record */
	uint32_t byte_order;	/* PYFRAMES_BYTE_ORDER as the writer stores it */
	uint16_t pointer_bytes; /* 8 or 4 */
	uint16_t machine;	/* ELF e_machine of the process */
	uint64_t file_bytes;	/* preallocated size of the whole file */
	uint64_t used_bytes;	/* offset just past the last whole record; release store */
	uint8_t token[PYFRAMES_TOKEN_BYTES];
	uint64_t start_ns;	    /* CLOCK_MONOTONIC at activation */
	uint64_t start_realtime_ns; /* CLOCK_REALTIME at the same moment */
	uint32_t pid;		    /* as the process sees itself */
	uint32_t outer_pid;	    /* in the outermost pid namespace visible; 0: not known */
	uint32_t python_hex;	    /* PY_VERSION_HEX of the running interpreter */
	uint32_t state;		    /* enum pyframes_state */
	uint64_t runtime_addr;	    /* _PyRuntime: a futex inside it is the GIL's; 0: not known */
	uint64_t runtime_bytes;
	uint64_t eval_addr; /* _PyEval_EvalFrameDefault */
	uint32_t exe_build_id_bytes;
	uint8_t exe_build_id[PYFRAMES_BUILD_ID_BYTES]; /* of the object that holds eval_addr */
	uint64_t dropped_records;		       /* records that found no room */
	uint64_t ring_offset;  /* task ring; 0: none.  Else a multiple of 16 */
	uint64_t ring_entries; /* capacity, a power of two */
	uint64_t ring_head;    /* entries ever written; newest is (ring_head - 1) % ring_entries */
};

enum pyframes_record_type {
	PYFRAMES_RECORD_STRING = 1,
	PYFRAMES_RECORD_ARENA = 2,
	PYFRAMES_RECORD_CODE = 3,
	PYFRAMES_RECORD_CODE_DEATH = 4,
	PYFRAMES_RECORD_THREAD = 5,
	PYFRAMES_RECORD_THREAD_END = 6,
	PYFRAMES_RECORD_TASK = 7,
	PYFRAMES_RECORD_SNAPSHOT = 8,
	PYFRAMES_RECORD_WARNING = 9,
};

/* In front of every record; the payload structs below follow it. */
struct pyframes_record {
	uint32_t size;	/* bytes, this header and padding included */
	uint16_t type;	/* enum pyframes_record_type */
	uint16_t flags; /* zero */
	uint32_t crc;	/* CRC-32 (IEEE, as zlib) of all `size` bytes with crc as zero */
	uint32_t reserved;
	uint64_t time_ns; /* when it was written */
};

/* A string, before the first record that names its id.  Id 0 is the empty
 * string and is never written.  UTF-8, not terminated; text that Python cannot
 * encode has its surrogates replaced by '?'. */
struct pyframes_string {
	uint32_t id;
	uint32_t length; /* bytes that follow */
};

/* A trampoline arena: slot s occupies [base + s * slot_bytes, + slot_bytes). */
struct pyframes_arena {
	uint32_t id;   /* n in the file's name */
	uint32_t path; /* string: absolute path as the process sees it */
	uint64_t base; /* address of slot 0 (reserved) in the process */
	uint32_t slots;
	uint32_t slot_bytes;
	uint8_t build_id[PYFRAMES_BUILD_ID_BYTES];
	uint32_t reserved;
	uint64_t device; /* st_dev */
	uint64_t inode;	 /* st_ino */
};

enum pyframes_code_kind {
	PYFRAMES_CODE_FUNCTION = 0, /* a code object */
	PYFRAMES_CODE_TASK = 1,	    /* an asyncio task's name; no bytecode */
};

#define PYFRAMES_NO_SLOT 0u /* seen in a snapshot only, or the arenas are full */

/* A code object (or a task name) and the trampoline it runs through. */
struct pyframes_code {
	uint32_t id; /* 1, 2, 3 ... in this file */
	uint32_t kind;
	uint32_t arena;
	uint32_t slot; /* PYFRAMES_NO_SLOT or an index into the arena */
	uint32_t name; /* string: co_qualname; before 3.11 made from what is known */
	uint32_t file; /* string: co_filename */
	uint32_t first_line;
	uint32_t flags;		   /* co_flags */
	uint64_t code_addr;	   /* the code object */
	uint64_t bytecode_addr;	   /* first instruction as the interpreter runs it */
	uint32_t bytecode_bytes;   /* copy that follows, padded to 8 */
	uint32_t line_table_bytes; /* then co_linetable (3.10+) or co_lnotab (3.9), padded to 8 */
};

/* The code object is freed: its addresses may come to mean something else. */
struct pyframes_code_death {
	uint32_t id;
	uint32_t reserved;
};

enum pyframes_thread_flags {
	PYFRAMES_THREAD_MAIN = 1u << 0,
	PYFRAMES_THREAD_BEFORE = 1u << 1, /* ran before activation: outer frames may lack */
};

/* A thread, and again whenever its name changes. */
struct pyframes_thread {
	uint32_t tid;	    /* native id as the process sees it */
	uint32_t outer_tid; /* in the outermost pid namespace visible; 0: not known */
	uint32_t name;	    /* string: the full name */
	uint32_t flags;
};

struct pyframes_thread_end {
	uint32_t tid;
	uint32_t reserved;
};

/* An asyncio task whose steps are in the ring. */
struct pyframes_task {
	uint32_t id;	    /* 1, 2, 3 ... */
	uint32_t name;	    /* string: task name, or the coroutine's qualname for a default name */
	uint32_t coroutine; /* string: the coroutine's qualname */
	uint32_t tid;	    /* thread of its loop */
};

enum pyframes_snapshot_reason {
	PYFRAMES_SNAPSHOT_START = 1,
	PYFRAMES_SNAPSHOT_STOP = 2,
	PYFRAMES_SNAPSHOT_REQUEST = 3,
	PYFRAMES_SNAPSHOT_PERIODIC = 4,
};

/* Every thread's Python stack at time_ns of the record; `threads` times a
 * pyframes_snapshot_thread, each followed by its frames, leaf first. */
struct pyframes_snapshot {
	uint32_t reason;
	uint32_t threads;
};

struct pyframes_snapshot_thread {
	uint32_t tid;
	uint32_t frames;
};

struct pyframes_snapshot_frame {
	uint32_t code;	  /* pyframes_code.id */
	int32_t position; /* byte offset of the current instruction in the bytecode; -1: not started */
};

/* What a person should know, in words; `length` bytes follow. */
struct pyframes_warning {
	uint32_t length;
	uint32_t reserved;
};

/* One entry of the task ring: a task began or ended a step. */
struct pyframes_step {
	uint64_t time_and_end; /* time_ns * 2, plus 1 when the step ended */
	uint32_t task;	       /* pyframes_task.id */
	uint32_t tid;
};

#endif
