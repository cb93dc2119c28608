// SPDX-License-Identifier: GPL-2.0
#include "perfconv/doctor/run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "perfconv/base/mem.h"

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Between fork and exec. */
static void become(const char *const *argv, int out, bool errors)
{
	int null = open("/dev/null", O_RDWR);

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(null, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	dup2(errors ? out : null, STDERR_FILENO);
	unsetenv("PYFRAMES");
	execvp(argv[0], (char *const *)(uintptr_t)argv);
	_exit(127);
}

/* Until the end of what it says.  Return: 0, -ETIMEDOUT, -EFBIG. */
static int listen_to(int fd, int64_t end_ms, char **said)
{
	VEC(char) v = { 0 };
	int code = 0;

	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int64_t left = end_ms - now_ms();
		ssize_t got;

		vec__reserve(&v, v.n + 4096);
		if (left <= 0 || !poll(&p, 1, (int)left)) {
			code = -ETIMEDOUT;
			break;
		}
		got = read(fd, v.data + v.n, v.cap - v.n - 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		v.n += (size_t)got;
		if (v.n > RUN_OUTPUT_LIMIT) {
			code = -EFBIG;
			break;
		}
	}
	v.data[v.n] = '\0';
	*said = v.data;
	return code;
}

/* It may have closed its output and go on.  Return: as waitpid(). */
static pid_t await(pid_t child, int64_t end_ms, int *status)
{
	const struct timespec pause = { .tv_nsec = 5000000 };
	pid_t found;

	while (!(found = waitpid(child, status, WNOHANG)) && now_ms() < end_ms)
		nanosleep(&pause, NULL);
	return found;
}

int run__capture(const char *const *argv, unsigned int limit_s, bool errors, char **said,
		 struct errbuf *err)
{
	int64_t end_ms = now_ms() + (int64_t)limit_s * 1000;
	int ends[2], status = 0, code;
	pid_t child;

	if (pipe2(ends, O_CLOEXEC))
		return errbuf__set(err, -errno, "%s: %s", argv[0], strerror(errno));
	child = fork();
	if (!child)
		become(argv, ends[1], errors);
	close(ends[1]);
	if (child < 0) {
		code = -errno;
		close(ends[0]);
		return errbuf__set(err, code, "%s: %s", argv[0], strerror(-code));
	}
	code = listen_to(ends[0], end_ms, said);
	close(ends[0]);
	if (code || await(child, end_ms, &status) != child) {
		code = code ? code : -ETIMEDOUT;
		kill(-child, SIGKILL);
		waitpid(child, &status, 0);
	}
	if (!code && WIFEXITED(status))
		return WEXITSTATUS(status);
	free(*said);
	*said = NULL;
	if (code == -ETIMEDOUT)
		return errbuf__set(err, code, "%s did not end within %u s", argv[0], limit_s);
	if (code == -EFBIG)
		return errbuf__set(err, code, "%s says too much", argv[0]);
	return errbuf__set(err, -EINTR, "%s was ended by signal %d", argv[0], WTERMSIG(status));
}
