// SPDX-License-Identifier: GPL-2.0
#include "perfconv/pipeline/timelines.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "perfconv/analyze/analysis.h"
#include "perfconv/pipeline/switching.h"
#include "perfconv/profile/buckets.h"
#include "perfconv/profile/total.h"
#include "perfconv/profile/wall.h"

static bool is_monotonic(const struct capture *c)
{
	return perfdata__info(c->data)->clockid == CLOCK_MONOTONIC;
}

/* <capture>.threads.json, beside the capture or in the side folder. */
static void open_threads_file(struct capture *c)
{
	char *recorded = mem__format("%s.threads.json", c->options.path);
	char *path = images__find_beside(&c->images, NULL, recorded);
	int code = path ? threads_file__open(&c->threads_file, path, &c->threads_trouble) : -ENOENT;

	if (!code || code == -ENOENT)
		c->threads_trouble.text[0] = '\0';
	free(path);
	free(recorded);
}

/* The recorder's word for what was recorded, if the user has none. */
static int take_scenario(struct capture *c, struct errbuf *err)
{
	if (c->options.scenario || !c->threads_file || !*c->threads_file->scenario)
		return 0;
	c->options.scenario = c->threads_file->scenario;
	return c->options.rules ? rules__enter(c->options.rules, c->options.scenario, err) : 0;
}

/* Of the whole capture.  Its end may be silent: then the last look at the threads tells
 * how long nothing happened. */
static struct profile_window whole(const struct capture *c)
{
	struct profile_window w = { c->first_ns, c->last_ns };
	const struct threads_file *f = is_monotonic(c) ? c->threads_file : NULL;

	for (size_t i = 0; f && i < f->entries.n; i++) {
		uint64_t time_ns = f->entries.data[i].time_ns;

		if (!w.from_ns || (!c->first_ns && time_ns < w.from_ns))
			w.from_ns = time_ns;
		if (time_ns > w.to_ns)
			w.to_ns = time_ns;
	}
	return w;
}

static uint64_t after(const struct profile_window *w, double seconds)
{
	double ns = seconds * 1e9;

	return ns < (double)(w->to_ns - w->from_ns) ? w->from_ns + (uint64_t)ns : w->to_ns;
}

static bool is_part(const struct capture *c)
{
	return c->options.from_s > 0 || c->options.to_s > 0;
}

static struct profile_window part(const struct capture *c)
{
	struct profile_window all = whole(c), out = all;

	if (c->options.from_s > 0)
		out.from_ns = after(&all, c->options.from_s);
	if (c->options.to_s > 0)
		out.to_ns = after(&all, c->options.to_s);
	if (out.to_ns < out.from_ns)
		out.to_ns = out.from_ns;
	return out;
}

static struct profile *make_exact(struct capture *c, uint32_t event, const struct watcher *watcher)
{
	struct waits_sources sources = {
		.store = &c->store,
		.switches = &c->switches,
		.machine = &c->machine,
		.images = &c->images,
		.symbols = c->symbols,
		.python = c->python,
		.resolver = c->resolver,
		.threads = c->threads_file,
		.monotonic = is_monotonic(c),
		.chains_trusted = !switching__has_dumps(c->data),
	};
	struct wall_sources wall = {
		.event = perfdata__event(c->data, event),
		.event_index = event,
		.store = &c->store,
		.switches = &c->switches,
		.machine = &c->machine,
		.python = c->python,
		.threads = c->threads_file,
		.resolver = c->resolver,
		.capture = whole(c),
		.window = part(c),
		.monotonic = is_monotonic(c),
		.waits_shown = c->options.view != VIEW_CPU,
		.filter = &c->options.filter,
		.max_slices = c->options.max_samples,
		.watcher = watcher,
		.hits = c->options.hits,
	};

	c->waits = waits__new(&sources);
	wall.waits = c->waits;
	return wall__new(&wall);
}

static struct profile *make_sampled(struct capture *c, uint32_t event)
{
	struct profile_sources sources = {
		.event = perfdata__event(c->data, event),
		.event_index = event,
		.store = &c->store,
		.machine = &c->machine,
		.python = c->python,
		.resolver = c->resolver,
		.window = { 0, UINT64_MAX },
		.filter = &c->options.filter,
		.max_slices = c->options.max_samples,
		.hits = c->options.hits,
	};

	if (is_part(c))
		sources.window = part(c);
	return profile__new(&sources);
}

static void filter_gil(const struct capture *c, struct profile *p)
{
	if (c->options.filter.gil)
		profile__filter_gil(p);
}

static void fit(struct capture *c, struct profile *p)
{
	uint64_t max = c->options.max_samples;

	if (p->threads.n > 1)
		total__make(p, c->resolver);
	if (!max)
		return;
	if (p->total.n > max / 2)
		p->total.n = 0;
	buckets__merge(p, max - p->total.n);
}

static int check_part(const struct capture *c, struct errbuf *err)
{
	struct profile_window all = whole(c);
	double seconds = (double)(all.to_ns - all.from_ns) / 1e9;

	if (c->options.from_s <= 0 || c->options.from_s < seconds)
		return 0;
	return errbuf__set(err, -ERANGE,
			   "%s: lasts %.3f s, so --from %g leaves nothing of it; give less",
			   c->options.path, seconds, c->options.from_s);
}

/* Of stacks without Python, or without what it called, little can be said. */
static struct analysis *make_analysis(const struct capture *c)
{
	enum frames_mode mode = resolver__mode(c->resolver);
	struct analysis_sources sources = {
		.resolved = resolver__resolved(c->resolver),
		.machine = &c->machine,
		.python = c->python,
		.lines = lines__counts(c->lines),
		.threads = is_monotonic(c) ? c->threads_file : NULL,
		.rules = c->options.rules,
		.begin_ns = c->first_ns,
		.to_end = part(c).to_ns == whole(c).to_ns,
		.scenario = c->options.scenario ? c->options.scenario : "",
		.monotonic = is_monotonic(c),
	};

	if (!c->options.rules || (mode != FRAMES_MERGED && mode != FRAMES_ALL))
		return NULL;
	return analysis__new(&sources);
}

static void finish_analysis(struct capture *c, struct analysis *a)
{
	if (!a)
		return;
	analysis__finish(a, c->profile, perfdata__stats(c->data)->lost, &c->report);
	c->analyzed = true;
}

/* The first event's, with its analysis if it measures time. */
static void make_first(struct capture *c, uint32_t event)
{
	bool time = profile__measures_time(perfdata__event(c->data, event));
	struct analysis *a = time ? make_analysis(c) : NULL;

	c->profile = c->exact && time ? make_exact(c, event, a ? analysis__watcher(a) : NULL)
				      : make_sampled(c, event);
	if (a && !c->profile->timed) {
		analysis__free(a);
		a = NULL;
	}
	if (a && !c->profile->exact) {
		profile__show(c->profile, analysis__watcher(a));
		resolver__note_lines(c->resolver);
	}
	filter_gil(c, c->profile);
	finish_analysis(c, a);
	analysis__free(a);
	fit(c, c->profile);
}

int timelines__make(struct capture *c, const uint32_t *events, size_t n, struct errbuf *err)
{
	int code;

	open_threads_file(c);
	code = take_scenario(c, err);
	if (!code)
		code = check_part(c, err);
	if (code)
		return code;
	c->exact = switching__is_exact(c->data) && c->switches.rows.n;
	make_first(c, events[0]);
	for (size_t i = 1; i < n; i++) {
		struct profile *p = make_sampled(c, events[i]);

		filter_gil(c, p);
		fit(c, p);
		vec__push(&c->others, p);
	}
	resolver__note_lines(c->resolver);
	return 0;
}
