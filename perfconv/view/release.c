// SPDX-License-Identifier: GPL-2.0
#include "perfconv/view/release.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "perfconv/base/file.h"
#include "perfconv/base/mem.h"

#define PACKAGE "node_modules/speedscope/dist/release"
#define PATH_BYTES 4096

static bool is_release(const char *folder)
{
	char *path = mem__format("%s/index.html", folder);
	bool there = !access(path, R_OK);

	free(path);
	return there;
}

/* The folder that this program lies in; free() it. */
static char *own_folder(void)
{
	char path[PATH_BYTES];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path));

	if (n <= 0 || (size_t)n == sizeof(path))
		return mem__strdup(".");
	while (n && path[n - 1] != '/')
		n--;
	return mem__format("%.*s", (int)n, path);
}

static char *search(void)
{
	static const char *const beside[] = { "../share/perfconv/speedscope", "node/" PACKAGE };
	static const char *const global[] = { "/usr/local/lib/" PACKAGE, "/usr/lib/" PACKAGE,
					      "/usr/share/" PACKAGE };
	char *own = own_folder(), *found = NULL;

	for (size_t i = 0; i < sizeof(beside) / sizeof(*beside) && !found; i++) {
		char *path = mem__format("%s%s", own, beside[i]);

		if (is_release(path))
			found = path;
		else
			free(path);
	}
	for (size_t i = 0; i < sizeof(global) / sizeof(*global) && !found; i++)
		if (is_release(global[i]))
			found = mem__strdup(global[i]);
	free(own);
	return found;
}

int release__find(char **out, const char *given, struct errbuf *err)
{
	const char *named = given ? given : getenv("PERFCONV_SPEEDSCOPE");

	if (named && !is_release(named))
		return errbuf__set(
			err, -ENOENT,
			"%s: is no release of speedscope (it has no index.html); name the "
			"folder dist/release of npm's package",
			named);
	*out = named ? mem__strdup(named) : search();
	if (*out)
		return 0;
	return errbuf__set(err, -ENOENT,
			   "speedscope is not here: npm install -g speedscope (in a build folder, "
			   "make speedscope), or name the folder "
			   "dist/release of it with --speedscope");
}

int release__file(const char *release, const char *name)
{
	char *path;
	int fd;

	if (!*name || *name == '.' || strchr(name, '/'))
		return -ENOENT;
	path = mem__format("%s/%s", release, name);
	fd = file__open(path, NULL, NULL);
	free(path);
	return fd;
}

const char *release__type(const char *name)
{
	static const struct {
		const char *suffix, *type;
	} types[] = {
		{ ".html", "text/html; charset=utf-8" },
		{ ".js", "text/javascript; charset=utf-8" },
		{ ".css", "text/css; charset=utf-8" },
		{ ".json", "application/json" },
		{ ".txt", "text/plain; charset=utf-8" },
		{ ".png", "image/png" },
		{ ".ico", "image/x-icon" },
		{ ".woff2", "font/woff2" },
		{ ".wasm", "application/wasm" },
	};
	const char *dot = strrchr(name, '.');

	for (size_t i = 0; dot && i < sizeof(types) / sizeof(*types); i++)
		if (!strcmp(dot, types[i].suffix))
			return types[i].type;
	return "application/octet-stream";
}
