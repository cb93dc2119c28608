/* SPDX-License-Identifier: GPL-2.0 */
/*
 * scrub - users' names in paths, /home/NAME/ and /Users/NAME/, become letters x of the
 * same length: equal names the same, different ones of one length another letter.
 */
#ifndef PERFCONV_BUNDLE_SCRUB_H
#define PERFCONV_BUNDLE_SCRUB_H

#include <stddef.h>
#include <stdint.h>

#include "perfconv/base/idmap.h"
#include "perfconv/base/mem.h"

#define SCRUB_MAX_NAME 32u
#define SCRUB_REACH 48u /* bytes before and after a byte that decide about it */

/* Zero-initialised is ready. */
struct scrub {
	struct strtab names;  /* met so far */
	VEC(uint8_t) letters; /* of each */
};

void scrub__release(struct scrub *s);

/** scrub__bytes - names in @n bytes of anything, in place. */
void scrub__bytes(struct scrub *s, uint8_t *bytes, size_t n);

/** scrub__text - the same in a string. */
void scrub__text(struct scrub *s, char *text);

/** scrub__side_file - the same in a whole pyframes side file, checksums included. */
void scrub__side_file(struct scrub *s, uint8_t *bytes, size_t n);

#endif
