// SPDX-License-Identifier: GPL-2.0
/* perfconv info - what a capture holds: events, threads, records, quality. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "perfconv/base/sink.h"
#include "perfconv/cmd/cmd.h"
#include "perfconv/cmd/info_report.h"
#include "perfconv/cmd/message.h"
#include "perfconv/cmd/options.h"
#include "perfconv/cmd/sources.h"
#include "perfconv/pipeline/capture.h"

struct info {
	struct capture_options capture; /* first: cmd/sources.h */
	struct option_texts inputs;
	bool json;
};

static int set_texts(void *target, const char *value)
{
	return options__number("event-text", "samples", value,
			       &((struct info *)target)->capture.texts);
}

static int set_max_dump(void *target, const char *value)
{
	return options__number("max-stack-dump", "bytes", value,
			       &((struct info *)target)->capture.max_dump);
}

static const struct option_spec options[] = {
	{ "input", 'i', "FILE", "the capture, as an argument", OPTION_TEXTS(struct info, inputs) },
	{ "json", 0, NULL, "for programs", OPTION_FLAG(struct info, json) },
	{ "event-text", 0, "N",
	  "also show the first N tracepoint samples as the kernel\n"
	  "would print them; not for captures of strangers",
	  OPTION_CALL(set_texts) },
	{ "no-stitch", 0, NULL, "stacks that did not fit their dump stay cut",
	  OPTION_FLAG(struct info, capture.no_stitch) },
	{ "max-stack-dump", 0, "BYTES",
	  "use so much of each stack dump, as if no more had\n"
	  "been recorded; calibration events keep theirs",
	  OPTION_CALL(set_max_dump) },
	{ "strict", 0, NULL, "a capture with anything odd in it is an error",
	  OPTION_FLAG(struct info, capture.strict) },
	SOURCES_OPTIONS,
};

static int info(const struct info *i, struct errbuf *err)
{
	struct capture *c;
	struct sink *out;
	int code = capture__read(&c, &i->capture, err);

	if (code)
		return code;
	code = sink__open(&out, "-", err);
	if (!code) {
		if (i->json)
			info_report__json(out, c, i->capture.path);
		else
			info_report__text(out, c, i->capture.path);
		code = sink__commit(out, err);
	}
	capture__free(c);
	return code;
}

static int run(void *target, int argc, char **argv)
{
	struct info *i = target;
	struct errbuf err;

	sources__files(&i->capture, &i->inputs, argc, argv);
	return options__status(info(i, &err), &err);
}

static const struct command_spec spec = {
	.name = "info",
	.usage = "[OPTION]... [FILE]...",
	.about = "Say what a capture (default: perf.data) holds: events, processes and threads,\n"
		 "counts of records, and how complete its stacks are.  Several files are a\n"
		 "series of perf record --switch-output.",
	.options = options,
	.options_n = sizeof(options) / sizeof(*options),
	.run = run,
};

int cmd__info(int argc, char **argv)
{
	struct info i = { .capture = { .resolve.mode = FRAMES_ALL,
				       .max_samples = CAPTURE_NO_TIMELINES } };
	int status = options__run(&spec, argc, argv, &i);

	vec__release(&i.inputs);
	return status;
}
