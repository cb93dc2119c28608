// SPDX-License-Identifier: GPL-2.0
#include "perfconv/pipeline/profiled.h"

#include <string.h>

static uint64_t period_of(const struct capture *c)
{
	const struct perfdata_event *e = perfdata__event(c->data, c->profile->event);

	if (e->freq)
		return e->period_or_freq ? 1000000000 / e->period_or_freq : 0;
	return profile__measures_time(e) ? e->period_or_freq : 0;
}

int profiled__open(struct profiled *p, const struct capture_options *options, struct errbuf *err)
{
	int code;

	memset(p, 0, sizeof(*p));
	p->path = options->path;
	if (profile_file__is_one(options->path)) {
		code = profile_file__open(&p->file, options->path, err);
		if (code)
			return code;
		p->profile = p->file->profile;
		p->period_ns = p->file->period_ns;
		return 0;
	}
	code = capture__read(&p->capture, options, err);
	if (code)
		return code;
	p->profile = p->capture->profile;
	p->period_ns = period_of(p->capture);
	return 0;
}

void profiled__release(struct profiled *p)
{
	profile_file__free(p->file);
	capture__free(p->capture);
	memset(p, 0, sizeof(*p));
}
