// SPDX-License-Identifier: GPL-2.0
#include "tests/unit/jitdump_builder.h"

#include <byteswap.h>

static size_t record_at;

const uint8_t jit_stub[11] = { 0x48, 0x83, 0xec, 0x08, 0xff, 0xd1, 0x48, 0x83, 0xc4, 0x08, 0xc3 };

const uint8_t jit_stub_tables[JIT_STUB_TABLES_BYTES] = {
	/* CIE */
	0x14, 0, 0, 0, 0, 0, 0, 0, 0x01, 'z', 'R', 0, 0x01, 0x78, 0x10, 0x01, 0x1b, 0x0c, 0x07,
	0x08, 0x90, 0x01, 0, 0,
	/* FDE: the code lies 16 bytes before the tables */
	0x14, 0, 0, 0, 0x1c, 0, 0, 0, 0xd0, 0xff, 0xff, 0xff, 0x0b, 0, 0, 0, 0, 0x44, 0x0e, 0x10,
	0x46, 0x0e, 0x08, 0,
	/* .eh_frame_hdr */
	0x01, 0x1b, 0x03, 0x3b, 0xcc, 0xff, 0xff, 0xff, 0x01, 0, 0, 0, 0xc0, 0xff, 0xff, 0xff, 0xe8,
	0xff, 0xff, 0xff
};

void jit__header(struct bytes *b, uint32_t version, uint64_t flags)
{
	bytes__u32(b, 0x4a695444);
	bytes__u32(b, version);
	bytes__u32(b, 40);
	bytes__u32(b, 62); /* x86_64 */
	bytes__u32(b, 0);
	bytes__u32(b, JIT_PID);
	bytes__u64(b, 500);
	bytes__u64(b, flags);
}

void jit__begin(struct bytes *b, uint32_t type, uint64_t time_ns)
{
	record_at = b->v.n;
	bytes__u32(b, type);
	bytes__u32(b, 0);
	bytes__u64(b, time_ns);
}

void jit__end(struct bytes *b)
{
	uint32_t n = (uint32_t)(b->v.n - record_at);

	n = b->swap ? bswap_32(n) : n;
	memcpy(b->v.data + record_at + 4, &n, sizeof(n));
}

uint64_t jit__load(struct bytes *b, uint64_t time_ns, uint64_t address, uint64_t index,
		   const char *name, const uint8_t *code, size_t n)
{
	uint64_t offset;

	jit__begin(b, JIT_LOAD, time_ns);
	bytes__u32(b, JIT_PID);
	bytes__u32(b, JIT_PID);
	bytes__u64(b, address);
	bytes__u64(b, address);
	bytes__u64(b, n);
	bytes__u64(b, index);
	bytes__string(b, name, 1);
	offset = b->v.n;
	bytes__raw(b, code, n);
	jit__end(b);
	return offset;
}

void jit__move(struct bytes *b, uint64_t time_ns, uint64_t from, uint64_t to, uint64_t n,
	       uint64_t index)
{
	jit__begin(b, JIT_MOVE, time_ns);
	bytes__u32(b, JIT_PID);
	bytes__u32(b, JIT_PID);
	bytes__u64(b, to);
	bytes__u64(b, from);
	bytes__u64(b, to);
	bytes__u64(b, n);
	bytes__u64(b, index);
	jit__end(b);
}

void jit__lines(struct bytes *b, uint64_t address, uint32_t line, const char *file)
{
	jit__begin(b, JIT_LINES, 1);
	bytes__u64(b, address);
	bytes__u64(b, 1);
	bytes__u64(b, address);
	bytes__u32(b, line);
	bytes__u32(b, 0);
	bytes__string(b, file, 1);
	jit__end(b);
}

void jit__tables(struct bytes *b, const uint8_t *tables, size_t n, size_t header)
{
	jit__begin(b, JIT_TABLES, 1);
	bytes__u64(b, n);
	bytes__u64(b, header);
	bytes__u64(b, 0);
	bytes__raw(b, tables, n);
	jit__end(b);
}
