/* SPDX-License-Identifier: GPL-2.0 */
/* finding - one thing that was looked at: how it stands, and what to do about it. */
#ifndef PERFCONV_DOCTOR_FINDING_H
#define PERFCONV_DOCTOR_FINDING_H

#include <stddef.h>

#include "perfconv/base/mem.h"

enum finding_state {
	FINDING_OK,
	FINDING_NOTE,	 /* to be known; nothing is wrong */
	FINDING_MISSING, /* not there */
	FINDING_REFUSED, /* there, and not for this user */
};

struct finding {
	const char *area; /* what was looked at, a word; static storage */
	enum finding_state state;
	char *words;
	char *remedy; /* or NULL */
	char *risk;   /* of the remedy, or NULL */
};

struct findings {
	VEC(struct finding) list;
};

/** findings__add - a finding at the end, for finding__remedy(); valid until the next one. */
struct finding *findings__add(struct findings *f, const char *area, enum finding_state state,
			      const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/** finding__remedy - what to do, and @risk, which may be NULL: what that opens or costs. */
void finding__remedy(struct finding *f, const char *risk, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/** finding_state__name - "ok", "note", "missing" or "refused". */
const char *finding_state__name(enum finding_state state);

void findings__release(struct findings *f);

#endif
