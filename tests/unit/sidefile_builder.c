// SPDX-License-Identifier: GPL-2.0
#include "tests/unit/sidefile_builder.h"

#include <elf.h>
#include <zlib.h>

#define ROOM_BYTES 256u /* zeros after the last record */

void sidefile_builder__init(struct sidefile_builder *b)
{
	memset(b, 0, sizeof(*b));
	memcpy(b->header.magic, PYFRAMES_MAGIC, sizeof(b->header.magic));
	b->header.version = PYFRAMES_VERSION;
	b->header.header_bytes = PYFRAMES_HEADER_BYTES;
	b->header.byte_order = PYFRAMES_BYTE_ORDER;
	b->header.pointer_bytes = 8;
	b->header.machine = EM_X86_64;
	for (uint8_t i = 0; i < PYFRAMES_TOKEN_BYTES; i++)
		b->header.token[i] = i;
	b->header.pid = 100;
	b->header.python_hex = 0x030b02f0;
	b->header.start_ns = 5000;
}

void sidefile_builder__release(struct sidefile_builder *b)
{
	bytes__release(&b->records);
}

void side__begin(struct sidefile_builder *b, uint16_t type, uint64_t time_ns)
{
	struct pyframes_record r = { .type = type, .time_ns = time_ns };

	b->record_at = b->records.v.n;
	bytes__raw(&b->records, &r, sizeof(r));
}

void side__end(struct sidefile_builder *b)
{
	uint8_t *at;
	uint32_t size, crc;

	bytes__pad(&b->records, 8);
	at = b->records.v.data + b->record_at;
	size = (uint32_t)(b->records.v.n - b->record_at);
	memcpy(at, &size, sizeof(size));
	crc = (uint32_t)crc32(0, at, size);
	memcpy(at + offsetof(struct pyframes_record, crc), &crc, sizeof(crc));
}

uint32_t side__string(struct sidefile_builder *b, const char *text)
{
	struct pyframes_string s = { .length = (uint32_t)strlen(text) };

	if (!s.length)
		return 0;
	s.id = ++b->strings;
	side__begin(b, PYFRAMES_RECORD_STRING, 1);
	bytes__raw(&b->records, &s, sizeof(s));
	bytes__raw(&b->records, text, s.length);
	side__end(b);
	return s.id;
}

void side__arena(struct sidefile_builder *b, uint32_t id, uint64_t base, uint32_t slots,
		 uint32_t slot_bytes)
{
	struct pyframes_arena a = {
		.id = id, .base = base, .slots = slots, .slot_bytes = slot_bytes
	};

	a.path = side__string(b, "/run/pyframes/arena.so");
	side__begin(b, PYFRAMES_RECORD_ARENA, 2);
	bytes__raw(&b->records, &a, sizeof(a));
	side__end(b);
}

void side__code(struct sidefile_builder *b, uint32_t id, uint32_t kind, uint32_t arena,
		uint32_t slot, const char *name, const char *file, uint32_t first_line)
{
	struct pyframes_code c = {
		.id = id, .kind = kind, .arena = arena, .slot = slot, .first_line = first_line
	};

	c.name = side__string(b, name);
	c.file = side__string(b, file);
	c.bytecode_bytes = 4;
	side__begin(b, PYFRAMES_RECORD_CODE, 3);
	bytes__raw(&b->records, &c, sizeof(c));
	bytes__raw(&b->records, "\x97\0\x64\0", 4);
	side__end(b);
}

void side__thread(struct sidefile_builder *b, uint64_t time_ns, uint32_t tid, uint32_t outer_tid,
		  const char *name, uint32_t flags)
{
	struct pyframes_thread t = { .tid = tid, .outer_tid = outer_tid, .flags = flags };

	t.name = side__string(b, name);
	side__begin(b, PYFRAMES_RECORD_THREAD, time_ns);
	bytes__raw(&b->records, &t, sizeof(t));
	side__end(b);
}

void side__snapshot(struct sidefile_builder *b, uint64_t time_ns, uint32_t tid,
		    const uint32_t *codes, uint32_t n)
{
	struct pyframes_snapshot snapshot = { PYFRAMES_SNAPSHOT_PERIODIC, 1 };
	struct pyframes_snapshot_thread thread = { tid, n };

	side__begin(b, PYFRAMES_RECORD_SNAPSHOT, time_ns);
	bytes__raw(&b->records, &snapshot, sizeof(snapshot));
	bytes__raw(&b->records, &thread, sizeof(thread));
	for (uint32_t i = 0; i < n; i++) {
		struct pyframes_snapshot_frame frame = { codes[i], 2 };

		bytes__raw(&b->records, &frame, sizeof(frame));
	}
	side__end(b);
}

const char *sidefile_builder__write(struct sidefile_builder *b, const char *folder)
{
	static const uint8_t zeros[PYFRAMES_HEADER_BYTES];
	struct bytes file = { 0 };
	const char *path;

	if (!b->header.used_bytes)
		b->header.used_bytes = PYFRAMES_HEADER_BYTES + b->records.v.n;
	b->header.file_bytes = PYFRAMES_HEADER_BYTES + b->records.v.n + ROOM_BYTES;
	bytes__raw(&file, &b->header, sizeof(b->header));
	bytes__raw(&file, zeros, PYFRAMES_HEADER_BYTES - sizeof(b->header));
	bytes__raw(&file, b->records.v.data, b->records.v.n);
	bytes__raw(&file, zeros, ROOM_BYTES);
	path = scratch__write(folder, "pyframes-" BUILDER_TOKEN ".side", file.v.data, file.v.n);
	bytes__release(&file);
	return path;
}
