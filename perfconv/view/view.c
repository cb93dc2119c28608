// SPDX-License-Identifier: GPL-2.0
#include "perfconv/view/view.h"

#include <errno.h>

#ifndef HAVE_MICROHTTPD

int view__new(struct view **out, const struct view_options *options, struct errbuf *err)
{
	(void)out, (void)options;
	return errbuf__set(
		err, -ENOSYS,
		"this perfconv was built without libmicrohttpd: install libmicrohttpd-dev "
		"and build it again, or drop FILE on https://www.speedscope.app");
}

void view__free(struct view *v)
{
	(void)v;
}

const char *view__url(const struct view *v)
{
	(void)v;
	return "";
}

#else

#include <arpa/inet.h>
#include <microhttpd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "perfconv/base/file.h"
#include "perfconv/base/mem.h"
#include "perfconv/base/tempdir.h"
#include "perfconv/view/assets.h"
#include "perfconv/view/list.h"
#include "perfconv/view/release.h"

#define PROFILE "profile/"
#define REPORT "report/"
#define SPEEDSCOPE "speedscope/"
#define NUMBER_LIMIT 1000000ul
#define IDLE_LIMIT_S 60u /* connections of others on this machine end, too */

/* speedscope makes style elements and has WebAssembly; a report has all in it. */
#define POLICY_COMMON                                                                              \
	"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
#define POLICY_LIST POLICY_COMMON "script-src 'self'; style-src 'self'; connect-src 'self'"
#define POLICY_REPORT                                                                              \
	POLICY_COMMON "script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:"
#define POLICY_SPEEDSCOPE                                                                          \
	POLICY_COMMON "script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; "   \
		      "connect-src 'self'; font-src 'self' data:; img-src 'self' data: blob:; "    \
		      "worker-src 'self' blob:"

struct view {
	struct view_options options;
	char *release, *url;
	char token[VIEW_TOKEN_CHARS + 1];
	char host[2][32]; /* what a request may call us */
	struct tempdir *folder;
	const char *list; /* path */
	bool *reported;	  /* by file: its report is in the folder */
	struct MHD_Daemon *daemon;
};

/* What a request is answered with. */
struct answer {
	unsigned int status;
	const char *type, *policy;
	int fd;		  /* -1: text */
	const char *text; /* static storage */
};

static struct answer text_answer(unsigned int status, const char *text)
{
	return (struct answer){ status, "text/plain; charset=utf-8", POLICY_COMMON, -1, text };
}

static struct answer not_found(void)
{
	return text_answer(MHD_HTTP_NOT_FOUND, "There is nothing here.\n");
}

static struct answer file_answer(int fd, const char *type, const char *policy)
{
	return fd < 0 ? not_found() : (struct answer){ MHD_HTTP_OK, type, policy, fd, NULL };
}

/* What follows @prefix in @path, or NULL. */
static const char *behind(const char *path, const char *prefix)
{
	size_t n = strlen(prefix);

	return strncmp(path, prefix, n) ? NULL : path + n;
}

static bool is_our_name(const struct view *v, const char *host)
{
	return host && (!strcmp(host, v->host[0]) || !strcmp(host, v->host[1]));
}

static const char *header(struct MHD_Connection *connection, const char *name)
{
	return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

static bool says(struct MHD_Connection *connection, const char *name, const char *value)
{
	const char *said = header(connection, name);

	return said && !strcmp(said, value);
}

/* What a page of another site embeds or asks for.  A link that somebody follows is not: that
 * page learns nothing of it. */
static bool is_embedded(struct MHD_Connection *connection)
{
	return (says(connection, "Sec-Fetch-Site", "cross-site") ||
		says(connection, "Sec-Fetch-Site", "same-site")) &&
	       !(says(connection, "Sec-Fetch-Mode", "navigate") &&
		 says(connection, "Sec-Fetch-Dest", "document"));
}

/* A foreign page can name 127.0.0.1 as it likes, but not as we do; and its browser says where
 * it is from. */
static bool request_is_ours(const struct view *v, struct MHD_Connection *connection)
{
	const char *origin = header(connection, "Origin");

	return is_our_name(v, header(connection, "Host")) && !is_embedded(connection) &&
	       (!origin || is_our_name(v, behind(origin, "http://")));
}

/* The number that @text begins with, of a file; @rest: what follows.  -1: none. */
static long file_number(const struct view *v, const char *text, const char **rest)
{
	unsigned long number;
	char *end;

	if (*text < '0' || *text > '9')
		return -1;
	number = strtoul(text, &end, 10);
	*rest = end;
	return number < NUMBER_LIMIT && number < v->options.files_n ? (long)number : -1;
}

static struct answer profile_answer(const struct view *v, const char *text)
{
	const char *rest = "";
	long number = file_number(v, text, &rest);

	if (number < 0 || *rest != '/')
		return not_found();
	return file_answer(file__open(v->options.files[number], NULL, NULL),
			   "application/octet-stream", POLICY_COMMON);
}

/* It is made when it is first asked for, because large ones take a while. */
static int make_report(struct view *v, long number, const char *path, struct errbuf *err)
{
	struct sink *sink;
	int code;

	if (v->reported[number])
		return 0;
	code = sink__open(&sink, path, err);
	if (code)
		return code;
	code = v->options.report(sink, v->options.files[number], err);
	if (code) {
		sink__abort(sink);
		return code;
	}
	code = sink__commit(sink, err);
	v->reported[number] = !code;
	return code;
}

static struct answer report_answer(struct view *v, const char *text)
{
	const char *rest = "";
	long number = file_number(v, text, &rest);
	struct answer answer;
	struct errbuf err;
	char *path;

	if (number < 0 || *rest)
		return not_found();
	path = mem__format("%s/report-%ld", tempdir__path(v->folder), number);
	if (make_report(v, number, path, &err))
		answer = text_answer(
			MHD_HTTP_NOT_FOUND,
			"This profile holds no report; perfconv report FILE says why.\n");
	else
		answer = file_answer(file__open(path, NULL, NULL), "text/html; charset=utf-8",
				     POLICY_REPORT);
	free(path);
	return answer;
}

/* @path: behind the token and its slash */
static struct answer answer_for(struct view *v, const char *path)
{
	const struct asset *asset = asset__find(path);
	const char *rest;

	if (asset)
		return (struct answer){ MHD_HTTP_OK, asset->type, POLICY_LIST, -1, asset->text };
	if (!strcmp(path, "list.json"))
		return file_answer(file__open(v->list, NULL, NULL), "application/json",
				   POLICY_COMMON);
	if ((rest = behind(path, PROFILE)))
		return profile_answer(v, rest);
	if ((rest = behind(path, REPORT)))
		return report_answer(v, rest);
	if ((rest = behind(path, SPEEDSCOPE)))
		return file_answer(release__file(v->release, rest), release__type(rest),
				   POLICY_SPEEDSCOPE);
	return not_found();
}

static struct answer choose(struct view *v, struct MHD_Connection *connection, const char *url,
			    const char *method)
{
	const char *path;

	if (!request_is_ours(v, connection))
		return text_answer(MHD_HTTP_FORBIDDEN,
				   "Only pages of this address are answered.\n");
	if (strcmp(method, MHD_HTTP_METHOD_GET) && strcmp(method, MHD_HTTP_METHOD_HEAD))
		return text_answer(MHD_HTTP_METHOD_NOT_ALLOWED, "Only GET is answered.\n");
	path = *url == '/' ? behind(url + 1, v->token) : NULL;
	return path && *path == '/' ? answer_for(v, path + 1) : not_found();
}

static struct MHD_Response *make_response(const struct answer *a)
{
	struct stat st;

	if (a->fd < 0)
		return MHD_create_response_from_buffer(strlen(a->text), (void *)a->text,
						       MHD_RESPMEM_PERSISTENT);
	if (fstat(a->fd, &st)) {
		close(a->fd);
		return NULL;
	}
	return MHD_create_response_from_fd64((uint64_t)st.st_size, a->fd);
}

static enum MHD_Result respond(void *data, struct MHD_Connection *connection, const char *url,
			       const char *method, const char *version, const char *upload,
			       size_t *upload_bytes, void **state)
{
	struct answer a;
	struct MHD_Response *response;
	enum MHD_Result result;

	(void)version, (void)upload, (void)state;
	if (*upload_bytes) {
		*upload_bytes = 0;
		return MHD_YES;
	}
	a = choose(data, connection, url, method);
	response = make_response(&a);
	if (!response)
		return MHD_NO;
	MHD_add_response_header(response, "Content-Type", a.type);
	MHD_add_response_header(response, "Content-Security-Policy", a.policy);
	MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
	MHD_add_response_header(response, "Referrer-Policy", "no-referrer");
	MHD_add_response_header(response, "Cache-Control", "no-store");
	MHD_add_response_header(response, "Cross-Origin-Resource-Policy", "same-origin");
	MHD_add_response_header(response, "Cross-Origin-Opener-Policy", "same-origin");
	result = MHD_queue_response(connection, a.status, response);
	MHD_destroy_response(response);
	return result;
}

static int make_token(struct view *v, struct errbuf *err)
{
	unsigned char bytes[VIEW_TOKEN_CHARS / 2];

	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		return errbuf__set(err, -EIO, "the system has no random numbers: %s",
				   strerror(errno));
	for (size_t i = 0; i < sizeof(bytes); i++)
		snprintf(v->token + 2 * i, 3, "%02x", bytes[i]);
	return 0;
}

static int make_list(struct view *v, struct errbuf *err)
{
	struct sink *sink;
	int code = tempdir__new(&v->folder, err), fd;

	if (code)
		return code;
	fd = tempdir__file(v->folder, "list.json", &v->list, err);
	if (fd < 0)
		return fd;
	close(fd);
	code = sink__open(&sink, v->list, err);
	if (code)
		return code;
	list__write(sink, v->options.files, v->options.files_n);
	return sink__commit(sink, err);
}

static int serve(struct view *v, struct errbuf *err)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	const union MHD_DaemonInfo *info;
	unsigned int port;

	address.sin_port = htons(v->options.port);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	v->daemon = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD, v->options.port, NULL, NULL,
				     respond, v, MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&address,
				     MHD_OPTION_CONNECTION_TIMEOUT, IDLE_LIMIT_S, MHD_OPTION_END);
	if (!v->daemon)
		return errbuf__set(err, -EADDRINUSE,
				   "port %u of 127.0.0.1 cannot be opened; give another --port, or "
				   "none for any",
				   v->options.port);
	info = MHD_get_daemon_info(v->daemon, MHD_DAEMON_INFO_BIND_PORT);
	port = info ? info->port : v->options.port;
	snprintf(v->host[0], sizeof(v->host[0]), "127.0.0.1:%u", port);
	snprintf(v->host[1], sizeof(v->host[1]), "localhost:%u", port);
	v->url = mem__format("http://%s/%s/", v->host[0], v->token);
	return 0;
}

int view__new(struct view **out, const struct view_options *options, struct errbuf *err)
{
	struct view *v = mem__alloc(1, sizeof(*v));
	int code;

	v->options = *options;
	v->reported = mem__alloc(options->files_n, sizeof(*v->reported));
	code = release__find(&v->release, options->speedscope, err);
	if (!code)
		code = make_token(v, err);
	if (!code)
		code = make_list(v, err);
	if (!code)
		code = serve(v, err);
	if (code)
		view__free(v);
	else
		*out = v;
	return code;
}

void view__free(struct view *v)
{
	if (!v)
		return;
	if (v->daemon)
		MHD_stop_daemon(v->daemon);
	tempdir__free(v->folder);
	free(v->reported);
	free(v->release);
	free(v->url);
	free(v);
}

const char *view__url(const struct view *v)
{
	return v->url;
}

#endif
