// SPDX-License-Identifier: GPL-2.0
/* A file of its own, because jansson's names and json_reader's are the same. */
#include "perfconv/output/json_member.h"

#include <string.h>

#include "perfconv/base/json_reader.h"

bool json_member__find(struct json_span file, const char *key, struct json_span *out)
{
	struct json_reader r;
	bool found = false;
	const char *name;

	json_reader__init(&r, file.at, file.n);
	(void)json_reader__object(&r);
	while (!found && (name = json_reader__key(&r))) {
		bool wanted = !strcmp(name, key) && json_reader__peek(&r) == JSON_OBJECT;
		const char *begin = r.at;

		json_reader__skip(&r);
		if (wanted && !r.trouble) {
			*out = (struct json_span){ begin, (size_t)(r.at - begin) };
			found = true;
		}
	}
	json_reader__release(&r);
	return found;
}
