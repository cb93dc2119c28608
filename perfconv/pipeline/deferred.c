// SPDX-License-Identifier: GPL-2.0
#include "perfconv/pipeline/deferred.h"

#include <stdlib.h>

void deferred__release(struct deferred *d)
{
	idmap__release(&d->keys);
	vec__release(&d->last);
	vec__release(&d->list);
}

void deferred__wait(struct deferred *d, uint32_t tid, uint64_t cookie, size_t sample)
{
	uint32_t key = idmap__intern(&d->keys, tid, cookie);

	if (key == d->last.n)
		vec__push(&d->last, DEFERRED_NONE);
	vec__push(&d->list, ((struct deferred_sample){ sample, d->last.data[key] }));
	d->last.data[key] = d->list.n - 1;
	d->waiting++;
}

bool deferred__take(struct deferred *d, uint32_t tid, uint64_t cookie, size_t *sample)
{
	uint32_t key = idmap__find(&d->keys, tid, cookie);
	const struct deferred_sample *s;

	if (key == IDMAP_NONE || d->last.data[key] == DEFERRED_NONE)
		return false;
	s = &d->list.data[d->last.data[key]];
	*sample = s->sample;
	d->last.data[key] = s->before;
	d->waiting--;
	return true;
}
