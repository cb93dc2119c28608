/* SPDX-License-Identifier: MIT */
/*
 * sidefile.c - see sidefile.h.
 */
#include "sidefile.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "crc32.h"

#define STEP_BYTES (512u * 1024u) /* disk space is taken in steps of this */
#define RING_ALIGNMENT 65536u	  /* the largest page size there is */

static uint64_t clock__ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t clock__monotonic_ns(void)
{
	return clock__ns(CLOCK_MONOTONIC);
}

static uint64_t round_up(uint64_t value, uint64_t alignment)
{
	return (value + alignment - 1) & ~(alignment - 1);
}

/* The whole file is mapped at once; only its first step has disk space behind it. */
static int sidefile__map(struct sidefile *side, int fd, uint64_t file_bytes)
{
	struct stat st;
	void *map;
	int ret;

	if (ftruncate(fd, (off_t)file_bytes) < 0 || fstat(fd, &st) < 0)
		return -errno;
	ret = privdir__allocate(fd, 0, STEP_BYTES);
	if (ret)
		return ret;
	map = mmap(NULL, file_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return -errno;
	side->header = map;
	side->allocated_bytes = STEP_BYTES;
	side->device = st.st_dev;
	side->inode = st.st_ino;
	return 0;
}

int sidefile__open(struct sidefile *side, const struct privdir *dir, const char *token,
		   const struct pyframes_header *template, uint64_t max_bytes,
		   uint64_t ring_entries, struct errbuf *err)
{
	uint64_t records_end =
		round_up(max_bytes < STEP_BYTES ? STEP_BYTES : max_bytes, RING_ALIGNMENT);
	uint64_t file_bytes = records_end + ring_entries * sizeof(struct pyframes_step);
	struct pyframes_header header = *template;
	char name[64];
	int fd, ret;

	memset(side, 0, sizeof(*side));
	snprintf(name, sizeof(name), "pyframes-%s.side", token);
	snprintf(side->path, sizeof(side->path), "%s/%s", dir->path, name);
	fd = privdir__create(dir, name, err);
	if (fd < 0)
		return fd;
	ret = sidefile__map(side, fd, file_bytes);
	close(fd);
	if (ret) {
		unlink(side->path);
		return errbuf__set(err, ret, "%s: %s", side->path, strerror(-ret));
	}
	memcpy(header.magic, PYFRAMES_MAGIC, sizeof(header.magic));
	header.version = PYFRAMES_VERSION;
	header.header_bytes = PYFRAMES_HEADER_BYTES;
	header.byte_order = PYFRAMES_BYTE_ORDER;
	header.pointer_bytes = sizeof(void *);
	header.file_bytes = file_bytes;
	header.used_bytes = PYFRAMES_HEADER_BYTES;
	header.start_ns = clock__monotonic_ns();
	header.start_realtime_ns = clock__ns(CLOCK_REALTIME);
	header.state = PYFRAMES_STATE_ACTIVE;
	header.ring_entries = ring_entries;
	memcpy(side->header, &header, sizeof(header));
	side->records_end = records_end;
	side->next_string = side->next_code = side->next_task = 1;
	return 0;
}

/* Takes disk space for [offset, offset + bytes). */
static int sidefile__allocate(const struct sidefile *side, uint64_t offset, uint64_t bytes)
{
	int fd = privdir__reopen(side->path, side->device, side->inode);
	int ret;

	if (fd < 0)
		return fd;
	ret = privdir__allocate(fd, offset, bytes);
	close(fd);
	return ret;
}

/* A failed step is not tried again: a full disk costs one system call, not one per record. */
static bool sidefile__reserve(struct sidefile *side, enum sidefile_class class, uint64_t end)
{
	uint64_t limit = side->records_end;
	uint64_t wanted;

	if (class == SIDEFILE_EVENTS)
		limit -= limit / 4;
	if (end > limit)
		return false;
	if (end <= side->allocated_bytes)
		return true;
	wanted = round_up(end, STEP_BYTES);
	if (wanted > side->records_end)
		wanted = side->records_end;
	if (sidefile__allocate(side, side->allocated_bytes, wanted - side->allocated_bytes)) {
		side->records_end = side->allocated_bytes;
		return false;
	}
	side->allocated_bytes = wanted;
	return true;
}

void *sidefile__begin(struct sidefile *side, enum pyframes_record_type type,
		      enum sidefile_class class, uint64_t payload_bytes)
{
	struct pyframes_header *header = side->header;
	struct pyframes_record *record;
	uint64_t size = round_up(sizeof(*record) + payload_bytes, 8);

	if (!header)
		return NULL;
	if (size > side->records_end ||
	    !sidefile__reserve(side, class, header->used_bytes + size)) {
		header->dropped_records++;
		return NULL;
	}
	record = (struct pyframes_record *)((uint8_t *)header + header->used_bytes);
	memset(record, 0, size);
	record->size = (uint32_t)size;
	record->type = (uint16_t)type;
	side->pending = record;
	return record + 1;
}

void sidefile__commit(struct sidefile *side)
{
	struct pyframes_header *header = side->header;
	struct pyframes_record *record = side->pending;

	side->pending = NULL;
	record->time_ns = clock__monotonic_ns();
	record->crc = crc32__compute(record, record->size);
	__atomic_store_n(&header->used_bytes, header->used_bytes + record->size, __ATOMIC_RELEASE);
}

uint32_t sidefile__string(struct sidefile *side, const char *text, size_t bytes)
{
	struct pyframes_string *string;

	if (!bytes)
		return 0;
	string = sidefile__begin(side, PYFRAMES_RECORD_STRING, SIDEFILE_NAMES,
				 sizeof(*string) + bytes);
	if (!string)
		return 0;
	string->id = side->next_string++;
	string->length = (uint32_t)bytes;
	memcpy(string + 1, text, bytes);
	sidefile__commit(side);
	return side->next_string - 1;
}

struct pyframes_step *sidefile__ring(struct sidefile *side)
{
	struct pyframes_header *header = side->header;
	uint64_t bytes, offset;

	if (!header || !header->ring_entries)
		return NULL;
	bytes = header->ring_entries * sizeof(struct pyframes_step);
	offset = header->file_bytes - bytes;
	if (!header->ring_offset) {
		if (sidefile__allocate(side, offset, bytes)) {
			header->ring_entries = 0;
			return NULL;
		}
		__atomic_store_n(&header->ring_offset, offset, __ATOMIC_RELEASE);
	}
	return (struct pyframes_step *)((uint8_t *)header + offset);
}

void sidefile__set_state(struct sidefile *side, enum pyframes_state state)
{
	if (side->header)
		side->header->state = state;
}

void sidefile__close(struct sidefile *side)
{
	if (side->header)
		munmap(side->header, side->header->file_bytes);
	side->header = NULL;
}
