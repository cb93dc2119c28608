/* SPDX-License-Identifier: GPL-2.0 */
/* assets - the page that lists profiles, as it goes to the browser. */
#ifndef PERFCONV_VIEW_ASSETS_H
#define PERFCONV_VIEW_ASSETS_H

#include <stddef.h>

struct asset {
	const char *name; /* below the token; "": the list itself */
	const char *type; /* for Content-Type */
	const char *text;
};

/** asset__find - NULL: there is none. */
const struct asset *asset__find(const char *name);

#endif
