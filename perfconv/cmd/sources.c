// SPDX-License-Identifier: GPL-2.0
#include "perfconv/cmd/sources.h"

#include <errno.h>
#include <sys/stat.h>

#include "perfconv/base/file.h"
#include "perfconv/base/mem.h"
#include "perfconv/cmd/message.h"

static int set_folder(const char **slot, const char *option, const char *value)
{
	struct stat st;

	if (stat(value, &st) || !S_ISDIR(st.st_mode)) {
		message__error("--%s takes a folder that exists, not %s", option, value);
		return -EINVAL;
	}
	*slot = value;
	return 0;
}

int sources__set_side_dir(void *target, const char *value)
{
	return set_folder(&((struct capture_options *)target)->side_dir, "side-dir", value);
}

int sources__set_symfs(void *target, const char *value)
{
	return set_folder(&((struct capture_options *)target)->symfs, "symfs", value);
}

void sources__files(struct capture_options *capture, struct option_texts *inputs, int argc,
		    char **argv)
{
	for (int i = 0; i < argc; i++)
		vec__push(inputs, argv[i]);
	if (!inputs->n)
		vec__push(inputs, "perf.data");
	capture->path = inputs->data[0];
	capture->files = inputs->data;
	capture->files_n = inputs->n;
}

int sources__check_output(const struct option_texts *inputs, const char *output, const char *what,
			  struct errbuf *err)
{
	for (size_t i = 0; output && i < inputs->n; i++)
		if (file__is_same(inputs->data[i], output))
			return errbuf__set(err, -EINVAL,
					   "%s: is the input itself; give the %s another name",
					   output, what);
	return 0;
}
