// SPDX-License-Identifier: GPL-2.0
/* A capture through all stages but output: read, unwind, name, profile, judge. */
#include "perfconv/pipeline/capture.h"
#include "perfconv/pipeline/quality.h"
#include "tests/fuzz/target.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct capture_options options = {
		.path = target__file(bytes, n),
		.side_dir = "/nonexistent",
		.resolve = { FRAMES_MERGED, .inlines = true },
	};
	struct capture *c;

	if (capture__read(&c, &options, NULL))
		return 0;
	quality__count(c);
	capture__free(c);
	return 0;
}
