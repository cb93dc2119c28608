// SPDX-License-Identifier: GPL-2.0
#include "perfconv/perfdata/inflate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "perfconv/base/mem.h"
#include "perfconv/perfdata/limits.h"

struct inflate {
	ZSTD_DStream *stream;
	VEC(uint8_t) out;
	size_t front;
};

struct inflate *inflate__new(void)
{
	struct inflate *z = mem__alloc(1, sizeof(*z));

	z->stream = ZSTD_createDStream();
	if (z->stream)
		ZSTD_DCtx_setParameter(z->stream, ZSTD_d_windowLogMax, PERFDATA_MAX_ZSTD_WINDOW);
	return z;
}

void inflate__free(struct inflate *z)
{
	if (!z)
		return;
	ZSTD_freeDStream(z->stream);
	vec__release(&z->out);
	free(z);
}

int inflate__add(struct inflate *z, const void *bytes, size_t n)
{
	ZSTD_inBuffer in = { bytes, n, 0 };

	if (!z->stream)
		return -ENOMEM;
	if (z->front) {
		memmove(z->out.data, z->out.data + z->front, z->out.n - z->front);
		z->out.n -= z->front;
		z->front = 0;
	}
	for (;;) {
		ZSTD_outBuffer out;
		size_t left;

		vec__reserve(&z->out, z->out.n + ZSTD_DStreamOutSize());
		out = (ZSTD_outBuffer){ z->out.data, z->out.cap, z->out.n };
		left = ZSTD_decompressStream(z->stream, &out, &in);
		z->out.n = out.pos;
		if (ZSTD_isError(left) || z->out.n > PERFDATA_MAX_INFLATED)
			return -EINVAL;
		/* Output that did not fill its room means that all of the input is through.
     */
		if (in.pos == in.size && out.pos < out.size)
			return 0;
	}
}

size_t inflate__peek(const struct inflate *z, const uint8_t **bytes)
{
	*bytes = z->out.data + z->front;
	return z->out.n - z->front;
}

void inflate__skip(struct inflate *z, size_t n)
{
	z->front += n;
}
