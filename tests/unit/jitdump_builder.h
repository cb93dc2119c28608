/* SPDX-License-Identifier: GPL-2.0 */
/* jitdump_builder - jitdumps as programs write them, in either byte order. */
#ifndef PERFCONV_TESTS_UNIT_JITDUMP_BUILDER_H
#define PERFCONV_TESTS_UNIT_JITDUMP_BUILDER_H

#include "tests/unit/support.h"

enum { JIT_LOAD, JIT_MOVE, JIT_LINES, JIT_CLOSE, JIT_TABLES };

#define JIT_PID 100u

/* The tables that CPython 3.13 writes for its 11-byte stub on x86_64, 20 of them header. */
#define JIT_STUB_TABLES_BYTES 68u
#define JIT_STUB_HEADER_BYTES 20u
extern const uint8_t jit_stub[11];
extern const uint8_t jit_stub_tables[JIT_STUB_TABLES_BYTES];

/** jit__header - begins a dump; @flags 1: times of a processor's own counter. */
void jit__header(struct bytes *b, uint32_t version, uint64_t flags);

/** jit__begin, jit__end - around a record's content; the end puts its size. */
void jit__begin(struct bytes *b, uint32_t type, uint64_t time_ns);
void jit__end(struct bytes *b);

/** jit__load - @n bytes of @code.  Return: the code's offset in the file. */
uint64_t jit__load(struct bytes *b, uint64_t time_ns, uint64_t address, uint64_t index,
		   const char *name, const uint8_t *code, size_t n);
void jit__move(struct bytes *b, uint64_t time_ns, uint64_t from, uint64_t to, uint64_t n,
	       uint64_t index);
void jit__lines(struct bytes *b, uint64_t address, uint32_t line, const char *file);
void jit__tables(struct bytes *b, const uint8_t *tables, size_t n, size_t header);

#endif
