/* SPDX-License-Identifier: MIT */
/*
 * snapshot.c - see snapshot.h.
 *
 * The interpreter's own sys._current_frames() gives the frames: it takes the
 * locks that guard the list of threads, in every version.  It also walks the
 * threads of other interpreters, which may run at the same time (3.12+): then
 * none is taken.  The stacks are gathered in memory first, because code objects
 * met for the first time are written before the snapshot that names them.
 */
#include "snapshot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "code.h"
#include "session.h"
#include "threads.h"

#define MAX_FRAMES 1024u /* of one thread, leaf side */
#define MAX_BYTES (1u << 20)

struct buffer {
	uint8_t *bytes;
	size_t used;
	size_t capacity;
};

static uint64_t last_ns;

uint64_t snapshot__time_ns(void)
{
	return last_ns;
}

/* Room for @count more bytes, or NULL; what was there keeps its offset. */
static void *buffer__add(struct buffer *buffer, size_t count)
{
	size_t capacity = buffer->capacity ? buffer->capacity : 4096;
	uint8_t *bytes;

	if (buffer->used + count > MAX_BYTES)
		return NULL;
	while (capacity < buffer->used + count)
		capacity *= 2;
	if (capacity != buffer->capacity) {
		bytes = realloc(buffer->bytes, capacity);
		if (!bytes)
			return NULL;
		buffer->bytes = bytes;
		buffer->capacity = capacity;
	}
	buffer->used += count;
	return buffer->bytes + buffer->used - count;
}

static bool snapshot__add_frame(struct buffer *buffer, PyFrameObject *frame)
{
	PyCodeObject *code = PyFrame_GetCode(frame);
	const struct codeinfo *info = code__findnew(code, NULL);
	struct pyframes_snapshot_frame *out = NULL;

	if (info)
		out = buffer__add(buffer, sizeof(*out));
	if (out) {
		out->code = info->id;
		out->position = cpython__position(frame);
	}
	Py_DECREF(code);
	return out != NULL;
}

static bool snapshot__add_thread(struct buffer *buffer, uint32_t tid, PyFrameObject *frame)
{
	struct pyframes_snapshot_thread thread = { .tid = tid };
	size_t at = buffer->used;

	if (!buffer__add(buffer, sizeof(thread)))
		return false;
	Py_INCREF(frame);
	while (frame && thread.frames < MAX_FRAMES && snapshot__add_frame(buffer, frame)) {
		PyFrameObject *back = PyFrame_GetBack(frame);

		Py_DECREF(frame);
		frame = back;
		thread.frames++;
	}
	Py_XDECREF(frame);
	memcpy(buffer->bytes + at, &thread, sizeof(thread));
	return true;
}

/* Fills @buffer from a dict of thread ident -> frame; returns the number of threads. */
static uint32_t snapshot__gather(struct buffer *buffer, PyObject *frames)
{
	PyObject *ident, *frame;
	uint32_t threads = 0;
	Py_ssize_t at = 0;

	while (PyDict_Next(frames, &at, &ident, &frame)) {
		uint32_t tid = threads__tid_of(PyLong_AsUnsignedLong(ident));

		if (tid && PyFrame_Check(frame))
			threads += snapshot__add_thread(buffer, tid, (PyFrameObject *)frame);
	}
	return threads;
}

int snapshot__take(enum pyframes_snapshot_reason reason)
{
	PyObject *current_frames = PySys_GetObject("_current_frames");
	struct pyframes_snapshot *record = NULL;
	struct buffer buffer = { 0 };
	PyObject *frames;
	uint32_t threads;

	last_ns = clock__monotonic_ns();
	if (!cpython__gil_stops_all())
		return -EBUSY;
	frames = current_frames ? PyObject_CallNoArgs(current_frames) : NULL;
	if (frames && PyDict_CheckExact(frames)) {
		threads = snapshot__gather(&buffer, frames);
		record = sidefile__begin(&session.side, PYFRAMES_RECORD_SNAPSHOT, SIDEFILE_EVENTS,
					 sizeof(*record) + buffer.used);
	}
	if (record) {
		record->reason = reason;
		record->threads = threads;
		if (buffer.used)
			memcpy(record + 1, buffer.bytes, buffer.used);
		sidefile__commit(&session.side);
	}
	free(buffer.bytes);
	Py_XDECREF(frames);
	PyErr_Clear();
	return record ? 0 : -ENOMEM;
}
